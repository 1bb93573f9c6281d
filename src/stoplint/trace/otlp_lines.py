"""Reads turns and findings out of OTLP-JSON lines, as the file exporters of collectors and SDKs write them.

Each line is one export request: an object with `resourceSpans`, `resourceLogs` or `resourceMetrics`
(https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/).  Turns are the spans that carry `stoplint.chain.id`,
and spans of the SDK's own tracing without it (turns that belong to no chain).  Findings are the events
`stoplint.finding`, on spans or as log records.  Everything else in the file is another program's and is passed over.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from stoplint.trace.mistakes import RULES
from stoplint.trace.records import CallSite, FindingRecord, TurnRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from stoplint.findings import Profile, Severity
    from stoplint.trace.records import Relation, StreamOutcome, Surface

Value: TypeAlias = "str | int | float | bool | list[Value] | None"
Attributes: TypeAlias = dict[str, Value]
_Json: TypeAlias = dict[str, object]
_SpanKey: TypeAlias = tuple[str, str]

NATIVE_SPAN: Final = "anthropic.messages.create"
_FINDING: Final = "stoplint.finding"
_SIGNALS: Final = ("resourceSpans", "resourceLogs", "resourceMetrics", "resourceProfiles")
_SHOWN_LINES: Final = 5


@dataclass(slots=True)
class Broken:
    """Lines that could not be read: how many, and what was wrong with the first few, as (line from 1, reason)."""

    count: int = 0
    first: list[tuple[int, str]] = field(default_factory=list)

    def add(self, line: int, reason: str) -> None:
        self.count += 1
        if len(self.first) < _SHOWN_LINES:
            self.first.append((line, reason))


@dataclass(slots=True)
class OtlpContent:
    """What a file of OTLP-JSON lines holds for the report; turns in the order of their start.  `sound` counts the lines
    that could be read, whether there was a turn in them or not.
    """

    turns: list[TurnRecord]
    findings: list[FindingRecord]
    broken: Broken
    sound: int


@dataclass(frozen=True, slots=True)
class _Span:
    key: _SpanKey
    parent: _SpanKey
    start: int
    end: int
    attributes: Attributes
    links: tuple[_SpanKey, ...]
    findings: tuple[tuple[int, Attributes], ...]
    pid: int


def read_lines(lines: Iterable[bytes]) -> OtlpContent:
    """The turns and findings of a file's lines.  Never raises for what a line holds.

    Where no line at all could be read, `sound` is 0.
    """
    reader = _Reader()
    broken = Broken()
    sound = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            reader.take(_document(line))
            sound += 1
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            broken.add(number, _reason(error))
    return reader.content(broken, sound)


def _document(line: bytes) -> _Json:
    document = json.loads(line)
    if not isinstance(document, dict) or not any(signal in document for signal in _SIGNALS):
        raise ValueError("no OTLP: none of " + ", ".join(_SIGNALS[:3]))
    return document


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON: {error.msg}"
    if isinstance(error, ValueError) and str(error).startswith("no OTLP"):
        return str(error)
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8"
    return f"malformed OTLP: {type(error).__name__}"


class _Reader:
    def __init__(self) -> None:
        self._turns: list[_Span] = []
        self._native: dict[_SpanKey, _Span] = {}
        self._logged: list[tuple[_SpanKey, int, Attributes, int]] = []

    def take(self, document: _Json) -> None:
        """Take in one line, whole or not at all.  Raises what malformed content makes the parsing raise."""
        spans = list(_spans(document))
        self._logged.extend(list(_logs(document)))
        for span in spans:
            if "stoplint.chain.id" in span.attributes:
                self._turns.append(span)
            else:
                self._native[span.key] = span

    def content(self, broken: Broken, sound: int) -> OtlpContent:
        by_span: dict[_SpanKey, str] = {}
        turns: list[TurnRecord] = []
        for span in self._turns:
            around = self._native.pop(span.parent, None)
            if around is not None and "gen_ai.request.model" not in span.attributes:
                # The turn's facts came too late for the span of the call and lie on a child of it.
                known = {name: value for name, value in around.attributes.items() if name.startswith("gen_ai.")}
                span = replace(span, attributes={**known, **span.attributes})  # noqa: PLW2901 - the fuller span stands for the bare one
            turn = _turn(span)
            by_span[span.key] = turn.turn_id
            turns.append(turn)
        turns = [
            replace(turn, parent_turn_id=next((by_span[key] for key in span.links if key in by_span), None))
            for turn, span in zip(turns, self._turns, strict=True)
        ]
        turns.extend(_turn(span) for span in self._native.values())
        turns.sort(key=lambda turn: turn.started_at)
        return OtlpContent(turns, list(self._findings(turns)), broken, sound)

    def _findings(self, turns: list[TurnRecord]) -> Iterator[FindingRecord]:
        by_span = {(turn.trace_id or "", turn.span_id or ""): turn for turn in turns}
        by_id = {turn.turn_id: turn for turn in turns}
        told: set[tuple[str, str]] = set()
        events = ((span.key, *event, span.pid) for span in self._turns for event in span.findings)
        for key, time, attributes, pid in (*events, *self._logged):
            turn = by_span.get(key) or by_id.get(_text(attributes.get("stoplint.finding.turn")) or "")
            record = _finding(attributes, turn, time, pid, key)
            told.add((record.turn_id, record.code))
            yield record
        for turn in turns:
            for code in turn.findings:
                if (turn.turn_id, code) not in told:  # its event was dropped on the way
                    yield _finding({"stoplint.rule.id": code}, turn, turn.ended_at, turn.pid, ("", ""))


def _spans(document: _Json) -> Iterator[_Span]:
    for resource, scope in _scopes(document, "resourceSpans", "scopeSpans"):
        pid = _int(resource.get("process.pid")) or 0
        for item in _list(scope.get("spans")):
            attributes = _attributes(item.get("attributes"))
            if "stoplint.chain.id" not in attributes and item.get("name") != NATIVE_SPAN:
                continue
            trace_id = str(item["traceId"]).lower()
            links = _list(item.get("links"))
            events = (event for event in _list(item.get("events")) if event.get("name") == _FINDING)
            yield _Span(
                key=(trace_id, str(item["spanId"]).lower()),
                parent=(trace_id, str(item.get("parentSpanId") or "").lower()),
                start=int(str(item["startTimeUnixNano"])),
                end=int(str(item["endTimeUnixNano"])),
                attributes=attributes,
                links=tuple(
                    (str(link["traceId"]).lower(), str(link["spanId"]).lower())
                    for link in links
                    if "stoplint.relation" in _attributes(link.get("attributes"))
                ),
                findings=tuple(
                    (int(str(event.get("timeUnixNano") or 0)), _attributes(event.get("attributes"))) for event in events
                ),
                pid=pid,
            )


def _logs(document: _Json) -> Iterator[tuple[_SpanKey, int, Attributes, int]]:
    for resource, scope in _scopes(document, "resourceLogs", "scopeLogs"):
        for item in _list(scope.get("logRecords")):
            attributes = _attributes(item.get("attributes"))
            name = item.get("eventName") or attributes.get("event.name")
            if name == _FINDING and "stoplint.rule.id" in attributes:
                key = (str(item.get("traceId") or "").lower(), str(item.get("spanId") or "").lower())
                time = int(str(item.get("timeUnixNano") or item.get("observedTimeUnixNano") or 0))
                yield key, time, attributes, _int(resource.get("process.pid")) or 0


def _scopes(document: _Json, outer: str, inner: str) -> Iterator[tuple[Attributes, _Json]]:
    for group in _list(document.get(outer)):
        resource = group.get("resource")
        attributes = _attributes(resource.get("attributes")) if isinstance(resource, dict) else {}
        for scope in _list(group.get(inner)):
            yield attributes, scope


def _turn(span: _Span) -> TurnRecord:
    get = span.attributes.get
    read, written = (
        _int(get("gen_ai.usage.cache_read.input_tokens")),
        _int(get("gen_ai.usage.cache_write.input_tokens")),
    )
    asked = _int(get("gen_ai.usage.input_tokens"))
    stream = _text(get("stoplint.stream.outcome"))
    reason = _text(get("stoplint.stop_reason")) or _text(get("anthropic.message.stop_reason"))
    return TurnRecord(
        turn_id=_text(get("gen_ai.response.id")) or f"span_{span.key[1]}",
        chain_id=_text(get("stoplint.chain.id")) or "",
        index=_int(get("stoplint.chain.index")) or 0,
        relation=cast("Relation", _text(get("stoplint.relation")) or "new"),
        parent_turn_id=None,
        changed=_texts(get("stoplint.relation.changed")),
        stop_reason=reason,
        stop_sequence=_text(get("stoplint.stop_sequence")),
        refusal_category=_text(get("stoplint.refusal.category")),
        request_model=_text(get("gen_ai.request.model")),
        response_model=_text(get("gen_ai.response.model")),
        max_tokens=_int(get("gen_ai.request.max_tokens")),
        # The conventions count cached tokens in, the records (as the API) apart.
        input_tokens=None if asked is None else max(0, asked - (read or 0) - (written or 0)),
        output_tokens=_int(get("gen_ai.usage.output_tokens")),
        cache_read_tokens=read,
        cache_write_tokens=written,
        content_kinds=_kinds(get("stoplint.content.kinds")),
        empty=get("stoplint.content.empty") is True,
        truncated_tool_use=get("stoplint.tool_use.truncated") is True,
        streaming=stream is not None or get("gen_ai.request.stream") is True,
        stream_outcome=cast("StreamOutcome | None", stream),
        surface=cast("Surface", _text(get("stoplint.surface")) or "create"),
        beta=False,
        started_at=span.start,
        ended_at=max(span.start, span.end),
        retries=_int(get("stoplint.retries")) or 0,
        error=None if reason else _text(get("error.type")),
        call_site=_site(span.attributes),
        digest=_text(get("stoplint.turn.digest")),
        parent_digest=_text(get("stoplint.turn.parent_digest")),
        trace_id=span.key[0],
        span_id=span.key[1],
        pid=span.pid,
        thread="",
        findings=_texts(get("stoplint.findings")),
    )


def _finding(attributes: Attributes, turn: TurnRecord | None, time: int, pid: int, key: _SpanKey) -> FindingRecord:
    code = _text(attributes.get("stoplint.rule.id")) or "unknown"
    rule = RULES.get(code)
    severity = _text(attributes.get("stoplint.finding.severity"))
    evidence = _text(attributes.get("stoplint.finding.turn"))
    turn_id = turn.turn_id if turn is not None else evidence or f"span_{key[1]}"
    chain_id = _text(attributes.get("stoplint.chain.id"))
    return FindingRecord(
        code=code,
        name=_text(attributes.get("stoplint.rule.name")) or (rule.name if rule else ""),
        severity=cast("Severity", severity or (rule.severity if rule else "warning")),
        profile=cast("Profile", _text(attributes.get("stoplint.finding.profile")) or "default"),
        message=_text(attributes.get("stoplint.finding.message")) or "",
        turn_id=turn_id,
        evidence_turn_id=evidence or turn_id,
        chain_id=chain_id or (turn.chain_id if turn is not None else ""),
        call_site=_site(attributes) or (turn.call_site if turn is not None else None),
        time=time,
        trace_id=turn.trace_id if turn is not None else key[0] or None,
        span_id=turn.span_id if turn is not None else key[1] or None,
        pid=pid,
    )


def _site(attributes: Attributes) -> CallSite | None:
    path = _text(attributes.get("code.file.path"))
    if path is None:
        return None
    function = _text(attributes.get("code.function.name")) or "<module>"
    return CallSite(path, function, _int(attributes.get("code.line.number")) or 0)


def _kinds(value: Value) -> tuple[tuple[str, int], ...]:
    return tuple((kind, 1) for kind in _texts(value))


def _list(value: object) -> list[_Json]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise TypeError
    return value


def _attributes(value: object) -> Attributes:
    return {str(item["key"]): _value(item.get("value")) for item in _list(value)}


def _value(value: object) -> Value:
    if not isinstance(value, dict):
        return None
    for kind, content in value.items():
        if kind == "intValue":
            return int(content)
        if kind in ("stringValue", "boolValue", "doubleValue"):
            return cast("str | bool | float", content)
        if kind == "arrayValue" and isinstance(content, dict):
            return [_value(item) for item in _list(content.get("values"))]
    return None


def _text(value: Value) -> str | None:
    return value if isinstance(value, str) and value else None


def _texts(value: Value) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _int(value: Value) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
