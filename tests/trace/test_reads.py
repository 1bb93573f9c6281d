"""SL101 seen live: who read what of an answer, and that a watched answer is like any other."""

from __future__ import annotations

import asyncio
import copy
import io
import logging
import pickle
import pprint

import anthropic
import pydantic
import pydantic_core
import pytest
from tracing import PARAMS, Traced, collect, fake, user

from stoplint.testing import text, truncated

HELLO = user("Hello")


@pytest.fixture
def watched(monkeypatch):
    monkeypatch.setenv("STOPLINT_TRACK_READS", "1")
    with Traced().at_work() as found:
        yield found


def ignored(traced):
    collect()
    traced.tracer.drain()
    return [finding.code for finding in traced.sink.findings]


def ask(traced, use, *, stream=False):
    with fake(truncated("Once upon a time")) as api:
        client = traced.client(api)
        if stream:
            use(client)
        else:
            use(client.messages.create(messages=[HELLO], **PARAMS))
    return ignored(traced)


def test_content_read_and_reason_never_is_a_finding(watched):
    assert ask(watched, lambda message: message.content[0].text) == ["SL101"]
    (found,) = watched.sink.findings
    assert "max_tokens" in found.message
    assert found.call_site.function == "ask"


class Reply(pydantic.BaseModel):
    """An application's own model around an answer."""

    message: anthropic.types.Message


class Anything(pydantic.BaseModel):
    message: object


class Reason(pydantic.BaseModel, from_attributes=True):
    stop_reason: str


def logged(message):
    handler = logging.StreamHandler(io.StringIO())
    handler.handle(logging.LogRecord("application", logging.INFO, __file__, 1, "answer: %s", (message,), None))
    assert "max_tokens" in handler.stream.getvalue()


USES = {
    "both": lambda m: (m.content, m.stop_reason),
    "reason first": lambda m: (m.stop_reason, m.content),
    "neither": lambda m: m.usage,
    "dump": lambda m: (m.content, m.model_dump()),
    "to_dict": lambda m: (m.content, m.to_dict()),
    "json": lambda m: (m.content, m.model_dump_json()),
    "pickle": lambda m: (m.content, pickle.dumps(m)),
    "copy": lambda m: (m.content, copy.deepcopy(m)),
    "getattr": lambda m: (m.content, getattr(m, "stop_reason")),  # noqa: B009
    "vars": lambda m: (m.content, vars(m)["stop_reason"]),
    "fields": lambda m: (m.content, dict(m)),
    "repr": lambda m: (m.content, repr(m)),
    "str": lambda m: (m.content, str(m)),
    "format": lambda m: (m.content, f"{m}"),
    "log": lambda m: (m.content, logged(m)),
    "print": lambda m: (m.content, print(m, file=io.StringIO())),
    "pprint": lambda m: (m.content, pprint.pformat(m)),
    "pprint, nested": lambda m: (m.content, pprint.pformat({"message": m})),
    "rich": lambda m: (m.content, list(m.__rich_repr__())),
    "own model": lambda m: (m.content, Reply(message=m).model_dump_json()),
    "own model, any": lambda m: (m.content, Anything(message=m).model_dump()),
    "adapter": lambda m: (m.content, pydantic.TypeAdapter(anthropic.types.Message).dump_json(m)),
    "adapter, list": lambda m: (m.content, pydantic.TypeAdapter(list[anthropic.types.Message]).dump_python([m])),
    "to_json": lambda m: (m.content, pydantic_core.to_json([m])),
    "from attributes": lambda m: (m.content, Reason.model_validate(m)),
}


@pytest.mark.parametrize("use", USES)
def test_what_looks_at_the_reason_or_may_is_no_finding(watched, use):
    assert ask(watched, USES[use]) == []


@pytest.mark.parametrize(
    "use",
    [
        lambda m: (m.content, hasattr(m, "nothing")),
        lambda m: (m.content, Reply(message=m)),
        lambda m: (m.content, m.usage.output_tokens, m.id),
    ],
)
def test_what_tells_nothing_of_the_reason_is_a_finding_still(watched, use):
    assert ask(watched, use) == ["SL101"]


def test_code_without_a_module_reads_as_any_other(watched):
    def use(message):
        for space in ({}, {"__name__": None}):
            exec("found = message.content", {**space, "message": message})

    assert ask(watched, use) == ["SL101"]


def test_match_reads_the_reason(watched):
    def use(message):
        match message:
            case anthropic.types.Message(stop_reason="max_tokens", content=[first]):
                return first.text
        raise AssertionError

    assert ask(watched, use) == []


def test_without_the_option_nothing_is_watched(traced):
    assert ask(traced, lambda message: message.content[0].text) == []


def test_a_watched_answer_is_like_any_other(watched):
    with fake(text("Hi."), repeat_last=True) as api:
        client = watched.client(api)

        def fresh():
            return client.messages.create(messages=[HELLO], **PARAMS)

        plain = anthropic.types.Message.model_validate(fresh().to_dict())
        assert isinstance(fresh(), anthropic.types.Message)
        assert type(fresh()).__name__ == "Message"
        assert repr(fresh()).partition("id=")[0] == "Message("
        assert set(fresh().model_dump()) == set(plain.model_dump())
        assert set(fresh().to_dict()) == set(plain.to_dict())
        one = fresh()
        assert one == copy.deepcopy(one)
        assert pickle.loads(pickle.dumps(fresh())).content[0].text == "Hi."
        two = fresh()
        assert two.stop_reason == "end_turn"
        assert type(two) is anthropic.types.Message
        three = fresh()
        three.stop_reason = "max_tokens"
        assert three.stop_reason == "max_tokens"
        assert not any("stoplint" in name for name in vars(three))
        client.messages.create(messages=[HELLO, fresh().to_param(), user("And?")], **PARAMS)


