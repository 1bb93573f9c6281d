"""The findings of the catalog as real requests show them: each rule with a case for it and cases against it."""

from __future__ import annotations

import itertools

import pytest
from tracing import PARAMS, SEARCH, TOOL, assistant, fake, result, user

from stoplint import catalog
from stoplint.testing import empty, pause, refusal, text, thinking, tool_use, truncated, truncated_tool_use
from stoplint.trace import mistakes
from stoplint.trace.tracer import Tracer

HELLO = user("Hello")


def play(traced, script, *requests, **fixed):
    """Send requests; each is a function from the answers so far to (messages, parameters)."""
    answers = []
    with fake(*script) as api:
        client = traced.client(api)
        for make in requests:
            messages, more = make(answers)
            answers.append(client.messages.create(messages=messages, **{**PARAMS, **fixed, **more}))
    return traced.codes


def start(_answers):
    return [HELLO], {}


def echo(answers):
    return assistant(answers[-1].content)


def test_the_table_says_what_the_pages_say():
    pages = catalog.rules()
    for code, rule in mistakes.RULES.items():
        assert (rule.name, rule.severity, rule.profile) == (pages[code].name, pages[code].severity, pages[code].profile)


def test_every_rule_of_the_table_has_a_function():
    in_requests = set(mistakes.IN_REQUEST) | set(mistakes.AFTER_TURN)
    assert in_requests | {"SL101", "SL102"} == set(mistakes.RULES)


# --- SL103 ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("is_error", "expected"), [(False, ["SL103"]), (True, [])])
def test_sl103(traced, is_error, expected):
    def answer(answers):
        return [HELLO, echo(answers), user([result(answers[0].content[-1].id, is_error=is_error)])], {}

    codes = play(traced, [truncated_tool_use("look", {"place": "Par"}), text("Done.")], start, answer, tools=[TOOL])
    assert [code for code in codes[1] if code == "SL103"] == expected


# --- SL201, SL202, SL210, SL211 ---------------------------------------------------------------------------------------

TEXT = {"type": "text", "text": "Now go on."}


def tools(traced, shape, calls=1):
    """The findings on a request whose user messages after the tool calls `shape` makes from their ids."""
    answer = tool_use("look", {"n": 0})
    for number in range(1, calls):
        answer += tool_use("look", {"n": number})

    def second(answers):
        ids = [block.id for block in answers[0].content]
        return [HELLO, echo(answers), *shape(*ids)], {}

    return play(traced, [answer, text("Done.")], start, second, tools=[TOOL])[1]


def test_results_alone_in_one_message_are_right(traced):
    assert tools(traced, lambda a, b: [user([result(a), result(b)])], calls=2) == []


def test_sl201_text_after_the_result_in_its_message(traced):
    assert tools(traced, lambda a: [user([result(a), TEXT])]) == ["SL201"]


def test_sl201_text_in_a_message_after_the_result(traced):
    assert tools(traced, lambda a: [user([result(a)]), user("Now go on.")]) == ["SL201"]


def test_sl202_text_before_the_result(traced):
    assert tools(traced, lambda a: [user([TEXT, result(a)])]) == ["SL202"]


def test_sl202_a_message_between_call_and_result(traced):
    assert tools(traced, lambda a: [user("Hm."), user([result(a)])]) == ["SL202"]


def test_sl210_a_call_without_result(traced):
    assert tools(traced, lambda a, b: [user([result(b)])], calls=2) == ["SL210"]


def test_sl210_text_instead_of_the_result(traced):
    assert tools(traced, lambda a: [user("Never mind.")]) == ["SL210"]


def test_sl211_one_message_a_result(traced):
    assert tools(traced, lambda a, b: [user([result(a)]), user([result(b)])], calls=2) == ["SL211"]


def test_an_old_mistake_in_the_history_is_not_told_again(traced):
    def bad(answers):
        return [HELLO, echo(answers), user([result(answers[0].content[-1].id), TEXT])], {}

    def later(answers):
        old, _ = bad(answers[:1])
        return [*old, echo(answers), user("And?")], {}

    codes = play(traced, [tool_use("look"), text("Done."), text("More.")], start, bad, later, tools=[TOOL])
    assert codes == [[], ["SL201"], []]


# --- SL203, SL204 -----------------------------------------------------------------------------------------------------


def test_sl203_an_empty_turn_asked_again(traced):
    assert play(traced, [empty(), text("Hi.")], start, start) == [[], ["SL203"]]


def test_sl203_not_with_a_new_user_message(traced):
    assert play(traced, [empty(), text("Hi.")], start, lambda _: ([HELLO, user("Please?")], {})) == [[], []]


def test_sl203_not_after_an_answer(traced):
    assert play(traced, [text("Hi."), text("Hi.")], start, start) == [[], []]


def test_sl204_a_finished_turn_sent_back(traced):
    assert play(traced, [text("Hi."), text("Hi.")], start, lambda a: ([HELLO, echo(a)], {})) == [[], ["SL204"]]
    assert traced.relations == ["new", "retry_unchanged"]


# --- SL205 ------------------------------------------------------------------------------------------------------------


