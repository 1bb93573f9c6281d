"""`stoplint check --add-ignores`: writes a suppression comment above each statement with a finding."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stoplint.check import directives
from stoplint.check.edits import by_cell, edit_bytes, replace_file
from stoplint.cli.errors import UserError
from stoplint.findings import Edit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stoplint.check.directives import Directive
    from stoplint.check.source import Source
    from stoplint.check.statements import Layout
    from stoplint.cli.analysis import Analysis
    from stoplint.findings import Finding

NOT_BY_COMMENT = {
    "SL900": "a file that cannot be read holds no comment; exclude it in the configuration",
    "SL901": "an unused suppression wants to be removed, not suppressed",
}


@dataclass(frozen=True, slots=True)
class Added:
    """What was written, and for which places it was not, with the reason."""

    comments: int
    files: int
    refused: tuple[tuple[str, str], ...]


def add_ignores(analysis: Analysis, reason: str) -> Added:
    """Suppress all findings of an analysis by comments.  Raises UserError where a file cannot be written."""
    if "\n" in reason or not reason.strip():
        raise UserError("--add-ignores: the reason must be one line of text")
    by_path: dict[str, list[Finding]] = defaultdict(list)
    refused: list[tuple[str, str]] = []
    for finding in analysis.report.findings:
        if finding.code in NOT_BY_COMMENT:
            refused.append((f"{finding.place.path}:{finding.place.line}", NOT_BY_COMMENT[finding.code]))
        else:
            by_path[finding.place.path].append(finding)
    comments = sum(_write(analysis, path, found, reason.strip()) for path, found in by_path.items())
    return Added(comments, len(by_path), tuple(refused))


def _write(analysis: Analysis, path: str, findings: Sequence[Finding], reason: str) -> int:
    source, layout = analysis.sources.source(path), analysis.sources.layout(path)
    file = next((one for one in analysis.files if one.path == path), None)
    if source is None or layout is None or file is None or file.file is None:
        raise UserError(f"{path}: no comments can be written into it")
    edits = list(ignore_edits(source, layout, findings, reason))
    try:
        replace_file(file.file, edit_bytes(file.read(), file.kind, by_cell(edits)))
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror}") from None
    return len(edits)


def ignore_edits(
    source: Source, layout: Layout, findings: Sequence[Finding], reason: str
) -> Iterator[tuple[int | None, Edit]]:
    """The edits that suppress findings, with their cells: a comment above the statement, or a longer list in the one
    that is there.
    """
    there = {one.covers: one for one in directives.read(layout) if one.form == "ignore" and one.selectors}
    wanted: dict[tuple[int, int], dict[str, None]] = {}
    for finding in findings:
        line = source.flat_line(finding.place.cell, finding.place.line)
        wanted.setdefault(layout.logical_of(line), {})[finding.code] = None
    for covered, codes in wanted.items():
        names = tuple(sorted(codes))
        directive = there.get(covered)
        yield _longer(source, directive, names) if directive else _above(source, layout, covered[0], names, reason)


def _longer(source: Source, directive: Directive, codes: tuple[str, ...]) -> tuple[int | None, Edit]:
    cell, line = source.cell_line(directive.line)
    shift = _shift(source.shifts, directive.line)
    text = directives.extended(directive, codes)
    return cell, Edit(line, directive.column + shift, line, directive.end_column + shift, text)


def _above(source: Source, layout: Layout, first: int, codes: tuple[str, ...], reason: str) -> tuple[int | None, Edit]:
    cell, line = source.cell_line(first)
    whole = layout.lines[first - 1] if first <= len(layout.lines) else ""
    # What Markdown puts before a block's lines (a list's indentation, a quote's mark) stands in the line shown.
    lead = source.lines[first - 1][: _shift(source.shifts, first)]
    indent = whole[: len(whole) - len(whole.lstrip())]
    return cell, Edit(line, 1, line, 1, f"{lead}{indent}# stoplint: ignore[{', '.join(codes)}] {reason}\n")


def _shift(shifts: Sequence[int], line: int) -> int:
    return shifts[line - 1] if shifts else 0
