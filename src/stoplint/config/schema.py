"""The JSON schema of the configuration, made from the table of options."""

from __future__ import annotations

import json
from typing import TypeAlias

from stoplint import reasons
from stoplint.config.options import OPTIONS, Kind, Option, Settings

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | bool | None"

# A list of all rules would go stale with every new one; the program itself checks that a rule exists.
_SELECTOR: Json = {"type": "string", "pattern": "^([Aa][Ll][Ll]|[Ss][Ll][0-9]{0,3}|[a-z]+(-[a-z]+)+)$"}


def schema() -> dict[str, Json]:
    """The schema of stoplint.toml, which is also that of `[tool.stoplint]`."""
    properties: dict[str, Json] = {}
    tables: dict[str, dict[str, Json]] = {}
    for option in OPTIONS:
        target = tables.setdefault(option.table, {}) if option.table else properties
        target[option.key] = _property(option)
    for table, inner in tables.items():
        properties[table] = {"type": "object", "additionalProperties": False, "properties": dict(inner)}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "stoplint",
        "description": "Configuration of stoplint: stoplint.toml, or [tool.stoplint] in pyproject.toml.",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
    }


def text() -> str:
    """The schema as it is checked in."""
    return json.dumps(schema(), indent=2) + "\n"


def _property(option: Option) -> Json:
    shape: dict[str, Json] = {"description": option.doc}
    default = getattr(Settings(), option.field)
    if default is not None:
        shape["default"] = {} if option.kind == "selectors by glob" else list(default) if default == () else default
    return shape | _shape(option)


def _shape(option: Option) -> dict[str, Json]:
    shapes: dict[Kind, dict[str, Json]] = {
        "flag": {"type": "boolean"},
        "count": {"type": "integer", "minimum": 0},
        "version": {"type": "string", "pattern": "^[0-9]+(\\.[0-9]+){0,3}([a-z]+[0-9]*)?$"},
        "selectors": {"type": "array", "items": _SELECTOR},
        "selectors by glob": {"type": "object", "additionalProperties": {"type": "array", "items": _SELECTOR}},
        "globs": {"type": "array", "items": {"type": "string"}},
        "reasons": {"type": "array", "items": {"enum": list(reasons.VALUES)}},
        "callables": {
            "type": "array",
            "items": {"type": "string", "pattern": "^[A-Za-z_]\\w*(\\.[A-Za-z_]\\w*)*$"},
        },
    }
    return shapes[option.kind]
