"""What a report counts: reasons, places, chains and how they ended, across processes and files."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from store_samples import SECOND, SITE, chain, finding, turn

from stoplint.trace.records import CallSite, ChainRecord, FindingRecord, TurnRecord
from stoplint.trace.store import StoreLimits, TurnStore, open_store
from stoplint.trace.store_file import archives
from stoplint.trace.view import ReportBuilder
from stoplint.trace.view_sources import Loaded, NothingToReportError, ReportError, Selection, find_chain, load
from stoplint.trace.view_tree import lay_out

if TYPE_CHECKING:
    from pathlib import Path

    from stoplint.trace.view import ChainRow, Report

NOW = 1_800_000_000 * SECOND
OTHER = CallSite("/srv/app/other.py", "main", 7)


def at(seconds: float, turn_id: str = "msg_1", chain_id: str = "chain_a", **changes: object) -> TurnRecord:
    """A turn of one second that started that long before NOW."""
    started = NOW - int(seconds * SECOND)
    return turn(turn_id, chain_id, started_at=started, ended_at=started + SECOND, **changes)


def built(
    *turns: TurnRecord,
    findings: tuple[FindingRecord, ...] = (),
    ended: tuple[ChainRecord, ...] = (),
    running: bool = True,
) -> Report:
    builder = ReportBuilder()
    for one in turns:
        builder.add_turn(one)
    for found in findings:
        builder.add_finding(found)
    return builder.build(ended, NOW, lambda pid: running, processes=1, lost=0)


def only_chain(report: Report) -> ChainRow:
    (row,) = report.chains
    return row


def stored(path: Path, *records: TurnRecord | FindingRecord | ChainRecord) -> Path:
    store = open_store(path)
    for record in records:
        if isinstance(record, TurnRecord):
            store.turn(record)
        elif isinstance(record, FindingRecord):
            store.finding(record)
        else:
            store.chain(record)
    store.close()
    return path


def loaded(*files: Path, selection: Selection | None = None) -> Loaded:
    return load(files, selection or Selection(), NOW, lambda report: [row.chain_id for row in report.chains])


def test_reasons_are_counted_raw_by_model_and_place() -> None:
    report = built(
        at(50, "a", stop_reason="pause_turn"),
        at(40, "b", stop_reason="a_reason_of_tomorrow", call_site=OTHER),
        at(30, "c", stop_reason=None, error="overloaded_error", request_model="claude-opus-5-5"),
        at(20, "d", stop_reason=None, call_site=None),
        at(10, "e", stop_reason="pause_turn", request_model=None),
    )
    assert report.stop_reasons == {"pause_turn": 2, "a_reason_of_tomorrow": 1, "error": 1, "none": 1}
    assert [(row.model, row.turns) for row in report.models] == [
        ("claude-sonnet-4-5", 3),
        ("claude-opus-5-5", 1),
        ("claude-sonnet-4-5-20250929", 1),
    ]
    assert [(row.site, row.stop_reasons) for row in report.sites] == [
        (SITE, {"pause_turn": 2, "error": 1}),
        (None, {"none": 1}),
        (OTHER, {"a_reason_of_tomorrow": 1}),
    ]


def test_findings_are_gathered_by_rule_and_place_errors_first() -> None:
    report = built(
        at(50, "a"),
        at(40, "b", chain_id="chain_b", call_site=OTHER),
        findings=(
            finding("a", time=NOW - 30 * SECOND),
            finding("b", "chain_b", time=NOW - 10 * SECOND, message="newest"),
            finding("b", "chain_b", code="SL203", severity="error", call_site=OTHER),
        ),
    )
    assert [(row.code, row.site, len(row.occurrences), row.message) for row in report.findings] == [
        ("SL203", OTHER, 1, finding().message),
        ("SL102", SITE, 2, "newest"),
    ]
    assert {row.chain_id: row.findings for row in report.chains} == {
        "chain_a": {"SL102": 1},
        "chain_b": {"SL102": 1, "SL203": 1},
    }
    assert [row.findings for row in report.sites] == [{"SL102": 2}, {"SL203": 1}]


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"stop_reason": "end_turn"}, "finished"),
        ({"stop_reason": "end_turn", "empty": True}, "empty"),
        ({"stop_reason": "stop_sequence"}, "stopped"),
        ({"stop_reason": "refusal", "empty": True}, "refused"),
        ({"stop_reason": "max_tokens"}, "truncated"),
        ({"stop_reason": "model_context_window_exceeded"}, "truncated"),
        ({"stop_reason": "pause_turn"}, "unresumed"),
        ({"stop_reason": "compaction"}, "unresumed"),
        ({"stop_reason": "tool_use"}, "unanswered"),
        ({"stop_reason": None, "error": "overloaded_error"}, "failed"),
        ({"stop_reason": None, "stream_outcome": "cut"}, "failed"),
        ({"stop_reason": "a_reason_of_tomorrow"}, "finished"),
    ],
)
def test_a_chain_that_is_over_has_the_outcome_of_its_last_turn(changes: dict[str, object], outcome: str) -> None:
    assert only_chain(built(at(900, "a", stop_reason="tool_use"), at(700, "b", **changes))).outcome == outcome


def test_the_outcomes_are_those_of_the_tracer() -> None:
    from stoplint.trace import chains
    from stoplint.trace.view import outcome_of

    for reason in (*chains.OUTCOMES, "a_reason_of_tomorrow", None):
        for empty in (False, True):
            state = chains.TurnState.__new__(chains.TurnState)
            state.failed, state.stop_reason, state.empty = reason is None, reason, empty
            assert outcome_of(turn(stop_reason=reason, empty=empty)) == chains.outcome(state)


@pytest.mark.parametrize(
    ("age", "running", "outcome"),
    [(9 * 60, True, "open"), (9 * 60, False, "truncated"), (11 * 60, True, "truncated")],
)
def test_a_chain_is_over_after_ten_minutes_or_with_its_process(age: int, outcome: str, *, running: bool) -> None:
    assert only_chain(built(at(age, stop_reason="max_tokens"), running=running)).outcome == outcome


def test_the_tracer_s_word_on_a_chain_counts_until_the_chain_goes_on() -> None:
    told = chain(outcome="refused", ended_at=NOW - 60 * SECOND)
    assert only_chain(built(at(60), ended=(told,))).outcome == "refused"
    assert only_chain(built(at(60), at(30, "b"), ended=(told,))).outcome == "open"


def test_a_finding_of_what_nothing_carried_on_says_that_the_chain_is_over() -> None:
    assert only_chain(built(at(5, stop_reason="max_tokens"), findings=(finding(),))).outcome == "truncated"


def _untold(*turns: TurnRecord, ended: tuple[ChainRecord, ...] = (), whole: bool = True, lost: int = 0) -> list[str]:
    """The findings of a report over a process that was killed."""
    builder = ReportBuilder()
    for one in turns:
        builder.add_turn(one, whole=whole)
    report = builder.build(ended, NOW, lambda pid: False, processes=1, lost=lost)
    return [f"{row.code} {record.turn_id}" for row in report.findings for record in row.occurrences]


@pytest.mark.parametrize("reason", ["max_tokens", "pause_turn", "model_context_window_exceeded"])
def test_what_a_killed_process_could_not_say_is_found(reason: str) -> None:
    last = at(60, "b", stop_reason=reason)
    assert _untold(at(70, "a", stop_reason="tool_use"), last) == ["SL102 b"]
    assert _untold(last, at(50, "c")) == []
    assert _untold(last, ended=(chain(outcome="truncated", ended_at=last.started_at),)) == [], "the tracer has judged"
    assert _untold(last, whole=False) == [], "sampling may have left out what came after"
    assert _untold(last, lost=1) == [], "what came after may be lost"


@pytest.mark.parametrize("reason", ["end_turn", "tool_use", "refusal", "stop_sequence", "a_reason_of_tomorrow", None])
def test_what_may_have_been_the_end_is_no_finding(reason: str | None) -> None:
    assert _untold(at(60, "b", stop_reason=reason)) == []


def test_what_another_process_carried_on_was_no_mistake(tmp_path: Path) -> None:
    first = at(60, "a", "chain_a", stop_reason="pause_turn", digest="d" * 32)
    second = at(50, "b", "chain_b", parent_digest="d" * 32, pid=2)
    told = (first, finding("a", "chain_a"), chain("chain_a", outcome="unresumed", ended_at=first.ended_at))
    assert loaded(stored(tmp_path / "one.db", *told)).report.findings
    assert not loaded(tmp_path / "one.db", stored(tmp_path / "two.db", second)).report.findings


def test_failed_turns_do_not_lengthen_a_chain() -> None:
    row = only_chain(built(at(9, "a"), at(8, "b", stop_reason=None, error="timeout"), at(7, "c")))
    assert (row.turns, row.length, row.stop_reasons) == (3, 2, ("end_turn", "error", "end_turn"))


def test_a_chain_goes_on_in_another_process(tmp_path: Path) -> None:
    first = at(60, "a", "chain_a", stop_reason="pause_turn", digest="d" * 32)
    second = at(50, "b", "chain_b", parent_digest="d" * 32, digest="e" * 32, pid=2)
    third = at(40, "c", "chain_c", parent_digest="e" * 32, pid=3)
    lone = at(30, "d", "chain_d", parent_digest="f" * 32)
    found = loaded(
        stored(tmp_path / "one.db", first, third), stored(tmp_path / "two.db", second, lone, finding("c", "chain_c"))
    )
    assert [(row.chain_id, row.turns, row.joined) for row in found.report.chains] == [
        ("chain_d", 1, ()),
        ("chain_a", 3, ("chain_b", "chain_c")),
    ]
    joined = find_chain(found.report, "chain_c")
    assert joined.findings == {"SL102": 1}
    assert [row.turn.turn_id for row in lay_out(found.turns["chain_a"])] == ["a", "b", "c"]


def test_a_chain_is_found_by_the_beginning_of_its_id() -> None:
    report = built(at(9, "a", "abc1"), at(8, "b", "abc2"), at(7, "c", "abc"))
    assert find_chain(report, "abc1").chain_id == "abc1"
    assert find_chain(report, "abc").chain_id == "abc"
    with pytest.raises(ReportError, match="3 chains begin with 'ab'"):
        find_chain(report, "ab")
    with pytest.raises(ReportError, match="no chain begins with 'x'"):
        find_chain(report, "x")


def test_selections_limit_turns_and_their_findings(tmp_path: Path) -> None:
    path = stored(
        tmp_path / "turns.db",
        *(at(100 - number, f"msg_{number}") for number in range(20)),
        finding("msg_3"),
        finding("msg_18"),
    )
    other = stored(tmp_path / "other.db", at(91.5, "old", "chain_b"), at(0.5, "new", "chain_b"))
    last = loaded(path, other, selection=Selection(last=3)).report
    assert (last.turns, sorted(row.turns for row in last.chains)) == (3, [1, 2])
    assert [record.turn_id for row in last.findings for record in row.occurrences] == ["msg_18"]
    since = loaded(path, selection=Selection(since=NOW - 85 * SECOND)).report
    assert since.turns == 5
    with pytest.raises(NothingToReportError, match="as new as that"):
        loaded(path, selection=Selection(since=NOW))


def test_a_turn_in_several_files_counts_once(tmp_path: Path) -> None:
    first = stored(tmp_path / "a.db", at(9, "a"), at(8, "b"), finding("a"))
    second = stored(tmp_path / "b.db", at(9, "a"), at(7, "c"), finding("a"), finding("c"))
    report = loaded(first, second).report
    assert report.turns == 3
    assert [len(row.occurrences) for row in report.findings] == [2]


def test_rotated_files_belong_to_the_report(tmp_path: Path) -> None:
    store = TurnStore(tmp_path / "turns.db", StoreLimits(max_bytes=150_000, batch=50))
    for number in range(500):
        store.turn(at(1000 - number, f"msg_{number}"))
        if number % 50 == 0:
            store.flush(60)
    store.close()
    files = [store.path, *archives(store.path)]
    assert len(files) > 1
    report = loaded(*files).report
    assert (report.turns, report.processes, len(report.chains)) == (500, 1, 1)


def test_lost_records_are_told(tmp_path: Path) -> None:
    store = TurnStore(tmp_path / "turns.db", StoreLimits(queue=5, batch=3))
    with store.writing:
        for number in range(30):
            store.turn(at(60, f"msg_{number}"))
    store.close()
    assert loaded(store.path).report.lost == store.lost > 0


def _process(path: Path, pid: int, host: str, ended_at: int | None) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE processes SET pid = ?, host = ?, ended_at = ?", (pid, host, ended_at))
        connection.execute("UPDATE turns SET pid = ?", (pid,))


def test_a_killed_process_is_known_to_be_over(tmp_path: Path) -> None:
    path = stored(tmp_path / "turns.db", at(60, stop_reason="pause_turn"))
    assert only_chain(loaded(path).report).outcome == "unresumed"  # this process has said goodbye
    _process(path, os.getpid(), socket.gethostname(), None)
    assert only_chain(loaded(path).report).outcome == "open"
    _process(path, os.getpid(), "another-machine", None)
    assert only_chain(loaded(path).report).outcome == "open"
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    _process(path, gone.pid, socket.gethostname(), None)
    assert only_chain(loaded(path).report).outcome == "unresumed"


def _drawn(*turns: TurnRecord) -> list[tuple[str, int, bool, bool]]:
    return [(row.turn.turn_id, row.depth, row.branches, row.goes_on) for row in lay_out(turns)]


def test_a_line_of_turns_stays_in_its_column() -> None:
    assert _drawn(at(3, "a"), at(2, "b", parent_turn_id="a"), at(1, "c", parent_turn_id="b")) == [
        ("a", 0, False, True),
        ("b", 0, False, True),
        ("c", 0, False, False),
    ]


def test_what_was_not_followed_branches_off() -> None:
    assert _drawn(
        at(9, "a"),
        at(8, "retry", parent_turn_id="a"),
        at(7, "again", parent_turn_id="retry"),
        at(6, "fork", parent_turn_id="a"),
        at(5, "main", parent_turn_id="a"),
        at(4, "end", parent_turn_id="main"),
    ) == [
        ("a", 0, False, True),
        ("retry", 1, True, True),
        ("again", 1, False, False),
        ("fork", 1, True, False),
        ("main", 0, False, True),
        ("end", 0, False, False),
    ]


def test_every_turn_is_drawn_whatever_its_parents_are() -> None:
    tangled = [at(9, "a", parent_turn_id="b"), at(8, "b", parent_turn_id="a"), at(7, "c", parent_turn_id="unknown")]
    assert sorted(turn_id for turn_id, *_ in _drawn(*tangled)) == ["a", "b", "c"]
    long = [at(0, f"m{number}", parent_turn_id=f"m{number - 1}" if number else None) for number in range(5000)]
    assert len(lay_out(long)) == 5000
