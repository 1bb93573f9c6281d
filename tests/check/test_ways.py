"""What a helper, a word, a member of an enum or a table says of a stop reason is as good as the test itself."""

from __future__ import annotations

import textwrap

import pytest

from stoplint.check.flow_ways import MAX_RUNS, Ends, Ways
from stoplint.check.judge import Judge
from stoplint.check.knowledge import State
from stoplint.check.lower import lower_module
from stoplint.check.program import Program
from stoplint.check.root import run_root
from stoplint.check.solve import solve, survey
from stoplint.check.values import Site, Where, const, literal

HEAD = """
import enum
import operator
from dataclasses import dataclass
from unittest.mock import AsyncMock, MagicMock

import anthropic
from pydantic import BaseModel, model_validator

client = anthropic.Anthropic()

def text(r):
    return "".join(b.text for b in r.content if b.type == "text")

def request(q, **more):
    return client.messages.create(model="m", max_tokens=500, messages=[{"role": "user", "content": q}], **more)
"""

FINISHED = 'r.stop_reason == "end_turn"'
NOT_REFUSED = 'r.stop_reason != "refusal"'

CASES = {
    "a helper gives the text or nothing": """
        def text_of(r):
            if TEST:
                return text(r)
            return None

        def f(q):
            r = request(q)
            return text_of(r)
        """,
    "a helper whose caller asks for nothing": """
        def text_of(r):
            return text(r) if TEST else None

        def f(q):
            found = text_of(request(q))
            if found is None:
                raise RuntimeError
            return found
        """,
    "a conjunction in a variable": """
        def f(q):
            r = request(q)
            complete = TEST and len(r.content) > 0 and r.content[0].type == "text"
            return r.content[0].text if complete else None
        """,
    "a conjunction that grows": """
        def f(q):
            r = request(q)
            ok = TEST
            ok = ok and bool(r.content)
            if not ok:
                raise RuntimeError
            return text(r)
        """,
    "a conjunction that a helper returns": """
        def good(r):
            return TEST and len(r.content) > 0

        def f(q):
            r = request(q)
            if not good(r):
                raise RuntimeError
            return text(r)
        """,
    "a list of complaints": """
        def complaints(r):
            found = []
            if not (TEST):
                found.append("it is not complete")
            return found

        def f(q):
            r = request(q)
            if complaints(r):
                raise RuntimeError
            return text(r)
        """,
    "a complaint in an assignment expression": """
        def complaint(r):
            if TEST:
                return None
            return "it is not complete"

        def f(q):
            r = request(q)
            if wrong := complaint(r):
                raise RuntimeError(wrong)
            return text(r)
        """,
    "members of an enum": """
        class Outcome(enum.StrEnum):
            OK = enum.auto()
            CUT = enum.auto()

        def outcome(r):
            if TEST:
                return Outcome.OK
            return Outcome.CUT

        def f(q):
            r = request(q)
            if outcome(r) is not Outcome.OK:
                raise RuntimeError
            return text(r)
        """,
    "members of an enum that are matched": """
        class Outcome(enum.Enum):
            OK = "ok"
            CUT = "cut"

        def outcome(r):
            return Outcome.OK if TEST else Outcome.CUT

        def f(q):
            r = request(q)
            match outcome(r):
                case Outcome.OK:
                    return text(r)
                case Outcome.CUT:
                    raise RuntimeError
        """,
    "a word of a conditional expression": """
        def f(q):
            r = request(q)
            status = "ok" if TEST else "incomplete"
            if status == "incomplete":
                raise RuntimeError
            return text(r)
        """,
    "a truth value of a conditional expression": """
        def f(q):
            r = request(q)
            done = True if TEST else False
            if not done:
                raise RuntimeError
            return text(r)
        """,
    "bool()": """
        def f(q):
            r = request(q)
            if not bool(TEST):
                raise RuntimeError
            return text(r)
        """,
    "a flag in a dict": """
        def call(q):
            r = request(q)
            return {"text": text(r), "complete": TEST}

        def f(q):
            found = call(q)
            if not found["complete"]:
                raise RuntimeError
            return found["text"]
        """,
    "a flag in an object": """
        @dataclass
        class Result:
            text: str
            ok: bool

        def call(q):
            r = request(q)
            return Result(text(r), ok=TEST)

        def f(q):
            found = call(q)
            if not found.ok:
                raise RuntimeError
            return found.text
        """,
}


