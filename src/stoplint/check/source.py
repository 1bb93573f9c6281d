"""What is linted of a file: its text, and the way back from that text to the places a user knows.

Python files are their own text.  A notebook becomes its code cells under each other; a Markdown file keeps its line
numbers, with everything but its Python blocks blanked out.  Nothing heavy is imported and nothing is parsed here.
"""

from __future__ import annotations

import codecs
import io
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from stoplint.check import markdown, notebook

if TYPE_CHECKING:
    from pathlib import Path

    from stoplint.findings import Place

Kind: TypeAlias = Literal["python", "notebook", "markdown"]

MAX_BYTES = 2_000_000
"""Source beyond this is skipped: parsing takes minutes and gigabytes, and it is generated anyway."""

MAX_NOTEBOOK_BYTES = 64_000_000
"""Notebooks carry pictures; only their code counts against `MAX_BYTES`."""

_NEWLINE = re.compile(r"\r\n|\r|\n")


class SourceError(Exception):
    """The file has no text that could be linted; the message says why, without the path.

    `skip`: there is nothing wrong with the file, it is only none of ours (a notebook in another language).  `line` is
    where it went wrong, where that is known.
    """

    def __init__(self, message: str, *, skip: bool = False, line: int = 1) -> None:
        super().__init__(message)
        self.skip = skip
        self.line = line


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to lint.  `path` is how findings name it; `file` where it lies, None for standard input, whose bytes are
    then in `data`.
    """

    path: str
    file: Path | None
    kind: Kind = "python"
    data: bytes | None = None

    def read(self) -> bytes:
        """The file's bytes.  Raises OSError."""
        if self.data is not None:
            return self.data
        if self.file is None:
            return b""
        return self.file.read_bytes()


@dataclass(frozen=True, slots=True)
class Source:
    """The text that is linted.

    `lines` are what a user sees (in notebooks with magics, where `text` has `pass`), without line ends.  `cells[i]`
    belongs to line i + 1: the cell, from 1, and the line before that cell's first; empty outside notebooks.
    `shifts[i]` is the indentation cut off line i + 1; empty outside Markdown.  `dropped` counts Markdown blocks that
    are no Python.
    """

    path: str
    kind: Kind
    text: str
    lines: tuple[str, ...]
    cells: tuple[tuple[int, int], ...] = ()
    shifts: tuple[int, ...] = ()
    dropped: int = 0

    def flat_line(self, cell: int | None, line: int) -> int:
        """The line of `text` (from 1) that a place's cell and line name."""
        if not self.cells or cell is None:
            return line
        return next((before + line for number, before in self.cells if number == cell), line)

    def cell_line(self, flat: int) -> tuple[int | None, int]:
        """The other way round: cell and line of a line of `text`."""
        if not self.cells:
            return None, flat
        cell, before = self.cells[min(max(flat, 1), len(self.cells)) - 1]
        return cell, flat - before

    def last_line(self, cell: int | None) -> int:
        """The last line that belongs to the same cell, in lines of `text`."""
        if not self.cells or cell is None:
            return len(self.lines)
        return max((flat for flat, (number, _) in enumerate(self.cells, 1) if number == cell), default=len(self.lines))

    def shifted(self, place: Place) -> Place:
        """The place in the file of a place in `text`: differs where a Markdown block is indented."""
        if not any(self.shifts):
            return place
        return replace(
            place,
            column=place.column + self._shift(place.line),
            end_column=place.end_column + self._shift(place.end_line),
        )

    def _shift(self, line: int) -> int:
        return self.shifts[line - 1] if 0 < line <= len(self.shifts) else 0


def kind_of(path: str) -> Kind:
    """What a file of that name holds; anything unknown is taken for Python."""
    lower = path.lower()
    if lower.endswith(".ipynb"):
        return "notebook"
    return "markdown" if lower.endswith((".md", ".markdown")) else "python"


def load(file: SourceFile) -> Source:
    """The text of a file.  Raises SourceError where it has none, OSError where it cannot be read."""
    return parse(file.path, file.kind, file.read())


def parse(path: str, kind: Kind, data: bytes) -> Source:
    """As `load`, from a file's bytes."""
    if kind == "notebook":
        return _notebook(path, data)
    text = decode(data)
    if kind == "markdown":
        return _markdown(path, text)
    return Source(path, kind, text, split_lines(text))


def split_lines(text: str) -> tuple[str, ...]:
    """The lines as Python counts them: form feeds and Unicode separators do not end one."""
    lines = _NEWLINE.split(text)
    if lines and not lines[-1]:
        lines.pop()
    return tuple(lines)


def encoding_of(data: bytes) -> str:
    """The encoding that a Python file declares (PEP 263), "utf-8-sig" with a byte order mark.  Raises SourceError."""
    head = data[:400]
    if data.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if b"coding" not in head:
        return "utf-8"
    import tokenize  # noqa: PLC0415 - costs 6 ms, and hardly any file declares an encoding

    try:
        return tokenize.detect_encoding(io.BytesIO(data).readline)[0]
    except SyntaxError as error:
        raise SourceError(f"cannot be decoded: {error.msg}") from None


def decode(data: bytes) -> str:
    """The text of a Python file, line ends kept, byte order mark dropped.  Raises SourceError."""
    encoding = encoding_of(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SourceError(f"cannot be decoded as {encoding}: {error.reason}", line=line) from None
    if "\0" in text:
        raise SourceError("contains a NUL character", line=text.count("\n", 0, text.index("\0")) + 1)
    return text


def _notebook(path: str, data: bytes) -> Source:
    try:
        cells = notebook.code_cells(data)
    except notebook.ForeignError as error:
        raise SourceError(str(error), skip=True) from None
    except ValueError as error:
        raise SourceError(str(error)) from None
    text: list[str] = []
    shown: list[str] = []
    places: list[tuple[int, int]] = []
    for number, source in cells:
        lines = split_lines(source) or ("",)
        places += [(number, len(shown))] * len(lines)
        shown += lines
        text += split_lines(notebook.without_magics(source)) or ("",)
    joined = "".join(line + "\n" for line in text)
    if len(joined) > MAX_BYTES:
        raise SourceError("holds more than 2 MB of code", skip=True)
    return Source(path, "notebook", joined, tuple(shown), tuple(places))


def _markdown(path: str, text: str) -> Source:
    lines = split_lines(text)
    code = markdown.python_lines(lines)
    return Source(path, "markdown", code.text, lines, shifts=code.shifts, dropped=code.dropped)
