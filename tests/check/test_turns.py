"""What is known of message lists: turns behind a sent list, what differs from the request before, retries, loops."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, TypeVar

import pytest

from stoplint.check.events import CallLost, LoopContinued, RequestMade, ResponseEnded, TurnAppended
from stoplint.check.knowledge import EMPTY, MAX_TAIL, START, ListObj, Sending, Turn, changed, grown
from stoplint.check.lower import lower_module
from stoplint.check.program import Program
from stoplint.check.solve import solve, survey
from stoplint.check.values import UNKNOWN, Atom, Site, Token, value

if TYPE_CHECKING:
    from stoplint.check.events import Event, Sent

E = TypeVar("E")

HEAD = """
import anthropic

client = anthropic.Anthropic()
OPTIONS = {"model": "claude-opus-5-5", "max_tokens": 100}
"""


def events(code: str, kind: type[E], function: str = "f") -> list[E]:
    """The events of one kind that a root gives."""
    program = Program([lower_module(HEAD + textwrap.dedent(code), name="m", path="m.py", is_package=False)])
    found: dict[str, tuple[Event, ...]] = dict(solve(program, survey(program)).events)
    return [event for event in found.get(f"m:{function}", ()) if isinstance(event, kind)]


def repeated(code: str) -> Sent:
    """The one earlier request that the last one has to do with."""
    (sent,) = events(code, RequestMade)[-1].again
    return sent


TOKEN = Token(Site("m", 1))
USER = Turn("user", ("text",))
ANSWER = Turn("assistant", ("?",), (TOKEN,), "content")


class TestTails:
    """The lattice: what came behind a list since it was sent."""

    def test_turns_are_added_in_order(self) -> None:
        sent = grown(grown(frozenset({Sending(TOKEN)}), ANSWER), USER)
        assert sent == {Sending(TOKEN, (ANSWER, USER))}

    def test_the_same_turn_of_a_loop_is_one(self) -> None:
        assert grown(frozenset({Sending(TOKEN, (USER,))}), USER) == {Sending(TOKEN, (USER,))}

    def test_a_long_tail_is_unknown(self) -> None:
        sent = frozenset({Sending(TOKEN)})
        for number in range(MAX_TAIL + 1):
            sent = grown(sent, Turn("user", ("text",), words=str(number)))
        assert sent == {Sending(TOKEN, None)}
        assert grown(sent, USER) == {Sending(TOKEN, None)}

    def test_another_change_makes_it_unknown(self) -> None:
        assert changed(frozenset({Sending(TOKEN, (USER,))})) == {Sending(TOKEN, None)}

    def test_paths_that_join_keep_both_tails_and_the_common_end(self) -> None:
        one = ListObj(None, value(START), sent=frozenset({Sending(TOKEN, (ANSWER,))}), turns=(USER, ANSWER))
        two = ListObj(None, value(START), sent=frozenset({Sending(TOKEN)}), turns=(ANSWER,))
        joined = one.join(two)
        assert joined.sent == {Sending(TOKEN, (ANSWER,)), Sending(TOKEN)}
        assert joined.turns == (ANSWER,)
        assert two.join(one) == joined


class TestSameConversation:
    """Which request a request goes on with."""

    @pytest.mark.parametrize(
        ("between", "tail"),
        [
            ("", []),
            ("alias = messages; alias.append({'role': 'user', 'content': 'and?'})", ["user"]),
            ("messages += [{'role': 'assistant', 'content': r.content}]", ["assistant"]),
            ("add(messages, 'more')", ["user"]),
            ("messages = [*messages, {'role': 'user', 'content': 'x'}]", ["user"]),
            ("messages = messages + [{'role': 'user', 'content': 'x'}]", ["user"]),
            ("messages.append({'role': 'user', 'content': 'x'}); messages.pop()", []),
            ("messages.pop()", None),
            ("messages.clear()", None),
            ("messages[-1]['content'] = 'other'", None),
            ("messages[0] = {'role': 'user', 'content': 'other'}", None),
            ("del messages[0]", None),
            ("outside(messages)", None),
        ],
    )
    def test_what_came_behind(self, between: str, tail: list[str] | None) -> None:
        sent = repeated(f"""
            import somewhere
            outside = somewhere.outside

            def add(history, text):
                history.append({{"role": "user", "content": text}})

            def f(text):
                messages = [{{"role": "user", "content": text}}]
                r = client.messages.create(messages=messages, **OPTIONS)
                {between or "pass"}
                client.messages.create(messages=messages, **OPTIONS)
                return r.stop_reason
        """)
        assert [None if one is None else [turn.role for turn in one] for one in sent.tails] == [tail]
        assert sent.unchanged == (tail == [])

    @pytest.mark.parametrize(
        ("second", "differs"),
        [
            ("messages=messages, **OPTIONS", set()),
            ("messages=messages, model='claude-opus-5-5', max_tokens=200", {"max_tokens"}),
            ("messages=messages, model='claude-haiku-5-5', max_tokens=100", {"model"}),
            ("messages=messages, system='Be brief.', **OPTIONS", {"system"}),
            ("messages=messages, timeout=3, **OPTIONS", set()),
        ],
    )
    def test_what_differs(self, second: str, differs: set[str]) -> None:
        sent = repeated(f"""
            def f(text):
                messages = [{{"role": "user", "content": text}}]
                r = client.messages.create(messages=messages, **OPTIONS)
                client.messages.create({second})
                return r.stop_reason
        """)
        assert sent.differs == differs

    def test_a_loop_variable_makes_another_request(self) -> None:
        assert not repeated("""
            def f(models):
                messages = [{"role": "user", "content": "hi"}]
                for model in models:
                    r = client.messages.create(messages=messages, model=model, max_tokens=9)
                return r.stop_reason
        """).unchanged

    def test_a_literal_made_of_a_loop_variable_is_another_list(self) -> None:
        for item in ("item", "item.text", "f'{item}!'"):
            again = events(
                f"""
                def f(items):
                    for item in items:
                        r = client.messages.create(messages=[{{"role": "user", "content": {item}}}], **OPTIONS)
                    return r.stop_reason
                """,
                RequestMade,
            )[-1].again
            assert not any(sent.unchanged for sent in again), item

    def test_a_history_in_an_attribute_is_followed_into_methods(self) -> None:
        sent = events(
            """
            class C:
                def __init__(self):
                    self.messages = []

                def send(self):
                    return client.messages.create(messages=self.messages, **OPTIONS)

                def f(self):
                    r = self.send()
                    self.messages.append({"role": "assistant", "content": r.content})
                    self.send()
                    return r.stop_reason
            """,
            RequestMade,
            "C.f",
        )[-1].again
        assert [turn.how for one in sent for tail in one.tails for turn in tail or ()] == ["content"]

    def test_a_parameter_that_is_emptied_begins_anew(self) -> None:
        appended = events(
            """
            def f(messages):
                messages.append({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": ""}]})
                messages.clear()
                messages.append({"role": "user", "content": "In short: all is well."})
                return client.messages.create(messages=messages, **OPTIONS)
            """,
            TurnAppended,
        )
        assert [turn.before for turn in appended] == [(), ()]


class TestTurns:
    """How the answer is put back, and what a turn holds."""

    @pytest.mark.parametrize(
        ("content", "how"),
        [
            ("r.content", "content"),
            ("[b for b in r.content]", "content"),
            ("[b.to_dict() for b in r.content]", "content"),
            ("[b.model_dump() for b in r.content]", "nulls"),
            ("[b.model_dump(exclude_none=True) for b in r.content]", "content"),
            ("r.model_dump()['content']", "nulls"),
            ("r.to_dict()['content']", "content"),
            ("''.join(b.text for b in r.content if b.type == 'text')", "text"),
            ("[{'type': 'text', 'text': b.text} for b in r.content if b.type == 'text']", "rebuilt"),
            ("[b for b in r.content if b.type == 'text']", "rebuilt"),
            ("'Noted.'", ""),
        ],
    )
    def test_how_the_answer_is_in_it(self, content: str, how: str) -> None:
        appended = events(
            f"""
            def f(messages):
                r = client.messages.create(messages=messages, **OPTIONS)
                messages.append({{"role": "assistant", "content": {content}}})
                return r.stop_reason
            """,
            TurnAppended,
        )[-1]
        assert (appended.turn.role, appended.turn.how) == ("assistant", how)


class TestLoops:
    """Whether something else than the answers ends a loop."""

    @pytest.mark.parametrize(
        ("head", "tail", "bounded"),
        [
            ("while True:", "pass", False),
            ("while r.stop_reason == 'pause_turn':", "pass", False),
            ("while r.stop_reason == 'pause_turn' and n < 5:", "n += 1", True),
            ("while True:", "n += 1\n        if n > 5: break", True),
            ("while True:", "if n > 5: print('many')", False),
            ("for _ in range(5):", "pass", True),
            ("while lines:", "lines = lines[1:]", True),
            ("while going:", "if n > 5: going = False", True),
        ],
    )
    def test_bounds(self, head: str, tail: str, bounded: bool) -> None:
        code = f"""
SEARCH = [{{"type": "web_search_20250305", "name": "web_search"}}]

def ask():
    return client.messages.create(messages=[{{"role": "user", "content": "x"}}], tools=SEARCH, **OPTIONS)

def f(lines, n):
    going = True
    r = ask()
    {head}
        r = ask()
        if r.stop_reason != "pause_turn": break
        {tail}
    return r.stop_reason
"""
        assert {event.bounded for event in events(code, LoopContinued)} == {bounded}


class TestCalls:
    """Calls that lose their results."""

    @pytest.mark.parametrize(
        ("body", "how"),
        [
            ("if b.type == 'tool_use': results.append(answer(b.id))", []),
            ("if b.type == 'tool_use' and b.name in tools: results.append(answer(b.id))", ["skipped"]),
            ("if b.type == 'tool_use' and b.name == 'now': results.append(answer(b.id))", []),
            ("if b.type == 'tool_use':\n            results.append(answer(b.id))\n            break", ["left"]),
            ("if b.type == 'tool_use' and b.name in tools: calls.append(b)", []),
        ],
    )
    def test_in_a_loop_over_blocks(self, body: str, how: list[str]) -> None:
        code = f"""
def answer(id):
    return {{"type": "tool_result", "tool_use_id": id, "content": "ok"}}

def f(messages, tools):
    r = client.messages.create(messages=messages, tools=tools, **OPTIONS)
    results, calls = [], []
    for b in r.content:
        {body}
    messages.append({{"role": "assistant", "content": r.content}})
    messages.append({{"role": "user", "content": results}})
    return r.stop_reason
"""
        assert [event.how for event in events(code, CallLost)] == how


class TestRetries:
    """After which exceptions a decorator calls again."""

    @pytest.mark.parametrize(
        ("decorator", "again"),
        [
            ("tenacity.retry", True),
            ("tenacity.retry(stop=tenacity.stop_after_attempt(3))", True),
            ("tenacity.retry(retry=tenacity.retry_if_exception_type(ValueError))", True),
            ("tenacity.retry(retry=tenacity.retry_if_exception_type((OSError, TimeoutError)))", False),
            ("tenacity.retry(retry=tenacity.retry_if_exception(is_transient))", False),
            ("backoff.on_exception(backoff.expo, (OSError, ValueError), max_tries=3)", True),
            ("backoff.on_exception(backoff.expo, OSError)", False),
            ("stamina.retry(on=ValueError, attempts=3)", True),
            ("stamina.retry(on=OSError)", False),
            ("functools.cache", False),
        ],
    )
    def test_what_is_caught(self, decorator: str, again: bool) -> None:
        code = f"""
import backoff, functools, stamina, tenacity

@{decorator}
def f(text):
    r = client.messages.create(messages=[{{"role": "user", "content": text}}], **OPTIONS)
    if not r.content:
        raise ValueError(r.stop_reason)
    return r
"""
        assert any(event.again for event in events(code, RequestMade)) == again


class TestLists:
    """Lists that hold themselves, and parts of lists."""

    def test_a_text_may_come_to_hold_its_own_list(self) -> None:
        code = """
def f(content, messages):
    for _ in range(3):
        content = [{"type": "text", "text": content}]
        messages.append({"role": "user", "content": content})
    return client.messages.create(messages=messages, **OPTIONS)
"""
        assert events(code, TurnAppended)

    @pytest.mark.parametrize(
        ("part", "cut"),
        [("history[-20:]", True), ("history[len(history) - n :]", True), ("history[1:]", False), ("history[:]", False)],
    )
    def test_what_counts_as_a_blind_cut(self, part: str, cut: bool) -> None:
        code = f"""
def f(question, n):
    history = []
    while question():
        history = {part}
        history.append({{"role": "user", "content": "go"}})
        r = client.messages.create(messages=history, tools=[{{"name": "t", "input_schema": {{}}}}], **OPTIONS)
        history.append({{"role": "assistant", "content": r.content}})
        results = [{{"type": "tool_result", "tool_use_id": b.id, "content": ""}} for b in r.content if b.type == "tool_use"]
        history.append({{"role": "user", "content": results}})
"""
        assert any(event.how == "cut" for event in events(code, CallLost)) == cut


class TestTuples:
    """What stands where in a list that is made on several paths."""

    def test_places_of_lists_of_one_length(self) -> None:
        one, two, other = (value(Atom("const", number)) for number in range(3))
        first = ListObj((one, two), two, one | two)
        assert first.join(ListObj((other, two), two, other | two)).items == (one | other, two)
        assert first.join(ListObj((other,), other, other)).items is None

    def test_what_is_unknown_on_one_path_is_unknown(self) -> None:
        one = value(Atom("const", 1))
        assert ListObj((one,), one, one).join(ListObj((UNKNOWN,), UNKNOWN)).items == (UNKNOWN,)

    def test_names_get_what_stands_at_their_place(self) -> None:
        code = """
        def f(flag, known, messages):
            if flag:
                pair = known, client.messages.create(messages=messages, **OPTIONS)
            else:
                pair = known, client.messages.create(messages=messages, **OPTIONS)
            left, right = pair
            print(left)
            return [block.text for block in right.content]
        """
        assert {event.exposed for event in events(code, ResponseEnded)} == {False}


@pytest.mark.parametrize(
    ("test", "empty_left"),
    [
        ("len(message.content) == 2", False),
        ("len(message.content) != 2", True),
        ("len(message.content) > 1000", False),
        ("len(text) > 1000", False),
        ("len(text) < 1000", True),
        ("len(text) <= 0", True),
        ('text == ""', True),
        ('text != ""', False),
        ('not text == ""', False),
        ("message.content", False),
    ],
)
def test_what_a_size_says(test: str, empty_left: bool) -> None:
    code = f"""
    def f(messages):
        message = client.messages.create(messages=messages, **OPTIONS)
        text = ""
        for block in message.content:
            text += block.text
        if {test}:
            client.messages.create(messages=messages, **OPTIONS)
    """
    (event,) = {event.where: event for event in events(code, RequestMade) if event.again}.values()
    assert any(sent.known.content & EMPTY for sent in event.again) is empty_left
