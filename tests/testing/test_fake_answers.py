"""Every builder, as the SDK hands it to the application: whole and streamed alike."""

from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stoplint.testing import (
    FakeMessages,
    compaction,
    context_window,
    empty,
    pause,
    refusal,
    stop_sequence,
    text,
    thinking,
    tool_use,
    truncated,
    truncated_tool_use,
    web_search,
)

PARAMS = {"model": "claude-opus-5-5", "max_tokens": 64, "messages": [{"role": "user", "content": "Hello"}]}
CITATION = {
    "type": "char_location",
    "cited_text": "Hi",
    "document_index": 0,
    "document_title": None,
    "start_char_index": 0,
    "end_char_index": 2,
}

ANSWERS = {
    "text": (text("A text that is long enough to arrive in several pieces."), "end_turn", ["text"]),
    "cited": (text("Hi", citations=[CITATION]), "end_turn", ["text"]),
    "empty": (empty(), "end_turn", []),
    "truncated": (truncated("A text that is lo"), "max_tokens", ["text"]),
    "thinking": (thinking("Hm.") + text("Hi."), "end_turn", ["thinking", "text"]),
    "only thinking": (thinking("Hm", stop_reason="max_tokens"), "max_tokens", ["thinking"]),
    "tool_use": (text("Wait.") + tool_use("f", {"a": [1, {"b": None}]}), "tool_use", ["text", "tool_use"]),
    "no input": (tool_use("f"), "tool_use", ["tool_use"]),
    "parallel": (tool_use("f", {"n": 1}) + tool_use("f", {"n": 2}), "tool_use", ["tool_use", "tool_use"]),
    "truncated tool": (truncated_tool_use("f", {"path": "a.txt"}), "max_tokens", ["tool_use"]),
    "truncated early": (truncated_tool_use("f"), "max_tokens", ["tool_use"]),
    "refusal": (refusal("cyber", explanation="Because."), "refusal", []),
    "late refusal": (refusal(partial="First you"), "refusal", ["text"]),
    "pause": (pause("x", value="Let me search."), "pause_turn", ["text", "server_tool_use", "web_search_tool_result"]),
    "open pause": (pause("x", answered=False), "pause_turn", ["server_tool_use"]),
    "search": (web_search("x") + text("So."), "end_turn", ["server_tool_use", "web_search_tool_result", "text"]),
    "compaction": (compaction("What happened so far."), "compaction", ["compaction"]),
    "context window": (context_window("A text"), "model_context_window_exceeded", ["text"]),
    "stop sequence": (stop_sequence("###", "A text"), "stop_sequence", ["text"]),
    "future": (text("Hi", stop_reason="something_new"), "something_new", ["text"]),
}


@pytest.fixture(scope="module")
def served():
    """`(whole, streamed)` for an answer, both through the beta client, which knows every block."""
    entries = []
    with FakeMessages(lambda request: entries[-1], chunk_size=7) as fake:
        client = fake.client()

        def ask(answer):
            entries.append(answer)
            whole = client.beta.messages.create(**PARAMS)
            with client.beta.messages.stream(**PARAMS) as stream:
                return whole, stream.get_final_message()

        yield ask


@pytest.mark.parametrize("name", ANSWERS)
def test_answer_reaches_the_application(served, name):
    answer, reason, kinds = ANSWERS[name]
    for message in served(answer):
        assert message.stop_reason == reason
        assert [block.type for block in message.content] == kinds
        assert (message.role, message.model) == ("assistant", "claude-opus-5-5")


@pytest.mark.parametrize("name", ANSWERS)
def test_stream_adds_up_to_the_whole_message(served, name):
    whole, streamed = map(_comparable, served(ANSWERS[name][0]))
    assert streamed == whole


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(string.ascii_letters, max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
PARTS = st.one_of(
    st.text(min_size=1, max_size=40).map(text),
    st.text(min_size=1, max_size=40).map(thinking),
    st.dictionaries(st.text(max_size=5), JSON_VALUES, max_size=3).map(lambda value: tool_use("f", value)),
    st.text(max_size=20).map(web_search),
)


@settings(max_examples=40, deadline=None)
@given(parts=st.lists(PARTS, min_size=1, max_size=4))
def test_any_stream_adds_up_to_the_whole_message(served, parts):
    answer = sum(parts[1:], parts[0])
    whole, streamed = map(_comparable, served(answer))
    assert streamed == whole
    assert len(whole["content"]) == len(answer.content)


def _comparable(message):
    """The parts of a message that a stream must reproduce: all but ids, input tokens and what one form leaves out as null."""
    dumped = message.model_dump(mode="json", exclude_none=True)
    for block in dumped["content"]:
        block.pop("id", None)
        block.pop("tool_use_id", None)
        block.pop("parsed_output", None)
        block.pop("citations", None) if not block.get("citations") else None
    usage = dumped.pop("usage")
    return {**dumped, "id": None, "output_tokens": usage["output_tokens"]}


def test_results_of_server_tools_point_at_their_call(served):
    whole, streamed = served(web_search("a") + web_search("b") + text("So."))
    for message in (whole, streamed):
        ids = [block.id for block in message.content if block.type == "server_tool_use"]
        assert len(set(ids)) == 2
        assert ids == [block.tool_use_id for block in message.content if block.type == "web_search_tool_result"]


def test_ids_are_new_in_every_answer_and_kept_where_given(served):
    first, second = served(tool_use("f") + tool_use("f", id="toolu_mine"))
    ids = [block.id for message in (first, second) for block in message.content]
    assert len(set(ids)) == 3
    assert ids[1] == ids[3] == "toolu_mine"
    assert first.id != second.id


def test_refusal_details(served):
    for message in served(refusal("cyber", explanation="Because.")):
        assert (message.stop_details.type, message.stop_details.category) == ("refusal", "cyber")
        assert message.stop_details.explanation == "Because."
    for message in served(refusal()):
        assert message.stop_details.category is None
    for message in served(text("Hi")):
        assert message.stop_details is None


def test_truncated_tool_use_streams_unclosed_json(fake_messages):
    fake_messages.add(truncated_tool_use("f", {"path": "a"}), truncated_tool_use("f", {}, partial_json='{"pa'))
    client = fake_messages.client()
    for expected in ('{"path": "a"', '{"pa'):
        events = client.messages.create(**PARAMS, stream=True)
        deltas = [event.delta for event in events if event.type == "content_block_delta"]
        assert "".join(delta.partial_json for delta in deltas) == expected


def test_truncated_answers_report_the_limit_as_output_tokens(served):
    for message in served(truncated("Hi")):
        assert message.usage.output_tokens == PARAMS["max_tokens"]
    for message in served(text("Hi")):
        assert 0 < message.usage.output_tokens < PARAMS["max_tokens"]


def test_fields_are_laid_over_the_message(served):
    other = text("Hi").with_fields(model="claude-haiku-5-5", usage={"input_tokens": 3, "output_tokens": 4})
    for message in served(other):
        assert (message.model, message.usage.output_tokens) == ("claude-haiku-5-5", 4)
    for message in served(thinking("Hm").with_fields(model="a") + text("Hi").with_fields(model="b")):
        assert message.model == "b"


def test_stop_sequence_names_the_sequence(served):
    for message in served(stop_sequence("###", "A text")):
        assert message.stop_sequence == "###"
    for message in served(stop_sequence("###")):
        assert message.content == []
