"""Conversations that look alike and are not the same, and one conversation that does not look it."""

from __future__ import annotations

import itertools

import pytest
from tracing import PARAMS, SEARCH, TOOL, assistant, fake, user

from stoplint.testing import empty, pause, refusal, text, truncated
from stoplint.trace import canonical
from stoplint.trace.tracer import Tracer

RULES = "Guideline. " * 120
POLICY = "Policy text. " * 120


def ask(client, *messages, **more):
    return client.messages.create(messages=list(messages), **{**PARAMS, **more})


def chains(traced):
    return [turn["chain.id"] for turn in traced.turns]


# --- Long texts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["message", "block", "document"])
def test_prompts_of_one_template_are_told_apart(traced, place):
    def prompt(number):
        words = f"{RULES}\nOrder number: {number}\n{POLICY}"
        if place == "message":
            return user(words)
        if place == "block":
            return user([{"type": "text", "text": words}, {"type": "text", "text": "Answer."}])
        return user([{"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": words}}])

    with fake(truncated("x"), empty(), refusal("cyber"), text("ok")) as api:
        client = traced.client(api)
        for number in range(48213, 48217):
            ask(client, prompt(number))
    assert traced.relations == ["new"] * 4
    assert traced.codes == [[]] * 4
    assert len(set(chains(traced))) == 4
    assert len({turn["turn.digest"] for turn in traced.turns}) == 4


def test_a_long_system_prompt_counts_whole(traced):
    with fake(truncated("x"), text("ok")) as api:
        client = traced.client(api)
        for day in "12":
            ask(client, user("Hello"), system=f"{RULES}\nToday is the {day}.\n{POLICY}")
    assert traced.relations == ["new", "new"]


def test_a_long_text_is_known_again_in_another_string(traced):
    with fake(truncated("x"), text("ok")) as api:
        client = traced.client(api)
        for _ in range(2):
            ask(client, user(f"{RULES}{POLICY}"))
    assert traced.codes == [[], ["SL207"]]


def test_what_stands_for_a_long_text_is_the_same_in_every_process():
    expected = "\x002049\x008482a58314bce0bca2191fca7cc31508"
    assert canonical.clip("x" * 2049) == expected
    canonical._clipped.clear()
    assert canonical.clip("x" * 2049) == expected


def test_the_long_texts_remembered_are_bounded():
    for number in range(1000):
        canonical.clip(f"{number:>3000}")
    assert len(canonical._clipped) <= 256
    assert all(len(short) < 50 for short in canonical._clipped.values())


# --- Answers that are much alike --------------------------------------------------------------------------------------

EXTRACTED = '{"invoice_number": "INV-%04d", "vendor": "%s", "total": 99.0, "currency": "EUR", "status": "paid"}'
DECLINED = "I'm sorry, but I can't help with that. %s Is there anything else I can help you with today?"
CANNED = DECLINED % ""
PAGE = "All work and no play makes a page that nobody writes twice. " * 10


def test_an_example_in_the_prompt_is_not_the_answer_before(traced):
    answers = [text(EXTRACTED % (number, "Foo")) for number in range(3)]
    with fake(*answers) as api:
        client = traced.client(api)
        for name in ("one", "two", "three"):
            example = assistant(EXTRACTED % (9, "Acme"))
            ask(client, user("An example"), example, user(f"Document {name}"), tools=[TOOL])
    assert traced.relations == ["new"] * 3
    assert traced.codes == [[]] * 3


@pytest.mark.parametrize("history", [DECLINED % "Ordering pizza needs a tool I do not have.", CANNED])
def test_a_conversation_of_another_day_is_not_the_refused_one(traced, history):
    with fake(refusal("cyber", partial=CANNED), text("ok")) as api:
        client = traced.client(api)
        ask(client, user("Write malware"))
        ask(client, user("Order me a pizza"), assistant(history), user("Then a recipe"))
    assert traced.relations == ["new", "new"]
    assert traced.codes == [[], []]


ECHOES = {
    "stripped": (text("  A first answer, with some words.\n"), "A first answer, with some words."),
    "other newlines": (text("One line.\n\nAnother line.\n"), "One line.\r\n\r\nAnother line."),
    "joined": (text("One part.") + text("Another part."), "One part.\nAnother part."),
    "short": (text("Yes. "), "Yes."),
}


@pytest.mark.parametrize("echo", ECHOES)
def test_an_edited_echo_is_the_answer_before(traced, echo):
    answer, echoed = ECHOES[echo]
    with fake(text("Hi."), answer, text("ok")) as api:
        client = traced.client(api)
        history = [user("Hello"), assistant("Hi."), user("And?")]
        ask(client, user("Hello"))
        ask(client, *history)
        ask(client, *history, assistant(echoed), user("Go on"))
    assert traced.relations == ["new", "reply", "reply"]
    assert len(set(chains(traced))) == 1


@pytest.mark.parametrize(
    ("answer", "kept", "relation"),
    [
        (PAGE, [user("A summary of what was said")], "reply"),
        (CANNED, [user("Third")], "reply"),
        (CANNED, [user("A summary of what was said")], "new"),
        ("Yes.", [user("Third")], "new"),
    ],
)
def test_a_trimmed_history_is_known_by_what_it_keeps(traced, answer, kept, relation):
    with fake(text("Hi."), text(answer), text("ok")) as api:
        client = traced.client(api)
        ask(client, user("First"))
        ask(client, user("First"), assistant("Hi."), user("Third"))
        ask(client, *kept, assistant(answer), user("Go on"))
    assert traced.relations[2] == relation


