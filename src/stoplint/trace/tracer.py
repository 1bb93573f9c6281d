"""The tracer: takes what the hooks see, keeps the chains, tells OpenTelemetry and the store.

Every public method is called from within the application's requests, guarded by the hooks: it may raise, and the
hook counts the fault.
"""

from __future__ import annotations

import os
import time
from collections import deque
from contextlib import suppress
from functools import partial
from threading import RLock, get_ident
from typing import TYPE_CHECKING, Final

from stoplint.trace import answer as answers
from stoplint.trace import callsite, captured, collector, digest, faults, mistakes, relation, request, turn
from stoplint.trace.answer import NO_ANSWER, PAUSED, TRUNCATED, Answer, StreamedAnswer
from stoplint.trace.chains import Chain, Chains, TurnState, new_id, outcome
from stoplint.trace.records import ChainRecord
from stoplint.trace.seen import Seen
from stoplint.trace.turn import Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from stoplint.trace.emit import Telemetry
    from stoplint.trace.records import FindingRecord, Sink, StreamOutcome
    from stoplint.trace.request import RequestView

_CALLERS: Final = 3
"""Frames between the application's side and `callsite.capture`: it, the tracer's method, the hook."""


class Tracer:
    """One for a process.  `telemetry` is None where OpenTelemetry is not installed; `open_sink` gives the store where
    there is to be one, told whether spans go anywhere; `on_first` is called before the first request goes out.
    """

    def __init__(
        self,
        telemetry: Telemetry | None,
        open_sink: Callable[[bool], Sink | None],
        *,
        capture_content: bool = False,
        chains: Chains | None = None,
        on_first: Callable[[], None] | None = None,
    ) -> None:
        self.telemetry = telemetry
        self.chains = Chains() if chains is None else chains
        self.pending: deque[Callable[[], None]] = deque()
        """Work left by finalizers, which run at any point of any thread and so must not do it themselves."""
        self._open_sink = open_sink
        self._sinks: dict[bool, Sink | None] = {}
        self._opening = RLock()
        self._capture = capture_content
        self._on_first = on_first
        self._inside: set[int] = set()
        self._results = Seen()
        self._unsettled: deque[tuple[Turn, tuple[Hashable, ...]]] = deque()

    # The request side.

    def begin(self, body: Mapping[str, object], *, streaming: bool) -> Turn:
        """A request is about to go out."""
        if self._on_first is not None:
            self._on_first()
            self._on_first = None
        if self.pending or self._unsettled:
            self.drain()  # this request may carry on one of them
        view = request.view(body)
        chains = self.chains
        me = get_ident()
        self._inside.add(me)
        try:
            with chains.lock:
                decision = relation.decide(view, chains.find_locked, chains.over_locked)
                state = _state(view, decision)
                over = chains.add_locked(state)
            current = Turn(view, decision, state)
            current.streaming = streaming
            current.call_site = state.call_site = callsite.capture(_CALLERS)
            if not mistakes.unremarkable(view, decision, state.streak):
                seen = mistakes.Evidence(view, decision, decision.parent, state.streak)
                current.findings = mistakes.of_request(seen)
            if self._capture:
                current.request_content = captured.of_request(body)
            for chain in over:
                self._chain_over(chain)
        finally:
            self._inside.discard(me)
        if self.pending or self._unsettled:
            self.drain()  # what a finalizer left in the meantime
        return current

    # The response side.

    def start_stream(self, current: Turn) -> StreamedAnswer:
        """The answer will come as events."""
        current.streaming = True
        current.stream = stream = StreamedAnswer()
        return stream

    def answered(self, current: Turn, message: object) -> None:
        """The answer is here: an SDK model or the decoded body."""
        if current.done:
            return
        if self._capture:
            current.response_content = captured.of_answer(message)
        self._finish(current, answers.from_message(message))

    def stream_over(self, current: Turn, how: StreamOutcome, error: str | None = None) -> None:
        """A stream has ended, or the application has let go of it."""
        if current.done:
            return
        stream = current.stream
        if stream is not None and how == "abandoned" and (stream.stopped or (stream.stop and stream.stop[0])):
            # The application left with everything in hand: only the end marker was not read.
            how = "complete"
        current.stream_outcome = how
        current.error = error
        if self._capture and stream is not None:
            current.response_content = captured.dumps(stream.blocks())
        self._finish(current, stream.answer() if stream is not None else NO_ANSWER)

    def failed(self, current: Turn, error: str, message: object = None) -> None:
        """The request raised.  `message` is what the SDK had read by then, where it failed on the content."""
        if current.done:
            return
        current.error = error
        self._finish(current, NO_ANSWER if message is None else answers.from_message(message))

    def unknown(self, current: Turn, how: StreamOutcome = "complete", error: str | None = None) -> None:
        """The request came back, but its answer never became a message that could be read.  `how` its body ended."""
        if current.done:
            return
        if current.streaming:
            current.stream_outcome = how
        current.error = error
        current.state.unread = how == "complete"
        self._finish(current, NO_ANSWER)

    def batch_item(self, message: object) -> Turn | None:
        """One result of a batch: a turn of its own, whose request was made elsewhere and whose chain ends with it.  None
        where the result is one that was read before.
        """
        found = answers.from_message(message)
        if found.response_id is not None:
            with self.chains.lock:
                if self._results.again(found.response_id):
                    return None
        view = request.view({"model": found.model})
        state = TurnState(Chain(new_id()), view.key, view.parameters)
        current = Turn(view, relation.NEW, state)
        current.batch = True
        current.call_site = state.call_site = callsite.capture(_CALLERS)
        if self._capture:
            current.response_content = captured.of_answer(message)
        if self.telemetry is not None and self.telemetry.has_backend():
            self.telemetry.start(current, {}, beside=True)
        self._finish(current, found)
        self.chains.end(state.chain.chain_id)
        self._tell_chain(state.chain, state)
        return current

    # The end of a turn.

    def _finish(self, current: Turn, found: Answer) -> None:
        current.done = True
        current.answer = found
        current.ended_at = time.time_ns()
        try:
            keys = _complete(current)
        except Exception:  # noqa: BLE001 - what cannot be understood is told as far as it goes
            faults.note("answer")
            keys = ()
        telemetry, chains, me = self.telemetry, self.chains, get_ident()
        if me in self._inside or collector.at_work():
            # A finalizer, which may have interrupted this thread under any lock: the span cannot wait, the rest can.
            self._unsettled.append((current, keys))
            if telemetry is not None:
                self._finish_span(telemetry, current)
            return
        self._inside.add(me)
        try:
            with chains.lock:
                chains.settle_locked(current.state, keys, current.ended_at)
            if telemetry is not None:
                self._finish_span(telemetry, current)
            self._tell(current)
        finally:
            self._inside.discard(me)
        if self.pending or self._unsettled:
            self.drain()

    def _finish_span(self, telemetry: Telemetry, current: Turn) -> None:
        try:
            telemetry.finish(current)
        except Exception:  # noqa: BLE001 - the turn is counted and stored all the same
            faults.note("span")

    def _tell(self, current: Turn) -> None:
        telemetry, state = self.telemetry, current.state
        found = [
            turn.finding_record(state, code, message, current.parent_id() or state.turn_id)
            for code, message in current.findings
        ]
        if telemetry is not None:
            try:
                telemetry.count_turn(current)
                for record in found:
                    telemetry.finding(record, current.span)
            except Exception:  # noqa: BLE001 - the store gets the turn all the same
                faults.note("telemetry")
        try:
            self._store(current, found)
        finally:
            if current.own and telemetry is not None:
                telemetry.end(current)
            # They may hold the turn in turn.
            current.options = None

    def _store(self, current: Turn, found: list[FindingRecord]) -> None:
        sink = self.sink()
        if sink is not None:
            sink.turn(turn.record(current))
            for record in found:
                sink.finding(record)

    def drain(self) -> None:
        """Do what finalizers left."""
        while self._unsettled or self.pending:
            # Another thread may take the last of them in between.
            with suppress(IndexError):
                self._drain_one()

    def _drain_one(self) -> None:
        if self._unsettled:
            task: Callable[[], object] = partial(self._settle, *self._unsettled.popleft())
        else:
            task = self.pending.popleft()
        try:
            task()
        except Exception:  # noqa: BLE001 - the request that comes by has nothing to do with it
            faults.note("late")

    def _settle(self, current: Turn, keys: tuple[Hashable, ...]) -> None:
        with self.chains.lock:
            self.chains.settle_locked(current.state, keys, current.ended_at)
        self._tell(current)

    def finding(self, state: TurnState, code: str, message: str) -> None:
        """A finding on a turn that is long over."""
        found = turn.finding_record(state, code, message, state.turn_id)
        if self.telemetry is not None:
            self.telemetry.finding(found, None)
        sink = self.sink()
        if sink is not None:
            sink.finding(found)

    # The end of a chain.

    def end_chain(self, chain_id: str) -> bool:
        """The application says that a chain is over; whether it was open."""
        chain = self.chains.end(chain_id)
        if chain is not None:
            self._chain_over(chain)
        return chain is not None

    def end_all(self) -> None:
        """All chains are over: the process ends, or tracing does."""
        self.drain()
        for chain in self.chains.end_all():
            self._chain_over(chain)

    def _chain_over(self, chain: Chain) -> None:
        last = chain.last
        if last is None:
            return
        try:
            ends = self.chains.take_ends(chain)
            self._tell_chain(chain, last, ends)
            for end in ends:
                self.finding(end, "SL102", mistakes.unhandled(end, last))
        except Exception:  # noqa: BLE001 - the other chains are over too
            faults.note("chain")
        self.chains.let_go(chain, last)

    def _tell_chain(self, chain: Chain, last: TurnState, ends: tuple[TurnState, ...] = ()) -> None:
        how, when = outcome(last, ends), chain.ended_at or time.time_ns()
        over = ChainRecord(chain.chain_id, how, chain.length, when, os.getpid())
        if self.telemetry is not None:
            self.telemetry.chain(over)
        sink = self.sink()
        if sink is not None:
            sink.chain(over)

    # The store.

    def sink(self) -> Sink | None:
        """The store, opened with the first record where there is to be one."""
        if True in self._sinks:
            # A backend, once there, stays.
            return self._sinks[True]
        has_backend = self.telemetry is not None and self.telemetry.has_backend()
        if has_backend not in self._sinks:
            with self._opening:
                if has_backend not in self._sinks:
                    self._sinks[has_backend] = self._open_sink(has_backend)
        return self._sinks[has_backend]

    def sinks(self) -> list[Sink]:
        """The stores opened so far."""
        return [sink for sink in self._sinks.values() if sink is not None]

    def after_fork(self) -> None:
        """In the child of a fork: nothing of the parent's other threads is under way here."""
        self.chains.after_fork()
        self._opening = RLock()
        self._inside.clear()
        self._unsettled.clear()
        self.pending.clear()


def _state(view: RequestView, decision: relation.Decision) -> TurnState:
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


def _goes_on(decision: relation.Decision, parent: TurnState) -> bool:
    """Whether a turn of this relation is one more of a loop.  The same question asked again of a good answer is not."""
    if decision.relation in ("resume", "continue", "tool_result"):
        return True
    if decision.relation == "reply":
        # An empty turn is remedied again and again.
        return parent.empty and decision.extended
    return decision.relation.startswith("retry") and (
        parent.empty or parent.failed or parent.stop_reason in TRUNCATED | PAUSED | {"refusal"}
    )


def _complete(current: Turn) -> tuple[Hashable, ...]:
    """Carry what the answer says over to what is kept of the turn.  Returns what later requests may show of it."""
    state, found = current.state, current.answer
    content = found.content
    state.failed = current.error is not None and found.stop_reason is None
    state.response_id = found.response_id
    state.stop_reason = found.stop_reason
    state.empty = found.empty
    state.exact = found.exact
    state.truncated_tool_use = found.truncated_tool_use
    state.tool_ids = content.tool_ids
    if state.failed:
        return ()
    view, tail = current.view, current.view.tail
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
