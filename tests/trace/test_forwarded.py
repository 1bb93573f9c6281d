"""Bodies that the application forwards as they come: it gets every byte, and the turn its reason."""

from __future__ import annotations

import asyncio
import contextlib
import re

import anthropic
import pytest
from tracing import PARAMS, Traced, assistant, collect, fake, user

from stoplint.testing import cut_stream, error, text, truncated
from stoplint.trace import forwarded
from stoplint.trace.answer import StreamedAnswer
from stoplint.trace.forwarded import EventBody, TooLongError

HELLO = user("Hello")
STORY = "Once upon a time, éé, ..."


def joined(pieces, ways):
    if ways == "iter_lines":
        return "\n".join(pieces).encode()
    return b"".join(piece if isinstance(piece, bytes) else piece.encode() for piece in pieces)


def forward(client, way, *, stream):
    made = client.messages.with_streaming_response.create(messages=[HELLO], stream=stream, **PARAMS)
    with made as raw:
        return joined(list(getattr(raw, way)()), way)


async def forward_async(client, way, *, stream):
    made = client.messages.with_streaming_response.create(messages=[HELLO], stream=stream, **PARAMS)
    async with made as raw:
        return joined([piece async for piece in getattr(raw, way)()], way)


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("way", ["iter_bytes", "iter_text", "iter_lines"])
def test_a_body_that_is_forwarded_tells_its_reason(native, stream, way):
    bodies = []
    with Traced(native=native).at_work() as traced, fake(*[truncated(STORY)] * 2) as api:
        bodies.append(forward(traced.client(api), way, stream=stream))
        bodies.append(asyncio.run(forward_async(traced.async_client(api), way, stream=stream)))
        turns = traced.turns
    assert all(b'"max_tokens"' in body for body in bodies)
    assert [turn["stop_reason"] for turn in turns] == ["max_tokens", "max_tokens"]
    assert [turn.get("stream.outcome") for turn in turns] == ["complete" if stream else None] * 2
    assert [chain.outcome for chain in traced.sink.chains] == ["truncated"]
    assert len(traced.spans) == 2


@pytest.mark.parametrize("way", ["iter_bytes", "iter_text", "iter_lines"])
def test_the_application_gets_what_it_got_without(way):
    with fake(*[truncated(STORY)] * 2) as api:
        with Traced().at_work() as traced:
            during = forward(traced.client(api), way, stream=True)
        after = forward(api.client(), way, stream=True)
    identity = re.compile(rb'"msg_\w+"')
    assert identity.sub(b"", during) == identity.sub(b"", after)


@pytest.mark.parametrize("stream", [False, True])
def test_a_forwarded_answer_is_carried_on(traced, stream):
    with fake(text("Hi."), text("Hi.")) as api:
        client = traced.client(api)
        forward(client, "iter_bytes", stream=stream)
        client.messages.create(messages=[HELLO, assistant("Hi."), user("And?")], **PARAMS)
    assert traced.relations == ["new", "reply"]


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("stream", [False, True])
def test_what_is_read_past_the_raw_response_is_no_failure(native, stream):
    with Traced(native=native).at_work() as traced, fake(truncated("Once")) as api:
        client = traced.client(api)
        with client.messages.with_streaming_response.create(messages=[HELLO], stream=stream, **PARAMS) as raw:
            assert b"max_tokens" in b"".join(raw.http_response.iter_bytes())
        (turn,) = traced.turns
    assert turn.get("stream.outcome") == ("complete" if stream else None)
    assert [chain.outcome for chain in traced.sink.chains] == ["finished"]
    assert traced.sink.turns[0].error is None


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("way", ["iter_bytes", "iter_lines"])
def test_a_body_left_in_the_middle_is_abandoned(native, stream, way):
    with Traced(native=native).at_work() as traced, fake(truncated("Once " * 9)) as api:
        client = traced.client(api)
        with client.messages.with_streaming_response.create(messages=[HELLO], stream=stream, **PARAMS) as raw:
            if stream:
                next(getattr(raw, way)(*[16] * (way == "iter_bytes")))
            else:
                next(raw.iter_bytes(16))
        collect()
        traced.tracer.drain()
        (turn,) = traced.turns
    assert turn.get("stream.outcome") == ("abandoned" if stream else None)
    assert [chain.outcome for chain in traced.sink.chains] == ["failed"]


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize(
    ("script", "outcome", "kind"),
    [
        (cut_stream(text("Once upon a time"), after_events=3), "cut", None),
        (cut_stream(text("Once upon a time"), after_events=3, ending="abort"), "cut", "connection_error"),
        (cut_stream(text("Once upon a time"), after_events=3, error=error(529)), "error", "overloaded_error"),
    ],
)
def test_a_forwarded_stream_that_breaks_says_so(native, script, outcome, kind):
    with Traced(native=native).at_work() as traced, fake(script) as api, contextlib.suppress(Exception):
        forward(traced.client(api), "iter_bytes", stream=True)
    (turn,) = traced.sink.turns
    assert (turn.stream_outcome, turn.error) == (outcome, kind)


