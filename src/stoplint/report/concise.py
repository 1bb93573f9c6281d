"""One line a finding, for editors, grep and people in a hurry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint.report._frames import where
from stoplint.report._terminal import highlight, paint, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stoplint.report import Report, Style

TEXT = True


def render(report: Report, style: Style) -> Iterator[str]:
    for finding in report.findings:
        head = paint(where(finding.place), "path", style)
        code = paint(finding.code, finding.severity, style)
        yield f"{head}: {code} {finding.name}: {highlight(printable(finding.message), style)}\n"
