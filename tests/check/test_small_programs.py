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

ANOTHER = """
class Asker:
    def __init__(self):
        self.limit = 1000
        self.asked = 0

    def more(self):
        self.limit *= 2

    def count(self):
        self.asked += 1

    def ask(self, question):
        for _ in range(3):
            r = client.messages.create(
                model="m", max_tokens=self.limit, messages=[{{"role": "user", "content": question}}]
            )
            if r.stop_reason != "max_tokens":
                return r
            {0}
        return None
"""

BLOCKS = """
def ask(blocks, others):
    blocks = [{{"type": "text", "text": "Sum up."}}]
    others = []
    for _ in range(3):
        r = client.messages.create(model="m", max_tokens=500, messages=[{{"role": "user", "content": blocks}}])
        if r.stop_reason != "max_tokens":
            return r
        {0}
    return None
"""

CALLS = """
def turn(messages, tools, run):
    r = client.messages.create(model="m", max_tokens=500, messages=messages, tools=tools)
    if r.stop_reason != "tool_use":
        return r
    calls = [b for b in r.content if b.type == "tool_use"]
    {0}
    messages += [
        {{"role": "assistant", "content": r.content}},
        {{"role": "user", "content": [{{"type": "tool_result", "tool_use_id": {1}.id, "content": run({1})}}]}},
    ]
    return None
"""

HISTORY = """
class Agent:
    def __init__(self, tools):
        self.history = []
        self.tools = tools

    def step(self):
        n = len(self.history)
        r = client.messages.create(model="m", max_tokens=500, messages=self.history, tools=self.tools)
        if r.stop_reason != "tool_use":
            return r
        results = []
        self.history.append({{"role": "assistant", "content": r.content}})
        try:
            for b in r.content:
                if b.type == "tool_use":
                    results.append({{"type": "tool_result", "tool_use_id": b.id, "content": self.tools[b.name](**b.input)}})
            self.history.append({{"role": "user", "content": results}})
        {0}
"""

AFTER = """
import sys

def never(*ignored):
    raise RuntimeError

async def later():
    raise RuntimeError

def ask(question):
    {0}
    r = send(question)
    return joined(r)
"""

