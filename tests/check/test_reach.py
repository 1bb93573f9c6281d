"""Which functions are interpreted, and which files are loaded for it: no more than needed, and nothing that tells."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stoplint.check import engine
from stoplint.check.load import Options as LoadOptions
from stoplint.cli import run

CLIENT = "import anthropic\n\nclient = anthropic.Anthropic()\n\n\n"
ASK = 'client.messages.create(model="m", max_tokens=9, messages={})'


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """What is found in files of these texts: code and function, in a project that counts as large."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(engine, "LoadOptions", lambda **options: LoadOptions(max_about=0, **options))

    def check(**texts: str) -> list[tuple[str, str]]:
        for name, text in texts.items():
            Path(f"{name}.py").write_text(text, encoding="utf-8")
        run(["check", "--no-cache", "--output-format", "json"])
        return [(one["code"], one["function"]) for one in json.loads(capsys.readouterr().out)]

    return check


def origin(capsys: pytest.CaptureFixture[str]) -> tuple[str, int]:
    """Where the request of the only finding is."""
    run(["check", "--no-cache", "--output-format", "json"])
    (finding,) = json.loads(capsys.readouterr().out)
    return (finding["origin"]["path"], finding["origin"]["line"])


def test_an_inherited_method_with_what_the_heir_defines_anew(found) -> None:
    base = (
        "class Base:\n    def ask(self, question):\n        return Fixed(question)\n\n"
        "    def text(self, question):\n        return self.ask(question).content[0].text\n\n\n"
    )
    heir = f"class Claude(Base):\n    def ask(self, question):\n        return {ASK.format('[question]')}\n"
    assert found(app=CLIENT + base + heir) == [("SL101", "Base.text")]


def test_a_caller_that_drafts_for_one_that_sends(found) -> None:
    text = (
        CLIENT
        + "def results(id):\n"
        + '    return {"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": "1"}]}\n\n\n'
        + 'def remark(text):\n    return {"role": "user", "content": text}\n\n\n'
        + f"def send(messages):\n    print({ASK.format('messages')}.stop_reason)\n\n\n"
        + 'def talk(id):\n    send([results(id), remark("Go on.")])\n'
    )
    assert found(app=text) == [("SL201", "talk")]


def test_a_helper_that_speaks_of_the_api_is_loaded(found) -> None:
    app = (
        CLIENT.replace("anthropic\n\n", "anthropic\n\nfrom checks import finished\n\n", 1)
        + f"def ask(messages):\n    message = {ASK.format('messages')}\n    return finished(message.stop_reason)\n"
    )
    helper = 'def finished(stop_reason):\n    return stop_reason == "end-turn"\n'
    assert found(app=app, checks=helper) == [("SL105", "finished")]


def test_a_method_that_is_handed_over_is_the_request(found, capsys: pytest.CaptureFixture[str]) -> None:
    app = (
        CLIENT.replace("anthropic\n\n", "anthropic\n\nfrom tries import retrying\n\n", 1)
        + "def ask(**options):\n    return retrying(\n        client.messages.create, ValueError, **options\n    )\n\n\n"
        + 'def text():\n    return ask(model="m", max_tokens=9, messages=[]).content[0].text\n'
    )
    tries = "def retrying(func, errors, **options):\n    return func(**options)\n"
    assert found(app=app, tries=tries) == [("SL101", "text")]
    assert origin(capsys) == ("app.py", 10)


def test_what_an_object_is_given_its_methods_have(found) -> None:
    text = (
        CLIENT
        + "class Reply:\n    def __init__(self, opening):\n        self._open = opening\n\n"
        + "    def run(self, show):\n        with self._open() as stream:\n            for text in stream.text_stream:\n"
        + "                show(text)\n\n\n"
        + "def chat(messages):\n    def opening():\n"
        + '        return client.messages.stream(model="m", max_tokens=9, messages=messages)\n\n'
        + "    return Reply(opening)\n"
    )
    assert found(app=text) == [("SL101", "Reply.run")]


