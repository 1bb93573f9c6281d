"""`stoplint calls`: every request, what it can end with, and who asks."""

from __future__ import annotations

import json

import pytest

from stoplint.check import engine

HERE = """import anthropic

client = anthropic.Anthropic()


def ask(messages):
    reply = client.messages.create(model="claude-sonnet-5-5", max_tokens=900, messages=messages)
    if reply.stop_reason == "max_tokens":
        raise RuntimeError("cut")
    return "".join(block.text for block in reply.content)


def show(messages):
    with client.messages.stream(model="claude-haiku-5-5", max_tokens=10, messages=messages) as stream:
        for text in stream.text_stream:
            print(text)


def warm(**options):
    client.messages.create(**options)
"""

SEND = """import anthropic


def send(client, messages):
    return client.messages.create(model="m", max_tokens=5, messages=messages)


def cut(message):
    return message.stop_reason == "max_tokens"
"""

USE = """from send import cut, send


def careful(client, messages):
    reply = send(client, messages)
    if cut(reply):
        raise RuntimeError("cut")
    return reply.content[0].text


def careless(client, messages):
    return send(client, messages).content[0].text
"""


@pytest.fixture
def calls(stoplint, write):
    def run(**files):
        for name, text in files.items():
            write(f"{name}.py", text)
        done = stoplint("calls", "--no-cache", "--output-format", "json")
        assert (done.code, done.err) == (0, "")
        return json.loads(done.out)

    return run


def handling(call):
    return {one["reason"]: one["handling"] for one in call["reasons"]}


def test_each_request_says_what_becomes_of_its_reasons(calls):
    asked, shown, warmed = calls(app=HERE)
    assert (asked["function"], asked["line"], asked["surface"], asked["stream"]) == ("ask", 7, "create", False)
    assert (asked["model"], asked["max_tokens"], asked["tools"]) == ("claude-sonnet-5-5", 900, False)
    assert handling(asked)["max_tokens"] == "named"
    assert handling(asked)["refusal"] == "looked_at"
    assert [(one["function"], one["relation"], one["line"]) for one in asked["readers"]] == [("ask", "here", 8)]
    assert (shown["surface"], shown["stream"], shown["handling"]) == ("stream", True, "ignored")
    assert shown["ignored_by"] == ["show"]
    assert warmed["handling"] == "unused"
    assert {one["reason"]: one["certain"] for one in warmed["reasons"]}["tool_use"] is False


def test_what_callers_and_helpers_do_counts(calls):
    (call,) = calls(send=SEND, use=USE)
    assert call["path"] == "send.py"
    assert handling(call)["max_tokens"] == "named"
    assert [(one["function"], one["relation"]) for one in call["readers"]] == [("cut", "helper")]
    assert call["ignored_by"] == ["careless"]


def test_people_get_a_table_of_80_columns(stoplint, write):
    write("app.py", HERE)
    lines = stoplint("calls", "--no-cache").out.splitlines()
    assert lines[:6] == [
        "app.py:7 ask",
        "  request     create, claude-sonnet-5-5, max_tokens 900",
        "  named       max_tokens",
        "  looked at   end_turn, refusal, model_context_window_exceeded",
        "  asked       here",
        "",
    ]
    assert lines[-1] == "3 requests; stop reason named by 1, ignored by 1, unused by 1"
    assert max(map(len, lines)) <= 80


def test_no_requests_are_no_error(stoplint, write):
    write("app.py", "x = 1\n")
    assert stoplint("calls", "--no-cache").out == "No requests\n"
    assert json.loads(stoplint("calls", "--no-cache", "--output-format", "json").out) == []


def test_files_decide_alone_what_is_listed_and_the_project_what_they_mean(stoplint, write):
    write("stoplint.toml", "")
    write("send.py", SEND)
    write("use.py", USE)
    listed = json.loads(stoplint("calls", "--no-cache", "--output-format", "json", "send.py").out)
    assert [call["ignored_by"] for call in listed] == [["careless"]]
    assert stoplint("calls", "--no-cache", "use.py").out == "No requests\n"


def test_nothing_to_look_at(stoplint):
    assert stoplint("calls").code == 3
    assert stoplint("calls", "no/such").code == 2
    assert engine.requests((), project=(), settings_of=lambda _: None, options=engine.Options()) == ()