def codes(code: str) -> set[str]:
    program = Program([lower_module(HEAD + textwrap.dedent(code), name="m", path="m.py", is_package=False)])
    found = Judge(program).findings(solve(program, survey(program)))
    return {one.code for one in found if one.profile == "default" and not one.beside}


@pytest.mark.parametrize("name", CASES)
def test_it_tells_as_much_as_the_test(name: str) -> None:
    assert codes(CASES[name].replace("TEST", FINISHED)) == set()


@pytest.mark.parametrize("name", CASES)
def test_it_tells_no_more_than_the_test(name: str) -> None:
    assert codes(CASES[name].replace("TEST", NOT_REFUSED)) == {"SL102"}


TABLES = """
OK = {"end_turn": True%s}

def f(q):
    r = request(q)
    if not OK.get(r.stop_reason%s):
        raise RuntimeError
    return text(r)
"""


@pytest.mark.parametrize(
    ("more", "default", "expected"),
    [
        ("", "", set()),
        ("", ", False", set()),
        (', "max_tokens": False', ", False", set()),
        ("", ", True", {"SL102", "SL108"}),
        (', "refusal": False', ", True", {"SL102", "SL108"}),
    ],
)
def test_a_table_of_truth_values(more: str, default: str, expected: set[str]) -> None:
    assert codes(TABLES % (more, default)) == expected


FLAGS = """
FINE = {%s}

def f(q):
    r = request(q)
    return {"text": text(r), "fine": FINE.get(r.stop_reason, %s)}
"""


def test_a_flag_of_a_table_tells_what_the_table_tells() -> None:
    assert codes(FLAGS % ('"end_turn": True', False)) == set()
    assert "SL102" in codes(FLAGS % ('"refusal": False', True))


ACTIONS = """
class Act(enum.Enum):
    TOOLS = 1
    DONE = 2
    FAIL = 3

ACTIONS = {"tool_use": Act.TOOLS, "end_turn": Act.DONE}

def f(q, tools, run):
    messages = [{"role": "user", "content": q}]
    for _ in range(10):
        r = client.messages.create(model="m", max_tokens=500, messages=messages, tools=tools)
        action = ACTIONS.get(r.stop_reason, Act.%s)
        if action is Act.FAIL:
            raise RuntimeError
        if action is Act.DONE:
            return text(r)
        messages.append({"role": "assistant", "content": r.content})
        results = [
            {"type": "tool_result", "tool_use_id": b.id, "content": run(b.name, b.input)}
            for b in r.content if b.type == "tool_use"
        ]
        messages.append({"role": "user", "content": results})
"""


@pytest.mark.parametrize(("default", "expected"), [("FAIL", set()), ("TOOLS", {"SL103"}), ("DONE", {"SL102", "SL108"})])
def test_a_table_of_an_enums_members(default: str, expected: set[str]) -> None:
    assert codes(ACTIONS % default) == expected


def test_what_to_do_next_as_a_word() -> None:
    code = ACTIONS.replace("ACTIONS.get(r.stop_reason, Act.%s)", "next_action(r)").replace("Act.FAIL", '"fail"')
    helper = """
def next_action(r):
    if r.stop_reason == "tool_use":
        return "tools"
    if r.stop_reason == "end_turn":
        return "done"
    return "fail"
"""
    sound = code.replace("Act.DONE:", '"done":').replace(" is ", " == ")
    assert codes(helper + sound) == set()
    assert codes(helper.replace('return "fail"', 'return "tools"') + sound) == {"SL103"}


REASONS = """
def f(q):
    r = request(q)
    if %s:
        raise RuntimeError
    return text(r)
"""


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ('(r.stop_reason or "").lower() == "max_tokens"', set()),
        ('(r.stop_reason or "").lower() == "refusal"', {"SL102"}),
        ('r.stop_reason.startswith("max")', set()),
        ('r.stop_reason.startswith("ref")', {"SL102"}),
        ('r.stop_reason.endswith("_exceeded")', {"SL102"}),
        ('{"max_tokens", "refusal"} & {r.stop_reason}', set()),
        ('{r.stop_reason} & {"refusal"}', {"SL102"}),
    ],
)
def test_methods_and_sets_of_reasons(test: str, expected: set[str]) -> None:
    assert codes(REASONS % test) == expected


