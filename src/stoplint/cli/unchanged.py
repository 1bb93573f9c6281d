"""The report of an earlier run, for a project in which nothing has changed since; the engine is not needed for it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from stoplint.check.outcomes import Outcome
from stoplint.report import Report

if TYPE_CHECKING:
    from stoplint.check.runcache import RunCache
    from stoplint.check.source import Source
    from stoplint.cli.check import CheckOptions
    from stoplint.cli.sources import Sources
    from stoplint.findings import Place

_ASKED = ("paths", "select", "ignore", "strict", "isolated", "force_exclude", "markdown", "no_baseline")
_WRITING = ("fix", "diff", "unsafe_fixes", "add_ignores", "stdin_filename")


def cache_for(options: CheckOptions) -> RunCache | None:
    """The cache of the run that the options ask for; None where it must look at the files itself."""
    given = dict(options)
    if options["no_cache"] or "-" in options["paths"] or any(given[name] for name in _WRITING):
        return None
    from stoplint.check.runcache import RunCache  # noqa: PLC0415 - not for runs that look themselves
    from stoplint.cli.options import CACHE_FOLDER  # noqa: PLC0415

    question = [f"{name}={given[name]!r}" for name in _ASKED]
    question.append(f"user={os.geteuid()}" if hasattr(os, "geteuid") else "")
    return RunCache(options["cache_dir"] or CACHE_FOLDER, question)


def outcome(report: Report) -> Outcome:
    """What is to be kept of a report."""
    return Outcome(
        report.findings, report.files_checked, report.skipped, report.suppressed, report.in_baseline, report.stale
    )


def report(known: Outcome) -> Report:
    """The report that an outcome was kept of."""
    texts = _Texts()
    return Report(
        findings=known.findings,
        files_checked=known.files_checked,
        source=texts.source,
        file_line=texts.file_line,
        skipped=known.skipped,
        suppressed=known.suppressed,
        in_baseline=known.in_baseline,
        stale=known.stale,
    )


class _Texts:
    """The texts that a report quotes, and what it takes to read them, not before it does."""

    def __init__(self) -> None:
        self._sources: Sources | None = None

    def source(self, path: str) -> Source | None:
        return self._loaded().source(path)

    def file_line(self, place: Place) -> int:
        return self._loaded().file_line(place) if place.cell is not None else place.line

    def _loaded(self) -> Sources:
        if self._sources is None:
            from stoplint.cli.sources import Sources  # noqa: PLC0415

            self._sources = Sources()
        return self._sources
