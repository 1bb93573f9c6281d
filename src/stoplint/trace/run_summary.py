"""What one `stoplint run` left in the store, counted over all its processes."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from stoplint.trace.store_file import StoreDamagedError, StoreRefusedError, archives, open_for_reading

if TYPE_CHECKING:
    from pathlib import Path


def counts(store: Path, run: str) -> tuple[int, dict[str, int]]:
    """The turns, and the findings by code.  A store that cannot be read holds none."""
    turns = 0
    codes: dict[str, int] = {}
    for path in (store, *archives(store)):
        with (
            suppress(sqlite3.Error, StoreDamagedError, StoreRefusedError, OSError),
            closing(open_for_reading(path)) as connection,
        ):
            own = "process IN (SELECT process FROM processes WHERE run = ?)"
            turns += int(connection.execute(f"SELECT count(*) FROM turns WHERE {own}", (run,)).fetchone()[0])  # noqa: S608
            grouped = f"SELECT code, count(*) FROM findings WHERE {own} GROUP BY code"  # noqa: S608
            for code, count in connection.execute(grouped, (run,)):
                codes[str(code)] = codes.get(str(code), 0) + int(count)
    return turns, codes
