"""Applies edits to a file's bytes: everything that is not edited stays as it is, byte for byte.

Encoding, byte order mark and line ends are kept; in a notebook only the source of an edited cell is written anew.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections import defaultdict
from typing import TYPE_CHECKING

from stoplint.check import notebook
from stoplint.check.source import encoding_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from stoplint.check.source import Kind
    from stoplint.findings import Edit

_LINE = re.compile(r".*?(?:\r\n|\r|\n|\Z)", re.DOTALL)


def edit_text(text: str, edits: Iterable[Edit]) -> str:
    """The text after edits that do not overlap; lines and columns count in the given text.

    New lines in an edit's content take the form that the text's first line end has.  Raises ValueError for edits that
    overlap or lie outside the text.
    """
    starts = [match.start() for match in _LINE.finditer(text)] or [0]
    newline = next(iter(re.findall(r"\r\n|\r|\n", text)), "\n")
    parts: list[str] = []
    done = 0
    for edit in sorted(edits, key=lambda one: (one.line, one.column, one.end_line, one.end_column)):
        start = _offset(starts, edit.line, edit.column, len(text))
        end = _offset(starts, edit.end_line, edit.end_column, len(text))
        if not done <= start <= end:
            raise ValueError(f"the edits at line {edit.line} overlap")
        parts += [text[done:start], edit.content.replace("\n", newline)]
        done = end
    return "".join([*parts, text[done:]])


def edit_bytes(data: bytes, kind: Kind, edits: Mapping[int | None, Sequence[Edit]]) -> bytes:
    """A file's bytes after edits, which are given by cell (None outside notebooks).  Raises ValueError."""
    if kind == "notebook":
        return _edit_notebook(data, edits)
    encoding = encoding_of(data) if kind == "python" else "utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "utf-8"
    return edit_text(data.decode(encoding), edits.get(None, ())).encode(encoding)


def replace_file(path: Path, data: bytes) -> None:
    """Write a file by renaming a whole new one into its place; links and permissions stay.  Raises OSError."""
    target = path.resolve()
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        if target.exists():
            os.chmod(name, target.stat().st_mode)  # noqa: PTH101 - mkstemp gives a name
        else:
            os.chmod(name, 0o666 & ~_umask())  # noqa: PTH101
        os.replace(name, target)  # noqa: PTH105 - os.path costs a fraction of pathlib over thousands of files
    except BaseException:
        os.unlink(name)  # noqa: PTH108 - os.path costs a fraction of pathlib over thousands of files
        raise


def by_cell(edits: Iterable[tuple[int | None, Edit]]) -> dict[int | None, list[Edit]]:
    """Edits in the form that `edit_bytes` takes, equal ones once."""
    grouped: dict[int | None, dict[Edit, None]] = defaultdict(dict)
    for cell, edit in edits:
        grouped[cell][edit] = None
    return {cell: list(found) for cell, found in grouped.items()}


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def _offset(starts: Sequence[int], line: int, column: int, length: int) -> int:
    if line == len(starts) + 1 and column == 1:
        return length
    if not 0 < line <= len(starts) or (at := starts[line - 1] + column - 1) > length:
        raise ValueError(f"there is no line {line}, column {column} to edit")
    return at


def _edit_notebook(data: bytes, edits: Mapping[int | None, Sequence[Edit]]) -> bytes:
    text = data.decode("utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "utf-8")
    sources = {cell: source for cell, source in notebook.code_cells(data) if cell in edits}
    spans = notebook.source_spans(text)
    parts: list[str] = []
    done = 0
    for cell, source in sorted(sources.items()):
        span = spans[cell - 1]
        value = _cell_value(text[span.start : span.end], edit_text(source, edits[cell]))
        parts += [text[done : span.start], value]
        done = span.end
    bom = b"\xef\xbb\xbf" if data.startswith(b"\xef\xbb\xbf") else b""
    return bom + "".join([*parts, text[done:]]).encode("utf-8")


def _cell_value(old: str, source: str) -> str:
    """A cell's source as JSON in the style that it had: one string, a list in one line, or a line for each element."""
    ascii_only = old.isascii()
    if not old.startswith("["):
        return json.dumps(source, ensure_ascii=ascii_only)
    lines = [json.dumps(line, ensure_ascii=ascii_only) for line in source.splitlines(keepends=True)]
    layout = re.match(r"\[(?P<before>\s*)\"", old)
    closing = re.search(r"\"(?P<after>\s*)\]\Z", old)
    if layout is None or closing is None:
        return json.dumps(source.splitlines(keepends=True), ensure_ascii=ascii_only)
    before, after = layout["before"], closing["after"]
    glue = f",{before}" if "\n" in before else ", "
    return f"[{before}{glue.join(lines)}{after}]" if lines else "[]"
