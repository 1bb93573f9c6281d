"""A program that runs twice, or asks several questions at once: no run is a mistake of another."""

from __future__ import annotations

import pytest
from tracing import PARAMS, SEARCH, TOOL, assistant, fake, result, user

from stoplint.testing import empty, pause, refusal, text, tool_use, truncated
from stoplint.trace.chains import Chains
from stoplint.trace.tracer import Tracer

HELLO = user("Hello")


def send(client, *messages, **more):
    return client.messages.create(messages=list(messages), **{**PARAMS, "tools": [TOOL, SEARCH], **more}).content


def chains(traced):
    """The chain of each turn, numbered as they come."""
    seen = {}
    return [seen.setdefault(turn["chain.id"], len(seen)) for turn in traced.turns]


def resumed(client):
    send(client, HELLO, assistant(send(client, HELLO)))


def continued(client):
    send(client, HELLO, assistant(send(client, HELLO)), user("Go on"))


def remedied(client):
    send(client, HELLO)
    send(client, HELLO, user("Please answer."))


def tool_loop(client):
    called = send(client, HELLO)
    send(client, HELLO, assistant(called), user([result(called[-1].id)]))


def later(client):
    history = [HELLO, assistant(send(client, HELLO)), user("And?")]
    send(client, *history, assistant(send(client, *history)), user("Go on"))


SOUND = {
    "resumed": (resumed, [pause("fox"), text("Done.")], ["new", "resume"]),
    "continued": (continued, [truncated("Once"), text("Done.")], ["new", "continue"]),
    "remedied": (remedied, [empty(), text("Done.")], ["new", "reply"]),
    "tools": (tool_loop, [tool_use("look"), text("Done.")], ["new", "tool_result"]),
    "later": (later, [text("Hi."), truncated("Once"), text("Done.")], ["new", "reply", "continue"]),
}


@pytest.mark.parametrize("name", SOUND)
@pytest.mark.parametrize("runs", [2, 3])
def test_a_sound_program_may_run_again(traced, name, runs):
    program, script, relations = SOUND[name]
    with fake(*script * runs) as api:
        client = traced.client(api)
        for _ in range(runs):
            program(client)
    assert traced.relations == relations * runs
    assert traced.codes == [[]] * len(script) * runs
    assert chains(traced) == [run for run in range(runs) for _ in script]
    traced.tracer.end_all()
    assert traced.sink.findings == []


def test_a_later_turn_asked_again_is_a_fork_once_it_was_carried_on(traced):
    with fake(text("Hi."), truncated("Once"), text("Done."), text("Twice.")) as api:
        client = traced.client(api)
        history = [HELLO, assistant(send(client, HELLO)), user("And?")]
        send(client, *history, assistant(send(client, *history)), user("Go on"))
        send(client, *history)
    assert traced.relations == ["new", "reply", "continue", "fork"]
    assert traced.codes == [[]] * 4


@pytest.mark.parametrize(
    ("answer", "code"),
    [(truncated("Once"), "SL207"), (empty(), "SL203"), (refusal("bio"), "SL208"), (pause(), "SL205")],
)
def test_a_turn_that_was_not_carried_on_is_still_tried_again(traced, answer, code):
    with fake(answer, answer, text("Done.")) as api:
        client = traced.client(api)
        for _ in range(3):
            send(client, HELLO)
    assert traced.relations == ["new", "retry_unchanged", "retry_unchanged"]
    assert traced.codes == [[], [code], [code]]


@pytest.mark.parametrize(("minutes", "relation"), [(5, "retry_unchanged"), (11, "new")])
def test_a_question_of_a_chain_that_is_over_is_a_new_one(minutes, relation):
    now = [0.0]
    tracer = Tracer(None, lambda _: None, chains=Chains(clock=lambda: now[0]))
    for number, moment in enumerate((0, minutes * 60)):
        now[0] = moment
        turn = tracer.begin({"model": "m", "max_tokens": 9, "messages": [HELLO]}, streaming=False)
        tracer.answered(turn, {"id": f"msg_{number}", "content": [], "stop_reason": "end_turn"})
    assert turn.decision.relation == relation
    assert [code for code, _ in turn.findings] == (["SL203"] if relation != "new" else [])


def test_a_question_of_a_chain_told_to_be_over_is_a_new_one(traced):
    with fake(truncated("Once"), text("Done.")) as api:
        client = traced.client(api)
        send(client, HELLO)
        assert traced.tracer.end_chain(traced.turns[0]["chain.id"])
        send(client, HELLO)
    assert traced.relations == ["new", "new"]
    assert traced.codes == [[], []]
