"""The texts that reports quote, read once and only where something is to be said of them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from stoplint.check import notebook, statements
from stoplint.check.source import Source, SourceError, SourceFile, kind_of, load, split_lines

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stoplint.check.statements import Layout
    from stoplint.findings import Place


@dataclass(slots=True)
class Sources:
    """Sources by reported path."""

    files: dict[str, SourceFile] = field(default_factory=dict)
    _sources: dict[str, Source | None] = field(default_factory=dict)
    _layouts: dict[str, Layout] = field(default_factory=dict)
    _lines: dict[str, list[tuple[int, ...]]] = field(default_factory=dict)

    def add(self, files: Iterable[SourceFile]) -> None:
        """Files whose content is not where their path says (standard input)."""
        self.files |= {file.path: file for file in files}

    def source(self, path: str) -> Source | None:
        """The text of a path; None where there is none to quote."""
        if path not in self._sources:
            try:
                self._sources[path] = load(self._file(path))
            except (OSError, SourceError):
                self._sources[path] = None
        return self._sources[path]

    def data(self, path: str) -> bytes | None:
        """The bytes of a path; None where they cannot be read."""
        try:
            return self._file(path).read()
        except OSError:
            return None

    def layout(self, path: str) -> Layout | None:
        """Statements and comments of a path's text."""
        if path not in self._layouts:
            source = self.source(path)
            if source is None:
                return None
            # What is linted, not what is shown: magics and prose do not tokenize.
            self._layouts[path] = statements.layout(split_lines(source.text))
        return self._layouts[path]

    def file_line(self, place: Place) -> int:
        """The line of the file that a place begins in: of a notebook the line of its JSON."""
        if place.cell is None:
            return place.line
        if place.path not in self._lines:
            self._lines[place.path] = self._cell_lines(place.path)
        cells = self._lines[place.path]
        lines = cells[place.cell - 1] if place.cell <= len(cells) else ()
        return lines[place.line - 1] if place.line <= len(lines) else 1

    def _cell_lines(self, path: str) -> list[tuple[int, ...]]:
        try:
            text = self._file(path).read().decode("utf-8-sig", "replace")
        except OSError:
            return []
        return [span.lines for span in notebook.source_spans(text)]

    def _file(self, path: str) -> SourceFile:
        return self.files.get(path) or SourceFile(path, Path(os.path.abspath(path)), kind_of(path))  # noqa: PTH100 - os.path costs a fraction of pathlib over thousands of files
