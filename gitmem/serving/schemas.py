"""What tools take and give, as JSON Schema has it: made from the same types that check it."""

from __future__ import annotations

from typing import Any

import msgspec


def schema_of(of: type[msgspec.Struct], hidden: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Return the schema of a type, without references and titles, which would only be longer to read."""
    (schema,), parts = msgspec.json.schema_components([of], ref_template="{name}")
    plain: dict[str, Any] = _plain(schema, parts)
    for name in hidden:
        plain["properties"].pop(name)
    return plain


def _plain(schema: Any, parts: dict[str, Any]) -> Any:
    """Return a schema with what it refers to in its place; none of ours refers to itself."""
    if isinstance(schema, list):
        return [_plain(each, parts) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _plain(parts[schema["$ref"]], parts)
    # The words about a type are for who reads the code; those about a field are for who calls the tool.
    dropped = {"title", "description"} if "properties" in schema else {"title"}
    told = {key: value for key, value in schema.items() if key not in dropped or isinstance(value, dict)}
    if "anyOf" in told and {"type": "null"} in told["anyOf"] and len(told["anyOf"]) == 2:
        # What may be left out is never null, though a null is taken for it.
        (kind,) = (each for each in told.pop("anyOf") if each != {"type": "null"})
        told = {**_plain(kind, parts), **told}
    if told.get("default", ...) in (None, "", [], (), False):
        told.pop("default")
    if told.get("required") == []:
        told.pop("required")
    return {key: _plain(value, parts) for key, value in told.items()}
