"""What OpenTelemetry gets: spans, links, events, metrics, log records; and that none of it is content."""

from __future__ import annotations

import contextlib
import json

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode
from tracing import PARAMS, SEARCH, TOOL, Traced, assistant, collect, fake, result, user

from stoplint.testing import (
    cut_stream,
    empty,
    error,
    pause,
    refusal,
    stop_sequence,
    text,
    thinking,
    tool_use,
    truncated,
    truncated_tool_use,
)

HELLO = user("Hello")


def test_the_facts_are_on_the_native_span_and_it_stays_the_only_one(traced):
    with fake(stop_sequence("END", "Once")) as api:
        traced.client(api).messages.create(messages=[HELLO], stop_sequences=["END"], **PARAMS)
    (span,) = traced.spans
    assert span.name == "anthropic.messages.create"
    found = span.attributes
    assert found["anthropic.message.stop_reason"] == found["stoplint.stop_reason"] == "stop_sequence"
    assert found["stoplint.stop_sequence"] == "END"
    assert found["stoplint.content.kinds"] == ("text",)
    assert found["stoplint.retries"] == 0
    assert found["stoplint.content.empty"] is found["stoplint.tool_use.truncated"] is False
    assert found["code.file.path"] == __file__


def test_alone_there_is_one_span_by_the_conventions(alone):
    with fake(truncated("Once")) as api:
        alone.client(api).messages.create(messages=[HELLO], **PARAMS)
        port = int(api.url.rpartition(":")[2])
    (span,) = alone.spans
    assert (span.name, span.kind, span.status.status_code) == (
        f"chat {PARAMS['model']}",
        SpanKind.CLIENT,
        StatusCode.UNSET,
    )
    found = dict(span.attributes)
    assert found["gen_ai.operation.name"] == "chat"
    assert found["gen_ai.provider.name"] == "anthropic"
    assert found["gen_ai.request.model"] == found["gen_ai.response.model"] == PARAMS["model"]
    assert found["gen_ai.request.max_tokens"] == PARAMS["max_tokens"]
    assert found["gen_ai.response.finish_reasons"] == ("max_tokens",)
    assert (found["server.address"], found["server.port"]) == ("127.0.0.1", port)
    assert found["gen_ai.usage.output_tokens"] >= 1
    assert found["gen_ai.response.id"].startswith("msg_")


def test_alone_a_failed_request_has_an_error_type_and_no_text(alone):
    with fake(error(529)) as api, contextlib.suppress(Exception):
        alone.client(api, max_retries=0).messages.create(messages=[HELLO], **PARAMS)
    (span,) = alone.spans
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description is None
    assert span.attributes["error.type"] == "overloaded_error"


def test_links_lead_to_the_turn_before(traced):
    with fake(text("Hi."), text("Fine.")) as api:
        client = traced.client(api)
        first = client.messages.create(messages=[HELLO], **PARAMS)
        client.messages.create(messages=[HELLO, assistant(first.content), user("And?")], **PARAMS)
    one, two = traced.spans
    (link,) = two.links
    assert one.links == ()
    assert link.context.span_id == one.context.span_id
    assert dict(link.attributes) == {"stoplint.relation": "reply"}


def test_a_finding_is_an_event_while_the_span_is_open(traced):
    with fake(truncated("Once"), text("x")) as api:
        client = traced.client(api)
        for _ in range(2):
            client.messages.create(messages=[HELLO], **PARAMS)
    first, second = traced.sink.turns
    (event,) = [event for event in traced.spans[1].events if event.name == "stoplint.finding"]
    assert event.attributes["stoplint.rule.id"] == "SL207"
    assert event.attributes["stoplint.rule.name"] == "same-limit-retry"
    assert event.attributes["stoplint.finding.turn"] == first.turn_id
    assert event.attributes["stoplint.finding.profile"] == "default"
    assert "max_tokens=64" in event.attributes["stoplint.finding.message"]
    assert traced.spans[1].attributes["stoplint.findings"] == ("SL207",)
    assert second.findings == ("SL207",)
    assert traced.logs() == []


def test_a_later_finding_is_a_log_record_with_the_trace_context(traced):
    with fake(truncated("Once")) as api:
        traced.client(api).messages.create(messages=[HELLO], **PARAMS)
    traced.tracer.end_all()
    (record,) = traced.logs()
    (span,) = traced.spans
    assert record.event_name == "stoplint.finding"
    assert (record.trace_id, record.span_id) == (span.context.trace_id, span.context.span_id)
    assert record.attributes["stoplint.rule.id"] == "SL102"
    assert record.attributes["code.file.path"] == __file__
    assert record.severity_text == "WARN"


