"""Opens the store's file: makes it, migrates it, and decides what to do with a file that is not what it should be.

`sqlite3` is imported when the first file is opened: an application that makes no request does not pay for it.
"""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stoplint.trace import store_lock
from stoplint.trace.store_schema import APPLICATION_ID, SCHEMA_VERSION, migration

if TYPE_CHECKING:
    import sqlite3

DEFAULT_STORE: Final = Path(".stoplint/turns.db")
"""Where turns go when nobody says otherwise, relative to the working folder."""

BUSY_MS: Final = 100
"""How long SQLite waits for another writer.  Short, as a fork waits for it; the store tries again by itself."""

_HEADER: Final = b"SQLite format 3\x00"
_SUFFIXES: Final = (".db", ".sqlite", ".sqlite3")


class StoreRefusedError(Exception):
    """The file is left alone: it belongs to another program, or to a newer stoplint."""


class NewerStoreError(StoreRefusedError):
    """The file was written by a newer stoplint."""


class StoreDamagedError(Exception):
    """The file is no SQLite database, or a damaged one."""


def open_for_writing(path: Path) -> sqlite3.Connection:
    """A connection in autocommit mode to a store of the newest schema, made or migrated where needed.

    Raises StoreRefusedError, StoreDamagedError, OSError, or sqlite3.Error (locked, full, not writable).
    """
    import sqlite3  # noqa: PLC0415 - see the module's docstring

    make_folder(path.parent)
    connection = sqlite3.connect(path, timeout=BUSY_MS / 1000, isolation_level=None, check_same_thread=False)
    try:
        if identify(connection, path) < SCHEMA_VERSION:
            _migrate(connection, path)
        # A commit survives the death of the process at once, a power cut from the next checkpoint on.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
    except BaseException as error:
        connection.close()
        if isinstance(error, sqlite3.Error) and is_damage(error):
            raise StoreDamagedError(str(error)) from error
        raise
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """A connection that cannot write.  Raises StoreRefusedError, StoreDamagedError or sqlite3.Error."""
    import sqlite3  # noqa: PLC0415 - loaded where it is needed: start-up stays quick

    uri = path.resolve().as_uri() + "?mode=ro"
    try:
        return _checked(sqlite3.connect(uri, uri=True, timeout=5.0, isolation_level=None), path)
    except sqlite3.OperationalError:
        if _beside(path, "-wal").exists():
            raise
        # A folder that may not be written to has no room for SQLite's side files; with no log beside the file, none
        # is needed and the file may be read as it lies there.
        return _checked(sqlite3.connect(uri + "&immutable=1", uri=True, isolation_level=None), path)


def _checked(connection: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    import sqlite3  # noqa: PLC0415

    try:
        version = identify(connection, path)
    except BaseException as error:
        connection.close()
        if isinstance(error, sqlite3.Error) and is_damage(error):
            raise StoreDamagedError(str(error)) from error
        raise
    if version == 0:
        connection.close()
        raise StoreRefusedError(f"{path} is empty")
    return connection


def identify(connection: sqlite3.Connection, path: Path) -> int:
    """The schema version of an open file; 0 for an empty one.  Raises StoreRefusedError for anybody else's."""
    # One statement, one moment: between two, another process could have made the tables.
    row: tuple[int, int, int] = connection.execute(
        "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master)"
        " FROM pragma_application_id, pragma_user_version"
    ).fetchone()
    application, version, tables = row
    if application == version == tables == 0:
        return 0
    if application != APPLICATION_ID:
        raise StoreRefusedError(f"{path} is a database of another program")
    if version > SCHEMA_VERSION:
        raise NewerStoreError(
            f"{path} was written by a newer stoplint (schema {version}, this one knows {SCHEMA_VERSION})"
        )
    return version


def make_folder(folder: Path) -> None:
    """Make the store's folder with a `.gitignore` that keeps it out of repositories; an existing folder stays as it is.

    Raises OSError.
    """
    if folder.is_dir():
        return
    folder.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError), (folder / ".gitignore").open("x", encoding="utf-8") as ignore:
        ignore.write("*\n")


def set_aside(path: Path, inode: int | None) -> Path | None:
    """Rename a damaged store so that a new one can begin; its new name, None where it was left alone.

    `inode` is the file that was found damaged: when another process has replaced it meanwhile, nothing is renamed.
    Raises StoreRefusedError when the file does not look like a store of ours, and OSError.
    """
    try:
        if not _looks_ours(path):
            raise StoreRefusedError(f"{path} is not a store of stoplint")
    except FileNotFoundError:
        return None  # another process was faster
    with store_lock.exclusive(_beside(path, ".lock")):
        if inode is None or inode_of(path) != inode:
            return None
        aside = _free_name(path, "damaged")
        # The log goes first: a new database must never find the log of the old one beside it.
        for side in ("-wal", "-shm"):
            with suppress(FileNotFoundError):
                _beside(path, side).rename(_beside(aside, side))
        path.rename(aside)
        return aside


def archives(path: Path) -> list[Path]:
    """The files that rotation has put beside a store, oldest first."""
    prefix = f"{path.stem}-"
    try:
        beside = [file for file in path.parent.iterdir() if file.suffix == path.suffix]
    except OSError:
        return []
    found = (file for file in beside if file.stem.startswith(prefix) and _is_stamp(file.stem[len(prefix) :][:16]))
    return sorted(found, key=lambda file: file.stem)


def archive_name(path: Path) -> Path:
    """A free name for the next rotated file."""
    return _free_name(path, "")


def inode_of(path: Path) -> int | None:
    """What tells one file from the next of the same name; None where there is none."""
    try:
        return path.stat().st_ino
    except OSError:
        return None


def is_damage(error: sqlite3.Error) -> bool:
    """Whether an error says that the file itself is broken, rather than busy, full or out of reach."""
    # `sqlite_errorname` exists from Python 3.11 on; the texts are those of SQLite since 2004.
    text = str(error)
    return "file is not a database" in text or "malformed" in text or "file is encrypted" in text


def is_busy(error: sqlite3.Error) -> bool:
    """Whether an error only says that another process is writing."""
    return "locked" in str(error)


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have done it while this one waited for the lock.
        for statement in migration(identify(connection, path)):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _looks_ours(path: Path) -> bool:
    """Whether a file that cannot be read may be renamed: STOPLINT_STORE could name somebody's notes by mistake."""
    with path.open("rb") as file:
        head = file.read(72)
    if head.startswith(_HEADER) and len(head) == 72:
        return head[68:] == APPLICATION_ID.to_bytes(4, "big")
    return path.parent.name == DEFAULT_STORE.parent.name or path.suffix in _SUFFIXES


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _free_name(path: Path, word: str) -> Path:
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    parts = [path.stem, stamp] if not word else [path.stem, word, stamp]
    name = "-".join(parts)
    candidate = path.with_name(name + path.suffix)
    number = 1
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{name}-{number}{path.suffix}")
    return candidate


def _is_stamp(text: str) -> bool:
    return len(text) == 16 and text[8] == "T" and text[15] == "Z" and (text[:8] + text[9:15]).isdigit()
