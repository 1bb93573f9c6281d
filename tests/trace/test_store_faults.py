"""What the store does about disks, folders and files that are not as they should be: it stays silent and counts."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest
from store_samples import finding, rows, run_python, turn, turn_ids

from stoplint.trace import store_file, store_rotate
from stoplint.trace.store import StoreLimits, TurnStore, open_store
from stoplint.trace.store_schema import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def _one_turn(path: Path, turn_id: str = "msg_1") -> TurnStore:
    store = open_store(path)
    store.turn(turn(turn_id))
    store.close()
    return store


def _damaged(folder: Path) -> list[Path]:
    return sorted(folder.glob("turns-damaged-*.db"))


def test_a_folder_that_cannot_be_made(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    store = _one_turn(tmp_path / "file" / "turns.db")
    assert store.lost == 1
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(os.name == "nt", reason="no such permissions on Windows")
def test_a_folder_that_may_not_be_written_to(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir()
    folder.chmod(0o555)
    # Root may write anywhere: become nobody once everything is imported.
    script = """
import os, sqlite3, socket, secrets
from store_samples import turn
from stoplint.trace.store import open_store
store = open_store("turns.db")
if os.geteuid() == 0:
    os.setgroups([]); os.setuid(65534)
for number in range(3):
    store.turn(turn(str(number)))
