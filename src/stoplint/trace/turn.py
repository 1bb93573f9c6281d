"""A turn in flight: made with the request, completed once, then told as a record or as span attributes."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

from stoplint.trace.answer import NO_ANSWER
from stoplint.trace.mistakes import RULES, profile_of
from stoplint.trace.options import surface_of
from stoplint.trace.records import FindingRecord, TurnRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from opentelemetry.trace import Span

    from stoplint.trace.answer import Answer, StreamedAnswer
    from stoplint.trace.chains import TurnState
    from stoplint.trace.reads import Reading
    from stoplint.trace.records import CallSite, Relation, StreamOutcome
    from stoplint.trace.relation import Decision
    from stoplint.trace.request import RequestView

    Value: TypeAlias = str | int | bool | tuple[str, ...]


class Turn:
    """One logical request.  `span` is where its facts go, `own` whether that span is ours to end, `native` whether it
    is the SDK's, `beside` whether it stands beside the span of a request instead of being one.
    """

    # Defaults live on the class, as with `TurnState`.
    findings: Sequence[tuple[str, str]] = ()
    call_site: CallSite | None = None
    ended_at = 0
    streaming = False
    stream: StreamedAnswer | None = None
    stream_outcome: StreamOutcome | None = None
    batch = False
    options: object = None
    span: Span | None = None
    own = False
    native = False
    beside = False
    retries = 0
    answer: Answer = NO_ANSWER
    error: str | None = None
    done = False
    parsed: object = None
    reading = False
    finish_body: Callable[[], object] | None = None
    reading_of: Reading | None = None
    request_content: str | None = None
    response_content: str | None = None

    def __init__(self, view: RequestView, decision: Decision, state: TurnState) -> None:
        self.view = view
        self.decision = decision
        self.state = state
        self.started_at = time.time_ns()

    def parent_id(self) -> str | None:
        """The id of the turn that this one relates to."""
        parent = self.decision.parent
        return None if parent is None else parent.turn_id


def attributes(turn: Turn) -> dict[str, Value]:
    """The `stoplint.*` and `code.*` attributes of a finished turn."""
    answer, state, site = turn.answer, turn.state, turn.call_site
    kinds = answer.kinds
    found: dict[str, Value] = {
        "stoplint.chain.id": state.chain.chain_id,
        "stoplint.chain.index": state.index,
        "stoplint.relation": turn.decision.relation,
        "stoplint.content.empty": answer.empty,
        "stoplint.tool_use.truncated": answer.truncated_tool_use,
        "stoplint.content.kinds": (kinds[0][0],) if len(kinds) == 1 else tuple([kind for kind, _ in kinds]),
        "stoplint.retries": turn.retries,
    }
    if answer.stop_reason is not None:
        found["stoplint.stop_reason"] = answer.stop_reason
    if state.digest is not None:
        found["stoplint.turn.digest"] = state.digest
    if state.parent_digest is not None:
        found["stoplint.turn.parent_digest"] = state.parent_digest
    if turn.stream_outcome is not None:
        found["stoplint.stream.outcome"] = turn.stream_outcome
    if site is not None:
        found["code.file.path"] = site.path
        found["code.function.name"] = site.function
        found["code.line.number"] = site.line
    if turn.findings or turn.decision.changed or answer.stop_reason != "end_turn" or turn.response_content is not None:
        found.update(_rare(turn))
    return found


def _rare(turn: Turn) -> list[tuple[str, Value]]:
    answer = turn.answer
    optional: tuple[tuple[str, Value | None], ...] = (
        ("stoplint.stop_sequence", answer.stop_sequence),
        ("stoplint.refusal.category", answer.refusal_category),
        ("stoplint.relation.changed", turn.decision.changed or None),
        ("stoplint.findings", codes(turn) or None),
        ("stoplint.request.content", turn.request_content),
        ("stoplint.response.content", turn.response_content),
    )
    return [(name, value) for name, value in optional if value is not None]


def codes(turn: Turn) -> tuple[str, ...]:
    """The codes of the findings on a turn, each once."""
    return tuple(dict.fromkeys([code for code, _ in turn.findings])) if turn.findings else ()


def llm_attributes(answer: Answer) -> dict[str, Value]:
    """The response's attributes by the GenAI conventions, for a span of our own."""
    found: dict[str, Value] = {}
    if answer.response_id is not None:
        found["gen_ai.response.id"] = answer.response_id
    if answer.model is not None:
        found["gen_ai.response.model"] = answer.model
    if answer.stop_reason is not None:
        found["gen_ai.response.finish_reasons"] = (answer.stop_reason,)
    used = answer.usage
    if used.input_tokens is not None:
        # The conventions count cached tokens in; the API counts them apart.
        found["gen_ai.usage.input_tokens"] = used.input_tokens + (used.cache_read or 0) + (used.cache_write or 0)
    counts = (
        ("gen_ai.usage.output_tokens", used.output_tokens),
        ("gen_ai.usage.cache_read.input_tokens", used.cache_read),
        ("gen_ai.usage.cache_write.input_tokens", used.cache_write),
    )
    found.update((name, count) for name, count in counts if count is not None)
    return found


