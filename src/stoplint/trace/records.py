"""What the tracer hands to a sink: one record a turn, a finding, a chain.  Plain data, no import of the tracer.

Times are nanoseconds since the epoch.  Ids of OpenTelemetry are lower-case hex, None where there was no valid span.
No field holds text of a prompt or an answer, except the two `*_content` fields, which stay None unless
`STOPLINT_CAPTURE_CONTENT` is true.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from stoplint.findings import Profile, Severity

Relation: TypeAlias = Literal[
    "new", "tool_result", "resume", "continue", "reply", "retry_unchanged", "retry_changed", "fork"
]
StreamOutcome: TypeAlias = Literal["complete", "abandoned", "cut", "error"]
Surface: TypeAlias = Literal["create", "stream", "parse", "tool_runner", "thread", "batch"]
ChainOutcome: TypeAlias = Literal[
    "finished", "stopped", "refused", "truncated", "unresumed", "unanswered", "empty", "failed"
]


@dataclass(frozen=True, slots=True)
class CallSite:
    """The innermost frame outside `anthropic` and `stoplint` that made the request: absolute path as Python knows it,
    qualified function name (`code.function.name`), line from 1.
    """

    path: str
    function: str
    line: int


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """One logical Messages request with its answer.

    `turn_id` is the response id (`msg_...`) where there is one, else `stoplint_` and 24 hex digits.  `parent_turn_id`
    is the turn this one relates to (None when `relation` is "new").  `index` counts from 0 in the chain.
    `content_kinds` are (block type, count) in order of first appearance.  `stop_reason` is raw; None where none came.
    `error` is the error's type (`overloaded_error`, `connection_error`, a class name), never its text.
    `stream_outcome` is None for answers that were not streamed.  `digest` covers the conversation up to and including
    the answer, `parent_digest` the same of the turn before; 32 hex digits each.
    """

    turn_id: str
    chain_id: str
    index: int
    relation: Relation
    parent_turn_id: str | None
    changed: tuple[str, ...]
    stop_reason: str | None
    stop_sequence: str | None
    refusal_category: str | None
    request_model: str | None
    response_model: str | None
    max_tokens: int | None
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    content_kinds: tuple[tuple[str, int], ...]
    empty: bool
    truncated_tool_use: bool
    streaming: bool
    stream_outcome: StreamOutcome | None
    surface: Surface
    beta: bool
    started_at: int
    ended_at: int
    retries: int
    error: str | None
    call_site: CallSite | None
    digest: str | None
    parent_digest: str | None
    trace_id: str | None
    span_id: str | None
    pid: int
    thread: str
    findings: tuple[str, ...]
    request_content: str | None = None
    response_content: str | None = None


@dataclass(frozen=True, slots=True)
class FindingRecord:
    """One mistake seen in real requests.  `turn_id` is the turn the finding is reported on, `evidence_turn_id` the
    turn whose stop reason was mishandled (often the turn before; equal to `turn_id` where one turn says it all).
    `call_site` is that of the turn reported on.
    """

    code: str
    name: str
    severity: Severity
    profile: Profile
    message: str
    turn_id: str
    evidence_turn_id: str
    chain_id: str
    call_site: CallSite | None
    time: int
    trace_id: str | None
    span_id: str | None
    pid: int


@dataclass(frozen=True, slots=True)
class ChainRecord:
    """A chain that is over.  `length` counts its turns that got an answer; `ended_at` is the time of its last turn."""

    chain_id: str
    outcome: ChainOutcome
    length: int
    ended_at: int
    pid: int


class Sink(Protocol):
    """Where records go.  Called on the application's threads: each call must return at once, never raise, and do its
    I/O elsewhere.  A turn may be reported before the findings on it; a finding may also come long after its turn.

    A record whose `turn_id` was seen before replaces the earlier one (findings added after the turn ended).
    """

    def turn(self, record: TurnRecord) -> None: ...

    def finding(self, record: FindingRecord) -> None: ...

    def chain(self, record: ChainRecord) -> None: ...

    def flush(self, timeout_s: float) -> None:
        """Block until everything reported so far is committed, or until the time is over."""

    def close(self) -> None:
        """Flush and release; later calls do nothing."""
