"""Small programs, most of them twice: as they go wrong, and nearly so.  Each says what is found in which function."""

from __future__ import annotations

import textwrap

import pytest

from stoplint.check.judge import Judge
from stoplint.check.lower import lower_module
from stoplint.check.program import Program
from stoplint.check.solve import solve, survey

HEAD = """
import re
import time

import anthropic
from anthropic.types import Message, TextBlock, ToolUseBlock

client = anthropic.Anthropic()

def send(question, **more):
    options = {"model": "m", "max_tokens": 500, **more}
    return client.messages.create(messages=[{"role": "user", "content": question}], **options)

def joined(r):
    return "".join(b.text for b in r.content if b.type == "text")
"""

RETRY = """
def ask(messages):
    for _ in range(3):
        r = client.messages.create(model="m", max_tokens=500, messages=messages)
        if r.stop_reason == "max_tokens":
            raise RuntimeError
        text = joined(r)
        {0}
        if found:
            return text
    return None
"""

GATHERED = """
def ask(messages):
    for _ in range(3):
        r = client.messages.create(model="m", max_tokens=500, messages=messages)
        if r.stop_reason == "max_tokens":
            raise RuntimeError
        text = ""
        for b in r.content:
            if b.type == "text":
                {0}
        if text:
            return text
    return None
"""

RECURSION = """
def ask(question, tries=3):
    messages = [{{"role": "user", "content": question}}]
    r = client.messages.create(model="m", max_tokens=500, messages=messages)
    if r.stop_reason == "max_tokens":
        raise RuntimeError
    text = joined(r)
    if not text and tries:
        return ask({0}, tries - 1)
    return text
"""

CLAMPED = """
def ask(question, limit=None):
    {0}
    for _ in range(3):
        r = client.messages.create(model="m", max_tokens=limit, messages=[{{"role": "user", "content": question}}])
        if r.stop_reason == "max_tokens":
            {1}
            continue
        return r
    return None
"""

EVENTS = """
def events(question):
    {0}

def show(question):
    for event in events(question):
        if event.type == "content_block_delta" and event.delta.type == "text_delta":
            print(event.delta.text, end="")
        {1}
"""

SOURCE = 'client.messages.create(model="m", max_tokens=500, messages=question, stream=True)'

CASES: dict[str, tuple[str, set[tuple[str, str]]]] = {
    # an answer is empty where its text is, and not where what was looked for in it is not there
    "empty text": (RETRY.format("found = text"), {("SL203", "ask")}),
    "empty but for blanks": (RETRY.format("found = text.strip()"), {("SL203", "ask")}),
    "text of another beginning": (RETRY.format('found = text.startswith("{")'), set()),
    "text that is no number": (RETRY.format("found = text.strip().isdigit()"), set()),
    "text without a mark": (RETRY.format('found = text.find("x") + 1'), set()),
    "a part of the text": (RETRY.format('found = text.split("---")[1]'), set()),
    "a slice of the text": (RETRY.format("found = text[3:7]"), set()),
    "what is behind a mark": (RETRY.format('_, _, found = text.partition("---")'), set()),
    "some of the texts": (RETRY.format('found = "".join(b.text for b in r.content if "x" in b.text)'), set()),
    "those of the texts that are kept in a list": (
        RETRY.format('found = "".join([b.text for b in r.content if b.citations])'),
        set(),
    ),
    "text gathered in a loop": (GATHERED.format("text += b.text"), {("SL203", "ask")}),
    "some of the text in a loop": (
        GATHERED.format('if b.text.startswith("{"):\n                    text += b.text'),
        set(),
    ),
    "text of another loop": (
        GATHERED.format("pass").replace(
            "if text:", 'for line in open("f"):\n            text += line\n        if text:'
        ),
        set(),
    ),
    # what is asked again
    "recursion": (RECURSION.format("question"), {("SL203", "ask")}),
    "recursion with more words": (RECURSION.format('question + " Please answer."'), set()),
    "recursion with other words": (RECURSION.format("input()"), set()),
    "a helper that is asked something else each time": (
        """
        def talk():
            while True:
                try:
                    r = send(input())
                    print(r.stop_reason, r.content[0].text)
                except Exception as error:
                    print(error)
        """,
        set(),
    ),
    "a helper that is asked the same each time": (
        """
        def talk(question):
            while True:
                try:
                    r = send(question)
                    return (r.stop_reason, r.content[0].text)
                except Exception as error:
                    print(error)
        """,
        {("SL203", "talk")},
    ),
    "a limit that an if fills in": (
        CLAMPED.format("if limit is None:\n        limit = 1024", "pass"),
        {("SL207", "ask")},
    ),
    "a limit that is cut down": (CLAMPED.format("if limit > 4096:\n        limit = 4096", "pass"), {("SL207", "ask")}),
    "a limit that grows": (CLAMPED.format("if limit is None:\n        limit = 1024", "limit = limit * 2"), set()),
    "a limit that is another one": (
        CLAMPED.format("if limit is None:\n        limit = 1024", "if limit < 9000:\n                limit = 9000"),
        set(),
    ),
    # events that a generator gives
    "a generator of events": (EVENTS.format(f"for e in {SOURCE}:\n        yield e", "pass"), {("SL101", "show")}),
    "a generator that hands on a stream": (EVENTS.format(f"yield from {SOURCE}", "pass"), {("SL101", "show")}),
    "a generator within a with": (
        EVENTS.format(f"with {SOURCE} as s:\n        yield from s", "pass"),
        {("SL101", "show")},
    ),
    "a generator whose caller looks": (
        EVENTS.format(
            f"yield from {SOURCE}", 'if event.type == "message_delta":\n            print(event.delta.stop_reason)'
        ),
        set(),
    ),
    # patterns
    "a class pattern": (
        """
        def first(question):
            match send(question):
                case Message(content=[block, *_]):
                    return block.text
        """,
        {("SL101", "first")},
    ),
    "a class pattern with the reason": (
        """
        def first(question):
            match send(question):
                case Message(stop_reason="end_turn", content=[block, *_]):
                    return block.text
                case Message(stop_reason=other):
                    raise RuntimeError(other)
        """,
        set(),
    ),
    "a pattern of the content": (
        """
        def first(question):
            match send(question).content:
                case [TextBlock(text=text)]:
                    return text
                case []:
                    return None
                case _:
                    raise RuntimeError
        """,
        {("SL101", "first")},
    ),
    # the reason where there is no text
    "the reason in place of the text": (
        """
        def text_of(question):
            r = send(question)
            if r.stop_reason == "refusal":
                raise RuntimeError
            return joined(r) or f"nothing: {r.stop_reason}"
        """,
        {("SL102", "text_of")},
    ),
    "the reason beside the text": (
        """
        def text_of(question):
            r = send(question)
            if r.stop_reason == "refusal":
                raise RuntimeError
            return (joined(r) or "nothing", r.stop_reason)
        """,
        set(),
    ),
    "all of the answer in a text": (
        """
        def show(question):
            r = send(question)
            fields = ", ".join(f"{name}: {val}" for name, val in r.model_dump().items())
            return joined(r) + fields
        """,
        set(),
    ),
    "some of the answer in a text": (
        """
        def show(question):
            r = send(question)
            fields = ", ".join(f"{name}: {val}" for name, val in r.model_dump().items() if name not in ("stop_reason",))
            return joined(r) + fields
        """,
        {("SL101", "show")},
    ),
    # whose blocks are told apart by the SDK's classes is an answer
    "blocks of a class": (
        """
        def run(r, tools):
            for block in r.content:
                if isinstance(block, ToolUseBlock):
                    tools[block.name](**block.input)
        """,
        {("SL103", "run")},
    ),
    "blocks of a class behind a look": (
        """
        def run(r, tools):
            if r.stop_reason != "tool_use":
                return
            for block in r.content:
                if isinstance(block, ToolUseBlock):
                    tools[block.name](**block.input)
        """,
        set(),
    ),
    "blocks of a class of somebody else's": (
        """
        from framework import ToolUseBlock as Call

        def run(r, tools):
            for block in r.content:
                if isinstance(block, Call):
                    tools[block.name](**block.input)
        """,
        set(),
    ),
}


