"""Fixes: for a finding the edits that remove it, where they are certain.

Made from a file's text and a finding's places alone, on the lossless tree.  Importing this package imports no parser;
asking it for a fix does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from stoplint.check.edits import edit_bytes
from stoplint.findings import Edit, Fix

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stoplint.check.fix.tree import Tree
    from stoplint.check.source import Source
    from stoplint.findings import Finding, Place

FIXABLE = frozenset({"SL101", "SL102", "SL103", "SL104", "SL105", "SL209", "SL211", "SL301"})
"""The rules that have fixes of the tree; SL901 brings its own."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The findings in their order, with their fixes; `refused`: why the file gets none, whatever is found in it."""

    findings: tuple[Finding, ...]
    refused: str | None = None


def with_fixes(source: Source, data: bytes, findings: Sequence[Finding]) -> Outcome:
    """The findings in one file with the fixes there are.  `data` are the file's bytes, of which `source` was read."""
    if not any(finding.code in FIXABLE for finding in findings):
        return Outcome(tuple(findings))
    from stoplint.check.fix.tree import Tree  # noqa: PLC0415 - the parser; most files have no finding

    try:
        if edit_bytes(data, source.kind, {}) != data:
            raise ValueError("its text does not give the bytes back unchanged")  # noqa: TRY301 - one way out for whatever is wrong
        tree = Tree.of(source.text)
    except ValueError as error:
        return Outcome(tuple(findings), str(error))
    return Outcome(tuple(_fixed(source, tree, finding) for finding in findings))


def _fixed(source: Source, tree: Tree, finding: Finding) -> Finding:
    from stoplint.check.fix.rules import FIXES  # noqa: PLC0415
    from stoplint.check.fix.spot import Spot  # noqa: PLC0415

    make = FIXES.get(finding.code)
    if make is None or finding.fix is not None:
        return finding
    origin = finding.origin
    there = _range(source, tree, origin) if origin is not None and origin.path == source.path else None
    fix = make(Spot(tree, finding, _range(source, tree, finding.place), there))
    placed = _placed(source, finding.place.cell, fix) if fix is not None else None
    return replace(finding, fix=placed) if placed is not None else finding


def _range(source: Source, tree: Tree, place: Place) -> tuple[int, int]:
    """Where a place of the file begins and ends in the linted text."""

    def offset(line: int, column: int) -> int:
        flat = source.flat_line(place.cell, line)
        return tree.offset(flat, column - _shift(source, flat))

    return offset(place.line, place.column), offset(place.end_line, place.end_column)


def _placed(source: Source, cell: int | None, fix: Fix) -> Fix | None:
    """A fix of the linted text as one of the file; None where it reaches into another cell or into a magic."""
    edits: list[Edit] = []
    texts = source.text.split("\n") if source.kind == "notebook" else []
    for edit in fix.edits:
        there, line = source.cell_line(edit.line)
        end_cell, end_line = source.cell_line(edit.end_line)
        if there != cell or end_cell != cell or any(_is_magic(source, texts, one) for one in _lines(edit)):
            return None
        start, end = edit.column + _shift(source, edit.line), edit.end_column + _shift(source, edit.end_line)
        lead = _lead(source, edit.line)
        edits.append(Edit(line, start, end_line, end, edit.content.replace("\n", f"\n{lead}")))
    return Fix(fix.applicability, fix.message, tuple(edits))


def _lines(edit: Edit) -> Iterator[int]:
    """The lines that an edit changes; one that only puts lines in front of another changes none."""
    if (edit.line, edit.column) != (edit.end_line, edit.end_column) or edit.column > 1:
        yield from range(edit.line, edit.end_line + 1)


def _is_magic(source: Source, texts: Sequence[str], line: int) -> bool:
    return bool(texts) and line <= len(source.lines) and texts[line - 1] != source.lines[line - 1]


def _shift(source: Source, line: int) -> int:
    return source.shifts[line - 1] if 0 < line <= len(source.shifts) else 0


def _lead(source: Source, line: int) -> str:
    """What Markdown has in front of the lines of a block."""
    return source.lines[line - 1][: _shift(source, line)] if source.shifts and line <= len(source.lines) else ""
