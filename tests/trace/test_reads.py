"""SL101 seen live: who read what of an answer, and that a watched answer is like any other."""

from __future__ import annotations

import copy
import pickle

import anthropic
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
}


@pytest.mark.parametrize("use", USES)
def test_what_looks_at_the_reason_or_may_is_no_finding(watched, use):
    assert ask(watched, USES[use]) == []


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


def test_a_stream_of_text_alone_is_a_finding(watched):
    assert ask(watched, helper(consume), stream=True) == ["SL101"]


@pytest.mark.parametrize(
    "read",
    [
        lambda stream: (consume(stream), stream.get_final_message().stop_reason),
        lambda stream: (consume(stream), stream.current_message_snapshot.stop_reason),
        lambda stream: [event.delta.stop_reason for event in stream if event.type == "message_delta"],
    ],
)
def test_a_stream_whose_reason_was_read_is_not(watched, read):
    assert ask(watched, helper(read), stream=True) == []


@pytest.mark.parametrize(("reads", "expected"), [(True, []), (False, ["SL101"])])
def test_a_raw_stream(watched, reads, expected):
    def use(client):
        for event in client.messages.create(messages=[HELLO], stream=True, **PARAMS):
            if reads and event.type == "message_delta":
                assert event.delta.stop_reason == "max_tokens"

    assert ask(watched, use, stream=True) == expected


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
