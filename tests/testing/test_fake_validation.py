"""What the fake refuses, and what it must let through."""

from __future__ import annotations

import anthropic
import pytest

from stoplint.testing import FakeMessages, Request, empty, pause, text, tool_use, truncated_tool_use, web_search
from stoplint.testing.threads import Conversation
from stoplint.testing.validation import rejection

SEARCH = [{"type": "web_search_20250305", "name": "web_search"}]


def user(*content):
    return {"role": "user", "content": content[0] if content and isinstance(content[0], str) else list(content)}


def assistant(*content):
    return {"role": "assistant", "content": content[0] if content and isinstance(content[0], str) else list(content)}


def words(value="Hi"):
    return {"type": "text", "text": value}


def call(ident):
    return {"type": "tool_use", "id": ident, "name": "f", "input": {}}


def result(ident):
    return {"type": "tool_result", "tool_use_id": ident, "content": "42"}


def searching(ident="s1"):
    return {"type": "server_tool_use", "id": ident, "name": "web_search", "input": {}}


def found(ident="s1"):
    return {"type": "web_search_tool_result", "tool_use_id": ident, "content": []}


def refused(messages, *, model="claude-opus-5-5", tools=None, **body):
    request = Request("POST", "/v1/messages", body={"model": model, "max_tokens": 9, "messages": messages, **body})
    return rejection(request, Conversation(messages, tools, threaded=False))


ASKED = user("Hello")

ACCEPTED = {
    "question": [ASKED],
    "dialogue": [ASKED, assistant("Hi"), user("And?")],
    "tool result": [ASKED, assistant(call("a")), user(result("a"))],
    "text after tool result": [ASKED, assistant(call("a")), user(result("a"), words())],
    "new user message after tool result": [ASKED, assistant(call("a")), user(result("a")), user("Go on")],
    "one message a result": [ASKED, assistant(call("a"), call("b")), user(result("a")), user(result("b"))],
    "results in another order": [ASKED, assistant(call("a"), call("b")), user(result("b"), result("a"))],
    "two rounds": [ASKED, assistant(call("a")), user(result("a")), assistant(call("b")), user(result("b"))],
    "assistant turn in two messages": [ASKED, assistant(words()), assistant(call("a")), user(result("a"))],
    "pause resumed": [ASKED, assistant(searching(), found())],
    "paused twice": [ASKED, assistant(searching(), found()), assistant(searching("s2"), found("s2"))],
    "compaction resumed": [ASKED, assistant({"type": "compaction", "content": "So far."})],
}

