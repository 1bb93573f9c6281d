"""The turn store across processes: at once, forked, killed, at the interpreter's end."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest
from store_samples import rows, run_python, start_python, turn, turn_ids

from stoplint.trace.store import open_store

WRITE = """
import sys
from store_samples import turn
from stoplint.trace.store import open_store
store = open_store("turns.db")
for number in range(1000):
    store.turn(turn(f"{sys.argv[1]}_{number}"))
    if number % 10 == 0:
        store.flush(60)  # many small commits: the processes must meet
store.close()
print(store.lost)
"""

posix = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")


def test_two_processes_write_at_once(tmp_path: Path) -> None:
    processes = [start_python(WRITE, name, cwd=tmp_path) for name in ("a", "b", "c")]
    assert [process.communicate(timeout=120) for process in processes] == [("0\n", "")] * 3
    path = tmp_path / "turns.db"
    assert turn_ids(path) == {f"{name}_{number}" for name in "abc" for number in range(1000)}
    assert rows(path, "SELECT count(*) FROM processes WHERE ended_at IS NOT NULL") == [(3,)]


def test_two_processes_find_a_damaged_file_at_once(tmp_path: Path) -> None:
    (tmp_path / "turns.db").write_bytes(b"garbage" * 1000)
    processes = [start_python(WRITE, name, cwd=tmp_path) for name in ("a", "b")]
    assert [process.communicate(timeout=120) for process in processes] == [("0\n", "")] * 2
    assert turn_ids(tmp_path / "turns.db") == {f"{name}_{number}" for name in "ab" for number in range(1000)}
    assert len(list(tmp_path.glob("turns-damaged-*.db"))) == 1


def test_two_processes_rotate_at_once(tmp_path: Path) -> None:
    script = WRITE.replace(
        'open_store("turns.db")', 'open_store("turns.db", StoreLimits(max_bytes=150_000, keep=50))'
    ).replace("import open_store", "import StoreLimits, open_store")
    processes = [start_python(script, name, cwd=tmp_path) for name in ("a", "b")]
    assert [process.communicate(timeout=120) for process in processes] == [("0\n", "")] * 2
    files = list(tmp_path.glob("turns*.db"))
    assert len(files) > 2
    found = [turn_id for file in files for turn_id in turn_ids(file)]
    assert sorted(found) == sorted(f"{name}_{number}" for name in "ab" for number in range(1000))


@posix
def test_kill_9_loses_nothing_committed(tmp_path: Path) -> None:
    script = """
from store_samples import turn
from stoplint.trace.store import open_store
store = open_store("turns.db")
number = 0
while True:
    store.turn(turn(f"msg_{number}"))
    if number % 7 == 0:
        store.flush(60)
        print(number, flush=True)
    number += 1
"""
    path = tmp_path / "turns.db"
    process = start_python(script, cwd=tmp_path)
    assert process.stdout is not None
    committed = 0
    while committed < 300:
        committed = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    committed = max([committed, *(int(line) for line in process.communicate()[0].split("\n")[:-1])])
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]
    assert {f"msg_{number}" for number in range(committed + 1)} <= turn_ids(path)

    store = open_store(path)
    store.turn(turn("next"))
    store.close()
    assert "next" in turn_ids(path)


@posix
def test_turns_are_committed_without_a_flush(tmp_path: Path) -> None:
    script = """
import sqlite3, sys, time
from store_samples import turn, turn_ids
from stoplint.trace.store import open_store
store = open_store("turns.db")
for number in range(3):
    store.turn(turn(f"msg_{number}"))
committed = 0
while committed < 3:
    time.sleep(0.05)
    try:
        committed = len(turn_ids(store.path))
    except sqlite3.OperationalError:  # it is being made
        pass
import os, signal
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert run_python(script, cwd=tmp_path).returncode == -signal.SIGKILL
    assert turn_ids(tmp_path / "turns.db") == {"msg_0", "msg_1", "msg_2"}


