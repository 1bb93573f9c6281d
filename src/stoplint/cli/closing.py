"""The closing line: what was found, what was checked, and what was left out."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from stoplint.report._terminal import listed, paint, plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stoplint.check.outcomes import Skipped
    from stoplint.findings import Severity
    from stoplint.report import Report, Style


def closing_lines(report: Report, style: Style, *, verbose: bool) -> Iterator[str]:
    """One line, one for what can be fixed, and with `verbose` one for each file or folder that was skipped."""
    if verbose:
        for skip in report.skipped:
            folder = "/" if skip.folder else ""
            yield paint(f"skipped {printable(skip.path)}{folder}: {printable(skip.reason)}", "dim", style)
    yield f"{_found(report, style)}{_aside(report)}{_left_out(report, verbose=verbose)}"
    yield from _fixable(report)
    if report.stale:
        entries = "entry" if report.stale == 1 else "entries"
        yield f"{report.stale} stale {entries} in baseline; to drop: stoplint baseline --update"


def _found(report: Report, style: Style) -> str:
    checked = plural(report.files_checked, "file")
    if not report.findings:
        new = "new " if report.in_baseline else ""
        return paint(f"No {new}findings", "good", style) + f" in {checked}"
    severities = Counter(finding.severity for finding in report.findings)
    counts = [plural(severities[one], one) for one in ("error", "warning") if severities[one]]
    worst: Severity = "error" if severities["error"] else "warning"
    files = len({finding.place.path for finding in report.findings})
    found = paint(f"Found {plural(len(report.findings), 'finding')}", worst, style)
    where = f"{files} of {checked}" if report.files_checked > 1 else checked
    return f"{found} ({listed(counts)}) in {where}"


def _aside(report: Report) -> str:
    parts = []
    if report.fixed:
        parts.append(f"{report.fixed} fixed")
    if report.in_baseline:
        parts.append(f"{report.in_baseline} in baseline")
    if report.suppressed:
        parts.append(f"{report.suppressed} suppressed")
    return "".join(f"; {part}" for part in parts)


def _fixable(report: Report) -> Iterator[str]:
    counts = Counter(finding.fix.applicability for finding in report.findings if finding.fix is not None)
    safe, unsafe = counts["safe"], counts["unsafe"]
    if safe:
        more = f", {unsafe} more with --fix --unsafe-fixes" if unsafe else ""
        yield f"{safe} fixable with --fix{more}"
    elif unsafe:
        yield f"{unsafe} fixable with --fix --unsafe-fixes"


def _left_out(report: Report, *, verbose: bool) -> str:
    if not report.skipped:
        return ""
    files = [skip for skip in report.skipped if not skip.folder]
    folders = [skip for skip in report.skipped if skip.folder]
    counts = [plural(len(group), word) for group, word in ((files, "file"), (folders, "folder")) if group]
    reasons = Counter(_reason(skip) for skip in report.skipped)
    why = (
        next(iter(reasons))
        if len(reasons) == 1
        else ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
    )
    return f"; skipped {listed(counts)} ({why})" + ("" if verbose else ", -v names them")


def _reason(skip: Skipped) -> str:
    """The reason as a group has it: without the name or number that only one of them has."""
    return "installed packages" if skip.reason.endswith(("is never searched", "virtual environment")) else skip.reason
