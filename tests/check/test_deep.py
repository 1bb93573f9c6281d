"""Deep recursion has room, and what was set for it is taken back."""

from __future__ import annotations

import sys
import threading

import pytest

from stoplint.check import deep
from stoplint.check.risk import MAX_DEPTH, MAX_LENGTH, MAX_LINKS, risky


def sink(depth: int) -> int:
    return 0 if depth == 0 else 1 + sink(depth - 1)


def test_deeper_than_usual() -> None:
    limit = sys.getrecursionlimit()
    assert deep.call(lambda: sink(5 * limit)) == 5 * limit
    assert sys.getrecursionlimit() == limit


def test_not_without_end() -> None:
    with pytest.raises(RecursionError):
        deep.call(lambda: sink(deep.FRAMES))


def test_errors_come_through() -> None:
    limit = sys.getrecursionlimit()
    with pytest.raises(KeyError, match="why"):
        deep.call(lambda: {}["why"])
    assert sys.getrecursionlimit() == limit


def test_a_call_within_a_call_stays_on_its_thread() -> None:
    def outer() -> bool:
        return deep.call(threading.get_ident) == threading.get_ident()

    assert deep.call(outer)
    assert not outer()


def test_where_no_thread_is_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    before = threading.stack_size(), sys.getrecursionlimit()

    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert deep.call(lambda: 3) == 3
    assert (threading.stack_size(), sys.getrecursionlimit()) == before


def test_several_at_once_restore_the_first_limit() -> None:
    limit = sys.getrecursionlimit()
    gate = threading.Barrier(3)
    found: list[int] = []

    def run() -> None:
        found.append(deep.call(lambda: gate.wait(20) * 0 + sink(2 * limit)))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [2 * limit] * 3
    assert sys.getrecursionlimit() == limit


@pytest.mark.parametrize(
    "text",
    [
        "x" * (MAX_LENGTH + 1),
        "x = a" + ".b()" * (MAX_LINKS // 2 + 1),
        "x = " + "a + " * (MAX_LINKS + 1) + "a",
        "x = (\n" + "  a and\n" * (MAX_LINKS + 1) + "a)",
        "x = (" + "'a'\n" * (MAX_LINKS + 1) + ")",
        "x = " + "a \\\n + " * (MAX_LINKS + 1) + "a",
        "x = " + "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1),
        "x = " + "-" * (MAX_LINKS + 1) + "a",
        "x = " + "not " * (MAX_LINKS + 1) + "a",
        "(" * 5000,
    ],
)
def test_risky(text: str) -> None:
    assert risky(text)


@pytest.mark.parametrize(
    "text",
    [
        "x.y(z)\n" * 10_000,
        "x = '''" + "a.b(c)[d]\n" * 5_000 + "'''\n",
        "x = [\n" + "  1, # a.b(c) + d\n" * 5_000 + "]\n",
        "# " + "(" * 1000 + "\n",
        "x = '" + "(" * 1000 + "'\n",
        ")" * 1000 + "\n" + "a.b\n" * 1000,
    ],
)
def test_not_risky(text: str) -> None:
    assert not risky(text)
