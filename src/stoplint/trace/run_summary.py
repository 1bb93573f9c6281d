"""What one `stoplint run` left in the store, counted over all its processes."""

from __future__ import annotations

import tempfile
import time
from typing import TYPE_CHECKING

from stoplint.trace.view_sources import NothingToReportError, ReportError, Selection, default_files, load

if TYPE_CHECKING:
    from pathlib import Path


def can_be_written(store: Path) -> bool:
    """Whether a store can be made or written there.  The disk is asked: permissions do not tell all of it."""
    try:
        if store.exists():
            with store.open("r+b"):
                pass
        with tempfile.TemporaryFile(dir=next(folder for folder in store.parents if folder.exists())):
            return True
    except OSError:
        return False


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
