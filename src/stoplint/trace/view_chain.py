"""One chain for terminals, as a tree of its turns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint.report._terminal import highlight, plural, printable
from stoplint.trace import view_words as words
from stoplint.trace.view_page import Page
from stoplint.trace.view_tree import lay_out

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stoplint.report import Style
    from stoplint.report._terminal import Role
    from stoplint.trace.records import FindingRecord
    from stoplint.trace.view import ChainRow
    from stoplint.trace.view_sources import Loaded
    from stoplint.trace.view_tree import TreeRow


def render(loaded: Loaded, row: ChainRow, style: Style) -> Iterator[str]:
    """The chain in lines, newlines included."""
    page = Page(style)
    name = page.paint(printable(row.chain_id), "strong")
    lines = [f"chain {name}: {page.outcome(row.outcome)}, {plural(row.turns, 'turn')}"]
    facts = [words.period(row.started_at, row.ended_at), *map(printable, row.models)]
    lines += page.prose(", ".join(facts))
    if row.joined:
        lines += page.prose(f"carried on in other processes as {', '.join(row.joined)}")
    lines.append("")
    findings = words.findings_by_turn(loaded.report)
    turns = loaded.turns[row.chain_id]
    indexes = {turn.turn_id: turn.index for turn in turns}
    for place in lay_out(turns):
        records = findings.get(place.turn.turn_id, ())
        lines += _turn(page, place, [(record, words.told(record, indexes)) for record in records])
    yield from (line.rstrip() + "\n" for line in lines)


def _turn(page: Page, row: TreeRow, findings: Sequence[tuple[FindingRecord, str]]) -> Iterator[str]:
    turn = row.turn
    mark = page.paint(
        "●" if page.style.unicode else "o", "good" if words.ends_well(turn) and not findings else "warning"
    )
    arrow = "→" if page.style.unicode else "->"
    what = f"{turn.index:>2}  {page.pad(printable(words.way(turn)), 15)} {arrow} {printable(words.ending(turn))}"
    took = words.duration(turn.ended_at - turn.started_at)
    below = _rails(page, row)
    head, *rest = page.prose(what, page.width - len(below) - len(took) - 2)
    yield page.ends(f"{_branch(page, row)}{mark} {head}", took)
    yield from (f"{below}    {line}" for line in rest)

    room = page.width - len(below) - 4
    details = [text for text in (words.size(turn), words.made(turn)) if text]
    facts = "".join(f", {text}" for text in details)
    site = page.site(turn.call_site, room - len(facts))
    yield f"{below}    {page.paint(page.clip(site + facts, room), 'dim')}"
    for record, message in findings:
        role: Role = "error" if record.severity == "error" else "warning"
        yield f"{below}    {page.paint(printable(f'{record.code} {record.name}'), role)}"
        for line in page.prose(message, room - 2):
            yield f"{below}      {highlight(line, page.style)}"


def _branch(page: Page, row: TreeRow) -> str:
    """What stands before a turn's mark."""
    if not row.branches:
        return _columns(page, row, row.depth)
    return _columns(page, row, row.depth - 1) + ("├─" if page.style.unicode else "|-")


def _rails(page: Page, row: TreeRow) -> str:
    """What stands below a turn's mark, beside its details."""
    own = ("│ " if page.style.unicode else "| ") if row.goes_on else "  "
    return _columns(page, row, row.depth) + own


def _columns(page: Page, row: TreeRow, number: int) -> str:
    line = "│ " if page.style.unicode else "| "
    return "".join(line if column in row.open else "  " for column in range(number))
