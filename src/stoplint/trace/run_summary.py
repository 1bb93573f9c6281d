"""What one `stoplint run` left in the store, counted over all its processes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from stoplint.trace.view_sources import NothingToReportError, ReportError, Selection, default_files, load

if TYPE_CHECKING:
    from pathlib import Path


def counts(store: Path, run: str) -> tuple[int, dict[str, int]]:
    """The turns, and the findings by code.  A store that cannot be read holds none."""
    try:
        report = load(default_files(store), Selection(run=run), time.time_ns()).report
    except (NothingToReportError, ReportError):
        return 0, {}
    codes: dict[str, int] = {}
    for row in report.findings:
        codes[row.code] = codes.get(row.code, 0) + len(row.occurrences)
    return report.turns, codes
