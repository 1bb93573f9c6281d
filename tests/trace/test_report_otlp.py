"""OTLP-JSON lines: what collectors and SDKs write becomes turns and findings; broken lines are named, not fatal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from store_samples import SECOND, finding, turn

from stoplint.trace.otlp_lines import read_lines
from stoplint.trace.records import CallSite
from stoplint.trace.store import open_store
from stoplint.trace.view_sources import NothingToReportError, ReportError, Selection, load

if TYPE_CHECKING:
    from pathlib import Path

START = 1_800_000_000 * SECOND
TRACE = "0af7651916cd43dd8448eb211c80319c"


def value(content: object) -> dict[str, object]:
    if isinstance(content, bool):
        return {"boolValue": content}
    if isinstance(content, int):
        return {"intValue": str(content)}
    if isinstance(content, (list, tuple)):
        return {"arrayValue": {"values": [value(item) for item in content]}}
    return {"stringValue": content}


def attributes(found: dict[str, object]) -> list[dict[str, object]]:
    return [{"key": key, "value": value(content)} for key, content in found.items()]


def span(number: int, name: str = "anthropic.messages.create", **extra: object) -> dict[str, object]:
    """A span that started `number` seconds after START; `extra` are its other OTLP fields."""
    return {
        "traceId": TRACE,
        "spanId": f"{number:016x}",
        "name": name,
        "startTimeUnixNano": str(START + number * SECOND),
        "endTimeUnixNano": str(START + number * SECOND + SECOND // 2),
        **extra,
    }


def traced(number: int, found: dict[str, object] | None = None, **extra: object) -> dict[str, object]:
    """A span of a turn as the tracer marks it."""
    known: dict[str, object] = {
        "gen_ai.response.id": f"msg_{number}",
        "gen_ai.request.model": "claude-sonnet-4-5",
        "stoplint.chain.id": "chain_a",
        "stoplint.chain.index": number - 1,
        "stoplint.relation": "new",
        "stoplint.stop_reason": "end_turn",
    }
    return span(number, attributes=attributes({**known, **(found or {})}), **extra)


def spans(*found: dict[str, object]) -> bytes:
    resource = {"attributes": attributes({"process.pid": 77})}
    scope = {"scope": {"name": "com.anthropic.sdk.python"}, "spans": list(found)}
    return json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [scope]}]}).encode()


def logs(*found: dict[str, object]) -> bytes:
    return json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": list(found)}]}]}).encode()


def told(code: str = "SL102", **extra: object) -> list[dict[str, object]]:
    return attributes(
        {
            "stoplint.rule.id": code,
            "stoplint.rule.name": "stop-reason-unhandled",
            "stoplint.finding.severity": "error",
            "stoplint.finding.profile": "strict",
            "stoplint.finding.message": "nothing carried it on",
            "stoplint.finding.turn": "msg_1",
            "stoplint.chain.id": "chain_a",
            **extra,
        }
    )


def test_a_span_becomes_a_turn() -> None:
    line = spans(
        traced(
            1,
            {
                "stoplint.relation": "retry_changed",
                "stoplint.relation.changed": ["model", "tools"],
                "stoplint.stop_sequence": "</a>",
                "stoplint.refusal.category": "cyber",
                "stoplint.content.empty": True,
                "stoplint.tool_use.truncated": True,
                "stoplint.content.kinds": ["text", "tool_use"],
                "stoplint.stream.outcome": "cut",
                "stoplint.retries": 2,
                "stoplint.turn.digest": "d" * 32,
                "stoplint.turn.parent_digest": "e" * 32,
                "gen_ai.response.model": "claude-sonnet-4-5-20250929",
                "gen_ai.request.max_tokens": 1024,
                "gen_ai.usage.input_tokens": 100,
                "gen_ai.usage.cache_read.input_tokens": 30,
                "gen_ai.usage.cache_write.input_tokens": 20,
                "gen_ai.usage.output_tokens": 7,
                "code.file.path": "/srv/app.py",
                "code.function.name": "ask",
                "code.line.number": 41,
            },
        )
    )
    (found,) = read_lines([line]).turns
    assert found == turn(
        turn_id="msg_1",
        relation="retry_changed",
        changed=("model", "tools"),
        stop_sequence="</a>",
        refusal_category="cyber",
        empty=True,
        truncated_tool_use=True,
        content_kinds=(("text", 1), ("tool_use", 1)),
        streaming=True,
        stream_outcome="cut",
        retries=2,
        digest="d" * 32,
        parent_digest="e" * 32,
        max_tokens=1024,
        input_tokens=50,
        cache_read_tokens=30,
        cache_write_tokens=20,
        output_tokens=7,
        call_site=CallSite("/srv/app.py", "ask", 41),
        started_at=START + SECOND,
        ended_at=START + SECOND + SECOND // 2,
        trace_id=TRACE,
        span_id=f"{1:016x}",
        pid=77,
        thread="",
    )


def test_links_name_the_turn_before() -> None:
    link = {"traceId": TRACE, "spanId": f"{1:016x}", "attributes": attributes({"stoplint.relation": "resume"})}
    foreign = {"traceId": TRACE, "spanId": f"{9:016x}"}
    first, second = read_lines([spans(traced(2, links=[foreign, link])), spans(traced(1))]).turns
    assert (first.turn_id, first.parent_turn_id) == ("msg_1", None)
    assert (second.turn_id, second.parent_turn_id) == ("msg_2", "msg_1")


def test_findings_come_as_events_and_as_log_records() -> None:
    event = {"name": "stoplint.finding", "timeUnixNano": str(START), "attributes": told("SL203")}
    site = {"code.file.path": "/srv/app.py", "code.function.name": "late", "code.line.number": 3}
    record = {
        "eventName": "stoplint.finding",
        "timeUnixNano": str(START + 5),
        "traceId": TRACE,
        "spanId": f"{1:016x}",
        "attributes": told(**site),
    }
    other = {"eventName": "something.else", "attributes": []}
    content = read_lines([logs(record, other), spans(traced(1), traced(2, events=[event, {"name": "exception"}]))])
    by_code = {found.code: found for found in content.findings}
    assert len(content.findings) == 2
    assert (by_code["SL203"].turn_id, by_code["SL203"].evidence_turn_id) == ("msg_2", "msg_1")
    assert (by_code["SL102"].turn_id, by_code["SL102"].call_site) == ("msg_1", CallSite("/srv/app.py", "late", 3))
    assert (by_code["SL102"].severity, by_code["SL102"].profile) == ("error", "strict")
    assert by_code["SL102"].message == "nothing carried it on"


def test_a_code_without_its_event_is_a_finding_still() -> None:
    (found,) = read_lines([spans(traced(1, {"stoplint.findings": ["SL203"]}))]).findings
    assert (found.code, found.name, found.severity, found.turn_id) == ("SL203", "empty-turn-retried", "error", "msg_1")


def test_native_spans_alone_are_turns_without_a_chain() -> None:
    native = attributes({"anthropic.message.stop_reason": "max_tokens", "gen_ai.request.model": "claude-opus-5-5"})
    foreign = span(3, "chat gpt", attributes=attributes({"gen_ai.response.finish_reasons": ["stop"]}))
    (found,) = read_lines([spans(span(1, attributes=native), foreign)]).turns
    assert (found.chain_id, found.stop_reason, found.request_model) == ("", "max_tokens", "claude-opus-5-5")


def test_facts_that_came_late_complete_the_span_of_the_call() -> None:
    native = span(1, attributes=attributes({"gen_ai.request.model": "claude-opus-5-5", "gen_ai.request.max_tokens": 9}))
    late = traced(2, name="stoplint.turn", parentSpanId=f"{1:016x}")
    late["attributes"] = [one for one in late["attributes"] if one["key"] != "gen_ai.request.model"]  # type: ignore[attr-defined]
    (found,) = read_lines([spans(native, late)]).turns
    assert (found.turn_id, found.request_model, found.max_tokens) == ("msg_2", "claude-opus-5-5", 9)


BROKEN = [
    (b"{", "not JSON"),
    (b"\xff\xfe", "not"),
    (b"[]", "no OTLP"),
    (b'{"level": "info"}', "no OTLP"),
    (b'{"resourceSpans": {}}', "malformed OTLP"),
    (b'{"resourceSpans": [{"scopeSpans": [{"spans": [3]}]}]}', "malformed OTLP"),
    (spans({"name": "anthropic.messages.create"}), "malformed OTLP"),
    (spans(traced(1, startTimeUnixNano="yesterday")), "malformed OTLP"),
    (b"[" * 100_000, ""),
]


@pytest.mark.parametrize(("line", "reason"), BROKEN)
def test_a_broken_line_is_named_and_the_others_count(line: bytes, reason: str) -> None:
    content = read_lines([spans(traced(1)), line, b"\n", spans(traced(2))])
    assert [found.turn_id for found in content.turns] == ["msg_1", "msg_2"]
    assert content.broken.count == 1
    assert content.broken.first[0][0] == 2
    assert reason in content.broken.first[0][1]


def test_a_line_counts_whole_or_not_at_all() -> None:
    good, bad = traced(1), span(2)
    del bad["startTimeUnixNano"]
    bad["attributes"] = attributes({"stoplint.chain.id": "x"})
    assert read_lines([spans(good, bad)]).turns == []


def test_metrics_are_another_matter() -> None:
    content = read_lines([b'{"resourceMetrics": []}', b'{"resourceMetrics": [{"scopeMetrics": []}]}'])
    assert (content.turns, content.broken.count, content.sound) == ([], 0, 2)


def test_stores_and_lines_mix(tmp_path: Path) -> None:
    store = open_store(tmp_path / "turns.db")
    store.turn(turn("msg_1", started_at=START))
    store.turn(turn("msg_9", "chain_b", started_at=START))
    store.finding(finding("msg_9", "chain_b"))
    store.close()
    (tmp_path / "spans.jsonl").write_bytes(spans(traced(1), traced(2)) + b"\nnonsense\n")
    loaded = load([tmp_path / "spans.jsonl", store.path], Selection(), START)
    assert (loaded.report.turns, len(loaded.report.chains)) == (3, 2)
    assert [(source.kind, source.broken.count) for source in loaded.sources] == [("otlp", 1), ("store", 0)]


def test_a_file_of_another_kind_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "notes.md"
    file.write_text("# Notes\n\nnothing\n", encoding="utf-8")
    with pytest.raises(ReportError, match=r"notes.md is neither a store nor OTLP-JSON lines \(line 1: not JSON"):
        load([file], Selection(), START)


def test_a_file_without_turns_is_nothing_to_report(tmp_path: Path) -> None:
    file = tmp_path / "spans.jsonl"
    file.write_bytes(spans(span(1, "GET /", attributes=[])))
    with pytest.raises(NothingToReportError, match=r"no span carries stoplint"):
        load([file], Selection(), START)