def paused(traced, second):
    return play(traced, [pause("fox", value="Let me see."), text("Found.")], start, second, tools=[SEARCH])[1]


def test_sl205_not_when_sent_back_as_it_came(traced):
    assert paused(traced, lambda a: ([HELLO, echo(a)], {})) == []


def test_sl205_user_text_added(traced):
    assert paused(traced, lambda a: ([HELLO, echo(a), user("Continue.")], {})) == ["SL205"]
    assert traced.relations[1] == "resume"


def test_sl205_content_rebuilt(traced):
    def second(answers):
        return [HELLO, assistant([{"type": "text", "text": answers[0].content[0].text}])], {}

    assert paused(traced, second) == ["SL205"]


def test_sl205_content_dropped(traced):
    assert paused(traced, lambda _: ([HELLO, user("Continue.")], {})) == ["SL205"]


def test_sl205_started_over(traced):
    assert paused(traced, start) == ["SL205"]


def test_sl205_tools_changed(traced):
    assert paused(traced, lambda a: ([HELLO, echo(a)], {"tools": [TOOL]})) == ["SL205"]


# --- SL206, SL207 -----------------------------------------------------------------------------------------------------


def test_sl206_the_partial_answer_dropped(traced):
    codes = play(traced, [truncated("Once"), text("x")], start, lambda _: ([HELLO, user("Continue.")], {}))
    assert codes == [[], ["SL206"]]


def test_sl206_not_with_the_partial_answer(traced):
    codes = play(traced, [truncated("Once"), text("x")], start, lambda a: ([HELLO, echo(a), user("Go on.")], {}))
    assert codes == [[], []]


@pytest.mark.parametrize(("limit", "expected"), [(64, ["SL207"]), (128, [])])
def test_sl207(traced, limit, expected):
    codes = play(traced, [truncated("Once"), text("x")], start, lambda _: ([HELLO], {"max_tokens": limit}))
    assert codes == [[], expected]


# --- SL208 ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("model", "expected"), [(PARAMS["model"], ["SL208"]), ("claude-haiku-4-5", [])])
def test_sl208(traced, model, expected):
    codes = play(traced, [refusal("cyber"), text("x")], start, lambda _: ([HELLO], {"model": model}))
    assert codes == [[], expected]
    assert traced.turns[0]["refusal.category"] == "cyber"


def test_sl208_not_when_rephrased(traced):
    codes = play(traced, [refusal("cyber"), text("x")], start, lambda _: ([user("Good morning")], {}))
    assert codes == [[], []]


# --- SL209 ------------------------------------------------------------------------------------------------------------


def test_sl209_once_when_the_limit_is_passed(traced):
    rounds = mistakes.CONTINUATION_LIMIT + 2

    def on(answers):
        return [HELLO, *[assistant(answer.content) for answer in answers]], {}

    script = [pause(f"search {number}") for number in range(rounds + 1)]
    codes = play(traced, script, start, *[on] * rounds, tools=[SEARCH])
    assert [number for number, found in enumerate(codes) if found == ["SL209"]] == [mistakes.CONTINUATION_LIMIT + 1]


def test_sl209_of_a_tool_loop_is_strict(traced):
    rounds = mistakes.CONTINUATION_LIMIT + 1

    def on(answers):
        messages = [HELLO]
        for answer in answers:
            messages += [assistant(answer.content), user([result(answer.content[-1].id)])]
        return messages, {}

    script = [tool_use("look", {"n": number}) for number in range(rounds + 1)]
    play(traced, script, start, *[on] * rounds, tools=[TOOL])
    (found,) = traced.sink.findings
    assert (found.code, found.profile) == ("SL209", "strict")


def test_sl209_not_for_one_question_asked_often(traced):
    codes = play(traced, [text("Hi.")] * 13, *[start] * 13)
    assert codes == [[]] * 13


# --- SL212, SL213 -----------------------------------------------------------------------------------------------------


def test_sl212_an_empty_turn_kept(traced):
    codes = play(traced, [empty(), text("x")], start, lambda a: ([HELLO, assistant([]), user("And?")], {}))
    assert codes == [[], ["SL212"]]


@pytest.mark.parametrize("content", ["", [{"type": "text", "text": ""}], [{"type": "text", "text": ""}] * 2])
def test_sl212_a_turn_of_empty_texts_kept(traced, content):
    codes = play(traced, [text("x")], lambda _: ([HELLO, assistant(content), user("And?")], {}))
    assert codes == [["SL212"]]


def test_sl212_one_message_of_a_turn_is_empty(traced):
    messages = [HELLO, assistant("Hi."), assistant(""), user("And?")]
    assert play(traced, [text("x")], lambda _: (messages, {})) == [["SL212"]]


def test_sl212_an_empty_text_beside_a_tool_call_is_no_empty_turn(traced):
    codes = play(
        traced,
        [text("") + tool_use("look"), text("x")],
        start,
        lambda a: ([HELLO, echo(a), user([result(a[0].content[-1].id)])], {}),
        tools=[TOOL],
    )
    assert codes == [[], []]


