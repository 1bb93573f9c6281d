"""How a request relates to the turn before, seen through the SDK."""

from __future__ import annotations

import pytest
from tracing import PARAMS, SEARCH, TOOL, assistant, fake, result, user

from stoplint.testing import (
    compaction,
    context_window,
    empty,
    error,
    pause,
    refusal,
    text,
    thinking,
    tool_use,
    truncated,
    truncated_tool_use,
)

LONG = "The quick brown fox jumps over the lazy dog, and the dog does not mind at all."


def ask(client, *messages, **more):
    return client.messages.create(messages=list(messages), **{**PARAMS, **more})


def test_a_first_request_is_new(traced):
    with fake(text("Hi.")) as api:
        ask(traced.client(api), user("Hello"))
    (turn,) = traced.turns
    assert (turn["relation"], turn["chain.index"], "turn.parent_digest" in turn) == ("new", 0, False)


def test_new_user_content_after_a_finished_turn_is_a_reply(traced):
    with fake(text("Hi."), text("Fine.")) as api:
        client = traced.client(api)
        first = ask(client, user("Hello"))
        ask(client, user("Hello"), assistant(first.content), user("How are you?"))
    one, two = traced.turns
    assert two["relation"] == "reply"
    assert two["turn.parent_digest"] == one["turn.digest"]
    assert two["chain.id"] == one["chain.id"]
    assert two["chain.index"] == 1
    assert "findings" not in two


def test_answered_tool_calls_are_a_tool_result(traced):
    with fake(tool_use("look"), text("Done.")) as api:
        client = traced.client(api)
        first = ask(client, user("Look"), tools=[TOOL])
        ask(client, user("Look"), assistant(first.content), user([result(first.content[-1].id)]), tools=[TOOL])
    assert traced.relations == ["new", "tool_result"]
    assert traced.codes == [[], []]


def test_a_tool_result_is_found_in_a_trimmed_history(traced):
    with fake(tool_use("look"), text("Done.")) as api:
        client = traced.client(api)
        first = ask(client, user("A"), assistant("B"), user("Look"), tools=[TOOL])
        ask(client, user("Look"), assistant(first.content), user([result(first.content[-1].id)]), tools=[TOOL])
    one, two = traced.turns
    assert two["relation"] == "tool_result"
    assert two["turn.parent_digest"] == one["turn.digest"]


def test_a_paused_turn_sent_back_unchanged_is_resumed(traced):
    with fake(pause(), text("Found.")) as api:
        client = traced.client(api)
        first = ask(client, user("Search"), tools=[SEARCH])
        ask(client, user("Search"), assistant(first.content), tools=[SEARCH])
    assert traced.relations == ["new", "resume"]
    assert traced.codes == [[], []]


@pytest.mark.parametrize("accumulate", [True, False])
def test_both_shapes_of_a_pause_loop_are_resumed(traced, accumulate):
    with fake(pause("a"), pause("b"), text("Found.")) as api:
        client = traced.client(api)
        one = ask(client, user("Search"), tools=[SEARCH])
        two = ask(client, user("Search"), assistant(one.content), tools=[SEARCH])
        third = [assistant(one.content), assistant(two.content)] if accumulate else [assistant(two.content)]
        ask(client, user("Search"), *third, tools=[SEARCH])
    assert traced.relations == ["new", "resume", "resume"]
    assert traced.codes == [[], [], []]
    assert len({turn["chain.id"] for turn in traced.turns}) == 1


def test_a_compaction_sent_back_is_resumed(traced):
    with fake(compaction("Summary."), text("On.")) as api:
        client = traced.client(api)
        first = client.beta.messages.create(messages=[user("Go on")], **PARAMS)
        client.beta.messages.create(messages=[user("Go on"), assistant(first.content)], **PARAMS)
    assert traced.relations == ["new", "resume"]
    assert traced.codes == [[], []]


@pytest.mark.parametrize("cut", [truncated("Once upon"), context_window("Once upon")])
def test_a_truncated_turn_with_its_partial_content_is_continued(traced, cut):
    with fake(cut, text(" a time.")) as api:
        client = traced.client(api)
        first = ask(client, user("Tell"))
        ask(client, user("Tell"), assistant(first.content), user("Continue."))
    assert traced.relations == ["new", "continue"]
    assert traced.codes == [[], []]