@pytest.mark.parametrize(
    "body",
    [
        "store.turn(turn())",
        "store.turn(turn()); raise SystemExit(0)",
        """
def report():
    store.turn(turn())
    ready.set()
    time.sleep(600)
ready = threading.Event()
threading.Thread(target=report, daemon=True).start()
ready.wait()
""",
        """
async def report():
    store.turn(turn())
async def main():
    await asyncio.gather(report())
    asyncio.ensure_future(asyncio.sleep(600))
asyncio.run(main())
""",
        """
def report():
    time.sleep(0.3)
    store.turn(turn())
threading.Thread(target=report).start()
""",
        "atexit.register(lambda: store.turn(turn()))",
        "atexit.unregister(store._at_exit); atexit.register(late); atexit.register(store._at_exit)",
    ],
    ids=["main", "exit", "daemon-thread", "asyncio", "thread-outlives-main", "exit-handler", "later-exit-handler"],
)
def test_the_interpreter_s_end_flushes(tmp_path: Path, body: str) -> None:
    script = f"""
import asyncio, atexit, threading, time
from store_samples import turn
from stoplint.trace.store import open_store
store = open_store("turns.db")
def late():
    store.turn(turn())
    store.flush(60)
{body}
"""
    done = run_python(script, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert not list(tmp_path.glob("*-wal")), "the file is whole by itself"
    assert turn_ids(tmp_path / "turns.db") == {"msg_1"}
    assert rows(tmp_path / "turns.db", "SELECT count(*) FROM processes WHERE ended_at IS NOT NULL") == [(1,)]


@posix
def test_fork_while_writing(tmp_path: Path) -> None:
    script = """
import os, sys, threading, warnings
warnings.simplefilter("ignore")
from store_samples import turn
from stoplint.trace.store import open_store
store = open_store("turns.db")
stop = threading.Event()
written = 0

def report():
    global written
    while not stop.is_set():
        store.turn(turn(f"parent_{written}"))
        written += 1
        store.flush(60)

thread = threading.Thread(target=report)
thread.start()
for child in range(20):
    pid = os.fork()
    if pid == 0:
        for number in range(5):
            store.turn(turn(f"child_{child}_{number}"))
        store.close()
        os._exit(store.lost)
    assert os.waitpid(pid, 0)[1] == 0, "a child lost turns"
stop.set()
thread.join()
store.close()
assert store.lost == 0
print(written)
"""
    done = run_python(script, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    children = {f"child_{child}_{number}" for child in range(20) for number in range(5)}
    parent = {f"parent_{number}" for number in range(int(done.stdout))}
    assert turn_ids(tmp_path / "turns.db") == children | parent
    assert rows(tmp_path / "turns.db", "PRAGMA integrity_check") == [("ok",)]
    assert rows(tmp_path / "turns.db", "SELECT count(*) FROM processes") == [(21,)]


@posix
def test_a_forked_child_that_ends_like_any_program_leaves_the_parent_s_file_alone(tmp_path: Path) -> None:
    script = """
import os, sys
from store_samples import turn
from stoplint.trace.store import open_store
store = open_store("turns.db")
store.turn(turn("first"))
store.flush(60)
for child in range(5):
    pid = os.fork()
    if pid == 0:
        sys.exit(0)  # runs the exit handlers and tears the interpreter down
    os.waitpid(pid, 0)
    store.turn(turn(f"parent_{child}"))
    store.flush(60)
os.kill(os.getpid(), 9)
"""
    assert run_python(script, cwd=tmp_path).stderr == "", "a fork beside a thread is warned of"
    assert turn_ids(tmp_path / "turns.db") == {"first", *(f"parent_{child}" for child in range(5))}
    assert rows(tmp_path / "turns.db", "PRAGMA integrity_check") == [("ok",)]


@pytest.mark.parametrize("method", ["fork", "spawn"] if sys.platform != "win32" else ["spawn"])
def test_children_of_multiprocessing_flush(tmp_path: Path, method: str) -> None:
    (tmp_path / "pool.py").write_text(
        f"""
import multiprocessing, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from store_samples import turn
from stoplint.trace.store import open_store
store = open_store("turns.db")

def work(number):
    store.turn(turn(f"child_{{number}}"))

if __name__ == "__main__":
    store.turn(turn("parent"))
    context = multiprocessing.get_context({method!r})
    processes = [context.Process(target=work, args=(number,)) for number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
""",
        encoding="utf-8",
    )
    done = run_python("import runpy; runpy.run_path('pool.py', run_name='__main__')", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert turn_ids(tmp_path / "turns.db") == {"parent", *(f"child_{number}" for number in range(4))}
