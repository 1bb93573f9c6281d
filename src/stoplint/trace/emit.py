"""What OpenTelemetry gets: attributes, links and events on spans, metrics, log records.

The only module of the tracer that imports `opentelemetry` (the API alone); without it nothing of this is loaded.
"""

from __future__ import annotations

import inspect
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Final

from opentelemetry import _logs, context, metrics, trace
from opentelemetry._logs import LogRecord, SeverityNumber

import stoplint
from stoplint.trace import faults, turn

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from opentelemetry._logs import LoggerProvider
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import Span, TracerProvider

    from stoplint.trace.records import ChainRecord, FindingRecord
    from stoplint.trace.turn import Turn, Value

SCOPE: Final = "stoplint"
_LLM_OPERATIONS: Final = frozenset({"chat", "text_completion", "generate_content"})
_EVENT: Final = "stoplint.finding"
_EVENTS: Final = "event_name" in inspect.signature(LogRecord.__init__).parameters
"""Log records are events from API 1.35 on; before that a late finding is a span of its own."""
_ERROR: Final = trace.Status(trace.StatusCode.ERROR)


class _Current:
    """Makes a span the current one, and no more: neither its end nor its status is a matter of who is inside."""

    __slots__ = ("_span", "_token")

    def __init__(self, span: Span) -> None:
        self._span = span

    def __enter__(self) -> None:
        self._token = context.attach(trace.set_span_in_context(self._span))

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # A task that is given up may be closed in another context, where the span was never current.
        if kind is not GeneratorExit or trace.get_current_span() is self._span:
            context.detach(self._token)