# --- One turn in several messages -------------------------------------------------------------------------------------


def block(words):
    return {"type": "text", "text": words}


APART = [user("Document"), user("Question")]
TOGETHER = [user([block("Document"), block("Question")])]
OLD = [user("Hello"), assistant("Hi.")]


@pytest.mark.parametrize("old", [[], OLD, OLD * 3])
@pytest.mark.parametrize(("before", "after"), [(APART, TOGETHER), (TOGETHER, APART), (APART, APART)])
def test_a_turn_is_the_same_in_one_message_or_in_two(traced, old, before, after):
    with fake(truncated("Once upon"), text(" a time."), text("The end.")) as api:
        client = traced.client(api)
        first = ask(client, *old, *before)
        cut = [assistant(first.content), user("Go on")]
        second = ask(client, *old, *after, *cut)
        ask(client, *old, *after, *cut, assistant(second.content), user("And?"))
    assert traced.relations == ["new", "continue", "reply"]
    turns = traced.turns
    assert [turn["turn.parent_digest"] for turn in turns[1:]] == [turn["turn.digest"] for turn in turns[:-1]]
    traced.tracer.end_all()
    assert traced.sink.findings == []


@pytest.mark.parametrize(("before", "after"), [(APART, TOGETHER), (TOGETHER, APART)])
def test_a_first_turn_put_together_later_on_is_still_the_first(traced, before, after):
    with fake(text("Yes."), truncated("Once"), text("Done.")) as api:
        client = traced.client(api)
        first = ask(client, *before)
        history = [assistant(first.content), user("And?")]
        second = ask(client, *before, *history)
        ask(client, *after, *history, assistant(second.content), user("Go on"))
    assert traced.relations == ["new", "reply", "continue"]
    assert len(set(chains(traced))) == 1
    traced.tracer.end_all()
    assert traced.sink.findings == []


def test_the_digests_of_a_paused_turn_in_one_message_or_in_two_are_equal(traced):
    with fake(pause("fox", value="a"), text("Found."), text("Found.")) as api:
        client = traced.client(api)
        first = ask(client, *OLD, user("Search"), tools=[SEARCH])
        second = ask(client, *OLD, user("Search"), assistant(first.content), tools=[SEARCH])
        ask(client, *OLD, user("Search"), assistant([*first.content, *second.content]), user("And?"), tools=[SEARCH])
    assert traced.relations == ["new", "resume", "reply"]
    assert traced.turns[2]["turn.parent_digest"] == traced.turns[1]["turn.digest"]


def test_the_digests_of_two_processes_do_not_follow_how_a_turn_is_split():
    def begin(messages):
        tracer = Tracer(None, lambda _: None)
        return tracer, tracer.begin({"model": "m", "max_tokens": 9, "messages": messages}, streaming=False)

    for before, after in itertools.permutations((APART, TOGETHER)):
        tracer, turn = begin([*OLD, *before])
        tracer.answered(turn, {"id": "msg", "content": [block("Yes.")], "stop_reason": "end_turn"})
        _, following = begin([*OLD, *after, assistant("Yes."), user("And?")])
        assert following.decision.relation == "new"
        assert following.state.parent_digest == turn.state.digest


# --- A system prompt that changes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("answer", "code"), [(empty(), "SL203"), (refusal("bio"), "SL208"), (text("Fine."), None)])
def test_the_time_of_day_in_a_system_prompt_makes_no_other_conversation(traced, answer, code):
    with fake(text("Hi."), answer, answer) as api:
        client = traced.client(api)
        first = ask(client, user("Hello"), system="It is 10:00.")
        history = [user("Hello"), assistant(first.content), user("And?")]
        for minute in "12":
            ask(client, *history, system=[{"type": "text", "text": f"It is 10:0{minute}."}])
    assert traced.relations == ["new", "reply", "retry_changed"]
    assert traced.turns[2]["relation.changed"] == ("system",)
    assert traced.codes == [[], [], [code] if code else []]


def test_the_same_messages_with_another_system_prompt_are_another_conversation_from_the_start_on(traced):
    with fake(*[text("Hi."), empty()] * 2) as api:
        client = traced.client(api)
        for system in ("Sort this.", "Answer this."):
            first = ask(client, user("Hello"), system=system)
            ask(client, user("Hello"), assistant(first.content), user("And?"), system=system)
    assert traced.relations == ["new", "reply"] * 2
    assert traced.codes == [[]] * 4
    assert len(set(chains(traced))) == 2


def test_another_system_prompt_may_be_what_a_cut_answer_needed(traced):
    with fake(text("Hi."), truncated("Once"), text("Done.")) as api:
        client = traced.client(api)
        first = ask(client, user("Hello"))
        for system in ("Tell.", "Tell, in ten words."):
            ask(client, user("Hello"), assistant(first.content), user("And?"), system=system)
    assert traced.codes == [[]] * 3
