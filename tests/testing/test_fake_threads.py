"""Message threads and batches: what the fake holds between requests."""

from __future__ import annotations

import anthropic
import pytest

from stoplint.testing import FakeMessages, error, pause, refusal, text, tool_use

PARAMS = {"model": "claude-opus-5-5", "max_tokens": 64}
CREATE = {"thread": {"type": "create"}}
SEARCH = [{"type": "web_search_20250305", "name": "web_search"}]


def ask(fake, *messages, **params):
    """One beta request; `thread` goes into the body by hand, so that the test is the one who says what it continues."""
    body = {"thread": params.pop("thread")} if "thread" in params else {}
    asked = [
        {"role": "user", "content": message} if isinstance(message, (str, list)) else message for message in messages
    ]
    return fake.client().beta.messages.create(**PARAMS, messages=asked, extra_body=body, **params)


def after(reply):
    return {"type": "continue", "previous_message_id": reply.id}


def test_a_thread_goes_on_where_it_was(fake_messages):
    fake_messages.add(tool_use("f", id="a"), text("42"))
    first = ask(fake_messages, "Hello", **CREATE)
    with pytest.raises(anthropic.BadRequestError, match="no tool_result for tool_use a"):
        ask(fake_messages, "What?", thread=after(first))
    answer = [{"type": "tool_result", "tool_use_id": "a", "content": "42"}]
    assert ask(fake_messages, answer, thread=after(first)).stop_reason == "end_turn"


def test_a_pause_is_resumed_with_no_messages_and_the_threads_tools(fake_messages):
    fake_messages.add(pause("x", answered=False), text("So."))
    first = ask(fake_messages, "Hello", **CREATE, tools=SEARCH)
    assert ask(fake_messages, thread=after(first)).content[0].text == "So."


def test_a_thread_keeps_its_tools(fake_messages):
    fake_messages.add(text("1"))
    first = ask(fake_messages, "Hello", **CREATE)
    with pytest.raises(anthropic.BadRequestError, match="tools: a thread keeps"):
        ask(fake_messages, "And?", thread=after(first), tools=SEARCH)


@pytest.mark.parametrize("lose", ["unknown", "forgotten", "refused", "no thread"])
def test_threads_that_are_not_there(fake_messages, lose):
    fake_messages.add(refusal() if lose == "refused" else text("1"))
    first = ask(fake_messages, "Hello", **({} if lose == "no thread" else CREATE))
    thread = after(first)
    if lose == "unknown":
        thread["previous_message_id"] = "msg_other"
    if lose == "forgotten":
        fake_messages.forget_threads()
    with pytest.raises(anthropic.NotFoundError) as missing:
        ask(fake_messages, "And?", thread=thread)
    assert missing.value.body["error"]["details"]["error_code"] == "thread_not_found"


def test_a_reply_is_continued_once(fake_messages):
    fake_messages.add(text("1"), text("2"))
    first = ask(fake_messages, "Hello", **CREATE)
    ask(fake_messages, "And?", thread=after(first))
    with pytest.raises(anthropic.BadRequestError) as taken:
        ask(fake_messages, "Or?", thread=after(first))
    assert taken.value.body["error"]["details"]["error_code"] == "thread_already_continued"


def item(name, **params):
    return {"custom_id": name, "params": {**PARAMS, "messages": [{"role": "user", "content": "Hello"}], **params}}


def test_batch_items_take_answers_in_order_and_are_checked_one_by_one():
    with FakeMessages([text("1"), error(529), {"type": "expired"}, refusal("bio")]) as fake:
        batches = fake.client().messages.batches
        batch = batches.create(requests=[item("a"), item("b"), item("bad", messages=[]), item("c"), item("d")])
        assert batch.request_counts.processing == 5
        results = {line.custom_id: line.result for line in batches.results(batch.id)}
        ended = batches.retrieve(batch.id)
        fake.verify()
    assert {name: one.type for name, one in results.items()} == {
        "a": "succeeded",
        "b": "errored",
        "bad": "errored",
        "c": "expired",
        "d": "succeeded",
    }
    assert results["d"].message.stop_reason == "refusal"
    assert results["bad"].error.error.type == "invalid_request_error"
    counts = ended.request_counts
    assert (counts.succeeded, counts.errored, counts.expired, counts.canceled, counts.processing) == (2, 2, 1, 0, 0)


def test_a_batch_has_no_results_before_it_ended(fake_messages):
    fake_messages.add(text("1"))
    batch = fake_messages.client().messages.batches.create(requests=[item("a")])
    assert (batch.processing_status, batch.results_url, batch.ended_at) == ("in_progress", None, None)


def test_unknown_batches_and_bodies_without_items(fake_messages):
    batches = fake_messages.client().messages.batches
    with pytest.raises(anthropic.NotFoundError):
        batches.retrieve("msgbatch_other")
    for requests in ([], [{"custom_id": "a"}]):
        with pytest.raises(anthropic.BadRequestError, match="custom_id, params"):
            batches.create(requests=requests)