def finding_attributes(record: FindingRecord) -> dict[str, Value]:
    """The attributes of the event `stoplint.finding`."""
    return {
        "stoplint.rule.id": record.code,
        "stoplint.rule.name": record.name,
        "stoplint.finding.severity": record.severity,
        "stoplint.finding.profile": record.profile,
        "stoplint.finding.message": record.message,
        "stoplint.finding.turn": record.evidence_turn_id,
        "stoplint.chain.id": record.chain_id,
    }


def span_ids(context: object) -> tuple[str | None, str | None]:
    """Trace and span id of a span context as hex; None where there is no valid one."""
    trace_id, span_id = getattr(context, "trace_id", 0), getattr(context, "span_id", 0)
    if not trace_id or not span_id:
        return (None, None)
    return (f"{trace_id:032x}", f"{span_id:016x}")


def finding_record(state: TurnState, code: str, message: str, evidence: str) -> FindingRecord:
    """A finding reported on the turn of `state`, at this moment."""
    rule = RULES[code]
    trace_id, span_id = span_ids(state.context)
    return FindingRecord(
        code=code,
        name=rule.name,
        severity=rule.severity,
        profile=profile_of(code, state.relation),
        message=message,
        turn_id=state.turn_id,
        evidence_turn_id=evidence,
        chain_id=state.chain.chain_id,
        call_site=state.call_site,
        time=time.time_ns(),
        trace_id=trace_id,
        span_id=span_id,
        pid=os.getpid(),
    )


def record(turn: Turn) -> TurnRecord:
    """A finished turn for a sink."""
    answer, state, asked = turn.answer, turn.state, turn.view.parameters
    used = answer.usage
    trace_id, span_id = span_ids(state.context)
    relation: Relation = turn.decision.relation
    surface, beta = surface_of(turn.options, thread=turn.view.thread)
    return TurnRecord(
        turn_id=state.turn_id,
        chain_id=state.chain.chain_id,
        index=state.index,
        relation=relation,
        parent_turn_id=turn.parent_id(),
        changed=turn.decision.changed,
        stop_reason=answer.stop_reason,
        stop_sequence=answer.stop_sequence,
        refusal_category=answer.refusal_category,
        request_model=asked.model,
        response_model=answer.model,
        max_tokens=asked.max_tokens,
        input_tokens=used.input_tokens,
        output_tokens=used.output_tokens,
        cache_read_tokens=used.cache_read,
        cache_write_tokens=used.cache_write,
        content_kinds=answer.kinds,
        empty=answer.empty,
        truncated_tool_use=answer.truncated_tool_use,
        streaming=turn.streaming,
        stream_outcome=turn.stream_outcome,
        surface="batch" if turn.batch else surface,
        beta=beta,
        started_at=turn.started_at,
        ended_at=turn.ended_at,
        retries=turn.retries,
        error=turn.error,
        call_site=turn.call_site,
        digest=state.digest,
        parent_digest=state.parent_digest,
        trace_id=trace_id,
        span_id=span_id,
        pid=os.getpid(),
        thread=threading.current_thread().name,
        findings=codes(turn),
        request_content=turn.request_content,
        response_content=turn.response_content,
    )
