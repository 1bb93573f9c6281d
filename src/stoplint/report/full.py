"""Findings with their source: what people read at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint.report._frames import box, frame, where
from stoplint.report._terminal import highlight, paint, wrap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stoplint.findings import Finding
    from stoplint.report import Report, Style

TEXT = True


def render(report: Report, style: Style) -> Iterator[str]:
    for finding in report.findings:
        yield from (line + "\n" for line in _finding(finding, report, style))
        yield "\n"


def _finding(finding: Finding, report: Report, style: Style) -> Iterator[str]:
    head = paint(where(finding.place), "path", style)
    severity = paint(f"{finding.severity}[{finding.code}]", finding.severity, style)
    yield f"{head}: {severity} {paint(finding.name, 'strong', style)}"
    yield from (highlight(line, style) for line in wrap(finding.message, style, indent="  "))
    frame_lines = list(frame(finding, report, style))
    yield from frame_lines
    margin = " " * (_margin(finding) + 1)
    look = box(style)
    notes = []
    if finding.fix is not None:
        notes.append(f"fix ({finding.fix.applicability}): {finding.fix.message}")
    notes.append(f"read more: stoplint rule {finding.name}")
    for note in notes:
        mark = look.last if note is notes[-1] else look.note
        hang = margin + " " * (len(mark) + 1)
        lines = wrap(note, style, indent=hang, first="")
        yield f"{margin}{paint(mark, 'gutter', style)} {highlight(lines[0], style)}"
        yield from lines[1:]


def _margin(finding: Finding) -> int:
    places = [finding.place, *(one.place for one in finding.related)]
    places += [finding.origin] if finding.origin is not None else []
    return max(len(str(place.line)) for place in places) + 1