def helper(read):
    def use(client):
        with client.messages.stream(messages=[HELLO], **PARAMS) as stream:
            read(stream)

    return use


def consume(stream):
    for _ in stream.text_stream:
        pass


def events_of(kind, read):
    return lambda stream: [read(event) for event in stream if event.type == kind]


@pytest.mark.parametrize(
    "read",
    [
        consume,
        lambda stream: stream.get_final_text(),
        lambda stream: stream.get_final_message().content[0].text,
        events_of("content_block_delta", lambda event: event.delta.text),
        events_of("text", lambda event: event.text),
        events_of("text", lambda event: event.snapshot),
        events_of("content_block_stop", lambda event: event.content_block.text),
        events_of("message_stop", lambda event: event.message.content),
    ],
)
def test_a_stream_whose_content_alone_was_read_is_a_finding(watched, read):
    assert ask(watched, helper(read), stream=True) == ["SL101"]


@pytest.mark.parametrize(
    "read",
    [
        lambda stream: (consume(stream), stream.get_final_message().stop_reason),
        lambda stream: (consume(stream), stream.current_message_snapshot.stop_reason),
        lambda stream: [event.delta.stop_reason for event in stream if event.type == "message_delta"],
        lambda stream: [(event.type, getattr(event, "text", "")) for event in stream if event.to_json()],
        lambda stream: [event.model_dump_json() for event in stream],
        lambda stream: (consume(stream), print(stream.get_final_message(), file=io.StringIO())),
        lambda stream: (stream.until_done(), stream.get_final_message().usage.output_tokens),
        lambda stream: [event.type for event in stream],
    ],
)
def test_a_stream_whose_reason_was_read_or_content_was_not_is_none(watched, read):
    assert ask(watched, helper(read), stream=True) == []


def text_of(event):
    return event.delta.text if event.type == "content_block_delta" else None


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (text_of, ["SL101"]),
        (lambda event: (text_of(event), event.type == "message_delta" and event.delta.stop_reason), []),
        (lambda event: event.type, []),
        (lambda event: event.to_json(), []),
        (lambda event: (text_of(event), event.model_dump_json()), []),
        (lambda event: (text_of(event), repr(event)), []),
    ],
)
def test_a_raw_stream(watched, read, expected):
    def use(client):
        for event in client.messages.create(messages=[HELLO], stream=True, **PARAMS):
            read(event)

    async def use_async(client):
        async for event in await client.messages.create(messages=[user("Hello again")], stream=True, **PARAMS):
            read(event)

    assert ask(watched, use, stream=True) == expected
    watched.sink.findings.clear()
    with fake(truncated("Once upon a time")) as api:
        asyncio.run(use_async(watched.async_client(api)))
    assert ignored(watched) == expected


def test_a_reason_that_can_still_be_read_is_not_ignored_yet(watched):
    def use(client):
        with client.messages.stream(messages=[HELLO], **PARAMS) as stream:
            consume(stream)
            collect()
            watched.tracer.drain()
            assert stream.get_final_message().stop_reason == "max_tokens"

    assert ask(watched, use, stream=True) == []


def stream_events(raw):
    return [text_of(event) for event in raw.parse()]


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (lambda raw: (raw.headers, raw.status_code, raw.parse().content), ["SL101"]),
        (lambda raw: (raw.parse().content, raw.http_response.json()["stop_reason"]), []),
        (lambda raw: (raw.parse().content, raw.text()), []),
        (lambda raw: (raw.json(), raw.parse().content), []),
        (lambda raw: (raw.parse().content, b"".join(raw.iter_bytes())), []),
    ],
)
@pytest.mark.parametrize("surface", ["with_raw_response", "with_streaming_response"])
def test_a_raw_response(watched, surface, read, expected):
    def use(client):
        made = getattr(client.messages, surface).create(messages=[HELLO], **PARAMS)
        if surface == "with_raw_response":
            assert isinstance(made, anthropic.APIResponse)
            read(made)
            return
        with made as raw:
            read(raw)

    assert ask(watched, use, stream=True) == expected


def test_a_raw_response_of_a_stream(watched):
    def use(client):
        with client.messages.with_streaming_response.create(messages=[HELLO], stream=True, **PARAMS) as raw:
            stream_events(raw)

    assert ask(watched, use, stream=True) == ["SL101"]


def test_what_stands_in_a_batch_and_leaves_with_its_line_is_unknown(watched):
    def use(client):
        made = client.messages.batches.create(requests=[{"custom_id": "a", "params": {"messages": [HELLO], **PARAMS}}])
        for line in client.messages.batches.results(made.id):
            assert line.result.message.content
            assert "max_tokens" in line.to_json()

    assert ask(watched, use, stream=True) == []


def test_a_reply_of_a_thread_is_watched(watched):
    def use(client):
        thread = client.beta.messages.thread(**PARAMS)
        assert thread.send(HELLO).content[0].text

    assert ask(watched, use, stream=True) == ["SL101"]


def test_the_tool_runner_reads_for_itself_only(watched):
    def use(client):
        runner = client.beta.messages.tool_runner(messages=[HELLO], tools=[], **PARAMS)
        assert runner.until_done().stop_reason == "max_tokens"

    assert ask(watched, use, stream=True) == []
