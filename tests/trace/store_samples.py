"""Records for the tests of the store and its report."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from stoplint.trace.records import CallSite, ChainRecord, FindingRecord, TurnRecord

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
SITE = CallSite("/srv/app/agent.py", "Agent.ask", 41)


def turn(turn_id: str = "msg_1", chain_id: str = "chain_a", **changes: object) -> TurnRecord:
    """A sound turn that started now; `changes` are fields of TurnRecord."""
    now = time.time_ns()
    record = TurnRecord(
        turn_id=turn_id,
        chain_id=chain_id,
        index=0,
        relation="new",
        parent_turn_id=None,
        changed=(),
        stop_reason="end_turn",
        stop_sequence=None,
        refusal_category=None,
        request_model="claude-sonnet-4-5",
        response_model="claude-sonnet-4-5-20250929",
        max_tokens=1024,
        input_tokens=100,
        output_tokens=20,
        cache_read_tokens=None,
        cache_write_tokens=None,
        content_kinds=(("text", 1),),
        empty=False,
        truncated_tool_use=False,
        streaming=False,
        stream_outcome=None,
        surface="create",
        beta=False,
        started_at=now,
        ended_at=now + SECOND,
        retries=0,
        error=None,
        call_site=SITE,
        digest=None,
        parent_digest=None,
        trace_id=None,
        span_id=None,
        pid=1,
        thread="MainThread",
        findings=(),
    )
    return replace(record, **changes)  # type: ignore[arg-type]


def finding(turn_id: str = "msg_1", chain_id: str = "chain_a", **changes: object) -> FindingRecord:
    """A finding of SL102 on a turn; `changes` are fields of FindingRecord."""
    record = FindingRecord(
        code="SL102",
        name="stop-reason-unhandled",
        severity="warning",
        profile="default",
        message="the chain ends on max_tokens and nothing continued it",
        turn_id=turn_id,
        evidence_turn_id=turn_id,
        chain_id=chain_id,
        call_site=SITE,
        time=time.time_ns(),
        trace_id=None,
        span_id=None,
        pid=1,
    )
    return replace(record, **changes)  # type: ignore[arg-type]


def chain(chain_id: str = "chain_a", **changes: object) -> ChainRecord:
    """A chain of one turn that finished now; `changes` are fields of ChainRecord."""
    return replace(ChainRecord(chain_id, "finished", 1, time.time_ns(), 1), **changes)  # type: ignore[arg-type]


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    """What a query finds in a store, read as any SQLite tool would."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def turn_ids(path: Path) -> set[str]:
    return {str(row[0]) for row in rows(path, "SELECT turn_id FROM turns")}


def start_python(script: str, *arguments: str, cwd: Path) -> subprocess.Popen[str]:
    """Start a script that can import this module."""
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n{script}"
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(command, cwd=cwd, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def run_python(script: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    process = start_python(script, *arguments, cwd=cwd)
    out, err = process.communicate(timeout=120)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)
