"""The local turn store: an SQLite file written off the application's threads.

Promises to the application: a call returns at once, nothing is ever raised, a full queue drops instead of blocking.
Promises to its reader: what was committed outlives the process, however it dies; a record is committed about
`StoreLimits.interval_s` after it was reported; several processes may write to one file, forked ones included.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
import weakref
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final, TypeAlias

from stoplint.trace.store_file import DEFAULT_STORE
from stoplint.trace.store_schema import Record
from stoplint.trace.store_writer import Writer

if TYPE_CHECKING:
    from stoplint.trace.records import ChainRecord, FindingRecord, TurnRecord


@dataclass(frozen=True, slots=True)
class StoreLimits:
    """How much the store may hold up.

    `queue`: records waiting at most; what comes on top is dropped and counted.  `batch`: records in one commit.
    `interval_s`: between two commits.  `busy_s`: how long a batch waits for other processes.  `exit_s`: how long the
    end of the interpreter waits.  `max_bytes`, `keep`: the size at which the file is rotated, and how many stay.
    """

    queue: int = 10_000
    batch: int = 2_000
    interval_s: float = 0.2
    busy_s: float = 10.0
    exit_s: float = 2.0
    max_bytes: int = 64 * 2**20
    keep: int = 3


def open_store(path: Path | None, limits: StoreLimits | None = None) -> TurnStore:
    """A sink that writes to this file, or to `.stoplint/turns.db` below the working folder.

    Touches no disk and starts no thread before the first record.
    """
    return TurnStore(Path.cwd() / (path or DEFAULT_STORE), limits or StoreLimits())


def store_path(setting: str | None, *, has_backend: bool) -> Path | None:
    """The file that `STOPLINT_STORE` asks for; None: no store.

    A path forces the store, `off` forbids it, `on` takes the default place; unset, there is a store where there is no
    OpenTelemetry backend.  A path that ends in a slash, or is a folder, means `turns.db` inside it.
    """
    word = (setting or "").strip()
    if word.lower() in ("off", "false", "0", "no", "none"):
        return None
    if not word:
        return None if has_backend else DEFAULT_STORE
    if word.lower() in ("on", "true", "1", "yes"):
        return DEFAULT_STORE
    path = Path(word).expanduser()
    return path / DEFAULT_STORE.name if word.endswith(("/", os.sep)) or path.is_dir() else path


class _Marker(threading.Event):
    """Passes through the queue behind the records of its time; set once those are committed.

    `end` asks the writer to note that the process ends and to close the file, `last` asks its thread to stop.
    """

    def __init__(self, *, end: bool = False, last: bool = False) -> None:
        super().__init__()
        self.end = end
        self.last = last


_Item: TypeAlias = Record | _Marker


class TurnStore:
    """See `open_store`.  Satisfies `stoplint.trace.records.Sink`."""

    def __init__(self, path: Path, limits: StoreLimits) -> None:
        self.path: Final = path
        self._limits = limits
        self._writer = Writer(path, limits.max_bytes, limits.keep)
        self._closed = False
        self._ending = False
        self._begin()
        _stores.add(self)
        atexit.register(self._at_exit)

    @property
    def lost(self) -> int:
        """Records that did not reach the file: the queue was full, the disk was, the folder is not writable."""
        return self._writer.lost + self._dropped

    def turn(self, record: TurnRecord) -> None:
        self._put(record)

    def finding(self, record: FindingRecord) -> None:
        self._put(record)

    def chain(self, record: ChainRecord) -> None:
        self._put(record)

    def flush(self, timeout_s: float) -> None:
        """Block until everything reported so far is committed, or until the time is over."""
        with suppress(Exception):
            self._pass(_Marker(end=self._ending), timeout_s)

    def close(self) -> None:
        """Flush and release; later calls do nothing."""
        if self._closed:
            return
        self._closed = True
        with suppress(Exception):
            self._pass(_Marker(end=True, last=True), self._limits.exit_s)
            atexit.unregister(self._at_exit)

    def _at_exit(self) -> None:
        """Write everything and note the end; what other exit handlers still report and flush is written too."""
        self._ending = True
        with suppress(Exception):
            self._pass(_Marker(end=True), self._limits.exit_s)

    def _begin(self) -> None:
        # SimpleQueue.put is reentrant: a stream's finalizer may report a turn while another is being reported.
        self._queue: SimpleQueue[_Item] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._finalized = False
        self._hurry = threading.Event()
        self._dropped = 0
        self.writing = threading.Lock()
        """Held while SQLite is at work.  A fork waits for it: a child forked in the middle could never use SQLite."""

    def _put(self, record: Record) -> None:
        if self._closed:
            return
        if self._queue.qsize() >= self._limits.queue:
            self._dropped += 1
            return
        self._queue.put(record)
        if self._thread is None:
            with suppress(Exception):
                self._start()

    def _start(self) -> None:
        if self._starting.acquire(blocking=False) and self._thread is None:
            thread = threading.Thread(target=self._work, name="stoplint-store", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the interpreter is going down: `flush` and `close` write themselves
                self._starting.release()
                return
            self._thread = thread
            if not self._finalized:
                self._finalized = True
                _flush_in_multiprocessing(self)

    def _work(self) -> None:
        committed_at = -self._limits.interval_s
        last = False
        while not last:
            batch: list[_Item] = [self._queue.get()]
            # One wait for many records: a busy application does not wake this thread for each of them.
            self._hurry.wait(max(0.0, committed_at + self._limits.interval_s - time.monotonic()))
            if len(self._drained(batch)) < self._limits.batch:
                self._hurry.clear()  # else more is waiting, perhaps the marker of whoever is in a hurry
            last = self._commit(batch, self._limits.busy_s)
            committed_at = time.monotonic()
        # The next record starts another thread, one that came meanwhile does so now.
        self._thread = None
        self._starting = threading.Lock()
        if not self._closed and not self._queue.empty():
            self._start()

    def _drained(self, batch: list[_Item]) -> list[_Item]:
        with suppress(Empty):
            while len(batch) < self._limits.batch:
                batch.append(self._queue.get_nowait())
        return batch

    def _commit(self, items: list[_Item], patience_s: float) -> bool:
        """Write what came through the queue; whether it held the last marker.  Other processes may delay it."""
        records = [item for item in items if not isinstance(item, _Marker)]
        markers = [item for item in items if isinstance(item, _Marker)]
        end = any(marker.end for marker in markers)
        deadline = time.monotonic() + patience_s
        while True:
            with self.writing:
                dropped, self._dropped = self._dropped, 0
                self._writer.lost += dropped
                answer = self._writer.write(records) if records else "written"
                if answer == "busy" and time.monotonic() >= deadline:
                    self._writer.lost += len(records)
                    answer = "lost"
                if end and answer != "busy":
                    self._writer.end()
            if answer != "busy":
                break
            time.sleep(0.02)
        for marker in markers:
            marker.set()
        return any(marker.last for marker in markers)

    def _pass(self, marker: _Marker, timeout_s: float) -> None:
        if self._thread is not None and self._thread.is_alive():
            self._queue.put(marker)
            self._hurry.set()
            marker.wait(timeout_s)
        elif not self._queue.empty() or marker.end:
            while not self._queue.empty():
                self._commit(self._drained([]), timeout_s)
            self._commit([marker], timeout_s)

    def before_fork(self) -> bool:
        """Let the writer finish and its thread end; whether both are done.

        A child forked while SQLite works in another thread could never use it, and from Python 3.12 on a fork beside
        any thread is warned of.
        """
        deadline = time.monotonic() + _FORK_WAIT_S
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            self._queue.put(_Marker(last=True))
            self._hurry.set()
            thread.join(_FORK_WAIT_S)
        return self.writing.acquire(timeout=max(0.0, deadline - time.monotonic()))

    def after_fork(self, *, clean: bool) -> None:
        """Begin anew in a forked child.  What was queued is the parent's to write."""
        self._writer = self._writer.successor()
        self._closed = self._closed or not clean
        self._begin()


_FORK_WAIT_S: Final = 1.0
_stores: Final[weakref.WeakSet[TurnStore]] = weakref.WeakSet()
_held: Final[dict[int, list[tuple[TurnStore, bool]]]] = {}
"""By thread: several may fork at once."""


def _before_fork() -> None:
    with suppress(Exception):
        _held[threading.get_ident()] = [(store, store.before_fork()) for store in list(_stores)]


def _after_fork_in_parent() -> None:
    with suppress(Exception):
        for store, clean in _held.pop(threading.get_ident(), ()):
            if clean:
                store.writing.release()


def _after_fork_in_child() -> None:
    with suppress(Exception):
        for store, clean in _held.pop(threading.get_ident(), ()):
            store.after_fork(clean=clean)


def _flush_in_multiprocessing(store: TurnStore) -> None:
    """A forked `multiprocessing` child leaves without running the exit handlers, but runs its own finalizers."""
    util = sys.modules.get("multiprocessing.util")
    process = sys.modules.get("multiprocessing.process")
    if util is not None and process is not None and process.parent_process() is not None:
        util.Finalize(None, store._at_exit, exitpriority=-100)  # noqa: SLF001 - our own


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
