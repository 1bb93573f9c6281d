"""`stoplint config`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from stoplint.check.discover import shown
from stoplint.cli.console import ColorChoice, open_console
from stoplint.cli.errors import UserError
from stoplint.config import ConfigError, Configs, Selection
from stoplint.config.options import OPTIONS
from stoplint.report._terminal import paint, wrap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stoplint.config import Config, Settings
    from stoplint.report import Style


@click.command("config")
@click.argument("path", default=".", type=click.Path())
@click.option("--schema", is_flag=True, help="Print the JSON schema of stoplint.toml instead.")
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", help="How settings are printed.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="When to use colours.")
def command(path: str, *, schema: bool, output_format: Literal["text", "json"], color: ColorChoice) -> None:
    """Show which settings apply to a file or folder, and where each comes from."""
    console = open_console(color)
    if schema:
        from stoplint.config.schema import text  # noqa: PLC0415 - only for --schema

        console.write([text()])
        return
    if not os.path.lexists(path):
        raise UserError(f"{path}: there is no such file or folder")
    try:
        configs = Configs()
        config = configs.for_folder(path) if Path(path).is_dir() else configs.for_path(path)
        off = frozenset[str]() if Path(path).is_dir() else configs.ignored_codes(path)
        excluded = configs.excluded(os.path.abspath(path), folder=Path(path).is_dir())  # noqa: PTH100 - os.path costs a fraction of pathlib over thousands of files
    except ConfigError as error:
        raise UserError(str(error)) from None
    rules = [code for code in _enabled(config.settings) if code not in off]
    if output_format == "json":
        console.write([json.dumps(_data(path, config, rules, excluded=excluded), indent=2) + "\n"])
    else:
        console.write(line + "\n" for line in _lines(path, config, rules, console.style, excluded=excluded))


def _enabled(settings: Settings) -> list[str]:
    return sorted(Selection.of(settings).looked_for)


def _value(settings: Settings, field: str) -> object:
    value = getattr(settings, field)
    return {glob: list(codes) for glob, codes in value} if field == "per_file_ignores" else value


def _data(path: str, config: Config, rules: list[str], *, excluded: bool) -> dict[str, object]:
    return {
        "path": shown(path),
        "file": shown(config.file) if config.file is not None else None,
        "excluded": excluded,
        "settings": {
            option.dotted: {"value": _value(config.settings, option.field), "source": config.origins[option.field]}
            for option in OPTIONS
        },
        "rules": rules,
    }


def _lines(path: str, config: Config, rules: list[str], style: Style, *, excluded: bool) -> Iterator[str]:
    source = shown(config.file) if config.file is not None else "no configuration file; the defaults"
    yield f"{paint(shown(path), 'path', style)}: {source}" + (" (excluded)" if excluded else "")
    yield ""
    keys = max(len(option.dotted) for option in OPTIONS)
    values = [_shown(_value(config.settings, option.field)) for option in OPTIONS]
    width = min(max(len(value) for value in values), 40)
    for option, value in zip(OPTIONS, values, strict=True):
        origin = config.origins[option.field]
        role: Literal["dim", "good"] = "dim" if origin == "default" else "good"
        yield f"{option.dotted:<{keys}}  {value:<{width}}  {paint(origin, role, style)}"
    yield ""
    yield from wrap("rules: " + " ".join(rules), style, indent="       ", first="")


def _shown(value: object) -> str:
    """A value as TOML has it; "-" for one that is not set."""
    if value is None:
        return "-"
    if isinstance(value, dict):
        return (
            "{ " + ", ".join(f"{json.dumps(key)} = {_shown(one)}" for key, one in value.items()) + " }"
            if value
            else "{}"
        )
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_shown(one) for one in value) + "]"
    return json.dumps(value, ensure_ascii=False)
