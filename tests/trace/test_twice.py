"""A program that runs twice, or asks several questions at once: no run is a mistake of another."""

from __future__ import annotations

import pytest
from tracing import PARAMS, SEARCH, TOOL, MemorySink, assistant, fake, result, user

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


def test_a_longer_opening_is_not_a_cut_one_that_was_carried_on(traced):
    with fake(truncated("Once"), text("Done."), text("Twice.")) as api:
        client = traced.client(api)
        continued(client)
        send(client, HELLO, user("And now for something else"))
    assert traced.relations == ["new", "continue", "new"]
    assert traced.codes == [[]] * 3


def test_another_question_after_one_that_was_remedied_is_a_fork(traced):
    with fake(text("Hi."), empty(), text("One."), text("Two.")) as api:
        client = traced.client(api)
        history = [HELLO, assistant(send(client, HELLO))]
        for words in ([user("First")], [user("First"), user("Please answer.")], [user("Second")]):
            send(client, *history, *words)
    assert traced.relations == ["new", "reply", "reply", "fork"]


# --- Several questions at once ----------------------------------------------------------------------------------------


def asked_at_once(*reasons, words="Answer {}"):
    """A tracer that saw requests go out before the first of their answers came."""
    sink = MemorySink()
    tracer = Tracer(None, lambda _: sink)
    turns = [tracer.begin({"model": "m", "max_tokens": 9, "messages": [HELLO]}, streaming=False) for _ in reasons]
    for number, (turn, reason) in enumerate(zip(turns, reasons, strict=True)):
        content = [{"type": "text", "text": words.format(number)}]
        tracer.answered(turn, {"id": f"msg_{number}", "content": content, "stop_reason": reason})
    return tracer, sink


def ends(sink):
    return [(found.code, found.turn_id) for found in sink.findings]


def test_each_question_to_one_document_is_a_branch_and_the_cut_one_is_told(traced):
    with fake(text("Ask me."), truncated("Cut"), text("Two."), pause("fox"), text("Four.")) as api:
        client = traced.client(api)
        history = [user("A document"), assistant(send(client, user("A document")))]
        for number in range(4):
            send(client, *history, user(f"Question {number}"))
    assert traced.relations == ["new", "reply", "fork", "fork", "fork"]
    assert traced.codes == [[]] * 5
    traced.tracer.end_all()
    turns = [record.turn_id for record in traced.sink.turns]
    assert ends(traced.sink) == [("SL102", turns[1]), ("SL102", turns[3])]
    assert all(found.message.startswith("a branch of the conversation ended") for found in traced.sink.findings)
    assert [record.outcome for record in traced.sink.chains] == ["unresumed"]


def test_a_branch_that_was_cut_and_carried_on_is_not_told(traced):
    with fake(text("Ask me."), truncated("Cut"), text("Two."), text("Done.")) as api:
        client = traced.client(api)
        history = [user("A document"), assistant(send(client, user("A document")))]
        cut = send(client, *history, user("One"))
        send(client, *history, user("Two"))
        send(client, *history, user("One"), assistant(cut), user("Go on"))
    traced.tracer.end_all()
    assert traced.sink.findings == []
    assert [record.outcome for record in traced.sink.chains] == ["finished"]


def test_a_cut_answer_dropped_in_one_of_several_branches_is_seen(traced):
    with fake(text("Ask me."), truncated("Cut"), text("Two."), text("Done.")) as api:
        client = traced.client(api)
        history = [user("A document"), assistant(send(client, user("A document")))]
        send(client, *history, user("One"))
        send(client, *history, user("Two"))
        send(client, *history, user("One"), user("Go on"))
    assert traced.relations == ["new", "reply", "fork", "retry_changed"]
    assert traced.codes[3] == ["SL206"]
    assert traced.sink.turns[3].parent_turn_id == traced.sink.turns[1].turn_id
    traced.tracer.end_all()
    assert [found.code for found in traced.sink.findings] == ["SL206"]


def test_other_words_with_a_higher_limit_are_another_try_after_a_cut(traced):
    with fake(text("Ask me."), truncated("Cut"), text("Done.")) as api:
        client = traced.client(api)
        history = [user("A document"), assistant(send(client, user("A document")))]
        send(client, *history, user("Tell me all"))
        send(client, *history, user("Be brief"), max_tokens=128)
    traced.tracer.end_all()
    assert traced.turns[2]["relation.changed"] == ("messages", "max_tokens")
    assert traced.sink.findings == []


