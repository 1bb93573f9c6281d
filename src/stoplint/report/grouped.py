"""Findings under the name of their file."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from stoplint.report._terminal import highlight, paint, printable, wrap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stoplint.findings import Finding
    from stoplint.report import Report, Style

TEXT = True


def render(report: Report, style: Style) -> Iterator[str]:
    for path, group in itertools.groupby(report.findings, key=lambda finding: finding.place.path):
        found = list(group)
        yield f"{paint(printable(path), 'path', style)}\n"
        place_width = max(len(_where(finding)) for finding in found)
        for finding in found:
            lead = f"  {_where(finding):<{place_width}}  "
            code = paint(finding.code, finding.severity, style)
            yield f"{paint(lead, 'dim', style)}{code} {finding.name}\n"
            for line in wrap(finding.message, style, indent=" " * len(lead)):
                yield f"{highlight(line, style)}\n"
        yield "\n"


def _where(finding: Finding) -> str:
    place = finding.place
    cell = f"cell {place.cell}:" if place.cell is not None else ""
    return f"{cell}{place.line}:{place.column}"