def test_the_same_request_again_is_an_unchanged_retry(traced):
    with fake(text("A."), text("B.")) as api:
        client = traced.client(api)
        ask(client, user("Hello"))
        ask(client, user("Hello"))
    assert traced.relations == ["new", "retry_unchanged"]
    assert "turn.parent_digest" not in traced.turns[1]


def test_the_same_request_after_an_empty_answer_is_a_retry_also_when_it_answers_tools(traced):
    with fake(tool_use("look"), empty(), text("Done.")) as api:
        client = traced.client(api)
        first = ask(client, user("Look"), tools=[TOOL])
        answered = [user("Look"), assistant(first.content), user([result(first.content[-1].id)])]
        ask(client, *answered, tools=[TOOL])
        ask(client, *answered, tools=[TOOL])
    one, two, three = traced.turns
    assert traced.relations == ["new", "tool_result", "retry_unchanged"]
    assert three["turn.parent_digest"] == two["turn.parent_digest"] == one["turn.digest"]
    assert traced.codes[2] == ["SL203"]


def test_a_retry_with_other_parameters_says_which(traced):
    with fake(truncated("Once"), text("Once upon a time.")) as api:
        client = traced.client(api)
        ask(client, user("Tell"))
        ask(client, user("Tell"), max_tokens=128, tools=[TOOL], tool_choice={"type": "auto"})
    assert traced.turns[1]["relation"] == "retry_changed"
    assert traced.turns[1]["relation.changed"] == ("max_tokens", "tools", "tool_choice")
    assert traced.codes[1] == []


def test_a_rephrased_turn_after_a_refusal_is_a_changed_retry(traced):
    with fake(text(LONG), refusal("cyber"), text("Sure.")) as api:
        client = traced.client(api)
        first = ask(client, user("Hello"))
        history = [user("Hello"), assistant(first.content)]
        ask(client, *history, user("Do harm"))
        ask(client, *history, user("Do good"))
    assert traced.relations == ["new", "reply", "retry_changed"]
    assert traced.turns[2]["relation.changed"] == ("messages",)
    assert traced.codes[2] == []


def test_a_second_branch_from_a_continued_turn_is_a_fork(traced):
    with fake(text("Hi."), text("One."), text("Two.")) as api:
        client = traced.client(api)
        first = ask(client, user("Hello"))
        history = [user("Hello"), assistant(first.content)]
        ask(client, *history, user("Left"))
        ask(client, *history, user("Right"))
    assert traced.relations == ["new", "reply", "fork"]
    assert len({turn["chain.id"] for turn in traced.turns}) == 1
    assert [turn["chain.index"] for turn in traced.turns] == [0, 1, 2]
    assert traced.turns[2]["turn.parent_digest"] == traced.turns[0]["turn.digest"]


def test_a_dropped_partial_answer_is_a_changed_retry(traced):
    with fake(truncated("Once upon"), text("A tale.")) as api:
        client = traced.client(api)
        ask(client, user("Tell"))
        ask(client, user("Tell"), user("Continue."))
    assert traced.relations == ["new", "retry_changed"]
    assert traced.codes[1] == ["SL206"]


def test_the_remedy_for_an_empty_turn_is_a_reply_without_a_finding(traced):
    with fake(tool_use("look"), empty(), text("Done.")) as api:
        client = traced.client(api)
        first = ask(client, user("Look"), tools=[TOOL])
        answered = [user("Look"), assistant(first.content), user([result(first.content[-1].id)])]
        ask(client, *answered, tools=[TOOL])
        ask(client, *answered, user("Please go on."), tools=[TOOL])
    assert traced.relations == ["new", "tool_result", "reply"]
    assert traced.codes == [[], [], []]


def test_a_turn_of_another_process_gives_its_digest_but_no_relation(traced):
    with fake(text("Fine.")) as api:
        ask(traced.client(api), user("Hello"), assistant("Hi."), user("How are you?"))
    (turn,) = traced.turns
    assert turn["relation"] == "new"
    assert len(turn["turn.parent_digest"]) == 32