def test_metrics_count_by_raw_reason(traced):
    with fake(truncated("Once"), text("x"), pause()) as api:
        client = traced.client(api)
        for _ in range(2):
            client.messages.create(messages=[HELLO], **PARAMS)
        with client.messages.stream(messages=[user("Search")], tools=[SEARCH], **PARAMS) as stream:
            stream.until_done()
    traced.tracer.end_all()
    found = traced.metrics()
    reasons = {(dict(key)["stop_reason"], dict(key)["streaming"]): n for key, n in found["stoplint.turns"].items()}
    assert reasons == {("max_tokens", False): 1, ("end_turn", False): 1, ("pause_turn", True): 1}
    assert found["stoplint.findings"] == {(("rule", "SL207"),): 1, (("rule", "SL102"),): 1}
    assert found["stoplint.chain.outcomes"] == {(("outcome", "finished"),): 1, (("outcome", "unresumed"),): 1}
    assert found["stoplint.chain.length"] == {(): 3}
    assert "stoplint.errors" not in found


def test_an_unsampled_call_gets_no_span_from_us(traced):
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

    traced.provider.sampler = ALWAYS_OFF
    with fake(truncated("Once")) as api:
        traced.client(api).messages.create(messages=[HELLO], **PARAMS)
    assert traced.spans == []
    assert len(traced.sink.turns) == 1


def test_another_emitters_span_gets_the_facts(alone):
    tracer = alone.provider.get_tracer("someone else")
    with (
        fake(truncated("Once")) as api,
        tracer.start_as_current_span("chat", attributes={"gen_ai.operation.name": "chat"}),
    ):
        alone.client(api).messages.create(messages=[HELLO], **PARAMS)
    (span,) = alone.spans
    assert span.attributes["stoplint.stop_reason"] == "max_tokens"


def test_another_emitters_span_around_a_request_of_another_kind_is_none_of_the_next(alone):
    unsampled = {"tracer_provider": TracerProvider(sampler=ALWAYS_OFF)}
    tracer = alone.provider.get_tracer("someone else")
    with fake(text("Once")) as api:
        with tracer.start_as_current_span("chat", attributes={"gen_ai.operation.name": "chat"}):
            alone.client(api, open_telemetry=unsampled).messages.count_tokens(messages=[HELLO], model=PARAMS["model"])
        alone.client(api).messages.create(messages=[HELLO], **PARAMS)
    theirs, ours = alone.spans
    assert (theirs.name, ours.name, ours.parent) == ("chat", f"chat {PARAMS['model']}", None)


def test_an_applications_own_span_is_only_the_parent(alone):
    tracer = alone.provider.get_tracer("the application")
    with fake(truncated("Once")) as api, tracer.start_as_current_span("handle request"):
        alone.client(api).messages.create(messages=[HELLO], **PARAMS)
    ours, theirs = alone.spans
    assert ours.parent.span_id == theirs.context.span_id
    assert "stoplint.stop_reason" not in theirs.attributes


def test_batch_items_are_turns_beside_any_request(traced):
    with fake(text("One."), truncated("Two")) as api:
        batches = traced.client(api).messages.batches
        params = {"messages": [HELLO], **PARAMS}
        batch = batches.create(requests=[{"custom_id": name, "params": params} for name in "ab"])
        assert len(list(batches.results(batch.id))) == 2
    spans = [span for span in traced.spans if span.name == "stoplint.turn"]
    assert [span.attributes["stoplint.stop_reason"] for span in spans] == ["end_turn", "max_tokens"]
    assert {span.kind for span in spans} == {SpanKind.INTERNAL}
    assert [(record.surface, record.relation) for record in traced.sink.turns] == [("batch", "new")] * 2
    assert [record.outcome for record in traced.sink.chains] == ["finished", "truncated"]


def test_without_a_backend_the_store_alone_is_told():
    found = Traced()
    with found.at_work(), fake(truncated("Once")) as api:
        found.tracer.telemetry = None
        api.client().messages.create(messages=[HELLO], **PARAMS)
        (record,) = found.sink.turns
    assert (record.stop_reason, record.trace_id) == ("max_tokens", None)
    assert record.call_site.function == "test_without_a_backend_the_store_alone_is_told"