@pytest.mark.parametrize("content", ["", []])
def test_sl212_an_empty_turn_may_stand_at_the_end(traced, content):
    assert play(traced, [text("x")], lambda _: ([HELLO, assistant(content)], {})) == [[]]


def test_sl212_a_refused_turn_kept(traced):
    codes = play(
        traced, [refusal("bio", partial="Well,"), text("x")], start, lambda a: ([HELLO, echo(a), user("And?")], {})
    )
    assert "SL212" in codes[1]


def test_sl213_null_fields_of_model_dump(traced):
    codes = play(
        traced,
        [thinking("Hmm.") + text("Hi."), text("x")],
        start,
        lambda a: ([HELLO, assistant([b.model_dump() for b in a[0].content]), user("And?")], {}),
        thinking={"type": "enabled", "budget_tokens": 32},
    )
    assert codes == [[], ["SL213"]]


@pytest.mark.parametrize(("thinks", "expected"), [(True, ["SL213"]), (False, [])])
def test_sl213_text_joined_while_thinking(traced, thinks, expected):
    answer = thinking("Hmm.") + text("Hi there. ") if thinks else text("Hi there. ")
    more = {"thinking": {"type": "enabled", "budget_tokens": 32}} if thinks else {}
    codes = play(
        traced,
        [answer, text("x")],
        start,
        lambda a: ([HELLO, assistant(a[0].content[-1].text.strip()), user("And?")], {}),
        **more,
    )
    assert codes == [[], expected]
    assert traced.relations == ["new", "reply"]


# --- SL102 ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "expected", "outcome"),
    [
        (text("Hi."), [], "finished"),
        (truncated("Once"), ["SL102"], "truncated"),
        (tool_use("look"), ["SL102"], "unanswered"),
        (pause(), ["SL102"], "unresumed"),
        (refusal("bio"), [], "refused"),
        (empty(), [], "empty"),
    ],
)
def test_sl102_is_said_when_the_chain_is_over(traced, answer, expected, outcome):
    play(traced, [answer], start, tools=[TOOL, SEARCH])
    assert traced.sink.findings == []
    traced.tracer.end_all()
    assert [record.code for record in traced.sink.findings] == expected
    assert [record.outcome for record in traced.sink.chains] == [outcome]


def test_sl102_not_where_something_carried_the_turn_on(traced):
    play(traced, [truncated("Once"), text("x")], start, lambda a: ([HELLO, echo(a), user("Go on.")], {}))
    traced.tracer.end_all()
    assert traced.sink.findings == []
    assert [(record.outcome, record.length) for record in traced.sink.chains] == [("finished", 2)]


def test_sl102_not_for_a_forced_tool_call(traced):
    play(traced, [tool_use("look")], start, tools=[TOOL], tool_choice={"type": "tool", "name": "look"})
    traced.tracer.end_all()
    assert traced.sink.findings == []


def test_a_finding_names_its_evidence_and_place(traced):
    play(traced, [truncated("Once"), text("x")], start, start)
    (found,) = traced.sink.findings
    first, second = traced.sink.turns
    assert (found.turn_id, found.evidence_turn_id) == (second.turn_id, first.turn_id)
    assert (found.name, found.severity, found.chain_id) == ("same-limit-retry", "error", first.chain_id)
    assert found.call_site.path == __file__
    assert found.call_site.function == "play"


def test_a_request_passed_over_as_unremarkable_has_no_finding(monkeypatch):
    """Every short way the tail of a conversation can look, after every reason."""
    calls = [{"type": "tool_use", "id": identity, "name": "look", "input": {}} for identity in "ab"]
    words = {"type": "text", "text": "Well."}
    answers = [
        [words],
        [words, calls[0]],
        calls,
        [{"type": "thinking", "thinking": "Hm.", "signature": "s"}, words],
        [],
    ]
    parts = [words, {"type": "text", "text": ""}, result("a"), result("b"), result("a", is_error=True)]
    turns = [[*one] for size in (0, 1, 2, 3) for one in itertools.product(parts, repeat=size)]
    passed = []
    original = mistakes.unremarkable

    def checked(view, decision, streak):
        found = original(view, decision, streak)
        if found:
            passed.append(decision.relation)
            assert mistakes.of_request(mistakes.Evidence(view, decision, decision.parent, streak)) == []
        return found

    monkeypatch.setattr(mistakes, "unremarkable", checked)
    reasons = ["end_turn", "tool_use", "max_tokens", "pause_turn", "refusal", "stop_sequence", "news"]
    for number, (answer, reason, words_of_user) in enumerate(itertools.product(answers, reasons, turns)):
        tracer = Tracer(None, lambda _: None)
        opening = user(f"Question {number}")
        echo = [assistant(answer), user(words_of_user)] if words_of_user else [assistant(answer)]
        for messages in ([opening], [opening, *echo], [opening, *echo], [opening, user(words_of_user)]):
            turn = tracer.begin({"model": "m", "max_tokens": 9, "messages": messages, "tools": [TOOL]}, streaming=False)
            tracer.answered(turn, {"id": f"msg_{number}", "content": answer, "stop_reason": reason})
    assert {"new", "reply", "tool_result"} <= set(passed)
