"""The protocol's side of a server: requests become calls of what is offered, and what comes of them answers.

This room alone imports the SDK, which takes most of a second: only who serves loads it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar

import mcp_types as types
import msgspec
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError

from gitmem.model.errors.base import GitmemError
from gitmem.model.errors.serving import ArgumentsRefused
from gitmem.query.text import readable
from gitmem.recall.quoting import harmless
from gitmem.serving.offer import Offer, Prompt, Tool
from gitmem.serving.schemas import schema_of
from gitmem.serving.workers import Workers

T = TypeVar("T")

_LONGEST_NAME: Final = 60
_LONGEST_SAID: Final = 2_000
_PLAIN: Final = "text/plain"

_Context = ServerRequestContext[Any, Any]
_Page = types.PaginatedRequestParams


def server_of(offer: Offer, workers: Workers) -> Server[Any]:
    """Return a server of what is offered; what takes its time is done by the workers."""
    handlers = _Handlers(offer, workers)
    return Server(
        offer.name,
        version=offer.version,
        instructions=offer.instructions,
        on_list_tools=handlers.list_tools,
        on_call_tool=handlers.call_tool,
        on_list_resources=handlers.list_resources,
        on_list_resource_templates=handlers.list_templates,
        on_read_resource=handlers.read_resource,
        on_list_prompts=handlers.list_prompts,
        on_get_prompt=handlers.get_prompt,
    )


class _Handlers:
    """The requests that are answered, each by what is offered; no failure leaves one as a traceback."""

    def __init__(self, offer: Offer, workers: Workers) -> None:
        self._offer, self._workers = offer, workers
        self._tools = {tool.name: tool for tool in offer.tools}
        self._prompts = {prompt.name: prompt for prompt in offer.prompts}
        self._told = [_told(tool) for tool in offer.tools]

    async def list_tools(self, _: _Context, __: _Page | None) -> types.ListToolsResult:
        return types.ListToolsResult(tools=self._told)

    async def call_tool(self, context: _Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        tool = self._tools.get(params.name)
        if tool is None:
            raise MCPError(types.INVALID_PARAMS, f"there is no tool {params.name[:_LONGEST_NAME]!r}")
        try:
            work = partial(tool.run, _arguments(tool, params.arguments), _client(context))
            found = await self._workers.do(work, writes=tool.writes)
        except GitmemError as error:
            return _failed(_described(error, self._offer.hint(error)))
        except Exception as error:  # noqa: BLE001 (the last handler: what arrives here is a bug)
            return _failed(self._offer.broke(error))
        return types.CallToolResult(
            content=[types.TextContent(type="text", text=found.text)],
            structured_content=msgspec.to_builtins(found.value),
        )

    async def list_resources(self, _: _Context, params: _Page | None) -> types.ListResourcesResult:
        found = await self._done(partial(self._offer.list_resources, params.cursor if params else None))
        return types.ListResourcesResult(
            resources=[
                types.Resource(uri=each.uri, name=each.name, title=each.title, mime_type=_PLAIN)
                for each in found.resources
            ],
            next_cursor=found.cursor,
        )

    async def list_templates(self, _: _Context, __: _Page | None) -> types.ListResourceTemplatesResult:
        return types.ListResourceTemplatesResult(
            resource_templates=[
                types.ResourceTemplate(
                    uri_template=each.uri, name=each.name, description=each.about, mime_type=_PLAIN
                )
                for each in self._offer.templates
            ]
        )

    async def read_resource(
        self, _: _Context, params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        text = await self._done(partial(self._offer.read_resource, params.uri))
        contents = types.TextResourceContents(uri=params.uri, mime_type=_PLAIN, text=text)
        return types.ReadResourceResult(contents=[contents])

    async def list_prompts(self, _: _Context, __: _Page | None) -> types.ListPromptsResult:
        return types.ListPromptsResult(prompts=[_told_prompt(prompt) for prompt in self._offer.prompts])

    async def get_prompt(self, _: _Context, params: types.GetPromptRequestParams) -> types.GetPromptResult:
        prompt = self._prompts.get(params.name)
        if prompt is None:
            raise MCPError(types.INVALID_PARAMS, f"there is no prompt {params.name[:_LONGEST_NAME]!r}")
        argument = (params.arguments or {}).get(prompt.argument, "")
        if not argument.strip():
            raise MCPError(types.INVALID_PARAMS, f"{prompt.name} needs the argument {prompt.argument}")
        text = await self._done(partial(prompt.write, argument))
        message = types.PromptMessage(role="user", content=types.TextContent(type="text", text=text))
        return types.GetPromptResult(description=prompt.about, messages=[message])

    async def _done(self, work: Callable[[], T]) -> T:
        try:
            return await self._workers.do(work)
        except GitmemError as error:
            raise MCPError(types.INVALID_PARAMS, _described(error, self._offer.hint(error))) from None
        except Exception as error:  # noqa: BLE001 (as above)
            raise MCPError(types.INTERNAL_ERROR, self._offer.broke(error)) from None


def _told(tool: Tool) -> types.Tool:
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.about,
        input_schema=schema_of(tool.takes, tool.hidden),
        output_schema=schema_of(tool.gives),
        annotations=types.ToolAnnotations(
            read_only_hint=not tool.writes, destructive_hint=False, open_world_hint=False
        ),
    )


def _told_prompt(prompt: Prompt) -> types.Prompt:
    argument = types.PromptArgument(name=prompt.argument, description=prompt.argument_about, required=True)
    return types.Prompt(name=prompt.name, title=prompt.title, description=prompt.about, arguments=[argument])


def _arguments(tool: Tool, given: dict[str, Any] | None) -> msgspec.Struct:
    """Return what a tool was given, typed.

    Agents fill forms in: a null or nothing where something may be left out is as if it was, and a number may
    come as 5.0 or "5".

    Raises:
        ArgumentsRefused: It takes something else.
    """
    needed = {field.name for field in msgspec.structs.fields(tool.takes) if field.required}
    said = {name: value for name, value in (given or {}).items() if name in needed or value not in (None, "")}
    try:
        return msgspec.convert(said, tool.takes, strict=False)
    except (msgspec.ValidationError, RecursionError) as error:
        known = tuple(name for name in tool.takes.__struct_fields__ if name not in tool.hidden)
        raise ArgumentsRefused(tool.name, str(error)[:_LONGEST_SAID], known) from None


def _client(context: _Context) -> str:
    """Return what the other end calls itself, on one line; nothing where it does not say."""
    said = context.session.client_params
    return " ".join(said.client_info.name.split())[:_LONGEST_NAME] if said else ""


def _described(error: GitmemError, hint: str) -> str:
    """Return what went wrong and what to do, in which nothing from a memory looks like a tag of anybody's."""
    text = "\nhint: ".join(filter(None, (str(error)[:_LONGEST_SAID], hint[:_LONGEST_SAID])))
    # Lone surrogates would be no JSON, and names that others chose may hold anything.
    return harmless("".join(each if each.isprintable() or each == "\n" else " " for each in readable(text)))


def _failed(message: str) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(type="text", text=message)], is_error=True)
