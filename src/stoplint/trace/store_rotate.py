"""Bounds the store's size: a full file's rows move to a file beside it, and the oldest of those files goes.

The live file is never renamed: other processes have it open, and SQLite's log belongs to a name.  Its rows are copied,
the copy gets its name in one step, and only then are the rows deleted; a death in between leaves some turns in both
files, which the report counts once.
"""

from __future__ import annotations

import os
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from stoplint.trace import store_file
from stoplint.trace.store_schema import TABLES

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path


def used_bytes(connection: sqlite3.Connection) -> int:
    """What the rows take; pages freed by an earlier rotation do not count."""
    pages, free, size = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size


def rotate(connection: sqlite3.Connection, path: Path, max_bytes: int, keep: int) -> None:
    """Move all rows to a new file beside the store and keep the `keep` newest of such files.

    Where the copy cannot be made, the older half of the rows goes instead: the bound holds.  Raises sqlite3.Error.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        if used_bytes(connection) >= max_bytes:  # else another process was faster
            if keep > 0 and _copied(path):
                for table in TABLES:
                    connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own constants
            else:
                _drop_older_half(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    for file in store_file.archives(path)[: -keep or None]:
        with suppress(OSError):
            file.unlink()


def _copied(path: Path) -> bool:
    """Whether the rows lie in a file of their own now.  The caller holds the write lock, so they stay as they are."""
    import sqlite3  # noqa: PLC0415 - loaded long ago by whoever opened the store

    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(unfinished)) as target:
            source.backup(target)
            target.execute("PRAGMA journal_mode = DELETE")
        unfinished.rename(store_file.archive_name(path))
    except (sqlite3.Error, OSError):
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        return False
    return True


def _drop_older_half(connection: sqlite3.Connection) -> None:
    for table in ("turns", "findings", "chains"):
        connection.execute(
            f"DELETE FROM {table} WHERE rowid <= (SELECT rowid FROM {table} ORDER BY rowid "  # noqa: S608
            f"LIMIT 1 OFFSET (SELECT count(*) / 2 FROM {table}))"
        )
