"""The report for terminals and pipes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stoplint.report._terminal import highlight, plural, printable, width
from stoplint.trace import view_words as words
from stoplint.trace.view_page import Page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stoplint.report import Style
    from stoplint.trace.view import ChainRow, FindingRow, Report
    from stoplint.trace.view_sources import Loaded

SHOWN: Final = 10
"""Rows of a section; what is left out is counted."""

_BAR: Final = 24


def render(loaded: Loaded, style: Style) -> Iterator[str]:
    """The report in lines, newlines included."""
    page = Page(style)
    report = loaded.report
    lines = [page.paint(words.headline(report), "strong"), *page.prose(words.facts(loaded))]
    for note in words.caveats(loaded):
        lines += page.prose(f"Note: {note}")
    for section in (_models, _sites, _chains, _findings):
        lines += section(page, report)
    yield from (line.rstrip() + "\n" for line in lines)


def _models(page: Page, report: Report) -> Iterator[str]:
    yield from page.title("Stop reasons by model")
    longest = max(width(printable(reason)) for reason in report.stop_reasons)
    for row in report.models[:SHOWN]:
        turns = plural(row.turns, "turn")
        yield page.ends(f"  {page.clip(printable(row.model), page.width - len(turns) - 4)}", turns)
        for reason, count in row.stop_reasons.items():
            name = page.pad(printable(reason), longest)
            shown = page.paint(name, "warning") if reason in words.BAD_REASONS else name
            bar = ("█" if page.style.unicode else "#") * max(1, round(count / row.turns * _BAR))
            yield f"    {shown}  {count:>7,}  {page.paint(bar, 'gutter')}"
    yield from page.left_out(len(report.models) - SHOWN, "model")


def _sites(page: Page, report: Report) -> Iterator[str]:
    yield from page.title("Stop reasons by call site")
    for row in report.sites[:SHOWN]:
        turns = plural(row.turns, "turn")
        yield page.ends(f"  {page.site(row.site, page.width - len(turns) - 4)}", turns)
        lines = [f"    {line}" for line in page.prose(words.counts(row.stop_reasons), page.width - 4)]
        if row.findings:
            found = page.codes(row.findings)
            if width(lines[-1]) + 2 + page.measure(found) <= page.width:
                lines[-1] = page.ends_with(lines[-1], found)
            else:
                lines.append(f"    {found}")
        yield from lines
    yield from page.left_out(len(report.sites) - SHOWN, "call site")


def _chains(page: Page, report: Report) -> Iterator[str]:
    if not report.chains:
        return
    yield from page.title("Chains")
    yield from (f"  {line}" for line in page.prose(words.counts(report.outcomes), page.width - 2))
    ids = words.short_ids(report)
    for row in words.interesting_first(report)[:SHOWN]:
        yield from _chain(page, row, printable(ids[row.chain_id]))
    yield from page.left_out(len(report.chains) - SHOWN, "chain")
    yield page.paint("  One chain as a tree: stoplint report --chain ID", "dim")


def _chain(page: Page, row: ChainRow, short: str) -> Iterator[str]:
    turns = plural(row.turns, "turn")
    head = f"  {short}  {page.outcome(row.outcome, 10)}  {turns:<9}  "
    taken = page.measure(head)
    path = page.path(row.stop_reasons, page.width - taken)
    found = page.codes(row.findings)
    if page.measure(found) and taken + width(path) + 2 + page.measure(found) > page.width:
        yield head + path
        yield f"{' ' * taken}{found}"
    else:
        yield page.ends_with(head + path, found)


def _findings(page: Page, report: Report) -> Iterator[str]:
    if not report.findings:
        yield from ("", page.paint("No findings.", "good"))
        return
    yield from page.title("Findings")
    ids = words.short_ids(report)
    for row in report.findings[: 2 * SHOWN]:
        chain = row.occurrences[-1].chain_id
        yield from _finding(page, row, printable(ids.get(chain, chain)))
    yield from page.left_out(len(report.findings) - 2 * SHOWN, "finding")


def _finding(page: Page, row: FindingRow, chain: str) -> Iterator[str]:
    times = len(row.occurrences)
    code = page.paint(printable(row.code), "error" if row.severity == "error" else "warning")
    yield page.ends(
        f"  {code} {page.paint(printable(row.name), 'strong')}", "once" if times == 1 else f"{times:,} times"
    )
    yield f"    {page.site(row.site, page.width - 4)}"
    yield from (f"    {highlight(line, page.style)}" for line in page.prose(row.message, page.width - 4))
    last = "at" if times == 1 else "last at"
    where = f", chain {chain}" if chain else ""
    yield page.paint(f"    {last} {words.clock(row.occurrences[-1].time)}{where}", "dim")