class Telemetry:
    """Emits through the providers given, or through the global ones, also when those are set later."""

    def __init__(
        self,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        logger_provider: LoggerProvider | None = None,
    ) -> None:
        version = stoplint.__version__
        self._has_provider = tracer_provider is not None
        self._tracer = trace.get_tracer(SCOPE, version, tracer_provider)
        self._logger = _logs.get_logger(SCOPE, version, logger_provider)
        meter = metrics.get_meter(SCOPE, version, meter_provider)
        self._turns = meter.create_counter("stoplint.turns", "{turn}", "Logical Messages requests by raw stop reason")
        self._findings = meter.create_counter("stoplint.findings", "{finding}", "Findings by rule")
        self._lengths = meter.create_histogram("stoplint.chain.length", "{turn}", "Turns of a chain that is over")
        self._outcomes = meter.create_counter("stoplint.chain.outcomes", "{chain}", "Chains that are over, by outcome")
        self._errors = meter.create_counter("stoplint.errors", "{fault}", "Faults of stoplint itself, swallowed")

    def has_backend(self) -> bool:
        """Whether spans go anywhere: a tracer provider was given, or the application has set one."""
        if not self._has_provider:
            self._has_provider = not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
        return self._has_provider

    def fault(self, place: str) -> None:
        """Count a fault of our own."""
        self._errors.add(1, {"stoplint.hook": place})

    def llm_span(self) -> Span | None:
        """The current span where it is another emitter's for a request to a model."""
        around = trace.get_current_span()
        return around if around.is_recording() and _is_llm_span(around) else None

    def adopt(self, current: Turn, native: Span | None, around: Span | None) -> None:
        """Choose the span for a turn's facts: the SDK's own, another emitter's (`around` where it is known), or none."""
        if native is not None:
            current.span = native
            if not self._has_provider and native.is_recording():
                # A client may have a provider of its own.
                self._has_provider = True
        else:
            current.span = around if around is not None else self.llm_span()
        if current.span is not None:
            current.state.context = current.span.get_span_context()

    def start(self, current: Turn, request: Mapping[str, Value], *, beside: bool) -> None:
        """Start a span of our own.

        `chat {model}` by the GenAI conventions; where another emitter has a span that cannot be reached (`beside`),
        a span `stoplint.turn` that no one takes for a second request to the model.
        """
        if beside:
            span = self._tracer.start_span("stoplint.turn", start_time=current.started_at)
        else:
            span = self._tracer.start_span(
                f"chat {current.view.parameters.model or ''}".rstrip(),
                kind=trace.SpanKind.CLIENT,
                attributes=dict(request),
                start_time=current.started_at,
            )
        current.span, current.own, current.beside = span, True, beside
        current.state.context = span.get_span_context()

    def current(self, current: Turn) -> AbstractContextManager[object]:
        """The turn's own `chat` span as the current span; nothing where a turn has none."""
        span = current.span
        return nullcontext() if span is None or current.beside else _Current(span)

    def finish(self, current: Turn) -> None:
        """Put a finished turn's facts on its span, and end the span where it is ours."""
        span = current.span
        if span is None:
            return
        recording = span.is_recording()
        if not recording and not current.own:
            if not span.get_span_context().trace_flags.sampled:
                return
            span, recording = self._late_span(current, span), True
        if not recording:
            return
        facts = turn.attributes(current)
        if current.own and not current.beside:
            facts.update(turn.llm_attributes(current.answer))
        span.set_attributes(facts)
        parent = current.decision.parent
        if parent is not None and parent.context is not None and parent.context.is_valid:
            span.add_link(parent.context, {"stoplint.relation": current.decision.relation})
        if current.own and current.error is not None and current.error != "cancelled":
            span.set_status(_ERROR)
            span.set_attribute("error.type", current.error)

    def end(self, current: Turn) -> None:
        """End the span of a turn where it is ours."""
        if current.own and current.span is not None:
            current.span.end()

    def _late_span(self, current: Turn, ended: Span) -> Span:
        # The body was read after the span of the call had ended: the facts go on a child of it.
        span = self._tracer.start_span(
            "stoplint.turn", context=trace.set_span_in_context(ended), start_time=time.time_ns()
        )
        current.span, current.own, current.beside = span, True, True
        return span

    def count_turn(self, current: Turn) -> None:
        """The metric of a finished turn."""
        if current.error is not None and current.answer.stop_reason is None:
            reason = "error"
        else:
            reason = current.answer.stop_reason or "none"
        self._turns.add(
            1,
            {
                "stop_reason": reason,
                "model": current.view.parameters.model or "none",
                "relation": current.decision.relation,
                "streaming": current.streaming,
            },
        )

    def finding(self, record: FindingRecord, span: Span | None) -> None:
        """Tell a finding: an event where the turn's span is open, else a log record with its trace context."""
        self._findings.add(1, {"rule": record.code})
        details = turn.finding_attributes(record)
        if span is not None and span.is_recording():
            span.add_event(_EVENT, details)
            return
        if record.call_site is not None:
            details["code.file.path"] = record.call_site.path
            details["code.function.name"] = record.call_site.function
            details["code.line.number"] = record.call_site.line
        self._log(record, details)

    def _log(self, record: FindingRecord, details: dict[str, Value]) -> None:
        where = None
        if record.trace_id is not None and record.span_id is not None:
            place = trace.SpanContext(int(record.trace_id, 16), int(record.span_id, 16), is_remote=False)
            where = trace.set_span_in_context(trace.NonRecordingSpan(place))
        if not _EVENTS:
            self._tracer.start_span(_EVENT, where, attributes=details).end()
            return
        error = record.severity == "error"
        self._logger.emit(
            LogRecord(
                event_name=_EVENT,
                timestamp=record.time,
                context=where,
                severity_number=SeverityNumber.ERROR if error else SeverityNumber.WARN,
                severity_text="ERROR" if error else "WARN",
                attributes=details,
            )
        )

    def chain(self, record: ChainRecord) -> None:
        """The metrics of a chain that is over."""
        self._outcomes.add(1, {"outcome": record.outcome})
        self._lengths.record(record.length)

    def listen(self) -> None:
        """Count faults from now on."""
        faults.listen(self.fault)

    def close(self) -> None:
        """Stop counting faults."""
        faults.ignore(self.fault)


def _is_llm_span(span: Span) -> bool:
    """Whether a span stands for a request to a model, by the attributes that every known emitter starts one with."""
    found = getattr(span, "attributes", None)
    if not found:
        return False
    return (
        found.get("gen_ai.operation.name") in _LLM_OPERATIONS
        or found.get("openinference.span.kind") == "LLM"
        # logfire names the request only by its model.
        or ("gen_ai.request.model" in found and "gen_ai.operation.name" not in found)
    )
