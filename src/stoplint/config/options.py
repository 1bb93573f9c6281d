"""Every option: its key, what it may hold, what it means.  Validation, schema and documentation read this one table."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal, TypeAlias

from stoplint import reasons

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

Kind: TypeAlias = Literal["selectors", "globs", "reasons", "callables", "selectors by glob", "flag", "count", "version"]

_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_VERSION = re.compile(r"\d+(\.\d+){0,3}([a-z]+\d*)?")


class ConfigError(Exception):
    """A configuration that cannot be used; the message names the file, the key and the nearest valid one."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What applies to a file; one field an option of `OPTIONS`, `max-continuations` being `max_continuations`.

    Globs have gitignore's syntax and are relative to the configuration's folder.
    """

    select: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    strict: bool = False
    exclude: tuple[str, ...] = ()
    required_reasons: tuple[str, ...] = ()
    max_continuations: int | None = None
    sdk_version: str | None = None
    returns_response: tuple[str, ...] = ()
    checks_response: tuple[str, ...] = ()
    exposes_response: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Option:
    """One option.  `table` is the sub-table it stands in, "" for none."""

    key: str
    kind: Kind
    doc: str
    table: str = ""

    @property
    def field(self) -> str:
        """The field of `Settings` that holds it."""
        return self.key.replace("-", "_")

    @property
    def dotted(self) -> str:
        return f"{self.table}.{self.key}" if self.table else self.key


OPTIONS: tuple[Option, ...] = (
    Option(
        "select",
        "selectors",
        'The rules that are on, in place of the default ones: codes, prefixes of codes ("SL2"), names, or "ALL".',
    ),
    Option("extend-select", "selectors", "Rules that are on besides those of `select` or the default ones."),
    Option(
        "ignore", "selectors", "Rules that are off. Of a rule both selected and ignored the longer selector decides."
    ),
    Option(
        "per-file-ignores",
        "selectors by glob",
        "Rules that are off in some files: a table from file pattern (gitignore's syntax) to rules.",
    ),
    Option("strict", "flag", "Add the findings of the strict profile."),
    Option(
        "exclude",
        "globs",
        "Files and folders that are not checked (gitignore's syntax, relative to this file's folder). "
        "Counts for files named on the command line too.",
    ),
    Option(
        "required-reasons", "reasons", "Stop reasons that SL102 wants to see named, besides those it asks for itself."
    ),
    Option(
        "max-continuations",
        "count",
        "The largest bound on continuations of a turn that SL209 accepts. Without it any bound will do.",
    ),
    Option(
        "sdk-version", "version", "The version of the anthropic package; read from the project's pins when left out."
    ),
    Option("returns-response", "callables", "Your callables that return a response of the SDK.", table="wrappers"),
    Option(
        "checks-response",
        "callables",
        "Your callables that look at the stop_reason of a response they get.",
        "wrappers",
    ),
    Option("exposes-response", "callables", "Your callables that log, store or hand on a whole response.", "wrappers"),
)

_BY_DOTTED = {option.dotted: option for option in OPTIONS}
_TABLES = {option.table for option in OPTIONS if option.table}


def read_options(
    table: Mapping[str, object], selector_problem: Callable[[str], str | None]
) -> tuple[dict[str, object], list[str]]:
    """Field values of a configuration table, and what is wrong with it, one message a key."""
    values: dict[str, object] = {}
    problems: list[str] = []
    for dotted, value in _flat(table):
        option = _BY_DOTTED.get(dotted)
        if option is None:
            problems.append(_unknown(dotted))
            continue
        try:
            values[option.field] = _value(option, value, selector_problem)
        except ValueError as error:
            problems.append(f"{dotted}: {error}")
    return values, problems


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean "x"?` where one of `known` is close, else ""."""
    found = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.5)
    return f'; did you mean "{found[0]}"?' if found else ""


def _flat(table: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for key, value in table.items():
        if key in _TABLES and isinstance(value, dict):
            yield from ((f"{key}.{inner}", one) for inner, one in value.items())
        else:
            yield key, value


def _unknown(dotted: str) -> str:
    if dotted == "tool":
        return "tool: in stoplint.toml the options stand at the top, without [tool.stoplint]"
    if dotted in _TABLES:
        return f"{dotted}: must be a table"
    hint = nearest(dotted, _BY_DOTTED) or nearest(f"wrappers.{dotted}", _BY_DOTTED)
    return f"{dotted}: there is no such option" + (hint or f"; known are {', '.join(_BY_DOTTED)}")


def _value(option: Option, value: object, selector_problem: Callable[[str], str | None]) -> object:
    """The value in the form that `Settings` has.  Raises ValueError saying what is wrong with it."""
    if option.kind == "flag":
        if not isinstance(value, bool):
            raise ValueError(f"must be true or false, not {_show(value)}")
        return value
    if option.kind == "count":
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            shown = value if isinstance(value, (int, float)) and not isinstance(value, bool) else _show(value)
            raise ValueError(f"must be a whole number from 0, not {shown}")
        return value
    if option.kind == "version":
        if not isinstance(value, str) or not _VERSION.fullmatch(value):
            raise ValueError(f'must be a version like "1.4.0", not {_show(value)}')
        return value
    if option.kind == "selectors by glob":
        if not isinstance(value, dict):
            raise ValueError(f"must be a table from file pattern to a list of rules, not {_show(value)}")
        return tuple((glob, _strings(one, selector_problem)) for glob, one in sorted(value.items()))
    checks = {"selectors": selector_problem, "reasons": _reason_problem, "callables": _callable_problem}
    return _strings(value, checks.get(option.kind))


def _strings(value: object, problem_of: Callable[[str], str | None] | None) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError(f"must be a list of strings, not {_show(value)}")  # noqa: TRY004 - one error type for values
    for one in value:
        if not isinstance(one, str):
            raise ValueError(f"must hold strings only, not {_show(one)}")  # noqa: TRY004
        if problem_of is not None and (problem := problem_of(one)):
            raise ValueError(problem)
    return tuple(value)


def _reason_problem(value: str) -> str | None:
    if value in reasons.VALUES:
        return None
    return f'"{value}" is no stop reason' + (
        nearest(value, reasons.VALUES) or f"; known are {', '.join(reasons.VALUES)}"
    )


def _callable_problem(value: str) -> str | None:
    if _DOTTED.fullmatch(value):
        return None
    return f'"{value}" is no dotted name of a callable, like "myapp.llm.ask" or "myapp.llm.Client.ask"'


def _show(value: object) -> str:
    names = {bool: "a flag", int: "a number", float: "a number", list: "a list", dict: "a table"}
    return f'"{value}"' if isinstance(value, str) else names.get(type(value), f"a {type(value).__name__}")


def field_names() -> tuple[str, ...]:
    """The fields of `Settings`, in order."""
    return tuple(one.name for one in fields(Settings))
