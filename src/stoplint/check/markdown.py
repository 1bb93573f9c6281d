"""Finds the Python blocks of a Markdown file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stoplint.check.syntax import compiles

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_FENCE = re.compile(r"(?P<indent>[ \t>]*)(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^`]*)")
_PYTHON = re.compile(r"\{?[ .]*(?:python3?|py)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PythonLines:
    """The Python of a Markdown file under its own line numbers; `shifts` is the indentation cut off each line."""

    text: str
    shifts: tuple[int, ...]
    dropped: int


@dataclass(frozen=True, slots=True)
class _Block:
    start: int
    lines: list[str]
    shifts: list[int]


def python_lines(lines: Sequence[str]) -> PythonLines:
    """All blocks together as one program: later blocks of a page use what earlier ones define.

    A block that is no Python (an excerpt, another syntax) is left out and counted: it must not hide the others.
    """
    text = [""] * len(lines)
    shifts = [0] * len(lines)
    dropped = 0
    for block in _blocks(lines):
        if not compiles("\n".join(block.lines) + "\n"):
            dropped += 1
            continue
        end = block.start + len(block.lines)
        text[block.start : end] = block.lines
        shifts[block.start : end] = block.shifts
    return PythonLines("".join(line + "\n" for line in text), tuple(shifts), dropped)


def _blocks(lines: Sequence[str]) -> Iterator[_Block]:
    number = 0
    while number < len(lines):
        opening = _FENCE.fullmatch(lines[number])
        number += 1
        if opening is None:
            continue
        block = _Block(number, [], [])
        while number < len(lines) and not _closes(lines[number], opening):
            cut = _indent(lines[number], opening["indent"])
            block.lines.append(lines[number][cut:])
            block.shifts.append(cut)
            number += 1
        number += 1
        if _PYTHON.match(opening["info"]):
            yield block


def _closes(line: str, opening: re.Match[str]) -> bool:
    bare = line.strip(" \t>")
    return len(bare) >= len(opening["fence"]) and not bare.strip(opening["fence"][0])


def _indent(line: str, indent: str) -> int:
    cut = 0
    while cut < len(indent) and cut < len(line) and line[cut] in " \t>":
        cut += 1
    return cut