OBJECTS = {
    "dataclass": """
        @dataclass
        class Reply:
            text: str
            stop_reason: str

            def __post_init__(self):
                BODY
        """,
    "pydantic": """
        class Reply(BaseModel):
            text: str
            stop_reason: str

            @model_validator(mode="after")
            def complete(self):
                BODY
                return self
        """,
}
USER = """
def f(q):
    r = request(q)
    return Reply(text=text(r), stop_reason=r.stop_reason)

def main():
    print(f("q").text)

main()
"""


@pytest.mark.parametrize("name", OBJECTS)
def test_objects_that_look_at_their_reason_when_they_are_made(name: str) -> None:
    code = textwrap.dedent(OBJECTS[name])
    look = 'assert self.stop_reason == "end_turn"'
    assert codes(code.replace("BODY", look) + USER) == set()
    assert codes(code.replace("BODY", "print(self.text)") + USER) == {"SL101"}


@pytest.mark.parametrize("mock", ["MagicMock(spec=anthropic.Anthropic)", "AsyncMock()"])
def test_a_mock_makes_no_request(mock: str) -> None:
    use = "\ndef f():\n    client = {}\n    r = client.messages.create(model='m', max_tokens=1, messages=[])\n    print(r.content[0].text)\n"
    assert codes(use.format(mock)) == set()
    assert codes(use.format("anthropic.Anthropic()")) == {"SL101"}


HERE, THERE = Where((), Site("m", 1)), Where((), Site("m", 2))


def ends(*words: str) -> list[Ends]:
    return [[(const(word), State())] for word in words]


def word(kept: Ends | None) -> object:
    return None if kept is None else literal(kept[0][0])


def test_every_way_is_gone_once() -> None:
    ways, seen = Ways(), []
    while True:
        first = word(ways.part(HERE, ends("a", "b")))
        second = word(ways.part(THERE, ends("c", "d"))) if first == "b" else None
        seen.append((first, second))
        if not ways.again():
            break
    assert seen == [("a", None), ("b", "c"), ("b", "d")]


def test_there_is_room_for_so_many() -> None:
    ways = Ways()
    assert ways.part(HERE, ends(*map(str, range(MAX_RUNS + 1)))) is None
    assert word(ways.part(HERE, ends(*map(str, range(MAX_RUNS))))) == "0"
    assert ways.part(THERE, ends("a", "b")) is None


def test_another_parting_than_before_is_none() -> None:
    ways = Ways()
    ways.part(HERE, ends("a", "b"))
    assert ways.again()
    assert ways.part(THERE, ends("c", "d")) is None
    assert word(ways.known(HERE)) == "b"


def test_a_call_is_looked_into_once() -> None:
    """What a call opens is opened once, however many ways there are to go on."""
    code = """
        def text_of(r):
            return text(r) if r.stop_reason == "end_turn" else None

        def f(q):
            found = text_of(request(q))
            print("there" if found else "nothing")
            return found
        """
    program = Program([lower_module(HEAD + textwrap.dedent(code), name="m", path="m.py", is_package=False)])
    survey(program)
    run = run_root(program, program.functions["m:f"])
    assert run.openings == run.requests == 1


@pytest.mark.parametrize("verdict", ['"YES" in {}', 'not "ERROR" in {}', 'any(word in {} for word in ("YES", "SURE"))'])
def test_a_verdict_read_off_the_text_is_a_use(verdict: str) -> None:
    code = f"""
def f(q):
    return {verdict.format("text(request(q))")}
"""
    assert codes(code) == {"SL101"}


ASKED_ANEW = """
def ask(prompt):
    try:
        return client.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": prompt}])
    except anthropic.APIError:
        return None

def f(q):
    while True:
        try:
            given = %s
            r = ask(given)
            if r is None:
                continue
            print(r.content[0].text)
        except Exception:
            print("again")
"""


def test_what_a_helper_sent_is_another_thing_when_its_question_is() -> None:
    assert codes(ASKED_ANEW % 'input("? ")') == {"SL101"}
    assert codes(ASKED_ANEW % "q") == {"SL101", "SL203"}


RETRIED = """
from retry import retry

@retry(tries=3, exceptions=(RuntimeError,))
def f(q):
    try:
        r = request(q)
        found = r.content[0].text if r.content else ""
        if not found:
            %s
        return found
    except Exception as error:
        raise RuntimeError from error
"""


def test_what_fails_by_chance_does_not_fail_for_want_of_content() -> None:
    assert codes(RETRIED % "print(r.stop_reason)") == {"SL102"}
    assert "SL203" in codes(RETRIED % 'raise ValueError("nothing")')
