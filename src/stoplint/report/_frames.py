"""Frames: the lines of source that a finding names, with every place marked and labelled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stoplint.report._terminal import columns, paint, printable, width

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stoplint.check.source import Source
    from stoplint.findings import Finding, Place
    from stoplint.report import Report, Style
    from stoplint.report._terminal import Role

_GAP = 2
"""That many lines between two marked ones are shown rather than elided."""

_LEAD = 12
"""Columns of a long line that stay before its first mark."""


@dataclass(frozen=True, slots=True)
class Box:
    """The characters of a frame: `file` leads to another file's name, `note` and `last` to the lines below the source."""

    bar: str
    gap: str
    file: str
    note: str
    last: str
    cut: str


UNICODE = Box("│", "┆", "├─", "├─", "╰─", "…")
ASCII = Box("|", ":", "-->", "=", "=", "...")


@dataclass(frozen=True, slots=True)
class Span:
    """A marked range of one file, in the colour of its role: the finding's severity for what it points at."""

    place: Place
    label: str
    role: Role = "related"


@dataclass(frozen=True, slots=True)
class _Mark:
    """A span in a shown line: display columns from 0, the end exclusive."""

    start: int
    end: int
    label: str
    role: Role


def box(style: Style) -> Box:
    """The characters that the place of output can show."""
    return UNICODE if style.unicode else ASCII


def where(place: Place) -> str:
    """`app.py:3:7`, in a notebook `app.ipynb:cell 2:3:7`."""
    cell = f"cell {place.cell}:" if place.cell is not None else ""
    return f"{printable(place.path)}:{cell}{place.line}:{place.column}"


def spans(finding: Finding) -> list[Span]:
    """All that a finding names, its own place first, each place once."""
    found = [Span(finding.place, finding.label, finding.severity)]
    found += [Span(one.place, one.message) for one in finding.related]
    starts = {(one.place.path, one.place.cell, one.place.line, one.place.column) for one in found}
    origin = finding.origin
    if origin is not None and (origin.path, origin.cell, origin.line, origin.column) not in starts:
        found.append(Span(origin, "the request is made here"))
    return found


def frame(finding: Finding, report: Report, style: Style) -> Iterator[str]:
    """The lines of a finding's frame, from the bar that opens it; those of other files under their own names."""
    groups: dict[tuple[str, int | None], list[Span]] = {}
    for span in spans(finding):
        groups.setdefault((span.place.path, span.place.cell), []).append(span)
    gutter = max(len(str(span.place.line)) for group in groups.values() for span in group) + 1
    look = box(style)
    margin = " " * gutter
    for number, group in enumerate(groups.values()):
        if number:
            yield f"{margin} {paint(look.file, 'gutter', style)} {where(group[0].place)}"
        else:
            yield f"{margin} {paint(look.bar, 'gutter', style)}"
        yield from _group(group, report, style, gutter)


def _group(group: Sequence[Span], report: Report, style: Style, gutter: int) -> Iterator[str]:
    look = box(style)
    margin = " " * gutter
    source = report.source(group[0].place.path)
    if source is None:
        return
    by_line: dict[int, list[Span]] = {}
    for span in group:
        by_line.setdefault(span.place.line, []).append(span)
    previous: int | None = None
    for line in sorted(by_line):
        between = range(line if previous is None else previous + 1, line)
        if len(between) > _GAP:
            yield f"{margin} {paint(look.gap, 'gutter', style)}"
        else:
            for number in between:
                text = columns(_line(source, group[0].place, number))[0]
                yield _numbered(number, _clipped(text, [], _room(style, gutter), look.cut)[0], style, gutter)
        yield from _marked(line, by_line[line], _line(source, group[0].place, line), style, gutter)
        previous = line


def _line(source: Source, place: Place, line: int) -> str:
    """A line of a place's file or cell, "" where the file no longer has it."""
    flat = source.flat_line(place.cell, line)
    return source.lines[flat - 1] if 0 < flat <= len(source.lines) else ""


def _marked(line: int, found: Sequence[Span], text: str, style: Style, gutter: int) -> Iterator[str]:
    shown, starts = columns(text)
    margin = f"{' ' * gutter} {paint(box(style).bar, 'gutter', style)} "
    room = _room(style, gutter)
    for marks in _windows([_mark(span, starts) for span in found], width(shown), room):
        part, moved = _clipped(shown, marks, room, box(style).cut)
        yield _numbered(line, part, style, gutter)
        for row in _labels(moved, style, room):
            yield f"{margin}{row}".rstrip()


