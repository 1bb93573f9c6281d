"""The turn store within one process: what goes in comes out, and nothing that goes wrong reaches the application."""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import closing
from dataclasses import fields
from pathlib import Path

import pytest
from store_samples import chain, finding, rows, turn, turn_ids

from stoplint.trace import store_file
from stoplint.trace.records import ChainRecord, FindingRecord, TurnRecord
from stoplint.trace.store import DEFAULT_STORE, StoreLimits, TurnStore, open_store, store_path
from stoplint.trace.store_schema import (
    CHAIN_COLUMNS,
    FINDING_COLUMNS,
    SCHEMA_VERSION,
    TURN_COLUMNS,
    chain_of,
    columns_sql,
    finding_of,
    turn_of,
)

FULL = turn(
    index=3,
    relation="retry_changed",
    parent_turn_id="msg_0",
    changed=("model", "max_tokens"),
    stop_reason="stop_sequence",
    stop_sequence="</answer>",
    refusal_category="cyber",
    cache_read_tokens=7,
    cache_write_tokens=8,
    content_kinds=(("thinking", 1), ("text", 2)),
    empty=True,
    truncated_tool_use=True,
    streaming=True,
    stream_outcome="abandoned",
    surface="tool_runner",
    beta=True,
    retries=2,
    error="overloaded_error",
    digest="0" * 32,
    parent_digest="1" * 32,
    trace_id="a" * 32,
    span_id="b" * 16,
    findings=("SL102", "SL203"),
)


def _written(path: Path, *records: TurnRecord | FindingRecord | ChainRecord) -> TurnStore:
    store = open_store(path)
    for record in records:
        if isinstance(record, TurnRecord):
            store.turn(record)
        elif isinstance(record, FindingRecord):
            store.finding(record)
        else:
            store.chain(record)
    store.close()
    return store


def _read(path: Path, table: str, columns: tuple[str, ...]) -> list[sqlite3.Row]:
    with closing(store_file.open_for_reading(path)) as connection:
        connection.row_factory = sqlite3.Row
        return connection.execute(f"SELECT {columns_sql(columns)} FROM {table}").fetchall()


def test_every_field_comes_back(tmp_path: Path) -> None:
    defaults = turn("plain")
    assert all(
        getattr(FULL, field.name) != getattr(defaults, field.name)
        for field in fields(TurnRecord)
        if field.name
        not in {
            *("chain_id", "request_model", "response_model", "max_tokens", "input_tokens", "output_tokens"),
            *("call_site", "pid", "thread", "request_content", "response_content"),
        }
    )
    unplaced = turn("unplaced", call_site=None, max_tokens=None, request_content="in", response_content="out")
    path = tmp_path / "turns.db"
    _written(path, FULL, unplaced, finding(trace_id="c" * 32), chain(outcome="truncated"))
    assert [turn_of(dict(row)) for row in _read(path, "turns", TURN_COLUMNS)] == [FULL, unplaced]
    found = [finding_of(dict(row)) for row in _read(path, "findings", FINDING_COLUMNS)]
    assert [(one.code, one.trace_id, one.call_site) for one in found] == [("SL102", "c" * 32, FULL.call_site)]
    assert [chain_of(dict(row)).outcome for row in _read(path, "chains", CHAIN_COLUMNS)] == ["truncated"]


def test_the_tables_hold_every_column(tmp_path: Path) -> None:
    path = tmp_path / "turns.db"
    _written(path, turn())
    for table, columns in (("turns", TURN_COLUMNS), ("findings", FINDING_COLUMNS), ("chains", CHAIN_COLUMNS)):
        assert {row[1] for row in rows(path, f"PRAGMA table_info({table})")} == set(columns)


def test_a_turn_seen_again_replaces_the_earlier_one(tmp_path: Path) -> None:
    path = tmp_path / "turns.db"
    _written(path, turn(), turn(findings=("SL102",)))
    assert rows(path, "SELECT turn_id, findings FROM turns") == [("msg_1", '["SL102"]')]


def test_nothing_is_made_before_the_first_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = open_store(None)
    assert store.path == tmp_path / DEFAULT_STORE
    store.flush(1)
    store.close()
    assert not list(tmp_path.iterdir())