def test_records_carry_the_ids_of_the_span(traced):
    with fake(truncated("Once")) as api:
        traced.client(api).messages.create(messages=[HELLO], **PARAMS)
    (record,), (span,) = traced.sink.turns, traced.spans
    assert record.trace_id == trace.format_trace_id(span.context.trace_id)
    assert record.span_id == trace.format_span_id(span.context.span_id)
    assert record.turn_id.startswith("msg_")
    assert 0 < record.started_at < record.ended_at
    assert (record.request_model, record.max_tokens, record.surface) == (PARAMS["model"], 64, "create")


# --- content ----------------------------------------------------------------------------------------------------------

SECRETS = ("xylophone", "quagmire", "zeppelin", "marzipan", "kumquat", "obelisk")


def everything(client):
    """A run through all that can be told, with secret words everywhere an application can put them."""
    prompt, search = user("My xylophone"), [SEARCH]
    answers = [client.messages.create(messages=[prompt], system="A quagmire", tools=[TOOL], **PARAMS)]
    wrong = [{"type": "text", "text": "obelisk"}, result(answers[0].content[-1].id, "marzipan"), {**TEXT}]
    client.messages.create(messages=[prompt, assistant(answers[0].content), user(wrong)], tools=[TOOL], **PARAMS)
    for _ in range(2):
        with contextlib.suppress(Exception):
            client.messages.create(messages=[user("Other xylophone")], tools=search, **PARAMS)
    with client.messages.stream(messages=[user("Stream xylophone")], **PARAMS) as stream:
        for _ in stream:
            pass
    with contextlib.suppress(Exception):
        for _ in client.messages.create(messages=[user("Cut xylophone")], stream=True, **PARAMS):
            pass
    with client.messages.with_streaming_response.create(messages=[user("Raw xylophone")], **PARAMS) as raw:
        raw.parse()
    with contextlib.suppress(Exception):
        client.messages.create(messages=[user("Bad xylophone")], **PARAMS)


TEXT = {"type": "text", "text": "kumquat"}


def script():
    return (
        thinking("zeppelin") + tool_use("look", {"zeppelin": "marzipan"}),
        truncated_tool_use("look", {"marzipan": "zep"}),
        pause("kumquat", value="zeppelin"),
        refusal("cyber", explanation="about the obelisk", partial="zeppelin"),
        truncated("zeppelin kumquat"),
        cut_stream(text("zeppelin kumquat obelisk"), after_events=4, error=error(529, message="the marzipan is gone")),
        empty(),
        error(400, message="marzipan in messages.0"),
    )


def told(traced):
    """All that left the tracer, as one text."""
    spans = "".join(span.to_json() for span in traced.spans)
    logs = "".join(json.dumps(dict(log.attributes)) + str(log.body) for log in traced.logs())
    sink = repr((traced.sink.turns, traced.sink.findings, traced.sink.chains))
    return spans + logs + sink + repr(traced.metrics())


@pytest.mark.parametrize("native", [True, False])
def test_no_word_of_prompt_or_answer_leaves(native, caplog):
    with caplog.at_level("DEBUG", logger="stoplint"), Traced(native=native).at_work() as traced:
        with fake(*script()) as api:
            everything(traced.client(api, max_retries=0))
        collect()
        traced.tracer.end_all()
        text_told = told(traced) + caplog.text
    assert len(traced.turns) == 8
    assert len(traced.sink.findings) >= 3
    assert [word for word in SECRETS if word in text_told] == []


def test_content_is_told_where_it_was_asked_for(monkeypatch):
    monkeypatch.setenv("STOPLINT_CAPTURE_CONTENT", "True")
    with Traced().at_work() as traced, fake(text("zeppelin"), text("kumquat")) as api:
        client = traced.client(api)
        client.messages.create(messages=[user("My xylophone")], **PARAMS)
        with client.messages.stream(messages=[user("My obelisk")], **PARAMS) as stream:
            stream.until_done()
        first, second = traced.sink.turns
    assert json.loads(first.request_content) == [user("My xylophone")]
    assert json.loads(first.response_content)[0]["text"] == "zeppelin"
    assert json.loads(second.response_content)[0]["text"] == "kumquat"
    assert "zeppelin" in traced.turns[0]["response.content"]