def _room(style: Style, gutter: int) -> int:
    """The columns that source has beside its line number."""
    return max(style.width - gutter - 3, 30)


def _windows(marks: Sequence[_Mark], length: int, room: int) -> list[list[_Mark]]:
    """The marks of a line in groups that can be seen together: one, unless the line is long and they lie far apart."""
    if length <= room:
        return [list(marks)]
    groups: list[list[_Mark]] = []
    for mark in sorted(marks, key=lambda one: (one.start, one.end)):
        if groups and mark.end - groups[-1][0].start <= room - _LEAD:
            groups[-1].append(mark)
        else:
            groups.append([mark])
    return groups


def _numbered(line: int, text: str, style: Style, gutter: int) -> str:
    number = paint(f"{line:>{gutter}} {box(style).bar}", "gutter", style)
    return f"{number} {text}".rstrip()


def _mark(span: Span, starts: Sequence[int]) -> _Mark:
    """Where a span is marked in its first line: a span of several lines up to that line's end."""
    place = span.place
    last = len(starts) - 1
    start = starts[min(place.column - 1, last)]
    end = starts[min(place.end_column - 1, last)] if place.end_line == place.line else starts[last]
    return _Mark(start, max(end, start + 1), span.label, span.role)


def _clipped(text: str, marks: list[_Mark], room: int, cut: str) -> tuple[str, list[_Mark]]:
    """The part of a long line that holds its marks."""
    if width(text) <= room:
        return text, marks
    first = min((mark.start for mark in marks), default=0)
    last = max((mark.end for mark in marks), default=0)
    # A mark that does not fit anyway may as well begin where the line does, if enough of it is seen then.
    left = max(first - _LEAD, 0) if last > room - len(cut) and first > room // 2 else 0
    kept: list[str] = []
    at = 0
    for one in text:
        if left <= at < left + room - 2 * len(cut):
            kept.append(one)
        at += width(one)
    shown = "".join(kept)
    lead = cut if left else ""
    tail = cut if at > left + room - 2 * len(cut) else ""
    limit = len(lead) + width(shown)
    moved = [
        _Mark(start, max(min(mark.end - left + len(lead), limit), start + 1), mark.label, mark.role)
        for mark in marks
        for start in [min(mark.start - left + len(lead), limit)]
    ]
    return f"{lead}{shown}{tail}", moved


def _labels(marks: Sequence[_Mark], style: Style, room: int) -> Iterator[str]:
    """The rows below a source line: all underlines, with the rightmost label behind them if it fits there, then the
    other labels from right to left, each hanging from its mark; one alone that is too long for that ends with the line.
    """
    ordered = sorted(marks, key=lambda mark: (mark.start, mark.end))
    cells: dict[int, tuple[str, Role]] = {}
    for mark in sorted(marks, key=lambda mark: mark.start - mark.end):
        for at in range(mark.start, mark.end):
            cells[at] = ("-" if mark.role == "related" else "^", mark.role)
    end = max(mark.end for mark in marks)
    inline = max(ordered, key=lambda mark: (mark.end, mark.start))
    label = printable(inline.label)
    alone = len(ordered) == 1 and width(label) <= room
    fits = end + 1 + width(label) <= room or (inline.start + width(label) > room and not alone)
    yield _row(cells, style, end) + (f" {paint(label, inline.role, style)}" if fits and label else "")
    hanging = [mark for mark in ordered if mark.label and not (fits and mark is inline)]
    bar = box(style).bar
    if hanging and hanging != [inline]:
        yield _row({mark.start: (bar, mark.role) for mark in hanging}, style, hanging[-1].start + 1)
    while hanging:
        mark = hanging.pop()
        others = {one.start: (bar, one.role) for one in hanging if one.start < mark.start}
        start = min(mark.start, max(0, room - width(label))) if alone else mark.start
        yield _row(others, style, start) + paint(printable(mark.label), mark.role, style)


def _row(cells: dict[int, tuple[str, Role]], style: Style, end: int) -> str:
    """Characters at their columns, neighbours of one colour painted together."""
    parts: list[str] = []
    at = 0
    while at < end:
        if at not in cells:
            parts.append(" ")
            at += 1
            continue
        role, run = cells[at][1], ""
        while at in cells and cells[at][1] == role:
            run += cells[at][0]
            at += 1
        parts.append(paint(run, role, style))
    return "".join(parts)
