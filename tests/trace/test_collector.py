"""What the garbage collector drops is told of later: it may have interrupted anything, under any lock."""

from __future__ import annotations

import gc
import threading
from typing import TYPE_CHECKING

import pytest
from tracing import Traced, fake

from stoplint.testing import text
from stoplint.trace import collector, faults

if TYPE_CHECKING:
    from collections.abc import Callable

    import anthropic


class Circle:
    """Only the collector frees it and what it holds."""

    def __init__(self, held: object) -> None:
        self.me = self
        self.held = held


PARAMS = {"model": "claude-opus-5-5", "max_tokens": 64, "messages": [{"role": "user", "content": "Hello"}]}


@pytest.mark.parametrize("tracer", ["traced", "alone"])
def test_a_stream_that_the_collector_drops_waits_for_its_metric(
    tracer: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The application counts something of its own; the collector comes by while the counter's lock is held."""
    at_work = request.getfixturevalue(tracer)
    with fake(text("one two three"), text("four")) as served:
        told = _dropped_under_a_lock(at_work, at_work.client(served), monkeypatch)
    assert told == 2, "the dropped one is told of with the next"
    assert [turn.get("stream.outcome") for turn in at_work.turns] == ["abandoned", None]


def _dropped_under_a_lock(at_work: Traced, client: anthropic.Anthropic, monkeypatch: pytest.MonkeyPatch) -> int:
    stream = client.messages.create(**PARAMS, stream=True)
    next(iter(stream))
    circle = Circle(stream)
    del stream, circle
    lock = threading.Lock()
    told: list[str] = []

    def count(*_arguments: object, **_named: object) -> None:
        assert lock.acquire(timeout=1), "interrupted with the lock held, and waits for it"
        lock.release()
        told.append("turn")

    monkeypatch.setattr(at_work.tracer.telemetry, "count_turn", count)
    with lock:
        gc.collect()
    assert told == []
    client.messages.create(**PARAMS)
    return len(told)


def test_a_fault_of_a_finalizer_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    listener = heard.append
    faults.listen(listener)
    try:
        monkeypatch.setattr(collector, "_thread", threading.get_ident())
        faults.note("here")
        assert heard == []
        monkeypatch.setattr(collector, "_thread", 0)
        before = faults.counts()["here"]
        assert heard == ["here"]
        faults.note("here")
        assert faults.counts()["here"] == before + 1
    finally:
        faults.ignore(listener)


def test_the_collector_is_left_alone_afterwards() -> None:
    before = list(gc.callbacks)
    collector.attend()
    collector.attend()
    assert len(gc.callbacks) == len(before) + (collector._told not in before)
    collector.leave()
    collector.leave()
    assert gc.callbacks == before


def two_turns(client: anthropic.Anthropic, between: Callable[[], object] = lambda: None) -> None:
    first = client.messages.create(**PARAMS)
    between()
    asked = [*PARAMS["messages"], {"role": "assistant", "content": first.content}, {"role": "user", "content": "More"}]
    client.messages.create(**{**PARAMS, "messages": asked})


def test_what_another_thread_collects_keeps_no_turn_waiting(traced: Traced, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "_thread", threading.get_ident() + 1)
    with fake(text("Hi."), repeat_last=True) as api:
        two_turns(traced.client(api))
    assert [turn["relation"] for turn in traced.turns] == ["new", "reply"]


def test_a_turn_that_waits_is_found_by_the_request_that_carries_it_on(
    traced: Traced, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fake(text("Hi."), repeat_last=True) as api:
        monkeypatch.setattr(collector, "_thread", threading.get_ident())
        two_turns(traced.client(api), lambda: monkeypatch.setattr(collector, "_thread", 0))
    assert [turn["relation"] for turn in traced.turns] == ["new", "reply"]
