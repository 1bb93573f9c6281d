"""Text for terminals: colours, widths, wrapping, and characters that must not reach one as they are."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stoplint.findings import Severity
    from stoplint.report import Style

Role: TypeAlias = Literal["error", "warning", "path", "gutter", "related", "strong", "dim", "code", "good"]

_COLORS: dict[Role, str] = {
    "error": "1;31",
    "warning": "1;33",
    "path": "1",
    "gutter": "34",
    "related": "36",
    "strong": "1",
    "dim": "2",
    "code": "36",
    "good": "32",
}

_TAB = 4
_READABLE = 100
"""Prose wider than this is hard to read, however wide the terminal is."""


def paint(text: str, role: Role | Severity, style: Style) -> str:
    """The text in the colour of its role, where colours are wanted."""
    return f"\x1b[{_COLORS[role]}m{text}\x1b[0m" if style.color and text else text


def printable(text: str) -> str:
    """The text with control and direction-changing characters escaped: source code must not steer a terminal."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def columns(text: str) -> tuple[str, list[int]]:
    """A source line as it is shown, tabs expanded, and the display column (from 0) of each of its characters, with one
    more for its end.
    """
    shown: list[str] = []
    starts: list[int] = []
    at = 0
    for one in text:
        starts.append(at)
        piece = " " * (_TAB - at % _TAB) if one == "\t" else printable(one)
        shown.append(piece)
        at += width(piece)
    return "".join(shown), [*starts, at]


def width(text: str) -> int:
    """How many columns the text takes."""
    if text.isascii():
        return len(text)
    from wcwidth import wcwidth  # noqa: PLC0415 - 60 ms that ASCII need not pay

    return sum(max(wcwidth(one), 0) for one in text)


def wrap(text: str, style: Style, *, indent: str = "", first: str | None = None) -> list[str]:
    """Prose in lines that fit; what stands between backticks is not torn apart."""
    fit = max(min(style.width, _READABLE), 20 + len(indent))
    glued = _glued(printable(text))
    lines = textwrap.wrap(
        glued,
        fit,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(_GLUE, " ") for line in lines]


def highlight(line: str, style: Style) -> str:
    """A line of prose with what stands between backticks in colour."""
    if not style.color:
        return line
    parts = line.split("`")
    if len(parts) % 2 == 0:
        return line
    return "".join(paint(f"`{part}`", "code", style) if number % 2 else part for number, part in enumerate(parts))


def plural(count: int, word: str) -> str:
    """`1 file`, `2 files`."""
    return f"{count:,} {word}" + ("" if count == 1 else "s")


def listed(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


# A private character that textwrap takes for part of a word.
_GLUE = "\ue000"


def _glued(text: str) -> str:
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return text
    short = [part.replace(" ", _GLUE) if number % 2 and len(part) < 60 else part for number, part in enumerate(parts)]
    return "`".join(short)
