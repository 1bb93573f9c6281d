"""A turn in flight: made with the request, completed once, then told as a record or as span attributes."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

from stoplint.trace import digest, relation
from stoplint.trace.answer import NO_ANSWER, PAUSED, TRUNCATED
from stoplint.trace.chains import Chain, TurnState, new_id
from stoplint.trace.mistakes import RULES, profile_of
from stoplint.trace.options import surface_of
from stoplint.trace.records import FindingRecord, TurnRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence
    from typing import TypeAlias

    from opentelemetry.trace import Span

    from stoplint.trace.answer import Answer, StreamedAnswer
    from stoplint.trace.reads import Reading
    from stoplint.trace.records import CallSite, StreamOutcome
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


def state_of(view: RequestView, decision: Decision) -> TurnState:
    """What is kept of a turn that begins with this request."""
    parent = decision.parent
    if parent is None:
        state = TurnState(Chain(new_id()), view.key, view.parameters)
    else:
        # Of what is kept, what can be shared is: memory that is not there is not walked through either.
        same = parent.parameters == view.parameters
        state = TurnState(parent.chain, view.key, parent.parameters if same else view.parameters)
    state.relation = decision.relation
    state.forced_tool = view.forced_tool
    if parent is None:
        state.parent_digest = view.parent_digest()
        return state
    if parent.answered:
        # A request made before the answer was there does not follow from it.
        parent.chain.carry_on(parent)
        if decision.extended or "messages" not in decision.changed:
            parent.carried_on = True
    if decision.echoed:
        parent.child = state
        state.parent_digest = parent.digest or view.parent_digest()
    elif decision.relation != "reply":
        state.parent_digest = parent.parent_digest
    else:
        state.parent_digest = view.parent_digest()
    if parent.relation == decision.relation and _goes_on(decision, parent):
        state.streak = parent.streak + 1
    return state


def _goes_on(decision: Decision, parent: TurnState) -> bool:
    """Whether a turn of this relation is one more of a loop.  The same question asked again of a good answer is not."""
    if decision.relation in ("resume", "continue", "tool_result"):
        return True
    if decision.relation == "reply":
        # An empty turn is remedied again and again.
        return parent.empty and decision.extended
    return decision.relation.startswith("retry") and (
        parent.empty or parent.failed or parent.stop_reason in TRUNCATED | PAUSED | {"refusal"}
    )


def complete(turn: Turn) -> tuple[Hashable, ...]:
    """Carry what the answer says over to what is kept of the turn.  Returns what later requests may show of it."""
    state, found = turn.state, turn.answer
    content = found.content
    state.failed = turn.error is not None and found.stop_reason is None
    state.response_id = found.response_id
    state.stop_reason = found.stop_reason
    state.empty = found.empty
    state.exact = found.exact
    state.tool_ids = content.tool_ids
    if state.failed:
        return ()
    view, tail = turn.view, turn.view.tail
    keys: tuple[Hashable, ...] = ()
    if view.thread:
        if found.response_id is not None:
            state.digest = digest.thread_digest(found.response_id)
            keys = (found.response_id,)
    elif view.readable:
        points = digest.turn_points(tail, content.blocks)
        state.digest = points[0].digest()
        keys = tuple(map(hash, points))
    state.answer_keys = (hash(content.blocks),)
    if view.ends_with_assistant:
        content = digest.joined(tail.assistant, content)
        state.answer_keys += (hash(content.blocks),)
        loose = relation.loose_key(content, tail.before, tail.opening)
    else:
        loose = relation.loose_key(content, tail.user, tail.user_opening)
    state.nulls = content.nulls
    return keys + state.tool_ids if loose is None else (loose, *keys, *state.tool_ids)


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
    surface, beta = surface_of(turn.options, thread=turn.view.thread)
    return TurnRecord(
        turn_id=state.turn_id,
        chain_id=state.chain.chain_id,
        index=state.index,
        relation=turn.decision.relation,
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