store.close()
print(store.lost)
"""
    done = run_python(script, cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "3\n", "")
    assert not list(folder.iterdir())


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder]
    if subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("may not mount a file system here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.skipif(not IS_ROOT, reason="only root may mount a small disk")
def test_a_full_disk(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with _small_disk(tmp_path / "disk") as disk:
        store = open_store(disk / "turns.db")
        for number in range(2000):
            store.turn(turn(f"msg_{number}", response_content="x" * 500))
            if number % 100 == 0:
                store.flush(60)
        store.close()
        assert store.lost > 0
        kept = turn_ids(store.path)
        assert "msg_0" in kept
        assert len(kept) == 2000 - store.lost
        assert rows(store.path, "PRAGMA integrity_check") == [("ok",)]
    assert capfd.readouterr() == ("", "")


def test_a_database_that_may_not_grow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def bounded(path: Path) -> sqlite3.Connection:
        connection = real(path)
        connection.execute("PRAGMA max_page_count = 40")  # the next page answers "database or disk is full"
        return connection

    real = store_file.open_for_writing
    monkeypatch.setattr(store_file, "open_for_writing", bounded)
    store = open_store(tmp_path / "turns.db")
    store.turn(turn("first"))
    store.flush(60)
    for number in range(1000):
        store.turn(turn(f"msg_{number}"))
    store.close()
    assert store.lost > 0
    assert len(turn_ids(store.path)) == 1001 - store.lost
    assert "first" in turn_ids(store.path)


@pytest.mark.parametrize(
    "garbage", [b"no database at all, but long enough to be read as one" * 50, b"SQLite format 3\0"]
)
def test_a_damaged_file_is_set_aside(tmp_path: Path, garbage: bytes) -> None:
    folder = tmp_path / ".stoplint"
    folder.mkdir()
    (folder / "turns.db").write_bytes(garbage)
    store = _one_turn(folder / "turns.db")
    assert store.lost == 0
    assert turn_ids(store.path) == {"msg_1"}
    assert [file.read_bytes() for file in _damaged(folder)] == [garbage]


def test_a_file_damaged_while_it_is_open_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "turns.db"
    first = open_store(path)
    for number in range(500):
        first.turn(turn(f"old_{number}"))
    first.close()
    store = open_store(path)
    store.turn(turn("before"))
    store.flush(60)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096 * 20)
    for number in range(50):
        store.turn(turn(f"after_{number}"))
        store.finding(finding(f"after_{number}"))
    store.close()
    assert store.lost == 0
    assert len(_damaged(tmp_path)) == 1
    assert {f"after_{number}" for number in range(50)} <= turn_ids(path)
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]


def test_a_file_that_is_no_store_is_left_alone(tmp_path: Path) -> None:
    notes = tmp_path / "notes.md"
    notes.write_text("# Not a store\n" * 100, encoding="utf-8")
    assert _one_turn(notes).lost == 1
    assert notes.read_text(encoding="utf-8") == "# Not a store\n" * 100
    assert list(tmp_path.iterdir()) == [notes]


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "turns.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE customers (name TEXT)")
    before = path.read_bytes()
    assert _one_turn(path).lost == 1
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_store_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "turns.db"
    _one_turn(path, "old")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    store = _one_turn(path, "new")
    assert store.lost == 1
    assert turn_ids(path) == {"old"}
    with pytest.raises(store_file.NewerStoreError, match="newer stoplint"):
        store_file.open_for_reading(path)


def test_a_locked_file_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "turns.db"
    _one_turn(path, "before")
    store = open_store(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        store.turn(turn("meanwhile"))
        store.flush(0.5)
        assert store.lost == 0
        other.execute("COMMIT")
    store.close()
    assert turn_ids(path) == {"before", "meanwhile"}


def test_a_file_locked_for_good_costs_the_batch(tmp_path: Path) -> None:
    path = tmp_path / "turns.db"
    _one_turn(path, "before")
    store = TurnStore(path, StoreLimits(busy_s=0.2))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        store.turn(turn("meanwhile"))
        store.flush(60)
        assert store.lost == 1
        other.execute("COMMIT")
    store.close()
    assert turn_ids(path) == {"before"}


def test_an_unknown_fault_in_the_writer_is_counted(tmp_path: Path) -> None:
    store = open_store(tmp_path / "turns.db")
    store.turn(object())  # type: ignore[arg-type]
    store.close()
    assert store.lost == 1


def _everywhere(path: Path) -> list[str]:
    files = [*store_file.archives(path), path]
    return [str(row[0]) for file in files for row in rows(file, "SELECT turn_id FROM turns")]


def test_a_full_file_is_rotated(tmp_path: Path) -> None:
    path = tmp_path / "turns.db"
    store = TurnStore(path, StoreLimits(max_bytes=200_000, keep=100, batch=50))
    expected = [f"msg_{number}" for number in range(2000)]
    for number, turn_id in enumerate(expected):
        store.turn(turn(turn_id))
        if number % 50 == 0:
            store.flush(60)
    store.close()
    assert len(store_file.archives(path)) >= 3
    assert sorted(_everywhere(path)) == sorted(expected)
    assert path.stat().st_size < 400_000
    assert not list(tmp_path.glob("*.part"))


def test_only_the_newest_rotated_files_stay(tmp_path: Path) -> None:
    path = tmp_path / "turns.db"
    (tmp_path / "turns-notes.db").touch()
    store = TurnStore(path, StoreLimits(max_bytes=200_000, keep=2, batch=50))
    for number in range(2000):
        store.turn(turn(f"msg_{number}"))
        if number % 50 == 0:
            store.flush(60)
    store.close()
    assert len(store_file.archives(path)) == 2
    kept = [int(turn_id.removeprefix("msg_")) for turn_id in _everywhere(path)]
    assert sorted(kept) == list(range(2000 - len(kept), 2000))
    assert (tmp_path / "turns-notes.db").exists()


def test_the_bound_holds_where_no_second_file_can_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_rotate, "_copied", lambda path: False)
    path = tmp_path / "turns.db"
    store = TurnStore(path, StoreLimits(max_bytes=200_000, batch=50))
    for number in range(2000):
        store.turn(turn(f"msg_{number}"))
        if number % 50 == 0:
            store.flush(60)
    store.close()
    assert path.stat().st_size < 400_000
    assert "msg_1999" in turn_ids(path)
    assert "msg_0" not in turn_ids(path)


def test_a_damaged_file_that_another_process_has_set_aside_is_no_loss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "turns.db"
    path.write_bytes(b"garbage" * 1000)

    def beaten(path: Path, inode: int | None) -> Path | None:
        path.unlink(missing_ok=True)
        return real(path, inode)

    real = store_file.set_aside
    monkeypatch.setattr(store_file, "set_aside", beaten)
    assert _one_turn(path).lost == 0
    assert turn_ids(path) == {"msg_1"}


def test_a_store_replaced_since_it_was_found_damaged_is_left_alone(tmp_path: Path) -> None:
    store = _one_turn(tmp_path / "turns.db")
    other = store_file.inode_of(tmp_path)
    assert store_file.set_aside(store.path, other) is None
    assert store_file.set_aside(store.path, None) is None
    assert turn_ids(store.path) == {"msg_1"}