TEXTS = """
def text_of(question):
    r = send(question)
    if r.stop_reason != "end_turn":
        raise RuntimeError
    return joined(r)

def ask(question):
    for _ in range(3):
        text = text_of(question)
        {0}
    return None
"""

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
    # many answers
    "a filtered comprehension": (
        """
        def texts(questions):
            answers = [send(question) for question in questions]
            return [joined(r) for r in answers if r.stop_reason == "end_turn"]
        """,
        set(),
    ),
    "a comprehension filtered by something else": (
        """
        def texts(questions):
            answers = [send(question) for question in questions]
            assert answers[0].stop_reason != "refusal"
            return [joined(r) for r in answers if r.usage]
        """,
        {("SL102", "texts")},
    ),
    "a filter by a function": (
        """
        def complete(r):
            return r.stop_reason == "end_turn"

        def texts(questions):
            return [joined(r) for r in filter(complete, [send(question) for question in questions])]
        """,
        set(),
    ),
    "a filter by nothing": (
        """
        def texts(questions):
            return [joined(r) for r in filter(None, [send(question) for question in questions])]
        """,
        {("SL101", "texts")},
    ),
    "a loop that refuses": (
        """
        def texts(questions):
            answers = [send(question) for question in questions]
            for r in answers:
                if r.stop_reason != "end_turn":
                    raise RuntimeError
            return [joined(r) for r in answers]
        """,
        set(),
    ),
    "a loop that asks something else": (
        """
        def texts(questions):
            answers = [send(question) for question in questions]
            for r in answers:
                if r.stop_reason == "refusal":
                    raise RuntimeError
            return [joined(r) for r in answers]
        """,
        {("SL102", "texts")},
    ),
    "those that are complete are kept": (
        """
        def texts(questions):
            kept = []
            for question in questions:
                r = send(question)
                if r.stop_reason != "end_turn":
                    continue
                kept.append(r)
            return [joined(r) for r in kept]
        """,
        set(),
    ),
    "those that are not refused are kept by question": (
        """
        def texts(questions):
            kept = {}
            for question in questions:
                r = send(question)
                if r.stop_reason != "refusal":
                    kept[question] = r
            return {question: joined(r) for question, r in kept.items()}
        """,
        {("SL102", "texts")},
    ),
    "texts of complete answers are collected": (
        """
        def texts(questions):
            found, whole = [], ""
            for question in questions:
                r = send(question)
                if r.stop_reason != "end_turn":
                    continue
                found.append(joined(r))
                whole += joined(r)
            return found, whole
        """,
        set(),
    ),
    "texts of any answers are collected": (
        """
        def texts(questions):
            found = []
            for question in questions:
                r = send(question)
                if r.stop_reason == "refusal":
                    continue
                found.append(joined(r))
            return found
        """,
        {("SL102", "texts")},
    ),
    "texts are collected, and thrown away before the next attempt": (
        """
        def text_of(question):
            while True:
                r = send(question)
                parts = []
                for b in r.content:
                    parts.append(b.text)
                if r.stop_reason != "end_turn":
                    question = question + "?"
                    continue
                return parts
        """,
        set(),
    ),
    "reasons in a collection": (
        """
        def texts(questions):
            answers = [send(question) for question in questions]
            if {r.stop_reason for r in answers} != {"end_turn"}:
                raise RuntimeError
            return [joined(r) for r in answers]
        """,
        set(),
    ),
    "reasons one after the other": (
        """
        def both(one, two):
            a, b = send(one), send(two)
            if a.stop_reason == b.stop_reason == "end_turn":
                return joined(a), joined(b)
            raise RuntimeError
        """,
        set(),
    ),
    "grouped by reason": (
        """
        from collections import defaultdict

        def grouped(questions):
            groups = defaultdict(list)
            for question in questions:
                r = send(question)
                groups[r.stop_reason].append(joined(r))
            return groups
        """,
        set(),
    ),
    "futures that are keys": (
        """
        from concurrent.futures import ThreadPoolExecutor, as_completed

        def texts(questions):
            with ThreadPoolExecutor() as pool:
                futures = {pool.submit(send, question): question for question in questions}
                for future in as_completed(futures):
                    print(futures[future], joined(future.result()))
        """,
        {("SL101", "texts")},
    ),
    # where others see it
    "a nonlocal name": (
        """
        def show(question):
            stop = None

            def pieces():
                nonlocal stop
                with client.messages.stream(model="m", max_tokens=9, messages=question) as stream:
                    yield from stream.text_stream
                    stop = stream.get_final_message().stop_reason

            for piece in pieces():
                print(piece)
            return stop
        """,
        set(),
    ),
    "a global name": (
        """
        def ask(question):
            global last
            r = send(question)
            last = r.stop_reason
            return joined(r)
        """,
        set(),
    ),
    "a global name for something else": (
        """
        def ask(question):
            global last
            r = send(question)
            last = r.usage
            return joined(r)
        """,
        {("SL101", "ask")},
    ),
    "a wrapper that is written out": (
        """
        from pydantic import BaseModel

        class Reply(BaseModel):
            text: str
            stop_reason: str

        def ask(question, file):
            r = send(question)
            reply = Reply(text=joined(r), stop_reason=r.stop_reason)
            file.write(reply.model_dump_json())
            return reply.text
        """,
        set(),
    ),
    "a wrapper in a text": (
        """
        from dataclasses import dataclass

        @dataclass
        class Reply:
            text: str
            stop_reason: str

        def ask(question, file):
            r = send(question)
            reply = Reply(joined(r), r.stop_reason)
            file.write(f"{reply}")
            return reply.text
        """,
        set(),
    ),
    "a wrapper of which the text is shown": (
        """
        from dataclasses import dataclass

        @dataclass
        class Reply:
            text: str
            stop_reason: str

        def ask(question, file):
            r = send(question)
            reply = Reply(joined(r), r.stop_reason)
            file.write(f"{reply.text}")
        """,
        {("SL101", "ask")},
    ),
    "a dump that is spread": (
        """
        def ask(question):
            r = send(question)
            return {**r.model_dump(), "text": joined(r)}
        """,
        set(),
    ),
    "a batch item that is written out": (
        """
        def results(batch, file):
            for item in client.messages.batches.results(batch):
                file.write(item.model_dump_json())
                if item.result.type == "succeeded":
                    print(joined(item.result.message))
        """,
        set(),
    ),
    "a row that is unpacked": (
        """
        from typing import NamedTuple

        class Reply(NamedTuple):
            text: str
            stop_reason: str

        def reply(question):
            r = send(question)
            return Reply(joined(r), r.stop_reason)

        def show(question):
            text, _ = reply(question)
            print(text)
        """,
        {("SL101", "show")},
    ),
    "a row of which both are used": (
        """
        from typing import NamedTuple

        class Reply(NamedTuple):
            text: str
            stop_reason: str

        def reply(question):
            r = send(question)
            return Reply(joined(r), r.stop_reason)

        def show(question):
            text, reason = reply(question)
            print(text, reason)
        """,
        set(),
    ),
    "a stream on an exit stack": (
        """
        from contextlib import ExitStack

        def show(question):
            with ExitStack() as stack:
                stream = stack.enter_context(client.messages.stream(model="m", max_tokens=9, messages=question))
                for piece in stream.text_stream:
                    print(piece)
        """,
        {("SL101", "show")},
    ),
    "an object of a factory": (
        """
        class Provider:
            def __init__(self):
                self.client = anthropic.Anthropic()

            def ask(self, question):
                return self.client.messages.create(model="m", max_tokens=9, messages=question)

        def provider():
            return Provider()

        def show(question):
            print(joined(provider().ask(question)))
        """,
        {("SL101", "show")},
    ),
    "an object that an annotation names": (
        """
        class Provider:
            def __init__(self):
                self.client = anthropic.Anthropic()

            def ask(self, question):
                return self.client.messages.create(model="m", max_tokens=9, messages=question)

        def provider() -> Provider:
            return somewhere()

        class Chat:
            def __init__(self):
                self.provider = provider()

            def show(self, question):
                print(joined(self.provider.ask(question)))
        """,
        {("SL101", "Chat.show")},
    ),
    "the message of the last event": (
        """
        def show(question, span):
            with client.messages.stream(model="m", max_tokens=9, messages=question) as stream:
                for event in stream:
                    if event.type == "text":
                        print(event.text)
                    elif event.type == "message_stop":
                        span.set_attribute("answer", event.message.model_dump_json())
        """,
        set(),
    ),
    "the message of the first event": (
        """
        def show(question, span):
            with client.messages.stream(model="m", max_tokens=9, messages=question) as stream:
                for event in stream:
                    if event.type == "text":
                        print(event.text)
                    elif event.type == "message_start":
                        span.set_attribute("answer", event.message.model_dump_json())
        """,
        {("SL101", "show")},
    ),
    # a branch for answers that are not finished
    "what was set to a constant": (
        """
        def ask(question):
            r = send(question)
            status = 200
            if r.stop_reason != "end_turn":
                status = 502
            return joined(r), status
        """,
        set(),
    ),
    "what is said of an unfinished answer": (
        """
        def ask(question):
            r = send(question)
            if r.stop_reason != "end_turn":
                print("the answer is not complete")
            return joined(r)
        """,
        set(),
    ),
    "an unfinished answer that is shown as any other": (
        """
        def ask(question):
            r = send(question)
            if r.stop_reason == "refusal":
                raise RuntimeError
            if r.stop_reason != "end_turn":
                print(joined(r))
                return None
            return joined(r)
        """,
        {("SL102", "ask")},
    ),
    "one word or another": (
        """
        def ask(question):
            r = send(question)
            label = "answer" if r.stop_reason == "end_turn" else "partial"
            print(f"{label}: {joined(r)}")
        """,
        set(),
    ),
    # attempts
    "a loop that leaves in its last round": (
        """
        def ask(question, attempts=3):
            for attempt in range(attempts):
                r = client.messages.create(model="m", max_tokens=1000 * 2**attempt, messages=question)
                if r.stop_reason == "end_turn":
                    break
                if attempt == attempts - 1:
                    raise RuntimeError
            return joined(r)
        """,
        set(),
    ),
    "a loop that is left at its end": (
        """
        def ask(question, attempts=3):
            for attempt in range(attempts):
                r = client.messages.create(model="m", max_tokens=1000 * 2**attempt, messages=question)
                if r.stop_reason == "end_turn":
                    break
                if attempt == 1:
                    time.sleep(1)
            return joined(r)
        """,
        {("SL102", "ask")},
    ),
    # another request
    "words that are added": (ANOTHER.format("question += ' Be brief.'"), set()),
    "words of another function": (ANOTHER.format("question = shorter(question)"), set()),
    "a method that sets the limit": (ANOTHER.format("self.more()"), set()),
    "a method that sets something else": (ANOTHER.format("self.count()"), {("SL207", "Asker.ask")}),
    "a block that is added to the turn": (BLOCKS.format("blocks.append({'type': 'text', 'text': 'Be brief.'})"), set()),
    "a block that is added to another list": (
        BLOCKS.format("others.append({'type': 'text', 'text': 'Be brief.'})"),
        {("SL207", "ask")},
    ),
    "a variable that a closure sets": (
        """
        def ask(question):
            limit = 1000

            def more():
                nonlocal limit
                limit *= 2

            for _ in range(3):
                r = client.messages.create(model="m", max_tokens=limit, messages=question)
                if r.stop_reason != "max_tokens":
                    return r
                more()
        """,
        set(),
    ),
    "the partial answer goes along": (
        """
        def ask(question):
            text = ""
            for _ in range(3):
                messages = [{"role": "user", "content": question}]
                if text:
                    messages.append({"role": "assistant", "content": text})
                r = client.messages.create(model="m", max_tokens=500, messages=messages)
                text += joined(r)
                if r.stop_reason != "max_tokens":
                    return text, r.stop_reason
        """,
        set(),
    ),
    "an exception that tenacity leaves out": (
        """
        from tenacity import retry, retry_if_not_exception_type

        class Empty(Exception): ...

        @retry(retry=retry_if_not_exception_type(Empty))
        def ask(question):
            r = send(question)
            if r.stop_reason != "end_turn":
                raise SystemExit
            if not r.content:
                raise Empty
            return joined(r)
        """,
        set(),
    ),
    "a class of exceptions in a pattern": (
        """
        def ask(question):
            try:
                return send(question)
            except anthropic.APIError as error:
                match error:
                    case anthropic.APIStatusError(status_code=529):
                        return None
                    case anthropic.APIStatusError() as other if other.status_code == 429:
                        return None
                raise
        """,
        set(),
    ),
    "the same without a class": (
        """
        def ask(question):
            try:
                return send(question)
            except anthropic.APIError as error:
                if error.status_code == 529:
                    return None
                raise
        """,
        {("SL401", "ask")},
    ),
    # the calls of a turn
    "the first call of a list": (CALLS.format("call = calls[0]", "call"), {("SL210", "turn")}),
    "the first call of one": (CALLS.format("assert len(calls) == 1; call = calls[0]", "call"), set()),
    "a turn that is kept if there is one": (
        """
        def turns(messages, tools, run):
            while True:
                r = client.messages.create(model="m", max_tokens=500, messages=messages, tools=tools)
                if r.content:
                    messages.append({"role": "assistant", "content": r.content})
                if r.stop_reason != "tool_use":
                    return r
                results = [
                    {"type": "tool_result", "tool_use_id": b.id, "content": run(b)} for b in r.content if b.type == "tool_use"
                ]
                messages.append({"role": "user", "content": results})
        """,
        set(),
    ),
    "a prompt before a tool is run": (
        """
        def turn(r, run):
            for b in r.content:
                if isinstance(b, ToolUseBlock):
                    input(f"run {b.name}({b.input})?")
        """,
        set(),
    ),
    "a pattern of one block": (
        """
        def first(question):
            r = send(question)
            match r.content:
                case []:
                    raise RuntimeError
                case [one]:
                    raise RuntimeError(one.type)
            return joined(r)
        """,
        {("SL101", "first")},
    ),
    "calls that are parted and all answered": (
        """
        def turn(messages, tools):
            r = client.messages.create(model="m", max_tokens=500, messages=messages, tools=tools)
            if r.stop_reason != "tool_use":
                return r
            known = [b for b in r.content if b.type == "tool_use" and b.name in tools]
            others = [b for b in r.content if b.type == "tool_use" and b.name not in tools]
            results = []
            for b in known:
                results.append({"type": "tool_result", "tool_use_id": b.id, "content": tools[b.name](b.input)})
            for b in others:
                results.append({"type": "tool_result", "tool_use_id": b.id, "content": "unknown", "is_error": True})
            messages += [{"role": "assistant", "content": r.content}, {"role": "user", "content": results}]
        """,
        set(),
    ),
    "only the calls that are known are answered": (
        """
        def turn(messages, tools):
            r = client.messages.create(model="m", max_tokens=500, messages=messages, tools=tools)
            if r.stop_reason != "tool_use":
                return r
            known = [b for b in r.content if b.type == "tool_use" and b.name in tools]
            results = []
            for b in known:
                results.append({"type": "tool_result", "tool_use_id": b.id, "content": tools[b.name](b.input)})
            messages += [{"role": "assistant", "content": r.content}, {"role": "user", "content": results}]
        """,
        {("SL210", "turn")},
    ),
    "a history that is put right": (
        HISTORY.format("except BaseException:\n            del self.history[n:]\n            raise"),
        set(),
    ),
    "a history that is put right in the end": (
        HISTORY.format("finally:\n            self.history.append({'role': 'user', 'content': results})"),
        set(),
    ),
    "a history that stays as it is": (
        HISTORY.format("except BaseException as error:\n            print(error)\n            raise"),
        {("SL210", "Agent.step")},
    ),
    "a dict that later events complete": (
        """
        def final(question):
            for event in client.messages.create(model="m", max_tokens=9, messages=question, stream=True):
                data = event.model_dump()
                if data["type"] == "message_start":
                    whole = data["message"]
                elif data["type"] == "message_delta":
                    whole.update(data["delta"])
            return whole["stop_reason"], whole["content"]
        """,
        set(),
    ),
    "a dict that nothing completes": (
        """
        def final(question):
            for event in client.messages.create(model="m", max_tokens=9, messages=question, stream=True):
                data = event.model_dump()
                if data["type"] == "message_start":
                    whole = data["message"]
            return whole["stop_reason"]
        """,
        {("SL301", "final")},
    ),
    "one variable for reasons and errors": (
        """
        def outcome(question):
            try:
                found = send(question).stop_reason
            except anthropic.RateLimitError:
                found = "rate_limit_error"
            return found == "rate_limit_error"
        """,
        set(),
    ),
    "a function for two vendors": (
        """
        def is_cut(reason):
            return reason in ("max_tokens", "length")

        def ask(question):
            r = send(question)
            if is_cut(r.stop_reason) or r.stop_reason != "end_turn":
                raise RuntimeError
            return joined(r)
        """,
        set(),
    ),
    "a function for a word that is none": (
        """
        def is_cut(reason):
            return reason in ("max_token", "length")

        def ask(question):
            r = send(question)
            if is_cut(r.stop_reason) or r.stop_reason != "end_turn":
                raise RuntimeError
            return joined(r)
        """,
        {("SL105", "is_cut")},
    ),
    "words of three vendors": (
        """
        CUT = ("length", "max_tokens", "MAX_TOKENS", "content_filter")

        def ask(question):
            r = send(question)
            if r.stop_reason in CUT or r.stop_reason != "end_turn":
                raise RuntimeError
            return joined(r)
        """,
        set(),
    ),
    "attempts that are counted beside the reason": (
        """
        def ask(question):
            tries = 0
            while True:
                r = send(question)
                if r.stop_reason == "max_tokens" and tries < 3:
                    tries += 1
                    question = question[:100]
                    continue
                return r
        """,
        set(),
    ),
    "attempts that are not counted": (
        """
        def ask(question):
            while True:
                r = send(question)
                if r.stop_reason == "max_tokens":
                    question = question[:100]
                    continue
                return r
        """,
        {("SL209", "ask")},
    ),
    "a helper that gives the text, asked again": (
        TEXTS.format("if text:\n            return text"),
        {("SL203", "ask")},
    ),
    "a helper that gives the text, asked for something else": (
        TEXTS.format("if text:\n            return text\n        question += '?'"),
        set(),
    ),
    "a helper that gives the text, asked for each": (TEXTS.format("print(text)"), set()),
    "texts are collected that may be of complete answers": (
        """
        def texts(questions, strict):
            found = []
            for question in questions:
                r = send(question)
                if strict and r.stop_reason != "end_turn":
                    continue
                found.append(joined(r))
            return found
        """,
        {("SL102", "texts")},
    ),
    "a loop that leaves in its last round, for each question": (
        """
        def show(questions):
            for question in questions:
                for attempt in range(3):
                    r = client.messages.create(model="m", max_tokens=1000 * 2**attempt, messages=question)
                    if r.stop_reason == "end_turn":
                        break
                    if attempt == 2:
                        raise RuntimeError
                print(joined(r))
        """,
        set(),
    ),
    "a loop that leaves in some round": (
        """
        def ask(question, attempts, patience):
            for attempt in range(attempts):
                r = client.messages.create(model="m", max_tokens=1000 * 2**attempt, messages=question)
                if r.stop_reason == "end_turn":
                    break
                if attempt >= patience:
                    raise RuntimeError
            return joined(r)
        """,
        {("SL102", "ask")},
    ),
    "a result and a request for each call": (
        """
        def turn(messages, tools, run):
            r = client.messages.create(model="m", max_tokens=500, messages=messages, tools=tools)
            messages.append({"role": "assistant", "content": r.content})
            if r.stop_reason != "tool_use":
                return r
            for b in r.content:
                if b.type == "tool_use":
                    result = {"type": "tool_result", "tool_use_id": b.id, "content": run(b)}
                    messages.append({"role": "user", "content": [result]})
                    other = client.messages.create(model="m", max_tokens=500, messages=messages, tools=tools)
                    print(other.stop_reason, other.content)
        """,
        {("SL210", "turn"), ("SL211", "turn")},
    ),
    # what leaves in one arm only, or not at all
    "or leave": (AFTER.format("key = question.strip() or sys.exit('empty')"), {("SL101", "ask")}),
    "and leave": (AFTER.format("question == '' and sys.exit('empty')"), {("SL101", "ask")}),
    "else leave": (AFTER.format("key = question if question else sys.exit('empty')"), {("SL101", "ask")}),
    "leave for each of them": (
        AFTER.format("[sys.exit('empty') for word in question if word == '']"),
        {("SL101", "ask")},
    ),
    "leave with a message": (AFTER.format("assert question, sys.exit('empty')"), {("SL101", "ask")}),
    "leave when it is called": (AFTER.format("map(never, question)"), {("SL101", "ask")}),
    "leave when it is awaited": (AFTER.format("guard = later()"), {("SL101", "ask")}),
    "leave for certain": (AFTER.format("never()"), set()),
    "leave in both arms": (AFTER.format("sys.exit(1) if question else sys.exit(2)"), set()),
    "leave unless it was finished": (
        """
        import sys

        def ask(question):
            r = send(question)
            r.stop_reason == "end_turn" or sys.exit("cut")
            return joined(r)
        """,
        set(),
    ),
    "a method that an heir defines anew": (
        """
        class Base:
            def on_cut(self):
                raise RuntimeError

            def ask(self, question):
                r = send(question)
                if r.stop_reason != "end_turn":
                    self.on_cut()
                return joined(r)

        class Heir(Base):
            def on_cut(self):
                self.cut = True
        """,
        {("SL102", "Base.ask")},
    ),
    "names of another function": (
        """
        def progress(text):
            reply = text

            def more():
                nonlocal reply
                reply += "."

            more()

        def ask(question):
            reply = send(question)
            progress(question)
            return joined(reply)
        """,
        {("SL101", "ask")},
    ),
    "a wrapper that is there": (
        """
        from dataclasses import dataclass

        @dataclass
        class Reply:
            text: str
            stop_reason: str

        def ask(question):
            r = send(question)
            reply = Reply(joined(r), r.stop_reason)
            if reply is not None:
                print(reply.text)
        """,
        {("SL101", "ask")},
    ),
    "a key of a dict with the reason": (
        """
        def ask(question):
            r = send(question)
            found = {"text": joined(r), "reason": r.stop_reason}
            if "error" in found:
                raise RuntimeError
            return found["text"]
        """,
        {("SL101", "ask")},
    ),
    "those that were kept, and all of them": (
        """
        def texts(questions):
            answers = [send(question) for question in questions]
            kept = [r for r in answers if r.stop_reason == "end_turn"]
            print(len(kept))
            return [joined(r) for r in answers]
        """,
        {("SL102", "texts")},
    ),
    "an answer beside those of a loop": (
        """
        def texts(questions):
            first = send("first")
            answers = [send(question) for question in questions]
            for r in answers:
                if r.stop_reason != "end_turn":
                    raise RuntimeError
            return joined(first)
        """,
        {("SL101", "texts")},
    ),
    "a loop that may ask": (
        """
        def texts(questions, strict):
            answers = [send(question) for question in questions]
            for r in answers:
                if strict:
                    if r.stop_reason != "end_turn":
                        raise RuntimeError
            return [joined(r) for r in answers]
        """,
        {("SL102", "texts")},
    ),
    "a text that grows until it is finished": (
        """
        def text_of(question):
            messages, text = [{"role": "user", "content": question}], ""
            for _ in range(4):
                r = client.messages.create(model="m", max_tokens=500, messages=messages)
                text += joined(r)
                if r.stop_reason == "end_turn":
                    return text
                messages += [{"role": "assistant", "content": text}, {"role": "user", "content": "Go on."}]
            raise RuntimeError
        """,
        set(),
    ),
    "a text that the next attempt replaces": (
        """
        def texts(questions):
            found = {}
            for question in questions:
                for _ in range(3):
                    r = send(question)
                    found[question] = joined(r)
                    if r.stop_reason == "end_turn":
                        break
                else:
                    raise RuntimeError
            return found
        """,
        set(),
    ),
    "a limit of rounds": (
        """
        def ask(questions):
            for number, question in enumerate(questions):
                if number >= 100:
                    raise RuntimeError
                r = send(question)
            return joined(r)
        """,
        {("SL101", "ask")},
    ),
    "a counter": (
        """
        def ask(question, failures):
            r = send(question)
            if r.stop_reason != "end_turn":
                failures += 1
            return joined(r)
        """,
        {("SL102", "ask")},
    ),
    "a history that stays as it is, but for a flag": (
        HISTORY.format("finally:\n            self.busy = False"),
        {("SL210", "Agent.step")},
    ),
    "a partial turn that is kept if there is one": (
        """
        def whole(question):
            messages = [{"role": "user", "content": question}]
            while True:
                r = client.messages.create(model="m", max_tokens=500, messages=messages)
                if r.content:
                    messages.append({"role": "assistant", "content": r.content})
                if r.stop_reason != "max_tokens":
                    return r
                messages.append({"role": "user", "content": "Continue."})
        """,
        {("SL209", "whole")},
    ),
    "a partial turn that is not kept": (
        """
        def whole(question):
            messages = [{"role": "user", "content": question}]
            for _ in range(3):
                r = client.messages.create(model="m", max_tokens=500, messages=messages)
                if r.stop_reason != "max_tokens":
                    return r
                messages.append({"role": "user", "content": "Continue."})
        """,
        {("SL206", "whole")},
    ),
    "a paused turn that is kept if there is one": (
        """
        SEARCH = [{"type": "web_search_20250305", "name": "web_search"}]

        def whole(messages):
            for _ in range(3):
                r = client.messages.create(model="m", max_tokens=500, messages=messages, tools=SEARCH)
                if r.content:
                    messages.append({"role": "assistant", "content": r.content})
                if r.stop_reason != "pause_turn":
                    return r
        """,
        set(),
    ),
    "a paused turn that is not kept": (
        """
        SEARCH = [{"type": "web_search_20250305", "name": "web_search"}]

        def whole(messages):
            for _ in range(3):
                r = client.messages.create(model="m", max_tokens=500, messages=messages, tools=SEARCH)
                if r.stop_reason != "pause_turn":
                    return r
        """,
        {("SL205", "whole")},
    ),
    "results of the answer before": (
        """
        def steps(messages, tools, run):
            state, r = "ask", None
            for _ in range(20):
                if state == "ask":
                    r = client.messages.create(model="m", max_tokens=500, messages=messages, tools=tools)
                    messages.append({"role": "assistant", "content": r.content})
                    if r.stop_reason != "tool_use":
                        return r
                    state = "run"
                else:
                    results = [
                        {"type": "tool_result", "tool_use_id": b.id, "content": run(b)}
                        for b in r.content
                        if b.type == "tool_use"
                    ]
                    messages.append({"role": "user", "content": results})
                    state = "ask"
        """,
        set(),
    ),
    "a handler of signals that raises": (
        """
        import signal

        def late(number, frame):
            raise TimeoutError

        def ask(question):
            signal.signal(signal.SIGALRM, late)
            return joined(send(question))
        """,
        {("SL101", "ask")},
    ),
    "an option of which nothing is known": (
        """
        class Asker:
            def __init__(self):
                self.level = 0

            def heat(self):
                self.level += 1

            def rest(self):
                return len(self.name)

            def ask(self, messages):
                for _ in range(3):
                    r = client.messages.create(
                        model="m", max_tokens=9, messages=messages, temperature=self.degrees(self.level)
                    )
                    if r.stop_reason != "end_turn":
                        raise RuntimeError
                    if r.content:
                        return r
                    self.heat()
        """,
        set(),
    ),
    "an option of which nothing is known, and nothing is set": (
        """
        class Asker:
            def rest(self):
                return len(self.name)

            def ask(self, messages):
                for _ in range(3):
                    r = client.messages.create(
                        model="m", max_tokens=9, messages=messages, temperature=self.degrees(self.level)
                    )
                    if r.stop_reason != "end_turn":
                        raise RuntimeError
                    if r.content:
                        return r
                    self.rest()
        """,
        {("SL203", "Asker.ask")},
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

    def halt(self, why):
        self.stop(why)

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
    [
        "notify('cut')",
        "self.stop('cut')",
        "self.halt('cut')",
        "perhaps('cut')",
        "gives_up('cut')",
        "self.parse('cut')",
    ],
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


def found(code: str, **more: str) -> set[tuple[str, str]]:
    """The findings of the default profile: code and function.  `more`: other modules by name."""
    texts = {"m": HEAD + textwrap.dedent(code)} | {name: textwrap.dedent(text) for name, text in more.items()}
    program = Program(
        [lower_module(text, name=name, path=f"{name}.py", is_package=False) for name, text in sorted(texts.items())]
    )
    findings = Judge(program).findings(solve(program, survey(program)))
    return {(one.code, one.function) for one in findings if one.profile == "default"}


@pytest.mark.parametrize(("caller", "told"), [("test_m", False), ("other", True)])
def test_a_test_asks_for_the_reasons_that_it_has_set_up(caller: str, told: bool) -> None:
    code = """
        def stream(question):
            parts = []
            for event in client.messages.create(model="m", max_tokens=9, messages=question, stream=True):
                if event.type == "content_block_delta" and event.delta.type == "text_delta":
                    parts.append(event.delta.text)
                    print(event.delta.text)
                elif event.type == "message_delta":
                    reason = event.delta.stop_reason
                else:
                    yield event
            if reason == "refusal":
                raise RuntimeError
        """
    asking = "from m import stream\n\ndef test_ask():\n    assert len(list(stream('q'))) == 3\n"
    assert (("SL102", "stream") in found(code, **{caller: asking})) == told


def test_two_answers_that_one_place_puts_away() -> None:
    code = """
        def texts(questions, long):
            found = []
            for question in questions:
                if long:
                    r = client.messages.create(model="a", max_tokens=9, messages=question)
                else:
                    r = client.messages.create(model="b", max_tokens=9, messages=question)
                found.append(r)
            return [joined(r) for r in found]
        """
    program = Program([lower_module(HEAD + textwrap.dedent(code), name="m", path="m.py", is_package=False)])
    findings = Judge(program).findings(solve(program, survey(program)))
    assert len({one.origin for one in findings if one.code == "SL101"}) == 2
