"""The order of answers, and what becomes of a script that does not fit its program."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import anthropic
import pytest

from stoplint.testing import FakeMessages, Request, error, text, truncated

PARAMS = {"model": "claude-opus-5-5", "max_tokens": 64, "messages": [{"role": "user", "content": "Hello"}]}


def ask(fake, **params):
    return fake.client().messages.create(**PARAMS | params)


def said(message):
    return message.content[0].text


def test_answers_come_in_order_and_can_be_added_to():
    with FakeMessages([text("1"), text("2")]) as fake:
        assert [said(ask(fake)), said(ask(fake))] == ["1", "2"]
        fake.add(text("3"), text("4"))
        assert fake.remaining == 2
        assert said(ask(fake)) == "3"


def test_beyond_its_end_a_script_answers_500_once_and_fails_the_test():
    with FakeMessages([text("1")]) as fake:
        ask(fake)
        with pytest.raises(anthropic.InternalServerError, match="the script is used up: after 1 answer"):
            ask(fake)
        assert len(fake.requests) == 2  # the SDK did not retry
        with pytest.raises(AssertionError, match=r"after 1 answer\(s\) came POST /v1/messages"):
            fake.verify()


def test_repeat_last():
    with FakeMessages([text("1"), text("2")], repeat_last=True) as fake:
        assert [said(ask(fake)) for _ in range(4)] == ["1", "2", "2", "2"]
        fake.add(text("3"))
        assert [said(ask(fake)) for _ in range(2)] == ["3", "3"]
        fake.verify()


def test_repeat_last_of_nothing_is_used_up():
    with FakeMessages(repeat_last=True) as fake, pytest.raises(anthropic.InternalServerError, match="after 0 answer"):
        ask(fake)


def test_left_over_answers_fail_the_test_unless_allowed():
    with FakeMessages([text("1"), text("2")]) as fake:
        ask(fake)
        with pytest.raises(AssertionError, match=r"1 scripted answer\(s\) were never asked for, after 1 request"):
            fake.verify()
        fake.allow_unused = True
        fake.verify()


def test_a_function_sees_the_request_and_may_return_another_function():
    def by_limit(request: Request):
        return truncated("sh") if request.body["max_tokens"] < 10 else lambda again: text(again.model)

    with FakeMessages(by_limit) as fake:
        assert ask(fake, max_tokens=5).stop_reason == "max_tokens"
        assert said(ask(fake)) == "claude-opus-5-5"
        fake.verify()


def test_a_function_among_answers_is_used_once():
    with FakeMessages([lambda request: text("f"), text("2")]) as fake:
        assert [said(ask(fake)), said(ask(fake))] == ["f", "2"]
        assert fake.remaining == 0


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (lambda request: 1 / 0, "division by zero"),
        (lambda request: None, "None is not an answer"),
        ("Hello", "Hello.* is not an answer: use the builders"),
        ({"usage": {"nonsense": object()}}, "cannot be answered"),
    ],
)
def test_entries_that_are_no_answer_fail_the_test(entry, problem):
    with FakeMessages([entry]) as fake:
        with pytest.raises(anthropic.InternalServerError, match=problem):
            ask(fake)
        assert len(fake.requests) == 1
        with pytest.raises(AssertionError, match=problem):
            fake.verify()


def test_a_raw_message_fills_in_what_it_lacks():
    with FakeMessages([{"content": [{"type": "text", "text": "raw"}], "id": "msg_mine", "stop_reason": None}]) as fake:
        message = ask(fake)
    assert (said(message), message.id, message.stop_reason, message.role) == ("raw", "msg_mine", None, "assistant")


def test_errors_are_the_sdks_exceptions():
    with FakeMessages(
        [error(429), error(529, message="busy"), error(402, "billing_error", headers={"x-note": "1"})]
    ) as fake:
        client = fake.client(max_retries=0)
        with pytest.raises(anthropic.RateLimitError):
            client.messages.create(**PARAMS)
        with pytest.raises(anthropic.APIStatusError, match="busy") as overloaded:
            client.messages.create(**PARAMS)
        assert overloaded.value.status_code == 529
        assert overloaded.value.body["error"]["type"] == "overloaded_error"
        with pytest.raises(anthropic.APIStatusError) as billing:
            client.messages.create(**PARAMS)
        assert billing.value.response.headers["x-note"] == "1"


def test_the_sdk_retries_without_waiting():
    with FakeMessages([error(529), error(500), text("at last")]) as fake:
        assert said(ask(fake)) == "at last"
        assert [request.headers["x-stainless-retry-count"] for request in fake.requests] == ["0", "1", "2"]


def test_concurrent_requests_share_a_script():
    count = 40
    with FakeMessages([text(str(number)) for number in range(count)]) as fake:
        client = fake.client()
        with ThreadPoolExecutor(16) as pool:
            messages = list(pool.map(lambda _: client.messages.create(**PARAMS), range(count)))
        fake.verify()
    assert sorted(int(said(message)) for message in messages) == list(range(count))
    assert len({message.id for message in messages}) == count
    assert len(fake.requests) == count


def test_a_refused_request_is_named_when_its_answer_is_left_over():
    with FakeMessages([text("1")]) as fake:
        with pytest.raises(anthropic.BadRequestError):
            ask(fake, messages=[])
        with pytest.raises(AssertionError, match=r"never asked for.*request 1 was refused with .*at least one message"):
            fake.verify()


def test_it_can_be_closed_twice_and_read_afterwards():
    fake = FakeMessages([text("1")])
    client = fake.client(max_retries=0)
    client.messages.create(**PARAMS)
    fake.close()
    fake.close()
    assert len(fake.requests) == 1
    with pytest.raises(anthropic.APIConnectionError):
        client.messages.create(**PARAMS)