def test_the_folder_it_makes_is_ignored_by_git(tmp_path: Path) -> None:
    _written(tmp_path / ".stoplint" / "turns.db", turn())
    assert (tmp_path / ".stoplint" / ".gitignore").read_text(encoding="utf-8") == "*\n"


def test_a_folder_that_was_there_stays_as_it_is(tmp_path: Path) -> None:
    _written(tmp_path / "turns.db", turn())
    assert not (tmp_path / ".gitignore").exists()


def test_a_flush_commits_what_was_reported(tmp_path: Path) -> None:
    store = open_store(tmp_path / "turns.db")
    store.turn(turn("a"))
    store.turn(turn("b"))
    store.flush(60)
    assert turn_ids(store.path) == {"a", "b"}
    store.close()


def test_after_close_calls_do_nothing(tmp_path: Path) -> None:
    store = _written(tmp_path / "turns.db", turn("a"))
    store.turn(turn("b"))
    store.flush(1)
    store.close()
    assert turn_ids(store.path) == {"a"}


def test_the_end_of_the_process_is_noted(tmp_path: Path) -> None:
    path = tmp_path / "turns.db"
    _written(path, turn())
    ((pid, ended_at, lost),) = rows(path, "SELECT pid, ended_at, lost FROM processes")
    assert (pid, lost) == (os.getpid(), 0)
    assert ended_at is not None


def test_a_full_queue_drops_and_counts(tmp_path: Path) -> None:
    store = TurnStore(tmp_path / "turns.db", StoreLimits(queue=5, batch=3))
    with store.writing:  # the writer cannot write, the application goes on
        for number in range(50):
            store.turn(turn(f"msg_{number}"))
        assert store.lost >= 50 - 5 - 3
    store.close()
    assert len(turn_ids(store.path)) == 50 - store.lost
    assert rows(store.path, "SELECT lost FROM processes") == [(store.lost,)]


def test_many_threads_report_at_once(tmp_path: Path) -> None:
    store = open_store(tmp_path / "turns.db")

    def report(name: int) -> None:
        for number in range(200):
            store.turn(turn(f"msg_{name}_{number}"))

    threads = [threading.Thread(target=report, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.close()
    assert store.lost == 0
    assert len(turn_ids(store.path)) == 1600


def test_what_sqlite_cannot_hold_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "turns.db"
    store = _written(path, turn("a", thread="\udcff thread"), turn("b", max_tokens=2**70), finding())
    assert store.lost == 0
    assert rows(path, "SELECT turn_id, thread, max_tokens FROM turns ORDER BY turn_id") == [
        ("a", "\\udcff thread", 1024),
        ("b", "MainThread", None),
    ]
    assert rows(path, "SELECT count(*) FROM findings") == [(1,)]


def test_a_file_deleted_under_the_writer_is_begun_anew(tmp_path: Path) -> None:
    folder = tmp_path / ".stoplint"
    store = open_store(folder / "turns.db")
    store.turn(turn("a"))
    store.flush(60)
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    store.turn(turn("b"))
    store.close()
    assert turn_ids(store.path) == {"b"}
    assert store.lost == 0


@pytest.mark.parametrize(
    ("setting", "has_backend", "expected"),
    [
        (None, False, DEFAULT_STORE),
        (None, True, None),
        ("", True, None),
        ("off", False, None),
        ("FALSE", False, None),
        ("on", True, DEFAULT_STORE),
        ("logs/t.db", True, Path("logs/t.db")),
        ("logs/", False, Path("logs/turns.db")),
    ],
)
def test_the_setting_says_where(setting: str | None, *, has_backend: bool, expected: Path | None) -> None:
    assert store_path(setting, has_backend=has_backend) == expected


def test_the_setting_may_name_a_folder(tmp_path: Path) -> None:
    assert store_path(str(tmp_path), has_backend=False) == tmp_path / "turns.db"


def test_the_schema_version_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "turns.db"
    _written(path, turn())
    assert rows(path, "PRAGMA user_version") == [(SCHEMA_VERSION,)]
    assert rows(path, "PRAGMA journal_mode") == [("wal",)]