def test_the_cut_one_of_several_answers_to_one_question_is_told():
    tracer, sink = asked_at_once("max_tokens", "end_turn", "end_turn")
    tracer.end_all()
    assert ends(sink) == [("SL102", "msg_0")]
    assert [record.outcome for record in sink.chains] == ["truncated"]


@pytest.mark.parametrize("words", ["Answer {}", "Answer"])
def test_cut_answers_to_one_question_may_each_be_carried_on(words):
    tracer, sink = asked_at_once("max_tokens", "max_tokens", words=words)
    for number in range(2):
        content = [{"type": "text", "text": words.format(number)}]
        messages = [HELLO, assistant(content), user("Go on")]
        turn = tracer.begin({"model": "m", "max_tokens": 9, "messages": messages}, streaming=False)
        tracer.answered(turn, {"id": f"msg_on_{number}", "content": content, "stop_reason": "end_turn"})
    tracer.end_all()
    assert sink.findings == []


def test_the_open_ends_of_a_chain_are_bounded():
    tracer, sink = asked_at_once(*["max_tokens"] * 100)
    tracer.end_all()
    assert len(sink.findings) == 32
    assert ends(sink)[-1] == ("SL102", "msg_99")


def test_an_end_is_told_once():
    tracer, sink = asked_at_once("max_tokens", "end_turn")
    tracer.end_chain(sink.turns[0].chain_id)
    messages = [HELLO, assistant([{"type": "text", "text": "Answer 1"}]), user("And?")]
    turn = tracer.begin({"model": "m", "max_tokens": 9, "messages": messages}, streaming=False)
    tracer.answered(turn, {"id": "msg_on", "content": [], "stop_reason": "stop_sequence"})
    tracer.end_all()
    assert ends(sink) == [("SL102", "msg_0")]
    assert [record.outcome for record in sink.chains] == ["truncated", "stopped"]


def test_the_index_follows_the_order_in_which_requests_went_out():
    tracer, sink = asked_at_once()
    turns = [tracer.begin({"model": "m", "messages": [HELLO]}, streaming=False) for _ in range(3)]
    for number in (2, 1, 0):
        tracer.answered(turns[number], {"id": f"msg_{number}", "content": [], "stop_reason": "refusal"})
    assert [(record.index, record.relation) for record in sink.turns] == [
        (2, "retry_unchanged"),
        (1, "retry_unchanged"),
        (0, "new"),
    ]


def test_the_place_of_a_failed_turn_is_given_again_unless_another_went_out_after_it():
    tracer, sink = asked_at_once()
    turns = [tracer.begin({"model": "m", "messages": [HELLO]}, streaming=False) for _ in range(3)]
    for number in (1, 2):
        tracer.failed(turns[number], "overloaded_error")
    turns.append(tracer.begin({"model": "m", "messages": [HELLO]}, streaming=False))
    for number in (0, 3):
        tracer.answered(turns[number], {"id": f"msg_{number}", "content": [], "stop_reason": "refusal"})
    assert [record.index for record in sink.turns] == [1, 2, 0, 2]


# --- Remedies ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", ["opening", "tools"])
def test_each_remedy_of_an_empty_turn_follows_the_one_before(traced, after):
    rounds = 14
    script = [empty()] * (rounds - 1) + [text("Done.")]
    with fake(*([tool_use("look")] if after == "tools" else []), *script) as api:
        client = traced.client(api)
        messages = [HELLO]
        if after == "tools":
            called = send(client, HELLO)
            messages += [assistant(called), user([result(called[-1].id)])]
        for number in range(rounds):
            send(client, *messages)
            messages.append(user(f"Go on, {number}"))
    turns = traced.sink.turns[-rounds:]
    assert [record.relation for record in turns[1:]] == ["reply"] * (rounds - 1)
    assert [record.parent_turn_id for record in turns[1:]] == [record.turn_id for record in turns[:-1]]
    assert [number for number, record in enumerate(turns) if record.findings] == [11]
    assert turns[11].findings == ("SL209",)


def test_rephrasing_again_and_again_is_one_step(traced):
    with fake(text("Hi."), *[refusal("bio")] * 3, text("Done.")) as api:
        client = traced.client(api)
        history = [HELLO, assistant(send(client, HELLO))]
        for words in ("Do harm", "Do harm", "Do ill", "Do good"):
            send(client, *history, user(words))
    assert traced.relations == ["new", "reply", "retry_unchanged", "retry_changed", "retry_changed"]
    assert traced.codes == [[], [], ["SL208"], [], []]