def test_a_failed_request_does_not_lengthen_its_chain(traced):
    with fake(text("Hi."), error(400), text("Fine.")) as api:
        client = traced.client(api, max_retries=0)
        first = ask(client, user("Hello"))
        history = [user("Hello"), assistant(first.content), user("And?")]
        with pytest.raises(Exception, match="400"):
            ask(client, *history)
        ask(client, *history)
    assert traced.relations == ["new", "reply", "retry_unchanged"]
    assert [turn["chain.index"] for turn in traced.turns] == [0, 1, 1]


def test_threads_follow_the_message_that_they_name(traced):
    with fake(text("Hi."), text("Fine.")) as api:
        thread = traced.client(api).beta.messages.thread(**PARAMS)
        thread.send(user("Hello"))
        thread.send(user("How are you?"))
    one, two = traced.turns
    assert two["relation"] == "reply"
    assert two["turn.parent_digest"] == one["turn.digest"]
    assert [record.surface for record in traced.sink.turns] == ["thread", "thread"]


ECHOES = {
    "content": lambda m: m.content,
    "model_dump": lambda m: m.model_dump(exclude_none=True)["content"],
    "to_dict": lambda m: m.to_dict()["content"],
    "tuple": lambda m: tuple(m.content),
    "cached": lambda m: [{**b.to_dict(), "cache_control": {"type": "ephemeral"}} for b in m.content],
}


@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize("answer", ["text", "thinking", "tool", "search"])
def test_every_faithful_echo_is_recognised(traced, echo, answer):
    made = {
        "text": text("Hi."),
        "thinking": thinking("Hmm.") + text("Hi."),
        "tool": tool_use("look", {"b": 1, "a": [None, 2]}),
        "search": pause("fox"),
    }[answer]
    with fake(made, text("Fine.")) as api:
        client = traced.client(api)
        first = ask(client, user("Hello"), tools=[TOOL, SEARCH])
        after = [] if answer == "search" else [user("And?")]
        if answer == "tool":
            after = [user([result(first.content[-1].id)])]
        ask(client, user("Hello"), assistant(ECHOES[echo](first)), *after, tools=[TOOL, SEARCH])
    one, two = traced.turns
    assert two["turn.parent_digest"] == one["turn.digest"]
    assert two["relation"] == {"tool": "tool_result", "search": "resume"}.get(answer, "reply")
    assert traced.codes[1] == []


@pytest.mark.parametrize(
    "answer", [text("Hi there."), thinking("Hmm.") + text("Hi."), tool_use("look", {"a": {"b": 1}})]
)
def test_a_streamed_answer_has_the_digest_of_its_echo(traced, answer):
    with fake(answer, text("Fine."), chunk_size=3) as api:
        client = traced.client(api)
        with client.messages.stream(messages=[user("Hello")], tools=[TOOL], **PARAMS) as stream:
            first = stream.get_final_message()
        after = [result(first.content[-1].id)] if first.stop_reason == "tool_use" else "And?"
        ask(client, user("Hello"), assistant(first.content), user(after), tools=[TOOL])
    one, two = traced.turns
    assert two["turn.parent_digest"] == one["turn.digest"]
    assert traced.codes == [[], []]


def test_a_cut_tool_call_does_not_make_its_echo_an_altered_one(traced):
    with fake(truncated_tool_use("look", {"place": "Par"}), text("Fine.")) as api:
        client = traced.client(api)
        with client.messages.stream(messages=[user("Hello")], tools=[TOOL], **PARAMS) as stream:
            first = stream.get_final_message()
        answered = user([result(first.content[-1].id, "cut", is_error=True)])
        ask(client, user("Hello"), assistant(first.content), answered, tools=[TOOL])
    assert traced.turns[0]["tool_use.truncated"] is True
    assert traced.relations == ["new", "tool_result"]
    assert "SL213" not in traced.codes[1]


def test_other_system_prompts_make_other_conversations(traced):
    with fake(text("A."), text("B.")) as api:
        client = traced.client(api)
        ask(client, user("Hello"), system="Sort this.")
        ask(client, user("Hello"), system="Answer this.")
    assert traced.relations == ["new", "new"]