LEFT = """
import os, sys
from typing import NoReturn
import pytest
from flask import abort

def fail(why):
    print(why)
    raise RuntimeError(why)

def fail_by_another(why):
    if why:
        fail(why)
    else:
        sys.exit(2)

def die(why) -> NoReturn:
    somebody_elses(why)

def perhaps(why):
    if why:
        raise RuntimeError

def gives_up(why):
    for _ in why:
        return
    raise RuntimeError

class Asker:
    def fail(self, why):
        raise ValueError(why)

    def stop(self, why):
        raise NotImplementedError

    def ask(self, question, parser=None):
        r = send(question)
        if r.stop_reason != "end_turn":
            {0}
        return joined(r)
"""


@pytest.mark.parametrize(
    "call",
    [
        "sys.exit(1)",
        "exit('cut')",
        "os._exit(1)",
        "pytest.fail('cut')",
        "abort(502)",
        "parser.error('cut')",
        "self.fail('cut')",
        "fail('cut')",
        "fail_by_another('cut')",
        "die('cut')",
    ],
)
def test_a_call_that_does_not_come_back(call: str) -> None:
    assert found(LEFT.format(call)) == set()


@pytest.mark.parametrize(
    "call",
    ["notify('cut')", "self.stop('cut')", "perhaps('cut')", "gives_up('cut')", "self.parse('cut')", "unknown('cut')"],
)
def test_a_call_that_may_come_back(call: str) -> None:
    assert found(LEFT.format(call)) == {("SL102", "Asker.ask")}


@pytest.mark.parametrize("handler", ["BaseException", "SystemExit"])
def test_who_catches_an_exit(handler: str) -> None:
    code = f"""
        import sys

        def ask(question):
            r = send(question)
            try:
                if r.stop_reason != "end_turn":
                    sys.exit(1)
            except {handler}:
                pass
            return joined(r)
        """
    assert found(code) == {("SL102", "ask")}


@pytest.mark.parametrize("name", CASES)
def test_what_is_found(name: str) -> None:
    code, expected = CASES[name]
    assert found(code) == expected


def found(code: str) -> set[tuple[str, str]]:
    """The findings of the default profile: code and function."""
    program = Program([lower_module(HEAD + textwrap.dedent(code), name="m", path="m.py", is_package=False)])
    findings = Judge(program).findings(solve(program, survey(program)))
    return {(one.code, one.function) for one in findings if one.profile == "default"}
