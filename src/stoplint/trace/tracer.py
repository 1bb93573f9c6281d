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
from stoplint.trace import callsite, captured, collector, faults, mistakes, relation, request, turn
from stoplint.trace.answer import NO_ANSWER, Answer, StreamedAnswer
from stoplint.trace.chains import Chain, Chains, TurnState, new_id, outcome
from stoplint.trace.records import ChainRecord
from stoplint.trace.seen import Seen
from stoplint.trace.turn import Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from stoplint.trace.emit import Telemetry
    from stoplint.trace.records import FindingRecord, Sink, StreamOutcome

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
        self._forked_at = 0
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
                state = turn.state_of(view, decision)
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
        if current.done or self._is_the_parents(current, how):
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
        if current.done or self._is_the_parents(current, how):
            return
        if current.streaming:
            current.stream_outcome = how
        current.error = error
        current.state.unread = how == "complete"
        self._finish(current, NO_ANSWER)

    def _is_the_parents(self, current: Turn, how: StreamOutcome) -> bool:
        """Whether the child of a fork only lets go of what its parent goes on reading, and tells of."""
        return how == "abandoned" and current.started_at < self._forked_at

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
            keys = turn.complete(current)
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
                self.finding(end, "SL102", mistakes.unhandled(end.stop_reason, branch=end is not last))
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
        self._forked_at = time.time_ns()
        self._inside.clear()
        self._unsettled.clear()
        self.pending.clear()