def test_a_name_that_begins_above_the_package(found, tmp_path: Path) -> None:
    package = tmp_path / "services" / "core"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "claude.py").write_text(CLIENT + f"def ask(messages):\n    return {ASK.format('messages')}\n")
    app = "from services.core.claude import ask\n\n\ndef text(messages):\n    return ask(messages).content[0].text\n"
    assert found(app=app) == [("SL101", "text")]


def test_a_caller_does_not_decide_what_a_kept_function_knows(found) -> None:
    text = (
        CLIENT
        + "def chat(messages, flags):\n    beta = None\n    if flags:\n        beta = flags[0]\n    print(beta)\n\n"
        + f"    def opening():\n        if beta:\n            return {ASK.format('messages')}\n        return None\n\n"
        + "    return talk(opening)\n\n\n"
        + "def plain(messages):\n    return chat(messages, None)\n\n\n"
        + "class talk:\n    def __init__(self, opening):\n        self._open = opening\n\n"
        + "    def text(self):\n        return self._open().content[0].text\n"
    )
    assert found(app=text) == [("SL101", "talk.text")]


def test_where_another_method_was_named_is_not_told(found, capsys: pytest.CaptureFixture[str]) -> None:
    app = (
        CLIENT.replace("anthropic\n\n", "anthropic\n\nfrom elsewhere import seen\nfrom tries import retrying\n\n", 1)
        + "def text(**options):\n    method = client.messages.create\n    seen(client.messages.create)\n"
        + "    return retrying(method, **options).content[0].text\n"
    )
    tries = "def retrying(func, **options):\n    return func(**options)\n"
    assert found(app=app, tries=tries) == [("SL101", "text")]
    assert origin(capsys) == ("tries.py", 2)


@pytest.mark.parametrize("imported", ["import settings", "from settings import ENABLED"])
def test_what_a_module_says_of_a_switch_does_not_decide(found, imported: str) -> None:
    switch = "settings.ENABLED" if imported == "import settings" else "ENABLED"
    app = (
        CLIENT.replace("anthropic\n\n", f"anthropic\n\n{imported}\n\n", 1)
        + f"def text(messages):\n    if not {switch}:\n        return None\n"
        + f"    return {ASK.format('messages')}.content[0].text\n"
    )
    settings = CLIENT + "ENABLED = False\n\n\n" + f"def ping():\n    return {ASK.format('[]')}\n"
    assert ("SL101", "text") in found(app=app, settings=settings)


HANDS_OUT = CLIENT + f"def ask(messages):\n    return {ASK.format('messages')}\n"


def test_what_a_package_hands_on(found, tmp_path: Path) -> None:
    package = tmp_path / "llm"
    package.mkdir()
    (package / "__init__.py").write_text("from .client import ask\n")
    (package / "client.py").write_text(HANDS_OUT)
    app = "from llm import ask\n\n\ndef text(messages):\n    return ask(messages).content[0].text\n"
    assert found(app=app) == [("SL101", "text")]


def test_an_answer_that_passes_through_a_module(found) -> None:
    through = "from client import ask\n\n\ndef ask_politely(messages):\n    return ask(messages)\n"
    app = (
        "from through import ask_politely\n\n\ndef text(messages):\n    return ask_politely(messages).content[0].text\n"
    )
    assert found(client=HANDS_OUT, through=through, app=app) == [("SL101", "text")]


def test_request_and_reader_are_both_elsewhere(found) -> None:
    reader = "def text_of(message):\n    return message.content[0].text\n"
    app = (
        "from client import ask\nfrom reader import text_of\n\n\n"
        "def show(messages):\n    print(text_of(ask(messages)))\n"
    )
    assert found(client=HANDS_OUT, reader=reader, app=app) == [("SL101", "show")]


