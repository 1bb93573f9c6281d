"""Reads Jupyter notebooks (nbformat 4): their code, and where in the file each line of it stands."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stoplint.check.syntax import compiles

if TYPE_CHECKING:
    from collections.abc import Iterator

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()

# Cell magics whose body is Python; any other body is text for another program.
_PYTHON_BODIES = ("time", "timeit", "capture", "prun", "python", "python3", "py3", "debug", "memit", "mprun")
_CELL_MAGIC = re.compile(r"\s*%%(?P<name>\w+)")
_LINE_MAGIC = re.compile(r"(?P<indent>\s*)(?:[%!?]|(?:[\w.*]|\[\w*\])+\?{1,2}\s*$)")
_TIMED = re.compile(
    r"(?P<indent>\s*)(?P<magic>%(?:time|timeit|prun|memit|mprun)(?:\s+-\w+(?:[ =]?[\d.]+)?)*\s+)(?P<code>(?![\d.]+\s*$)[^\s-].*)"
)
_CONTINUED = re.compile(r"\\\r?\n\Z")
_ASSIGNED_MAGIC = re.compile(r"(?P<target>\s*[\w.,\s\[\]'\"]+?=\s*)(?:%\w|!)")
_IN_STRING = re.compile(r"\"\"\"|'''|\"|'|\\(?:\n|.)|\n")
_PARTS = re.compile(r"\"\"\"|'''|\"|'|#.*|[(\[{]|[)\]}]|\\(?:\n|.)|\n")


class ForeignError(ValueError):
    """A sound notebook whose code is not Python."""


@dataclass(frozen=True, slots=True)
class CellSpan:
    """Where the value of a cell's `source` stands in the file's text: offsets, and for each line of the source the
    line of the file, from 1.
    """

    start: int
    end: int
    lines: tuple[int, ...]


def code_cells(data: bytes) -> list[tuple[int, str]]:
    """Number (from 1, over all cells) and source of each code cell.

    Raises ValueError saying what is wrong with the notebook, ForeignError where its kernel runs another language.
    """
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        raise ValueError("is no valid JSON, so no notebook") from None
    if not isinstance(content, dict) or not isinstance(cells := content.get("cells"), list):
        raise ValueError("has no list of cells; notebooks before format 4 can be saved anew in Jupyter")  # noqa: TRY004 - one kind of error for whatever is wrong with the file
    language = _language(content.get("metadata"))
    if language not in {None, "python", "ipython"}:
        raise ForeignError(f"is a notebook in {language}")
    return [
        (number, _joined(cell.get("source")))
        for number, cell in enumerate(cells, 1)
        if isinstance(cell, dict) and cell.get("cell_type") == "code"
    ]


def source_spans(text: str) -> list[CellSpan]:
    """Where each cell's source stands, in the order of all cells; empty for a notebook that `code_cells` refuses."""
    spans: list[CellSpan] = []
    try:
        for key, start, _ in _members(text, 0):
            if key == "cells":
                spans = [_span(text, cell) for cell in _elements(text, start)]
    except (ValueError, IndexError):
        return []
    return spans


def without_magics(source: str) -> str:
    """The cell with magics and shell escapes replaced by `pass` (an assigned one by None), line for line.

    What `%time` and its like measure stays, in its place: it is run.
    """
    if magic := _CELL_MAGIC.match(source):
        first, newline, body = source.partition("\n")
        if magic["name"] not in _PYTHON_BODIES:
            return "\n" * source.count("\n")
        return re.sub(r".*", "pass", first, count=1) + newline + without_magics(body)
    if not re.search(r"[%!?]", source) or compiles(source):
        return source
    lines = source.splitlines(keepends=True)
    for number in _statement_starts(source):
        written = lines[number]
        lines[number] = _plain(written)
        while lines[number] != written and _CONTINUED.search(written) and number + 1 < len(lines):
            number += 1  # noqa: PLW2901 - the rest of a command that goes on over the line's end
            written = lines[number]
            lines[number] = written[len(written.rstrip("\r\n")) :]
    return "".join(lines)


def _plain(line: str) -> str:
    body = line.rstrip("\r\n")
    end = line[len(body) :]
    if (magic := _TIMED.fullmatch(body)) and compiles(magic["code"]):
        return f"{magic['indent']}0{' ' * (len(magic['magic']) - 2)};{magic['code']}{end}"
    if magic := _LINE_MAGIC.match(body):
        return f"{magic['indent']}pass{end}"
    if (magic := _ASSIGNED_MAGIC.match(body)) and not compiles(body.strip()):
        return f"{magic['target']}None{end}"
    return line


def _statement_starts(source: str) -> list[int]:
    """Indices of the lines that do not continue a string, a bracket or a backslash."""
    starts = [0]
    depth, line, at, quote = 0, 0, 0, ""
    while match := (_IN_STRING if quote else _PARTS).search(source, at):
        part, at = match[0], match.end()
        line += part.count("\n")
        if quote:
            ended = part == quote or (part == "\n" and len(quote) == 1)
            quote = "" if ended else quote
        elif part[0] in "\"'":
            quote = part
        elif part in "([{":
            depth += 1
        elif part in ")]}":
            depth = max(depth - 1, 0)
        elif part == "\n" and not depth:
            starts.append(line)
    return [start for start in starts if start < len(source.splitlines())]


def _language(metadata: object) -> str | None:
    if not isinstance(metadata, dict):
        return None
    for key, name in (("language_info", "name"), ("kernelspec", "language")):
        info = metadata.get(key)
        if isinstance(info, dict) and isinstance(found := info.get(name), str):
            return found.lower()
    return None


def _joined(source: object) -> str:
    if isinstance(source, list):
        return "".join(part for part in source if isinstance(part, str))
    return source if isinstance(source, str) else ""


def _span(text: str, at: int) -> CellSpan:
    for key, start, end in _members(text, at):
        if key == "source":
            first = text.count("\n", 0, start) + 1
            if text[start] != "[":
                count = _DECODER.raw_decode(text, start)[0].count("\n") + 1
                return CellSpan(start, end, (first,) * count)
            lines: list[int] = []
            previous, number, ended = start, first, True
            for element in _elements(text, start):
                number += text.count("\n", previous, element)
                previous = element
                part = str(_DECODER.raw_decode(text, element)[0])
                lines += [number] * (len(part.splitlines()) - (0 if ended else 1))
                ended = part.endswith("\n")
            return CellSpan(start, end, tuple(lines))
    return CellSpan(at, at, ())


def _members(text: str, at: int) -> Iterator[tuple[str, int, int]]:
    """Key, start and end of the value of each member of the object at an offset."""
    at = _skip(text, _skip(text, at) + 1)
    while text[at] != "}":
        key, at = _DECODER.raw_decode(text, at)
        start = _skip(text, _skip(text, at) + 1)
        end = _DECODER.raw_decode(text, start)[1]
        yield str(key), start, end
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)


def _elements(text: str, at: int) -> Iterator[int]:
    """Offset of each element of the array at an offset."""
    at = _skip(text, at + 1)
    while text[at] != "]":
        yield at
        at = _skip(text, _DECODER.raw_decode(text, at)[1])
        if text[at] == ",":
            at = _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at
