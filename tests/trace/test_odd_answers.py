"""Answers that are not as the API says they are: nothing validates them, and one of them takes no other along."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from tracing import PARAMS, Traced, fake, user

from stoplint.testing import truncated
from stoplint.trace.answer import NO_ANSWER, StreamedAnswer, Usage, from_message
from stoplint.trace.tracer import Tracer

USAGE = {"input_tokens": 1, "output_tokens": 1}
PLAIN = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [{"type": "text", "text": "a"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": USAGE,
}
ODD = {
    "id": [None, 7, ["a"], {}],
    "model": [None, 7, ["m"]],
    "stop_reason": [["end_turn"], 7, {"a": 1}, True],
    "stop_sequence": [["END"], 7],
    "stop_details": ["cyber", ["cyber"], {"category": ["cyber"]}, 7],
    "content": [None, "text", {"a": 1}, 7, [None], [7, "a"], [{"type": ["text"]}], [{"type": "text", "text": 7}]],
    "usage": [
        None,
        "many",
        [1, 2],
        dict.fromkeys(USAGE, "1"),
        {"input_tokens": [1], "output_tokens": True, "cache_read_input_tokens": 2**70},
        {"input_tokens": 1, "output_tokens": 1, "cache_creation_input_tokens": "2"},
    ],
}
ANSWERS = [pytest.param({**PLAIN, name: value}, id=f"{name}={value}") for name in ODD for value in ODD[name]]
SERVED = [answer for answer in ANSWERS if not answer.id.startswith("content=")]
"""The fake API looks at the content itself."""


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_field_of_another_type_is_worth_no_more_than_an_absent_one(answer):
    found = from_message(answer)
    for name in ("response_id", "model", "stop_reason", "stop_sequence", "refusal_category"):
        assert isinstance(getattr(found, name), str | None)
    assert all(count is None or (type(count) is int and count < 2**63) for count in found.usage)


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("answer", SERVED)
def test_an_odd_answer_is_a_turn_like_any_other(answer, native):
    with Traced(native=native).at_work() as traced, fake(answer) as api:
        message = traced.client(api).messages.create(messages=[user("Hello")], **PARAMS)
        assert message.role == "assistant"
    assert len(traced.turns) == len(traced.sink.turns) == len(traced.sink.chains) == len(traced.spans) == 1


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("answer", SERVED)
def test_an_odd_answer_in_raw_form_too(answer, native):
    with Traced(native=native).at_work() as traced, fake(answer) as api:
        raw = traced.client(api).messages.with_raw_response.create(messages=[user("Hello")], **PARAMS)
        assert raw.http_response.json()["role"] == "assistant"
    assert len(traced.turns) == len(traced.sink.turns) == len(traced.sink.chains) == len(traced.spans) == 1


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_odd_answer_is_told_and_carried_on(traced, answer):
    asked = traced.tracer.begin({"messages": [user("Hello")], **PARAMS}, streaming=False)
    traced.tracer.answered(asked, answer)
    traced.tracer.begin({"messages": [user("Hello"), user("And?")], **PARAMS}, streaming=False)
    assert len(traced.sink.turns) == 1


def test_odd_deltas_leave_the_stream_its_turn(traced):
    stream = traced.tracer.begin({"messages": [user("Hello")], **PARAMS}, streaming=True)
    taken = traced.tracer.start_stream(stream)

    class Event:
        def __init__(self, **fields):
            self.__dict__.update(fields)

    taken.event(Event(type="content_block_start", index=0, content_block={"type": "text", "text": ""}))
    for part in ("Hello", None, 7):
        taken.event(Event(type="content_block_delta", index=0, delta=Event(type="text_delta", text=part)))
    taken.event(Event(type="message_delta", delta={"stop_reason": ["end_turn"]}, usage={"output_tokens": "1"}))
    traced.tracer.stream_over(stream, "complete")
    (turn,) = traced.sink.turns
    assert (turn.stop_reason, turn.output_tokens, turn.stream_outcome) == (None, None, "complete")


def test_a_count_that_the_end_of_a_stream_does_not_give_again_is_that_of_its_start():
    stream = StreamedAnswer()
    start = {"input_tokens": 9, "output_tokens": 1, "cache_read_input_tokens": 4}
    stream.event(SimpleNamespace(type="message_start", message={"usage": start}))
    stream.event(SimpleNamespace(type="message_delta", delta={}, usage={"output_tokens": 7}))
    assert stream.answer().usage == Usage(9, 7, 4, None)
    assert NO_ANSWER.usage == Usage()


def ask(traced, api, count):
    for number in range(count):
        traced.client(api).messages.create(messages=[user(f"Question {number}")], **PARAMS)


def test_a_chain_that_cannot_be_told_takes_no_other_along(traced, monkeypatch):
    traced.allow_faults = True
    tell, seen = Tracer._tell_chain, []

    def broken(tracer, chain, *more):
        seen.append(chain)
        if len(seen) == 1:
            raise ValueError
        tell(tracer, chain, *more)

    monkeypatch.setattr(Tracer, "_tell_chain", broken)
    with fake(truncated("Once"), repeat_last=True) as api:
        ask(traced, api, 3)
        traced.tracer.end_all()
    assert len(traced.sink.chains) == 2
    assert [finding.code for finding in traced.sink.findings] == ["SL102", "SL102"]


def test_a_chain_that_cannot_be_told_does_not_keep_the_sink_from_its_end(monkeypatch):
    flushed = []
    traced = Traced()
    with traced.at_work(), fake(truncated("Once")) as api:
        traced.allow_faults = True
        ask(traced, api, 1)
        monkeypatch.setattr(traced.sink, "flush", flushed.append)
        monkeypatch.setattr(Tracer, "end_all", lambda _: 1 / 0)
    assert flushed


@pytest.mark.parametrize("place", ["count_turn", "finish", "finding"])
@pytest.mark.parametrize("native", [True, False])
def test_what_telemetry_cannot_take_the_store_still_gets(monkeypatch, place, native):
    traced = Traced(native=native)
    with traced.at_work(), fake(truncated("Once"), repeat_last=True) as api:
        traced.allow_faults = True
        monkeypatch.setattr(traced.tracer.telemetry, place, lambda *_: 1 / 0)
        for _ in range(2):
            traced.client(api).messages.create(messages=[user("Hello")], **PARAMS)
        monkeypatch.undo()
    assert len(traced.spans) == len(traced.sink.turns) == 2
    assert "SL207" in [finding.code for finding in traced.sink.findings]


@pytest.mark.parametrize("native", [True, False])
def test_what_the_store_cannot_take_telemetry_still_gets(monkeypatch, native):
    traced = Traced(native=native)
    with traced.at_work(), fake(truncated("Once"), repeat_last=True) as api:
        traced.allow_faults = True
        monkeypatch.setattr(traced.sink, "turn", lambda _: 1 / 0)
        for _ in range(2):
            traced.client(api).messages.create(messages=[user("Hello")], **PARAMS)
    assert len(traced.spans) == 2
    assert sum(traced.metrics()["stoplint.turns"].values()) == 2
    assert "SL207" in [point[0][1] for point in traced.metrics()["stoplint.findings"]]