def test_what_a_test_makes_of_an_answer(found) -> None:
    client = (
        CLIENT
        + f"def ask(messages):\n    message = {ASK.format('messages')}\n"
        + '    return {"text": message.content[0].text if message.content else "", "reason": message.stop_reason}\n'
    )
    # It makes a request of its own: tests that make none are not even loaded.
    own = f"def {{0}}_itself(messages):\n    print({ASK.format('messages')}.stop_reason)\n\n\n"
    use = CLIENT + "from client import ask\n\n\n" + own + "def {0}():\n    print(ask([])['text'])\n"
    assert found(client=client, test_client=use.format("test_ask")) == []
    assert found(client=client, app=use.format("show")) == [("SL101", "show")]


def test_a_test_that_puts_a_mock_in_place(found) -> None:
    loop = (
        CLIENT
        + "class Base:\n    def emit(self, call):\n        print(call)\n\n\nclass Agent(Base):\n"
        + f"    def run(self, messages):\n        message = {ASK.format('messages')}\n"
        + "        print(message.stop_reason)\n        for block in message.content:\n"
        + '            if block.type == "tool_use":\n                self.emit(block.input)\n'
    )
    test = (
        f"from unittest.mock import MagicMock\n\n{CLIENT}from loop import Agent\n\n\n"
        f"def itself(messages):\n    print({ASK.format('messages')}.stop_reason)\n\n\n"
        "def test_run():\n    agent = Agent()\n    agent.emit = MagicMock()\n    agent.run([])\n"
    )
    assert found(loop=loop, test_loop=test) == []


