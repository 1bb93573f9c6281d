"""The report as one HTML page: no script, nothing loaded from elsewhere, light and dark as the reader's system is."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from stoplint.report._terminal import plural
from stoplint.trace import view_words as words
from stoplint.trace.view import GOOD
from stoplint.trace.view_html_style import STYLE
from stoplint.trace.view_tree import lay_out

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from stoplint.trace.records import CallSite, FindingRecord
    from stoplint.trace.view import ChainRow, FindingRow, Report
    from stoplint.trace.view_sources import Loaded
    from stoplint.trace.view_tree import TreeRow

CHAINS_DRAWN: Final = 200
"""Chains whose turns the page holds; the others are counted."""

_STEP_PX: Final = 22


def drawn(report: Report) -> list[str]:
    """The ids of the chains that the page draws."""
    return [row.chain_id for row in words.interesting_first(report)[:CHAINS_DRAWN]]


def render(loaded: Loaded, chains: Sequence[ChainRow]) -> Iterator[str]:
    """The page in pieces.  `chains` are drawn; `loaded.turns` holds their turns."""
    report = loaded.report
    title = f"stoplint report: {words.headline(report)}"
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="generator" content="stoplint">\n'
    yield f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>stoplint report</h1>\n"
    yield f'<p class="lead">{escape(words.headline(report))}</p>\n<p class="facts">{escape(words.facts(loaded))}</p>\n'
    yield from (f'<p class="note">{escape(note)}</p>\n' for note in words.caveats(loaded))
    yield "</header>\n<main>\n"
    yield from _findings(report, {row.chain_id for row in chains})
    yield from _models(report)
    yield from _sites(report)
    yield from _chains(loaded, chains)
    yield "</main>\n</body>\n</html>\n"


def _findings(report: Report, linked: set[str]) -> Iterator[str]:
    yield '<section id="findings">\n<h2>Findings</h2>\n'
    if not report.findings:
        yield '<p class="good">No findings.</p>\n'
    ids = words.short_ids(report)
    for row in report.findings:
        yield from _finding(row, ids, linked)
    yield "</section>\n"


def _finding(row: FindingRow, ids: Mapping[str, str], linked: set[str]) -> Iterator[str]:
    times = len(row.occurrences)
    severity = "error" if row.severity == "error" else "warning"
    yield f'<article class="finding {severity}">\n<h3><span class="code">{escape(row.code)}</span> {escape(row.name)} '
    yield f'<span class="count">{"once" if times == 1 else f"{times:,} times"}</span></h3>\n'
    yield f'<p class="site">{_site(row.site)}</p>\n<p>{_prose(row.message)}</p>\n<p class="facts">'
    newest = row.occurrences[-1]
    yield f"{'at' if times == 1 else 'last at'} {words.clock(newest.time)}"
    if newest.chain_id:
        short = escape(ids.get(newest.chain_id, newest.chain_id))
        anchor = escape(newest.chain_id, quote=True)
        yield f', chain <a href="#c-{anchor}">{short}</a>' if newest.chain_id in linked else f", chain {short}"
    yield "</p>\n</article>\n"


def _models(report: Report) -> Iterator[str]:
    yield '<section id="models">\n<h2>Stop reasons by model</h2>\n<table>\n'
    for row in report.models:
        yield f'<tbody><tr class="head"><th scope="rowgroup">{escape(row.model)}</th><td class="number">{plural(row.turns, "turn")}</td><td></td></tr>\n'
        for reason, count in row.stop_reasons.items():
            share = 100 * count / row.turns
            yield f'<tr><td>{_reason(reason)}</td><td class="number">{count:,}</td>'
            look = " look" if reason in words.BAD_REASONS else ""
            yield f'<td class="bar{look}"><span style="width:{share:.1f}%"></span></td></tr>\n'
        yield "</tbody>\n"
    yield "</table>\n</section>\n"


def _sites(report: Report) -> Iterator[str]:
    yield '<section id="sites">\n<h2>Stop reasons by call site</h2>\n<table>\n<thead><tr><th>place</th>'
    yield '<th class="number">turns</th><th>stop reasons</th><th>findings</th></tr></thead>\n<tbody>\n'
    for row in report.sites:
        reasons = ", ".join(f"{_reason(reason)} {count:,}" for reason, count in row.stop_reasons.items())
        yield f'<tr><td class="site">{_site(row.site)}</td><td class="number">{row.turns:,}</td><td>{reasons}</td>'
        yield f'<td class="codes">{escape(words.codes(row.findings))}</td></tr>\n'
    yield "</tbody>\n</table>\n</section>\n"


def _chains(loaded: Loaded, chains: Sequence[ChainRow]) -> Iterator[str]:
    report = loaded.report
    if not report.chains:
        return
    ids = words.short_ids(report)
    findings = words.findings_by_turn(report)
    yield '<section id="chains">\n<h2>Chains</h2>\n'
    yield f'<p class="facts">{escape(words.counts(report.outcomes))}; those that need a look come first</p>\n'
    for row in chains:
        yield from _chain_head(row, ids[row.chain_id])
        turns = loaded.turns[row.chain_id]
        indexes = {turn.turn_id: turn.index for turn in turns}
        for place in lay_out(turns):
            records = findings.get(place.turn.turn_id, ())
            yield from _turn(place, [(record, words.told(record, indexes)) for record in records])
        yield "</ol>\n</details>\n"
    left = len(report.chains) - len(chains)
    if left > 0:
        yield f'<p class="facts">and {plural(left, "more chain")}, listed by <code>--output-format json</code></p>\n'
    yield "</section>\n"


def _chain_head(row: ChainRow, short: str) -> Iterator[str]:
    good = "good" if row.outcome in GOOD else "bad"
    anchor = escape(row.chain_id, quote=True)
    yield f'<details id="c-{anchor}"{" open" if row.findings else ""}>\n<summary><code>{escape(short)}</code> '
    yield f'<span class="outcome {good}">{escape(row.outcome)}</span> <span>{plural(row.turns, "turn")}</span> '
    yield f'<span class="when">{escape(words.period(row.started_at, row.ended_at))}</span>'
    if row.findings:
        yield f' <span class="codes">{escape(words.codes(row.findings))}</span>'
    yield "</summary>\n"
    facts = [f"chain {row.chain_id}", *row.models]
    if row.joined:
        facts.append(f"carried on in other processes as {', '.join(row.joined)}")
    yield f'<p class="facts">{escape(", ".join(facts))}</p>\n<ol class="turns">\n'


def _turn(row: TreeRow, findings: Sequence[tuple[FindingRecord, str]]) -> Iterator[str]:
    turn = row.turn
    good = "fine" if words.ends_well(turn) and not findings else "look"
    branch = " branch" if row.branches else ""
    yield f'<li class="{good}{branch}" style="margin-left:{row.depth * _STEP_PX}px">'
    yield f'<span class="index">{turn.index}</span> <span class="way">{escape(words.way(turn))}</span> &rarr; '
    yield f'<b>{escape(words.ending(turn))}</b> <span class="when">{words.duration(turn.ended_at - turn.started_at)}</span>'
    details = [text for text in (words.size(turn), words.made(turn)) if text]
    yield f'<div class="site">{_site(turn.call_site)}{escape("".join(f", {text}" for text in details))}</div>'
    for record, message in findings:
        severity = "error" if record.severity == "error" else "warning"
        yield f'<div class="finding {severity}"><span class="code">{escape(record.code)}</span> {escape(record.name)}: '
        yield f"{_prose(message)}</div>"
    yield "</li>\n"


def _site(site: CallSite | None) -> str:
    if site is None:
        return "unknown place"
    return f"<code>{escape(words.place(site))}</code> {escape(site.function)}"


def _reason(reason: str) -> str:
    bad = ' class="bad"' if reason in words.BAD_REASONS else ""
    return f"<code{bad}>{escape(reason)}</code>"


def _prose(text: str) -> str:
    """Text with what stands between backticks as code."""
    parts = escape(text).split("`")
    if len(parts) % 2 == 0:
        return "`".join(parts)
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))
