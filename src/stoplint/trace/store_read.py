"""Reads a turn store for the report, while processes may be writing to it."""

from __future__ import annotations

import os
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

from stoplint.trace.store_file import StoreDamagedError, open_for_reading
from stoplint.trace.store_schema import (
    CHAIN_COLUMNS,
    FINDING_COLUMNS,
    TURN_COLUMNS,
    chain_of,
    columns_sql,
    finding_of,
    process_of,
    turn_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from stoplint.trace.records import ChainRecord, FindingRecord, TurnRecord
    from stoplint.trace.store_schema import ProcessRow, SqlValue

_ROWS_AT_ONCE = 1000


class StoreReader:
    """One store as it was when the reader was made: everything is read within one transaction.

    Raises what `open_for_reading` raises; reading raises StoreDamagedError.
    """

    def __init__(self, path: Path) -> None:
        self._connection = open_for_reading(path)
        self._connection.execute("BEGIN")

    def close(self) -> None:
        self._connection.close()

    def turns(self, since: int = 0, last: int | None = None, run: str | None = None) -> Iterator[TurnRecord]:
        """The turns that started at `since` (nanoseconds) or later, oldest first; only the `last` ones, and only those
        of the processes of one `stoplint run`, where given.
        """
        columns = columns_sql(TURN_COLUMNS)
        values: list[int | str] = [since]
        which = "started_at >= ?"
        if run is not None:
            which += " AND process IN (SELECT process FROM processes WHERE run = ?)"
            values.append(run)
        found = f"SELECT {columns}, rowid AS written FROM turns WHERE {which}"  # noqa: S608 - our own constants
        if last is not None:
            found += " ORDER BY started_at DESC, written DESC LIMIT ?"
            values.append(last)
        sql = f"SELECT {columns} FROM ({found}) ORDER BY started_at, written"  # noqa: S608
        for row in self._rows(sql, values):
            with _damage_told():
                turn = turn_of(row)
            yield turn

    def findings(self) -> list[FindingRecord]:
        """All findings, oldest first."""
        sql = f"SELECT {columns_sql(FINDING_COLUMNS)} FROM findings ORDER BY time, rowid"  # noqa: S608
        with _damage_told():
            return [finding_of(row) for row in self._rows(sql)]

    def chains(self) -> list[ChainRecord]:
        """The chains that are over, in no order."""
        with _damage_told():
            return [chain_of(row) for row in self._rows(f"SELECT {columns_sql(CHAIN_COLUMNS)} FROM chains")]  # noqa: S608

    def processes(self) -> list[ProcessRow]:
        """The processes that wrote, in no order."""
        with _damage_told():
            return [process_of(row) for row in self._rows("SELECT * FROM processes")]

    def _rows(self, sql: str, values: Sequence[int | str] = ()) -> Iterator[dict[str, SqlValue]]:
        with _damage_told():
            cursor = self._connection.execute(sql, values)
            names = [column[0] for column in cursor.description]
            while rows := cursor.fetchmany(_ROWS_AT_ONCE):
                yield from (dict(zip(names, row, strict=True)) for row in rows)


@contextmanager
def _damage_told() -> Iterator[None]:
    import sqlite3  # noqa: PLC0415 - loaded where it is needed: start-up stays quick

    try:
        yield
    except (sqlite3.Error, ValueError, TypeError) as error:
        raise StoreDamagedError(str(error)) from error


def may_be_running(process: ProcessRow) -> bool:
    """Whether a process that wrote to a store can still be there; one on another machine can unless it said goodbye."""
    if process.ended_at is not None:
        return False
    if process.host != socket.gethostname() or os.name != "posix":
        return True
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