def test_a_body_too_long_to_keep_is_not_read(traced, monkeypatch):
    monkeypatch.setattr(forwarded, "_LIMIT", 100)
    with fake(truncated("Once " * 99), truncated("Once " * 99)) as api:
        assert b"max_tokens" in forward(traced.client(api), "iter_bytes", stream=False)
        made = traced.client(api).messages.with_streaming_response.create(messages=[HELLO], **PARAMS)
        with made as raw:
            assert raw.json()["stop_reason"] == "max_tokens"
    assert [turn.get("stop_reason") for turn in traced.turns] == [None, "max_tokens"]


def test_events_arrive_in_any_pieces():
    lines = [
        b'event: message_start\ndata: {"type": "message_start", "message": {"id": "msg_1", "model": "m"}}\r\n\r\n',
        b'data: {"type": "content_block_start", "index": 0,\ndata: "content_block": {"type": "text", "text": ""}}\n\n',
        b'data:{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\xc3\xa9"}}\n\n: note\n\n',
        b'data: {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}}\n\n',
        b'data: {"type": "message_stop"}\n\n',
    ]
    whole = b"".join(lines)
    for size in (1, 2, 7, 50, len(whole)):
        body = EventBody(StreamedAnswer())
        over = [body.take(whole[start : start + size]) for start in range(0, len(whole), size)]
        found = body.stream.answer()
        assert sum(over) == 1
        assert (found.response_id, found.stop_reason, found.usage.output_tokens) == ("msg_1", "end_turn", 7)
        assert found.content.texts == ("é",)


@pytest.mark.parametrize("piece", [b"data: " + b"x" * 200, b"data: x\n" * 20])
def test_an_event_that_never_ends_is_given_up(monkeypatch, piece):
    monkeypatch.setattr(forwarded, "_LIMIT", 100)
    with pytest.raises(TooLongError):
        EventBody(StreamedAnswer()).take(piece)


def test_many_short_events_are_not_one_long_one(monkeypatch):
    monkeypatch.setattr(forwarded, "_LIMIT", 100)
    body = EventBody(StreamedAnswer())
    for _ in range(20):
        body.take(b'data: {"type": "ping"}\n\n')


@pytest.mark.parametrize("surface", ["with_raw_response", "with_streaming_response"])
def test_a_raw_response_is_the_sdks_own(traced, surface):
    with fake(text("Hi.")) as api:
        made = getattr(traced.client(api).messages, surface).create(messages=[HELLO], **PARAMS)
        with made if surface == "with_streaming_response" else contextlib.nullcontext(made) as raw:
            assert type(raw) is anthropic.APIResponse
            assert raw.parse().stop_reason == "end_turn"
