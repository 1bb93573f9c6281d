"""The tables of the turn store, and how records become rows and rows records.  No I/O of its own.

The file is an ordinary SQLite database: `application_id` says that it is ours, `user_version` which schema it has.
Column names are those of the records, so that SQL written by hand reads like the documentation.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from stoplint.trace.records import CallSite, ChainRecord, FindingRecord, TurnRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from stoplint.findings import Profile, Severity
    from stoplint.trace.records import ChainOutcome, Relation, StreamOutcome, Surface

Record: TypeAlias = TurnRecord | FindingRecord | ChainRecord
SqlValue: TypeAlias = str | int | None
Row: TypeAlias = "tuple[SqlValue, ...]"

APPLICATION_ID: Final = 0x53544C54
"""The bytes "STLT" at offset 68 of the file."""

SCHEMA_VERSION: Final = 1

_TURNS_V1: Final = """
CREATE TABLE turns (
  turn_id TEXT NOT NULL PRIMARY KEY,
  chain_id TEXT NOT NULL, "index" INTEGER NOT NULL, relation TEXT NOT NULL, parent_turn_id TEXT, changed TEXT NOT NULL,
  stop_reason TEXT, stop_sequence TEXT, refusal_category TEXT,
  request_model TEXT, response_model TEXT, max_tokens INTEGER,
  input_tokens INTEGER, output_tokens INTEGER, cache_read_tokens INTEGER, cache_write_tokens INTEGER,
  content_kinds TEXT NOT NULL, empty INTEGER NOT NULL, truncated_tool_use INTEGER NOT NULL,
  streaming INTEGER NOT NULL, stream_outcome TEXT, surface TEXT NOT NULL, beta INTEGER NOT NULL,
  started_at INTEGER NOT NULL, ended_at INTEGER NOT NULL, retries INTEGER NOT NULL, error TEXT,
  path TEXT, function TEXT, line INTEGER,
  digest TEXT, parent_digest TEXT, trace_id TEXT, span_id TEXT,
  pid INTEGER NOT NULL, thread TEXT NOT NULL, findings TEXT NOT NULL,
  request_content TEXT, response_content TEXT, process TEXT NOT NULL
)
"""

_MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        _TURNS_V1,
        "CREATE INDEX turns_started_at ON turns (started_at)",
        "CREATE INDEX turns_chain_id ON turns (chain_id)",
        """
        CREATE TABLE findings (
          code TEXT NOT NULL, name TEXT NOT NULL, severity TEXT NOT NULL, profile TEXT NOT NULL, message TEXT NOT NULL,
          turn_id TEXT NOT NULL, evidence_turn_id TEXT NOT NULL, chain_id TEXT NOT NULL,
          path TEXT, function TEXT, line INTEGER,
          time INTEGER NOT NULL, trace_id TEXT, span_id TEXT, pid INTEGER NOT NULL, process TEXT NOT NULL
        )
        """,
        "CREATE INDEX findings_time ON findings (time)",
        """
        CREATE TABLE chains (
          chain_id TEXT NOT NULL PRIMARY KEY, outcome TEXT NOT NULL, length INTEGER NOT NULL,
          ended_at INTEGER NOT NULL, pid INTEGER NOT NULL, process TEXT NOT NULL
        )
        """,
        """
        CREATE TABLE processes (
          process TEXT NOT NULL PRIMARY KEY, pid INTEGER NOT NULL, host TEXT NOT NULL, run TEXT,
          started_at INTEGER NOT NULL, ended_at INTEGER, lost INTEGER NOT NULL DEFAULT 0
        )
        """,
    ),
)
"""One entry a schema version: the statements that lead from the version before to it."""

TABLES: Final = ("turns", "findings", "chains", "processes")

_SITE: Final = ("path", "function", "line")
_JSON: Final = ("changed", "content_kinds", "findings")
_NOT_PLAIN: Final = ("call_site", *_JSON)
_TURN_PLAIN: Final = tuple(field.name for field in fields(TurnRecord) if field.name not in _NOT_PLAIN)
_FINDING_PLAIN: Final = tuple(field.name for field in fields(FindingRecord) if field.name not in _NOT_PLAIN)
_CHAIN_PLAIN: Final = tuple(field.name for field in fields(ChainRecord))

TURN_COLUMNS: Final = (*_TURN_PLAIN, *_SITE, *_JSON, "process")
FINDING_COLUMNS: Final = (*_FINDING_PLAIN, *_SITE, "process")
CHAIN_COLUMNS: Final = (*_CHAIN_PLAIN, "process")

_turn_plain: Final[Callable[[TurnRecord], Row]] = attrgetter(*_TURN_PLAIN)
_finding_plain: Final[Callable[[FindingRecord], Row]] = attrgetter(*_FINDING_PLAIN)
_chain_plain: Final[Callable[[ChainRecord], Row]] = attrgetter(*_CHAIN_PLAIN)


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """A process that wrote to the store.

    `process` is a random key (process ids are reused), times are nanoseconds since the epoch, `run` is the id that
    `stoplint run` gave, `lost` counts records that could not be written.
    """

    process: str
    pid: int
    host: str
    run: str | None
    started_at: int
    ended_at: int | None
    lost: int


def migration(version: int) -> tuple[str, ...]:
    """The statements that lead from `version` (0: an empty file) to the newest schema."""
    return tuple(statement for step in _MIGRATIONS[version:] for statement in step)


def columns_sql(columns: Sequence[str]) -> str:
    """The column names as SQL, quoted: one of them, `index`, is a keyword."""
    return ", ".join(f'"{column}"' for column in columns)


def insert_sql(table: str, columns: Sequence[str]) -> str:
    """A statement that inserts a row, or replaces the one with the same primary key."""
    marks = ", ".join("?" * len(columns))
    return f"INSERT OR REPLACE INTO {table} ({columns_sql(columns)}) VALUES ({marks})"  # noqa: S608 - our own constants


def turn_row(record: TurnRecord, process: str) -> Row:
    """The row of a turn, in the order of `TURN_COLUMNS`."""
    return (
        *_turn_plain(record),
        *_site_values(record.call_site),
        *(json.dumps(value) for value in (record.changed, record.content_kinds, record.findings)),
        process,
    )


def finding_row(record: FindingRecord, process: str) -> Row:
    """The row of a finding, in the order of `FINDING_COLUMNS`."""
    return (*_finding_plain(record), *_site_values(record.call_site), process)


def chain_row(record: ChainRecord, process: str) -> Row:
    """The row of a chain, in the order of `CHAIN_COLUMNS`."""
    return (*_chain_plain(record), process)


def turn_of(row: Mapping[str, SqlValue]) -> TurnRecord:
    """The turn that a row of `TURN_COLUMNS` holds.  Raises ValueError or TypeError where a JSON column is damaged."""
    return TurnRecord(
        turn_id=_text(row["turn_id"]),
        chain_id=_text(row["chain_id"]),
        index=_int(row["index"]),
        relation=cast("Relation", row["relation"]),
        parent_turn_id=_text_or_none(row["parent_turn_id"]),
        changed=_texts(_text(row["changed"])),
        stop_reason=_text_or_none(row["stop_reason"]),
        stop_sequence=_text_or_none(row["stop_sequence"]),
        refusal_category=_text_or_none(row["refusal_category"]),
        request_model=_text_or_none(row["request_model"]),
        response_model=_text_or_none(row["response_model"]),
        max_tokens=_int_or_none(row["max_tokens"]),
        input_tokens=_int_or_none(row["input_tokens"]),
        output_tokens=_int_or_none(row["output_tokens"]),
        cache_read_tokens=_int_or_none(row["cache_read_tokens"]),
        cache_write_tokens=_int_or_none(row["cache_write_tokens"]),
        content_kinds=_pairs(_text(row["content_kinds"])),
        empty=bool(row["empty"]),
        truncated_tool_use=bool(row["truncated_tool_use"]),
        streaming=bool(row["streaming"]),
        stream_outcome=cast("StreamOutcome | None", row["stream_outcome"]),
        surface=cast("Surface", row["surface"]),
        beta=bool(row["beta"]),
        started_at=_int(row["started_at"]),
        ended_at=_int(row["ended_at"]),
        retries=_int(row["retries"]),
        error=_text_or_none(row["error"]),
        call_site=_site_of(row),
        digest=_text_or_none(row["digest"]),
        parent_digest=_text_or_none(row["parent_digest"]),
        trace_id=_text_or_none(row["trace_id"]),
        span_id=_text_or_none(row["span_id"]),
        pid=_int(row["pid"]),
        thread=_text(row["thread"]),
        findings=_texts(_text(row["findings"])),
        request_content=_text_or_none(row["request_content"]),
        response_content=_text_or_none(row["response_content"]),
    )


def finding_of(row: Mapping[str, SqlValue]) -> FindingRecord:
    """The finding that a row of `FINDING_COLUMNS` holds."""
    return FindingRecord(
        code=_text(row["code"]),
        name=_text(row["name"]),
        severity=cast("Severity", row["severity"]),
        profile=cast("Profile", row["profile"]),
        message=_text(row["message"]),
        turn_id=_text(row["turn_id"]),
        evidence_turn_id=_text(row["evidence_turn_id"]),
        chain_id=_text(row["chain_id"]),
        call_site=_site_of(row),
        time=_int(row["time"]),
        trace_id=_text_or_none(row["trace_id"]),
        span_id=_text_or_none(row["span_id"]),
        pid=_int(row["pid"]),
    )


def chain_of(row: Mapping[str, SqlValue]) -> ChainRecord:
    """The chain that a row of `CHAIN_COLUMNS` holds."""
    return ChainRecord(
        chain_id=_text(row["chain_id"]),
        outcome=cast("ChainOutcome", row["outcome"]),
        length=_int(row["length"]),
        ended_at=_int(row["ended_at"]),
        pid=_int(row["pid"]),
    )


def process_of(row: Mapping[str, SqlValue]) -> ProcessRow:
    """The process that a row of the table `processes` holds."""
    return ProcessRow(
        process=_text(row["process"]),
        pid=_int(row["pid"]),
        host=_text(row["host"]),
        run=_text_or_none(row["run"]),
        started_at=_int(row["started_at"]),
        ended_at=_int_or_none(row["ended_at"]),
        lost=_int(row["lost"]),
    )


@lru_cache(maxsize=1024)  # few differ among many turns
def _texts(text: str) -> tuple[str, ...]:
    return tuple(cast("list[str]", json.loads(text)))


@lru_cache(maxsize=1024)
def _pairs(text: str) -> tuple[tuple[str, int], ...]:
    return tuple((kind, count) for kind, count in cast("list[tuple[str, int]]", json.loads(text)))


def _site_values(site: CallSite | None) -> Row:
    return (None, None, None) if site is None else (site.path, site.function, site.line)


def _site_of(row: Mapping[str, SqlValue]) -> CallSite | None:
    if row["path"] is None:
        return None
    return CallSite(_text(row["path"]), _text(row["function"]), _int(row["line"]))


def _text(value: SqlValue) -> str:
    return "" if value is None else str(value)


def _text_or_none(value: SqlValue) -> str | None:
    return None if value is None else str(value)


def _int(value: SqlValue) -> int:
    return 0 if value is None else int(value)


def _int_or_none(value: SqlValue) -> int | None:
    return None if value is None else int(value)
