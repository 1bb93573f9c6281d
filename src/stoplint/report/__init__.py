"""How findings are shown.  Each module here without a leading underscore is one output format, called like its file.

A format module has `render(report, style)`, which yields pieces of text, and may have `TEXT = True` (people read it:
the closing line belongs to it) and `files(report, environment)`, texts to append to files besides the output.
"""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from stoplint.check.outcomes import Skipped
    from stoplint.check.source import Source
    from stoplint.findings import Finding, Place


@dataclass(frozen=True, slots=True)
class Report:
    """A run's outcome, ready to be shown.

    `findings` are sorted.  `source` gives the text of a reported path, None where it cannot be had; `file_line` the line
    of a place in its file, which differs from the place's own in a notebook.  `suppressed`, `in_baseline`, `stale`
    and `fixed` are counts.
    """

    findings: tuple[Finding, ...]
    files_checked: int
    source: Callable[[str], Source | None]
    file_line: Callable[[Place], int]
    skipped: tuple[Skipped, ...] = ()
    suppressed: int = 0
    in_baseline: int = 0
    stale: int = 0
    fixed: int = 0


@dataclass(frozen=True, slots=True)
class Style:
    """What the place of output can show: `unicode` when it can encode box-drawing characters."""

    color: bool = False
    unicode: bool = True
    width: int = 80


class Format(Protocol):
    """What a format module offers."""

    TEXT: bool

    def render(self, report: Report, style: Style) -> Iterator[str]:
        """The report in pieces of text."""

    def files(self, report: Report, environment: Mapping[str, str]) -> dict[str, str]:
        """Texts to append to files, by path."""


@dataclass(frozen=True, slots=True)
class _Module:
    """A format module with what it may leave out."""

    TEXT: bool
    _render: Callable[[Report, Style], Iterator[str]]
    _files: Callable[[Report, Mapping[str, str]], dict[str, str]]

    def render(self, report: Report, style: Style) -> Iterator[str]:
        return self._render(report, style)

    def files(self, report: Report, environment: Mapping[str, str]) -> dict[str, str]:
        return self._files(report, environment)


def names() -> tuple[str, ...]:
    """The names of all formats, "full" first; none of them is imported for this."""
    # Listing the folder rather than asking pkgutil saves `--help` 6 ms.
    found = [name[:-3] for name in os.listdir(__path__[0]) if name.endswith(".py") and not name.startswith("_")]  # noqa: PTH208 - os.path costs a fraction of pathlib over thousands of files
    return tuple(name.replace("_", "-") for name in sorted(found, key=lambda name: (name != "full", name)))


def load(name: str) -> Format:
    """The format of that name.  Raises KeyError for one there is not."""
    if name not in names():
        raise KeyError(name)
    module = importlib.import_module(f"stoplint.report.{name.replace('-', '_')}")
    return cast(
        "Format", _Module(getattr(module, "TEXT", False), module.render, getattr(module, "files", lambda *_: {}))
    )


def sort_key(finding: Finding) -> tuple[str, int, int, int, str, str]:
    """The order of all reports: path, cell, line, column, code."""
    place = finding.place
    return place.path, place.cell or 0, place.line, place.column, finding.code, finding.message
