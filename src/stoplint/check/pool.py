"""Worker processes that can be ended: one that hangs or dies costs the file it was given, not the run.

Processes are started anew instead of by `multiprocessing`, which would import the caller's main module again in each of
them, and are asked for one file at a time, the largest first, so that none waits long for another.
"""

from __future__ import annotations

import contextlib
import importlib.util
import marshal
import math
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from stoplint.check.worker import READY, Refusal, Task, read_frame, write_frame

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

START_SECONDS: Final = 60.0
"""How long a process may take to import libcst."""

_PATIENCE: Final = 6.0
"""A process is given this many times its seconds by the clock where the system counts the time it really works."""

_OUT_OF_TIME: Final = -getattr(signal, "SIGXCPU", 0) or None

# Isolated, so that no file of the working folder is imported in the place of a module; only built-in modules are used
# until the path is set.
_PROGRAM: Final = """\
import marshal, sys
size = int.from_bytes(sys.stdin.buffer.read(8), "little")
first, last = marshal.loads(sys.stdin.buffer.read(size))
sys.path[:0] = first
sys.path += last
from stoplint.check.worker import main
main()
"""


class PoolError(Exception):
    """No worker process can be started here."""


class Reply(NamedTuple):
    """The answer to the task of that number: a packed module or a refusal."""

    number: int
    answer: bytes | Refusal


class _Worker:
    """One process and the thread that talks to it; `expire` alone is called from another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._since: float | None = None
        self._expired = False

    def ask(self, task: Task, seconds: float) -> bytes | Refusal:
        """Raises PoolError where no process can be started."""
        process = self._process or self._start()
        with self._lock:
            self._expired, self._since = False, time.monotonic()
        reply = _exchange(process, marshal.dumps((seconds, tuple(task))))
        with self._lock:
            self._since, expired = None, self._expired
        if reply is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)  # its pipe has closed: it is about to say how it ended
        if expired or reply is None:
            self.stop()
        if reply is None:
            late = expired or process.returncode == _OUT_OF_TIME
            why = f"could not be parsed in {seconds:g} s" if late else "brings the parser down (libcst)"
            return Refusal(why, passing=True)
        return reply[1:] if reply[:1] == b"\1" else Refusal(*marshal.loads(reply[1:]))  # noqa: S302 - our own process

    def expire(self, latest: float) -> None:
        """End the process if the task at hand began before `latest`."""
        with self._lock:
            if self._since is not None and self._since < latest and self._process is not None:
                self._expired = True
                self._process.kill()

    def stop(self) -> None:
        with self._lock:
            process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _start(self) -> subprocess.Popen[bytes]:
        if not sys.executable:
            raise PoolError("this Python has no executable")
        try:
            process = subprocess.Popen(  # noqa: S603 - this very interpreter, with a program of our own
                [sys.executable, "-I", "-c", _PROGRAM],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            raise PoolError(str(error)) from None
        with self._lock:
            self._process = process
        timer = threading.Timer(START_SECONDS, process.kill)
        timer.start()
        ready = _exchange(process, marshal.dumps(_search_path()))
        timer.cancel()
        if ready != READY:
            self.stop()
            raise PoolError("the worker process does not start")
        return process


def _exchange(process: subprocess.Popen[bytes], request: bytes) -> bytes | None:
    """Send one message and wait for the answer; None where the process has ended."""
    if process.stdin is None or process.stdout is None:
        return None
    try:
        write_frame(process.stdin, request)
        return read_frame(process.stdout)
    except OSError:
        return None


def _search_path() -> tuple[list[str], list[str]]:
    """Where the worker finds modules: this very package first, and after its own folders whatever else we have, except
    the working folder.
    """
    package = importlib.util.find_spec("stoplint")
    origin = package.origin if package is not None else None
    first = [str(Path(origin).parent.parent)] if origin else []
    here = os.path.realpath(Path.cwd())
    return first, [each for each in sys.path if each and os.path.realpath(each) != here]


def run(tasks: Sequence[Task], *, workers: int, seconds: float) -> Iterator[Reply]:
    """Answer every task, in any order; `seconds` is what a single one may take.

    Raises PoolError, before the first answer or in between, where no process can be started; the caller does what is left.
    """
    waiting = deque(sorted(range(len(tasks)), key=lambda number: (-len(tasks[number].text), number)))
    replies: queue.SimpleQueue[Reply | PoolError] = queue.SimpleQueue()
    team = [_Worker() for _ in range(max(1, min(workers, len(tasks))))]
    stopping = threading.Event()

    def work(worker: _Worker) -> None:
        while not stopping.is_set():
            try:
                number = waiting.popleft()
            except IndexError:
                break
            try:
                replies.put(Reply(number, worker.ask(tasks[number], seconds)))
            except PoolError as error:
                replies.put(error)
                break
        worker.stop()

    threads = [threading.Thread(target=work, args=(each,), daemon=True) for each in team]
    for thread in threads:
        thread.start()
    try:
        yield from _collect(replies, team, len(tasks), seconds * _PATIENCE if _OUT_OF_TIME else seconds)
    finally:
        stopping.set()
        for worker in team:
            worker.expire(math.inf)
        for thread in threads:
            thread.join()


def _collect(
    replies: queue.SimpleQueue[Reply | PoolError], team: Sequence[_Worker], count: int, seconds: float
) -> Iterator[Reply]:
    """The replies as they come; meanwhile, end whoever takes too long."""
    pause = min(seconds / 4, 0.25)
    checked = time.monotonic()
    while count:
        try:
            reply: Reply | PoolError | None = replies.get(timeout=pause)
        except queue.Empty:
            reply = None
        now = time.monotonic()
        if now - checked >= pause:
            checked = now
            for worker in team:
                worker.expire(now - seconds)
        if isinstance(reply, PoolError):
            raise reply
        if reply is not None:
            count -= 1
            yield reply
