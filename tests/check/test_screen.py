"""The screen lets pass whatever a rule could speak about, and keeps out the look-alikes."""

from __future__ import annotations

import pytest

from stoplint.check.screen import holds, imports, may_matter, speaks
from stoplint.sdk import STEPS

REQUESTS = [
    "import anthropic",
    "from anthropic import Anthropic",
    "from anthropic.types import Message\ndef f(m: Message): return m.content[0].text",
    "import os, anthropic as a",
    "sdk = importlib.import_module('anthropic')",
    "from posthog.ai.anthropic import Anthropic",
    "c = AsyncAnthropicBedrock()\nc.messages",
    "m = api.messages\nm.create(model=m)",
    "resource = self._claude_client.messages",
    "client.messages.create(**params)",
    "client.beta.messages.create()",
    "client.messages.stream(model=m)",
    "client.messages.parse(model=m)",
    "(client\n  .messages\n  .create(model=m))",
    "(client.messages  # the API\n  .create(model=m))",
    "retry(client.messages.create, model=m)",
    "client.messages.batches.results(i)",
    "client.messages.with_raw_response.create(model=m)",
    "self._client.messages.with_streaming_response.create()",
    "client.messages.thread(model=m)",
    "runner = client.beta.messages.tool_runner(model=m)",
    "twilio = 1\nclient.messages.create(model=m, max_tokens=9, messages=[])",
    '"source": ["r = client.messages\\n", "    .create(model=m)\\n"]',
]

TALK = [
    "if r.stop_reason == 'end_turn': pass",
    "r['stop_reason']",
    "# talks to Claude\nm = api.messages",
    "{'type': 'tool_result', 'tool_use_id': i}",
    "if event.type == 'content_block_delta': pass",
    "if event['type'] == 'message_delta': pass",
]

OTHERS = [
    "",
    "print('hello')",
    "import openai\nr = client.chat.completions.create(messages=m)\nr.choices[0].finish_reason",
    "from twilio.rest import Client\nClient().messages.create(to=a, from_=b, body=c)",
    "client.beta.threads.messages.create(thread_id=t, role='user')",
    "client.beta.threads \\\n  .messages.create(thread_id=t)",
    "# ask claude about this",
    "messages = Message.objects.create(text=t)",
    "messages.append(x)\nmessages_created = 1",
    "self.client.messages.append(x)",
]


@pytest.mark.parametrize("text", REQUESTS)
def test_matters(text: str) -> None:
    assert may_matter(text.encode())


@pytest.mark.parametrize("text", [one for one in TALK if "api." not in one])
def test_talk_alone_makes_no_request(text: str) -> None:
    assert not may_matter(text.encode())


@pytest.mark.parametrize("text", TALK)
def test_speaks(text: str) -> None:
    assert speaks(text.encode())


@pytest.mark.parametrize("text", OTHERS)
def test_does_not_matter(text: str) -> None:
    assert not may_matter(text.encode())
    assert not speaks(text.encode())


@pytest.mark.parametrize(
    "text",
    ["from langchain_anthropic import ChatAnthropic", "from agno.models.anthropic import Claude", "x = 'anthropic'"],
)
def test_clients_of_others_do_not_matter(text: str) -> None:
    assert not may_matter(text.encode())


def test_words_of_the_configuration() -> None:
    assert not may_matter(b"reply = ask_model(prompt)")
    assert may_matter(b"reply = ask_model(prompt)", {"ask_model"})
    assert may_matter("antwort = frag_größe()".encode(), {"frag_größe"})


def test_every_way_to_make_a_request() -> None:
    """Any request that the table of steps knows below `.messages` passes without a word of whose it is."""
    methods = [step[1:] for kind, step in STEPS if kind in ("messages", "raw_messages")]
    assert methods
    for method in methods:
        assert may_matter(f"x = c.messages.{method}(model=m)".encode()), method


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import a", {"a"}),
        ("import a.b as c, d  # e", {"a.b", "d"}),
        ("from a.b import c", {"a.b", "a.b.c"}),
        ("from a import b as c, d", {"a", "a.b", "a.d"}),
        ("from a import (\n    b,  # f, g\n    c as d,\n)", {"a", "a.b", "a.c"}),
        ("from a import b, \\\n    c", {"a", "a.b", "a.c"}),
        ("from a import *", {"a"}),
        ("from . import a", {".", ".a"}),
        ("from .a import b", {".a", ".a.b"}),
        ("from ... import a", {"...", "...a"}),
        ("from größe import é", {"größe", "größe.é"}),
        ("from .. a import b", {"..a", "..a.b"}),
        ("try:\r\n    import a\r\nexcept ImportError:\r\n    import b\r\n", {"a", "b"}),
        ("if x: import a; from b import c", {"a", "b", "b.c"}),
        ("lazy import a\nlazy from b import c", {"a", "b", "b.c"}),
        ('"source": ["import a\\n", "from b import c\\n"]', {"a", "b", "b.c"}),
        ("important = from_a\nx = 'import'", set()),
        ("", set()),
    ],
)
def test_imports(text: str, expected: set[str]) -> None:
    assert imports(text.encode()) == expected


def test_imports_of_bytes_that_are_no_text() -> None:
    assert "a" in imports(b"import a\nfrom \xff import \xfe\n")


@pytest.mark.parametrize(
    "text",
    [
        "messages" + " # , " * 20_000,
        "messages" + "\\n" * 20_000 + "x",
        "messages" + "\\" * 20_000 + "x",
        "messages" + " \n" * 20_000 + "x",
        "messages # c\n" * 20_000,
        "threads." * 20_000 + "messages.create",
        "from" + " " * 50_000 + "x",
        "from " + "." * 50_000 + "x",
        "from " + "x" * 50_000,
        "from x import (" * 2_000,
        "import " + "a, " * 20_000,
        "import " + "\\\n" * 20_000,
        "from anthropi " * 20_000,
    ],
)
def test_hostile_text_is_read_once(text: str) -> None:
    """Nothing here has many ways to be matched: it would not come to an end."""
    may_matter(text.encode())
    imports(text.encode())


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"x = ask(1)", True),
        (b"x = client.ask (1)", True),
        (b"x = task(1)", False),
        (b"x = ask", False),
        (b"message.content", True),
    ],
)
def test_a_word_with_a_parenthesis_is_the_call_of_a_whole_name(data: bytes, expected: bool) -> None:
    assert holds(data, (b".content", b"ask(")) is expected
