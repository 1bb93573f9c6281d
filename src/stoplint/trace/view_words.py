"""The words that the terminal and the HTML report share: times, sizes, how a turn ended."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final

from stoplint.report._terminal import plural
from stoplint.trace.view import GOOD, reason_of
from stoplint.trace.view_place import shown_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stoplint.trace.records import CallSite, FindingRecord, TurnRecord
    from stoplint.trace.view import ChainRow, Report
    from stoplint.trace.view_sources import Loaded

_SECOND: Final = 1_000_000_000
BAD_REASONS: Final = frozenset({"max_tokens", "model_context_window_exceeded", "refusal", "error", "none"})
"""What is counted in another colour: the answer is not whole."""


def clock(nanoseconds: int, *, zone: timezone | None = None) -> str:
    """A moment in local time, to the second."""
    return datetime.fromtimestamp(nanoseconds / _SECOND, zone).strftime("%Y-%m-%d %H:%M:%S")


def period(start: int, end: int, *, zone: timezone | None = None) -> str:
    """`2026-11-25 10:01:02 to 10:14:55`; the second date only where it is another."""
    first, last = clock(start, zone=zone), clock(end, zone=zone)
    if first == last:
        return first
    return f"{first} to {last.removeprefix(first[:11])}"


def duration(nanoseconds: int) -> str:
    """`340 ms`, `1.2 s`, `41 s`, `3 min 5 s`, `2 h 10 min`."""
    seconds = nanoseconds / _SECOND
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def place(site: CallSite | None) -> str:
    """`src/app.py:41`."""
    return "unknown place" if site is None else f"{shown_path(site.path)}:{site.line}"


def counts(numbers: Mapping[str, int]) -> str:
    """`end_turn 12, tool_use 5`."""
    return ", ".join(f"{name} {count:,}" for name, count in numbers.items())


def codes(numbers: Mapping[str, int]) -> str:
    """`SL102 x2, SL203`."""
    return ", ".join(code if count == 1 else f"{code} x{count:,}" for code, count in numbers.items())


def way(turn: TurnRecord) -> str:
    """The relation of a turn to the one before, with what a changed retry changed."""
    return f"{turn.relation} ({', '.join(turn.changed)})" if turn.changed else turn.relation


def ending(turn: TurnRecord) -> str:
    """How a turn ended: its raw stop reason and what else must be known of it."""
    notes = []
    if turn.stop_reason == "stop_sequence" and turn.stop_sequence is not None:
        notes.append(repr(turn.stop_sequence))
    if turn.refusal_category is not None:
        notes.append(turn.refusal_category)
    if turn.error is not None:
        notes.append(turn.error)
    if turn.empty:
        notes.append("empty")
    if turn.truncated_tool_use:
        notes.append("tool_use cut off")
    if turn.stream_outcome not in (None, "complete"):
        notes.append(f"stream {turn.stream_outcome}")
    reason = reason_of(turn)
    return f"{reason} ({', '.join(notes)})" if notes else reason


def ends_well(turn: TurnRecord) -> bool:
    """Whether the end of a turn asks for no look."""
    return reason_of(turn) not in BAD_REASONS and not (turn.empty or turn.truncated_tool_use)


def size(turn: TurnRecord) -> str:
    """`1,204 > 88 tokens`: what went in, cached tokens included, and what came out."""
    if turn.input_tokens is None and turn.output_tokens is None:
        return ""
    asked = (turn.input_tokens or 0) + (turn.cache_read_tokens or 0) + (turn.cache_write_tokens or 0)
    return f"{asked:,} > {turn.output_tokens or 0:,} tokens"


def made(turn: TurnRecord) -> str:
    """How a request was made, where that is worth a word."""
    words: list[str] = [] if turn.surface == "create" else [turn.surface]
    if turn.streaming and turn.surface != "stream":
        words.append("streamed")
    if turn.beta:
        words.append("beta")
    if turn.retries:
        words.append("1 retry" if turn.retries == 1 else f"{turn.retries} retries")
    return ", ".join(words)


def needs_a_look(row: ChainRow) -> bool:
    """Whether a chain has findings or ended in a way that the application had to do something about."""
    return bool(row.findings) or row.outcome not in GOOD


def interesting_first(report: Report) -> list[ChainRow]:
    """The chains: those that need a look, then the others; the newest of each first."""
    return sorted(report.chains, key=lambda row: not needs_a_look(row))


def headline(report: Report) -> str:
    found = sum(len(row.occurrences) for row in report.findings)
    chains = plural(len(report.chains), "chain")
    return f"{plural(report.turns, 'turn')} in {chains}, {plural(found, 'finding')}"


def facts(loaded: Loaded) -> str:
    """Where the report comes from, when its turns were, what they cost."""
    report = loaded.report
    parts = [", ".join(str(source.path) for source in loaded.sources)]
    parts.append(period(report.first_at or 0, report.last_at or 0))
    if report.processes:
        parts.append("1 process" if report.processes == 1 else f"{report.processes:,} processes")
    parts.append(f"{report.tokens[0]:,} tokens in, {report.tokens[1]:,} out")
    return ", ".join(parts)


def caveats(loaded: Loaded) -> list[str]:
    """What a reader must know about what is not in the report."""
    report = loaded.report
    notes = []
    if report.lost:
        notes.append(f"{plural(report.lost, 'record')} could not be written: disk, folder, or too many at once")
    if report.unchained:
        notes.append(f"{plural(report.unchained, 'turn')} without stoplint.* attributes: no chains, no findings")
    for source in loaded.sources:
        broken = source.broken
        if broken.count:
            first = "; ".join(f"line {line}: {reason}" for line, reason in broken.first)
            more = "; ..." if broken.count > len(broken.first) else ""
            notes.append(f"{plural(broken.count, 'line')} of {source.path} left out ({first}{more})")
    return notes


def short_ids(report: Report) -> dict[str, str]:
    """The chain ids, as short as still tells them apart; the ids of joined chains with those they belong to."""
    ids = [row.chain_id for row in report.chains]
    length = 8
    while length < 32 and len({one[:length] for one in ids}) < len(ids):
        length += 2
    return {one: row.chain_id[:length] for row in report.chains for one in (row.chain_id, *row.joined)}


def told(record: FindingRecord, indexes: Mapping[str, int]) -> str:
    """The message of a finding on a turn of a chain; `indexes` are those of the chain's turns, by id."""
    if record.evidence_turn_id == record.turn_id:
        return record.message
    index = indexes.get(record.evidence_turn_id)
    return f"{record.message} (seen in turn {record.evidence_turn_id if index is None else index})"


def findings_by_turn(report: Report) -> dict[str, list[FindingRecord]]:
    """All findings by the id of the turn that they are reported on."""
    found: dict[str, list[FindingRecord]] = {}
    for row in report.findings:
        for record in row.occurrences:
            found.setdefault(record.turn_id, []).append(record)
    return found
