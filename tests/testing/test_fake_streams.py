"""Streams that end before their end."""

from __future__ import annotations

import asyncio
import threading

import anthropic
import pytest

from stoplint.testing import FakeMessages, cut_stream, error, text, tool_use

PARAMS = {"model": "claude-opus-5-5", "max_tokens": 64, "messages": [{"role": "user", "content": "Hello"}]}
LONG = text("A text that arrives in several pieces and then breaks off.")


def kinds(stream):
    return [event.type for event in stream]


def test_events_in_order(fake_messages):
    fake_messages.add(text("Hi") + tool_use("f"))
    assert kinds(fake_messages.client().messages.create(**PARAMS, stream=True)) == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


def test_chunk_size():
    with FakeMessages([LONG], chunk_size=1) as fake:
        events = kinds(fake.client().messages.create(**PARAMS, stream=True))
    assert events.count("content_block_delta") == len(LONG.content[0]["text"])


@pytest.mark.parametrize("after_events", range(8))
def test_closed_stream_just_ends(after_events):
    with FakeMessages([cut_stream(LONG, after_events=after_events)]) as fake:
        events = kinds(fake.client().messages.create(**PARAMS, stream=True))
    without_ping = after_events - (after_events > 1)
    assert len(events) == without_ping
    assert "message_delta" not in events


def test_closed_stream_leaves_no_reason(fake_messages):
    fake_messages.add(cut_stream(LONG, after_events=4))
    with fake_messages.client().messages.stream(**PARAMS) as stream:
        message = stream.get_final_message()
    assert message.stop_reason is None
    assert LONG.content[0]["text"].startswith(message.content[0].text)


def test_aborted_stream_raises(fake_messages):
    fake_messages.add(cut_stream(LONG, after_events=4, ending="abort"))
    with pytest.raises(Exception, match=r"(?i)incomplete|peer closed"):
        kinds(fake_messages.client().messages.create(**PARAMS, stream=True))


def test_error_event_in_the_middle(fake_messages):
    fake_messages.add(cut_stream(LONG, after_events=4, error=error(529, message="busy")))
    events = iter(fake_messages.client().messages.create(**PARAMS, stream=True))
    assert [next(events).type for _ in range(3)] == ["message_start", "content_block_start", "content_block_delta"]
    with pytest.raises(anthropic.APIStatusError, match="busy"):
        next(events)


def test_cut_of_a_request_that_does_not_stream(fake_messages):
    fake_messages.add(cut_stream(after_events=1))
    with pytest.raises(anthropic.APIConnectionError):
        fake_messages.client(max_retries=0).messages.create(**PARAMS)


def test_stalled_stream_ends_when_the_client_leaves(fake_messages):
    fake_messages.add(cut_stream(LONG, after_events=4, ending="stall"), text("next"))
    client = fake_messages.client()
    with client.messages.create(**PARAMS, stream=True) as stream:
        assert next(iter(stream)).type == "message_start"
    assert client.messages.create(**PARAMS).content[0].text == "next"


def test_stalled_stream_ends_when_the_fake_closes():
    fake = FakeMessages([cut_stream(LONG, after_events=4, ending="stall")])
    stream = iter(fake.client().messages.create(**PARAMS, stream=True))
    assert [next(stream).type for _ in range(3)][-1] == "content_block_delta"
    closer = threading.Thread(target=fake.close)
    closer.start()
    with pytest.raises(Exception, match=r"."):  # which one depends on whether the server or the client closes first
        next(stream)
    closer.join()


def test_stalled_stream_can_be_cancelled(fake_messages):
    fake_messages.add(cut_stream(LONG, after_events=4, ending="stall"))

    async def read(started):
        async with fake_messages.async_client() as client:
            async for _ in await client.messages.create(**PARAMS, stream=True):
                started.set()

    async def main():
        started = asyncio.Event()
        task = asyncio.create_task(read(started))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_abandoned_stream_harms_nobody(fake_messages):
    fake_messages.add(text("word " * 2000), text("next"))
    client = fake_messages.client()
    for event in client.messages.create(**PARAMS, stream=True):
        assert event.type == "message_start"
        break
    assert client.messages.create(**PARAMS).content[0].text == "next"