REFUSED = {
    "nothing": ([], "at least one message"),
    "unanswered": ([ASKED, assistant(call("a")), user("Hi")], "messages.2: no tool_result for tool_use a"),
    "half answered": ([ASKED, assistant(call("a"), call("b")), user(result("a"))], "no tool_result for tool_use b"),
    "answered too late": (
        [ASKED, assistant(call("a")), user("Hi"), assistant("?"), user(result("a"))],
        "messages.2: no tool",
    ),
    "result without call": ([ASKED, assistant("Hi"), user(result("a"))], "a answers no tool_use"),
    "result first": ([user(result("a"))], "messages.0: a tool_result needs the tool_use"),
    "answered twice": ([ASKED, assistant(call("a")), user(result("a"), result("a"))], "each tool_use takes one"),
    "text before result": (
        [ASKED, assistant(call("a")), user(words(), result("a"))],
        "must come before any other content",
    ),
    "message before result": ([ASKED, assistant(call("a")), user("Hi"), user(result("a"))], "must come before"),
    "text between results": (
        [ASKED, assistant(call("a"), call("b")), user(result("a"), words(), result("b"))],
        "must come before",
    ),
    "empty assistant turn": ([ASKED, assistant(), user("Well?")], "messages.1: content must not be empty"),
    "empty assistant text": ([ASKED, assistant(""), user("Well?")], "messages.1: content must not be empty"),
    "empty user turn": ([user("")], "messages.0: content must not be empty"),
    "whole message echoed": (
        [ASKED, {**assistant("Hi"), "stop_reason": "end_turn"}, user("?")],
        "messages.1.stop_reason: extra",
    ),
    "no content": ([{"role": "user"}], "messages.0.content"),
    "content of strings": ([{"role": "user", "content": ["Hi"]}], "every block must be an object"),
    "result by the assistant": ([ASKED, assistant(result("a")), user("?")], "tool_result blocks belong to the user"),
    "finished turn again": ([ASKED, assistant("Hi")], "ends with an assistant message"),
    "text after open server tool": (
        [ASKED, assistant(searching()), user("Go on")],
        "web_search call s1 has no result block",
    ),
    "text beside result, open server tool": (
        [ASKED, assistant(searching(), call("a")), user(result("a"), words())],
        "web_search call s1 has no result block",
    ),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted(name):
    assert refused(ACCEPTED[name], tools=SEARCH) is None


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    messages, reason = REFUSED[name]
    assert reason in (refused(messages, tools=SEARCH) or "accepted")


def test_an_open_server_tool_waits_for_the_client_tool():
    mixed = [ASKED, assistant(searching(), call("a")), user(result("a"))]
    assert refused(mixed, tools=SEARCH) is None
    assert "web_search call s1 is open, but no such tool was given" in refused(mixed)
    answered = [*mixed, assistant(found(), words()), user("Thanks")]
    assert refused(answered) is None
    assert "s1 has no result block" in refused([*mixed, assistant(words()), user("Thanks")], tools=SEARCH)


def test_an_open_pause_needs_its_tools_again():
    paused = [ASKED, assistant(searching())]
    assert refused(paused, tools=SEARCH) is None
    assert "no such tool was given" in refused(paused)


@pytest.mark.parametrize(
    ("model", "takes_prefill"),
    [
        ("claude-opus-4-6", False),
        ("claude-opus-4-5-20251101", True),
        ("claude-sonnet-4-20250514", True),
        ("claude-3-5-sonnet-20241022", True),
        ("claude-sonnet-5", False),
        ("anthropic.claude-sonnet-4-6-v1:0", False),
        ("claude-haiku-5-5@20260901", False),
        ("claude-mythos-preview", False),
        ("some-model", True),
    ],
)
def test_prefill_depends_on_the_model(model, takes_prefill):
    assert (refused([ASKED, assistant("The answer is")], model=model) is None) is takes_prefill


def test_an_empty_assistant_turn_may_be_the_last_where_prefill_is_taken():
    assert refused([ASKED, assistant()], model="claude-sonnet-4-5") is None
    assert refused([ASKED, assistant()]) is not None


def test_required_fields():
    for name in ("model", "max_tokens", "messages"):
        body = {"model": "claude-opus-5-5", "max_tokens": 9, "messages": [ASKED]}
        del body[name]
        request = Request("POST", "/v1/messages", body=body)
        assert rejection(request, Conversation([ASKED], None, threaded=False)) == f"{name}: this field is required"


PARAMS = {"model": "claude-opus-5-5", "max_tokens": 64}


def test_a_refused_request_is_a_400_and_takes_no_answer():
    with FakeMessages([text("Hi")]) as fake:
        with pytest.raises(anthropic.BadRequestError) as refusal:
            fake.client().messages.create(**PARAMS, messages=[ASKED, assistant(), user("Well?")])
        assert refusal.value.body["error"]["type"] == "invalid_request_error"
        assert (fake.remaining, len(fake.requests)) == (1, 1)


def test_it_can_be_switched_off():
    messages = [ASKED, assistant(), user("Well?")]
    with FakeMessages([text("1"), text("2")], strict=False) as fake:
        assert fake.client().messages.create(**PARAMS, messages=messages).content[0].text == "1"
        fake.strict = True
        with pytest.raises(anthropic.BadRequestError):
            fake.client().messages.create(**PARAMS, messages=messages)


@pytest.mark.parametrize(
    "answer",
    [
        text("Hi"),
        tool_use("f") + tool_use("g"),
        text("Wait.") + tool_use("f"),
        truncated_tool_use("f", {"a": 1}),
        pause("x"),
        web_search("x") + text("So."),
        web_search("x", answered=False) + tool_use("f"),
    ],
)
def test_the_documented_follow_up_is_accepted_for_every_answer(answer):
    """Echo the turn unchanged, answer its client tools, and otherwise add what the user says next."""
    tools = [*SEARCH, *({"name": name, "input_schema": {"type": "object"}} for name in "fg")]
    with FakeMessages([answer, text("End")]) as fake:
        client = fake.client()
        reply = client.messages.create(**PARAMS, tools=tools, messages=[ASKED])
        results = [result(block.id) for block in reply.content if block.type == "tool_use"]
        messages = [ASKED, {"role": "assistant", "content": reply.content}]
        if results or reply.stop_reason != "pause_turn":
            messages.append(user(*results) if results else user("Go on"))
        client.messages.create(**PARAMS, tools=tools, messages=messages)
        fake.verify()


def test_the_documented_remedy_for_an_empty_turn_is_accepted():
    tools = [{"name": "f", "input_schema": {"type": "object"}}]
    with FakeMessages([tool_use("f", id="a"), empty(), text("42")]) as fake:
        client = fake.client()
        messages = [ASKED]
        reply = client.messages.create(**PARAMS, tools=tools, messages=messages)
        messages += [{"role": "assistant", "content": reply.content}, user(result("a"))]
        reply = client.messages.create(**PARAMS, tools=tools, messages=messages)
        assert (reply.stop_reason, reply.content) == ("end_turn", [])
        messages.append(user("Please go on."))
        assert client.messages.create(**PARAMS, tools=tools, messages=messages).content[0].text == "42"
