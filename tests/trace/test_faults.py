"""Faults of our own, injected at every hook: the application sees none of them, and each is counted."""

from __future__ import annotations

import asyncio

import pytest
from opentelemetry.sdk.trace import SpanProcessor
from tracing import PARAMS, Traced, fake, user

from stoplint.testing import text, truncated
from stoplint.trace import faults, turn
from stoplint.trace.answer import StreamedAnswer
from stoplint.trace.chains import Chains
from stoplint.trace.emit import Telemetry
from stoplint.trace.tracer import Tracer
from stoplint.trace.watch import Watcher

HELLO = user("Hello")


def create(client):
    return client.messages.create(messages=[HELLO], **PARAMS).stop_reason


def stream(client):
    with client.messages.stream(messages=[HELLO], **PARAMS) as opened:
        return opened.get_final_message().stop_reason


def raw(client):
    return client.messages.with_raw_response.create(messages=[HELLO], **PARAMS).parse().stop_reason


def lazy(client):
    with client.messages.with_streaming_response.create(messages=[HELLO], **PARAMS) as response:
        return response.parse().stop_reason


def raw_stream(client):
    parsed = client.messages.with_raw_response.create(messages=[HELLO], stream=True, **PARAMS).parse()
    return next(event.delta.stop_reason for event in parsed if event.type == "message_delta")


def abandoned(client):
    with client.messages.create(messages=[HELLO], stream=True, **PARAMS) as opened:
        for event in opened:
            if event.type == "message_delta":
                return event.delta.stop_reason
    return None


def batch(client):
    made = client.messages.batches.create(requests=[{"custom_id": "a", "params": {"messages": [HELLO], **PARAMS}}])
    return next(iter(client.messages.batches.results(made.id))).result.message.stop_reason


USES = [create, stream, raw, lazy, raw_stream, abandoned, batch]

# Everything of ours that the hooks call.
INSIDE = [
    (Tracer, "begin"),
    (Tracer, "answered"),
    (Tracer, "start_stream"),
    (Tracer, "stream_over"),
    (Tracer, "unknown"),
    (Tracer, "batch_item"),
    (Tracer, "sink"),
    (Tracer, "_finish"),
    (turn, "complete"),
    (Tracer, "_tell"),
    (Chains, "add_locked"),
    (Chains, "find_locked"),
    (Chains, "settle_locked"),
    (Telemetry, "adopt"),
    (Telemetry, "start"),
    (Telemetry, "finish"),
    (Telemetry, "count_turn"),
    (Telemetry, "end"),
    (Telemetry, "llm_span"),
    (Telemetry, "has_backend"),
    (Watcher, "follow"),
    (StreamedAnswer, "event"),
]


class InjectedError(Exception):
    pass


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize(("holder", "name"), INSIDE, ids=lambda value: getattr(value, "__name__", value))
def test_a_fault_inside_stays_inside(monkeypatch, holder, name, native):
    reached = []

    def broken(*args, **kwargs):
        reached.append(name)
        raise InjectedError("secret")

    traced = Traced(native=native)
    with traced.at_work(), fake(truncated("Once upon"), repeat_last=True) as api:
        traced.allow_faults = True
        client = traced.client(api)
        monkeypatch.setattr(holder, name, broken)
        before = sum(faults.counts().values())
        assert [use(client) for use in USES] == ["max_tokens"] * len(USES)
        counted = sum(faults.counts().values()) - before
        monkeypatch.undo()
    # Some of these are only called with the SDK's own tracing, or only without.
    assert counted == len(reached) or (reached and counted)


def test_every_injection_was_reached_one_way_or_the_other(monkeypatch):
    reached = set()

    def seen(holder, name):
        original = getattr(holder, name)

        def through(*args, **kwargs):
            reached.add(name)
            return original(*args, **kwargs)

        monkeypatch.setattr(holder, name, through)

    for holder, name in INSIDE:
        seen(holder, name)
    for native in (True, False):
        traced = Traced(native=native)
        with traced.at_work(), fake(truncated("Once upon"), repeat_last=True) as api:
            for use in USES:
                use(traced.client(api))
            with traced.client(api).messages.with_streaming_response.create(messages=[HELLO], **PARAMS):
                pass
    assert reached == {name for _, name in INSIDE}


def test_a_fault_in_an_asynchronous_request_stays_inside(monkeypatch):
    def broken(*args, **kwargs):
        raise InjectedError

    async def go(client):
        message = await client.messages.create(messages=[HELLO], **PARAMS)
        async with client.messages.stream(messages=[HELLO], **PARAMS) as opened:
            return message.stop_reason, (await opened.get_final_message()).stop_reason

    traced = Traced()
    with traced.at_work(), fake(truncated("Once"), repeat_last=True) as api:
        traced.allow_faults = True
        for name in ("_finish", "begin"):
            monkeypatch.setattr(Tracer, name, broken)
            assert asyncio.run(go(traced.async_client(api))) == ("max_tokens", "max_tokens")


def test_a_span_that_cannot_be_started_costs_no_turn():
    class Broken(SpanProcessor):
        def on_start(self, span, parent_context=None):
            raise OSError

    traced = Traced(native=False)
    traced.provider.add_span_processor(Broken())
    with traced.at_work(), fake(truncated("Once")) as api:
        traced.allow_faults = True
        assert create(traced.client(api)) == "max_tokens"
    assert [turn.stop_reason for turn in traced.sink.turns] == ["max_tokens"]
    assert [chain.outcome for chain in traced.sink.chains] == ["truncated"]


def test_faults_are_a_metric(monkeypatch):
    traced = Traced()
    with traced.at_work(), fake(text("Hi.")) as api:
        traced.allow_faults = True

        def broken(*args, **kwargs):
            raise InjectedError

        monkeypatch.setattr(Tracer, "begin", broken)
        create(traced.client(api))
        assert traced.metrics()["stoplint.errors"] == {(("stoplint.hook", "request"),): 1}


def test_the_applications_error_wins_over_ours(monkeypatch):
    import anthropic

    from stoplint.testing import error

    def broken(*args, **kwargs):
        raise InjectedError

    traced = Traced()
    with traced.at_work(), fake(error(400)) as api:
        traced.allow_faults = True
        monkeypatch.setattr(Tracer, "failed", broken)
        with pytest.raises(anthropic.BadRequestError) as raised:
            create(traced.client(api))
    assert raised.value.__context__ is None


def test_a_listener_that_faults_is_no_fault():
    def broken(place):
        raise InjectedError

    faults.listen(broken)
    try:
        faults.note("test")
    finally:
        faults.ignore(broken)
    assert faults.counts()["test"] == 1