def test_what_is_silent_beside_another_rule_speaks_without_it(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    Path("app.py").write_text(CLIENT + f"def text(messages):\n    return {ASK.format('messages')}.content[0].text\n")

    def codes(*options: str) -> list[str]:
        run(["check", "--no-cache", "--isolated", "--output-format", "json", *options])
        return [one["code"] for one in json.loads(capsys.readouterr().out)]

    assert codes() == ["SL101"]
    assert codes("--ignore", "SL101") == codes("--select", "SL104") == ["SL104"]
    Path("stoplint.toml").write_text('[per-file-ignores]\n"app.py" = ["SL101"]\n')
    run(["check", "--no-cache", "--output-format", "json"])
    assert [one["code"] for one in json.loads(capsys.readouterr().out)] == ["SL104"]


@pytest.mark.parametrize(("line", "column"), [("x = foo(1 2)", 9), ("def f(:", 7)])
def test_a_syntax_error_is_shown_where_python_sees_it(
    tmp_path: Path, monkeypatch, capsys, line: str, column: int
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("app.py").write_text(f"import anthropic\n{line}\nanthropic.Anthropic().messages.create()\n")
    run(["check", "--no-cache", "--output-format", "json"])
    (finding,) = json.loads(capsys.readouterr().out)
    assert (finding["code"], finding["line"], finding["column"]) == ("SL900", 2, column)


def test_tests_that_call_what_hands_out_are_not_loaded_for_it(found) -> None:
    use = "from client import ask\n\n\ndef show():\n    print(ask([]).content[0].text)\n"
    assert found(client=HANDS_OUT, test_client=use) == []
    assert found(client=HANDS_OUT, shown=use) == [("SL101", "show")]


def test_a_request_that_a_thread_sends_is_where_its_method_is_named(found, capsys: pytest.CaptureFixture[str]) -> None:
    app = (
        "import asyncio\n\n"
        + CLIENT
        + "async def text(messages):\n    message = await asyncio.to_thread(\n        client.messages.create,\n"
        + '        model="m",\n        max_tokens=9,\n        messages=messages,\n    )\n    return message.content[0].text\n'
    )
    assert found(app=app) == [("SL101", "text")]
    assert origin(capsys) == ("app.py", app[: app.index("client.messages")].count("\n") + 1)


def test_a_method_that_gets_an_answer_is_loaded_with_its_class(found, tmp_path: Path) -> None:
    (tmp_path / "costs.py").write_text(
        "class Costs:\n    def note(self, answer):\n        self.total = answer.usage.output_tokens\n", encoding="utf-8"
    )
    app = (
        "import anthropic\nfrom costs import Costs\n\n\nclass App:\n    def __init__(self):\n"
        "        self.client = anthropic.Anthropic()\n        self.costs = Costs()\n\n"
        f"    def ask(self, question):\n        answer = self.{ASK.format('[question]')}\n"
        "        self.costs.note(answer)\n        return answer.content[0].text\n"
    )
    assert found(app=app) == [("SL101", "App.ask")]


def test_a_method_that_looks_is_loaded_with_its_class(found, tmp_path: Path) -> None:
    (tmp_path / "checks.py").write_text(
        "class Checks:\n    def note(self, answer):\n        if answer.stop_reason != 'end_turn':\n            raise ValueError\n",
        encoding="utf-8",
    )
    app = (
        "import anthropic\nfrom checks import Checks\n\n\nclass App:\n    def __init__(self):\n"
        "        self.client = anthropic.Anthropic()\n        self.checks = Checks()\n\n"
        f"    def ask(self, question):\n        answer = self.{ASK.format('[question]')}\n"
        "        self.checks.note(answer)\n        return ''.join(b.text for b in answer.content)\n"
    )
    assert found(app=app) == []


def test_a_client_of_a_factory_for_several(found, tmp_path: Path) -> None:
    (tmp_path / "clients.py").write_text(
        "import anthropic\n\n\ndef make(kind):\n    if kind == 'a':\n        return anthropic.Anthropic()\n"
        "    from openai import OpenAI\n    return OpenAI()\n",
        encoding="utf-8",
    )
    (tmp_path / "costs.py").write_text(
        "class Costs:\n    def note(self, answer):\n        self.total = answer.usage.output_tokens\n", encoding="utf-8"
    )
    app = (
        "from clients import make\nfrom costs import Costs\n\n\nclass App:\n    def __init__(self, kind):\n"
        "        self.client, self.kind, self.costs = None, kind, Costs()\n\n    def ask(self, question):\n"
        "        if self.client is None:\n            self.client = make(self.kind)\n"
        f"        answer = self.{ASK.format('[question]')}\n"
        "        self.costs.note(answer)\n        return answer.content[0].text\n"
    )
    assert found(app=app) == [("SL101", "App.ask")]


def test_events_that_a_generator_hands_to_another_module(found, tmp_path: Path) -> None:
    (tmp_path / "show.py").write_text(
        "import app\n\n\ndef show(question):\n    for event in app.events(question):\n"
        "        if event.type == 'content_block_delta':\n            print(event.delta.text)\n",
        encoding="utf-8",
    )
    app = CLIENT + f"def events(question):\n    yield from {ASK.format('question')[:-1]}, stream=True)\n"
    assert found(app=app) == [("SL101", "show")]


def test_a_wrapper_of_another_module_that_passes_through_a_method(found, tmp_path: Path) -> None:
    (tmp_path / "kinds.py").write_text(
        "from dataclasses import dataclass\n\n\n@dataclass\nclass Reply:\n    parts: list\n    stop_reason: str\n\n"
        "    @property\n    def text(self):\n        return ''.join(part['text'] for part in self.parts)\n",
        encoding="utf-8",
    )
    (tmp_path / "show.py").write_text(
        "from app import Client\n\n\ndef show(question):\n    reply = Client().ask(question)\n    print(reply.text)\n",
        encoding="utf-8",
    )
    app = (
        "import anthropic\nfrom kinds import Reply\n\n\nclass Client:\n"
        "    def __init__(self):\n        self.client = anthropic.Anthropic()\n\n"
        f"    def ask(self, question):\n        r = self.{ASK.format('question')}\n        return self.reply(r)\n\n"
        "    def reply(self, r):\n        parts = [b.model_dump() for b in r.content]\n"
        "        return Reply(parts=parts, stop_reason=r.stop_reason)\n"
    )
    assert [code for code, _ in found(app=app)] == ["SL101"]
