"""The writing end of the turn store: one connection, used by one thread at a time.

Any failure becomes one of two answers: try the batch again later, or it is counted as lost.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from stoplint.trace import store_file, store_rotate
from stoplint.trace.records import FindingRecord, TurnRecord
from stoplint.trace.store_schema import (
    CHAIN_COLUMNS,
    FINDING_COLUMNS,
    TURN_COLUMNS,
    Record,
    Row,
    SqlValue,
    chain_row,
    finding_row,
    insert_sql,
    turn_row,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from pathlib import Path

Written: TypeAlias = Literal["written", "busy", "lost"]

RUN_VARIABLE: Final = "STOPLINT_RUN"
"""Set by `stoplint run` for the processes it starts, so that it can tell their turns from others in the same file."""

_INSERT_TURN: Final = insert_sql("turns", TURN_COLUMNS)
_INSERT_FINDING: Final = insert_sql("findings", FINDING_COLUMNS)
_INSERT_CHAIN: Final = insert_sql("chains", CHAIN_COLUMNS)
_UPSERT_PROCESS: Final = """
INSERT INTO processes (process, pid, host, run, started_at, ended_at, lost) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (process) DO UPDATE SET ended_at = coalesce(excluded.ended_at, ended_at), lost = excluded.lost
"""

_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class _Batch:
    turns: list[Row]
    findings: list[Row]
    chains: list[Row]

    def storable(self) -> _Batch:
        """The same rows, with what SQLite cannot hold replaced."""
        tables = ([tuple(map(_storable, row)) for row in rows] for rows in (self.turns, self.findings, self.chains))
        return _Batch(*tables)


class Writer:
    """Writes batches of records.  No method raises; none may be called by two threads at once."""

    def __init__(self, path: Path, max_bytes: int, keep: int) -> None:
        self.lost = 0
        """Records that are gone: dropped before they reached the writer, or not writable."""
        self._path = path
        self._max_bytes = max_bytes
        self._keep = keep
        self._process = secrets.token_hex(8)
        self._started_at = time.time_ns()
        self._connection: sqlite3.Connection | None = None
        self._inode: int | None = None
        self._refused = False
        self._pause_s = 0.0
        self._paused_until = 0.0

    def write(self, records: Sequence[Record]) -> Written:
        """Commit a batch.  "busy" asks for the same batch again; "lost" has counted it."""
        if self._refused or time.monotonic() < self._paused_until:
            self.lost += len(records)
            return "lost"
        try:
            connection = self._opened()
            self._insert(connection, self._rows(records), ended_at=None)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not reach the application
            return self._failed(error, len(records))
        self._pause_s = 0.0
        with suppress(Exception):
            if store_rotate.used_bytes(connection) >= self._max_bytes:
                store_rotate.rotate(connection, self._path, self._max_bytes, self._keep)
        return "written"

    def end(self) -> None:
        """Note that the process ends and close the file; where nothing was ever written, none is made."""
        if self._connection is None:
            return
        with suppress(Exception):
            self._insert(self._connection, self._rows(()), ended_at=time.time_ns())
        self.close()

    def close(self) -> None:
        if self._connection is not None:
            with suppress(Exception):
                self._connection.close()
            self._connection = None

    def successor(self) -> Writer:
        """The writer of a forked child: the same file through a connection of its own."""
        if self._connection is not None:
            # SQLite forbids the child to touch the parent's connection, closing it included.
            _make_immortal(self._connection)
        return Writer(self._path, self._max_bytes, self._keep)

    def _opened(self) -> sqlite3.Connection:
        if self._connection is not None and store_file.inode_of(self._path) != self._inode:
            # The file was deleted or set aside under us: what follows belongs into the new one.
            self.close()
        if self._connection is None:
            self._connection = store_file.open_for_writing(self._path)
            self._inode = store_file.inode_of(self._path)
        return self._connection

    def _insert(self, connection: sqlite3.Connection, batch: _Batch, ended_at: int | None) -> None:
        connection.execute("BEGIN IMMEDIATE")
        try:
            try:
                self._execute(connection, batch, ended_at)
            except (UnicodeError, OverflowError):
                # A path with undecodable bytes, or a number beyond 64 bits.
                connection.execute("ROLLBACK")
                connection.execute("BEGIN IMMEDIATE")
                self._execute(connection, batch.storable(), ended_at)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _execute(self, connection: sqlite3.Connection, batch: _Batch, ended_at: int | None) -> None:
        connection.executemany(_INSERT_TURN, batch.turns)
        connection.executemany(_INSERT_FINDING, batch.findings)
        connection.executemany(_INSERT_CHAIN, batch.chains)
        process = (self._process, os.getpid(), socket.gethostname(), os.environ.get(RUN_VARIABLE), self._started_at)
        connection.execute(_UPSERT_PROCESS, (*process, ended_at, self.lost))

    def _rows(self, records: Sequence[Record]) -> _Batch:
        batch = _Batch([], [], [])
        for record in records:
            if isinstance(record, TurnRecord):
                batch.turns.append(turn_row(record, self._process))
            elif isinstance(record, FindingRecord):
                batch.findings.append(finding_row(record, self._process))
            else:
                batch.chains.append(chain_row(record, self._process))
        return batch

    def _failed(self, error: Exception, count: int) -> Written:
        if isinstance(error, (store_file.StoreRefusedError, ImportError)):
            self._refused = True  # not our file, or a Python without SQLite: it will be no better next time
            self._give_up(count)
            return "lost"
        import sqlite3  # noqa: PLC0415 - loaded by the first attempt

        if isinstance(error, sqlite3.Error) and store_file.is_busy(error):
            return "busy"
        if isinstance(error, store_file.StoreDamagedError) or (
            isinstance(error, sqlite3.Error) and store_file.is_damage(error)
        ):
            return self._replaced(count)
        self._give_up(count)
        return "lost"

    def _replaced(self, count: int) -> Written:
        inode = self._inode if self._connection is not None else store_file.inode_of(self._path)
        self.close()
        try:
            store_file.set_aside(self._path, inode)
        except store_file.StoreRefusedError:
            self._refused = True
        except OSError:
            pass
        else:
            return "busy"  # the same batch, into the new file
        self._give_up(count)
        return "lost"

    def _give_up(self, count: int) -> None:
        """Count a batch as lost and leave the disk alone for a while."""
        self.close()
        self.lost += count
        self._pause_s = min(max(2 * self._pause_s, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)
        self._paused_until = time.monotonic() + self._pause_s


def _storable(value: SqlValue) -> SqlValue:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return None
    return value


def _make_immortal(connection: sqlite3.Connection) -> None:
    """Keep a connection from being closed by the garbage collector or at the interpreter's end."""
    _inherited.append(connection)
    with suppress(ImportError):
        import ctypes  # noqa: PLC0415 - only in forked children

        ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))


_inherited: Final[list[sqlite3.Connection]] = []
