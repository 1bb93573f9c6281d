"""The turns and chains in memory: bounded, shared by all threads and tasks of the process, nothing of their content."""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from opentelemetry.trace import SpanContext

    from stoplint.trace.records import CallSite, ChainOutcome, Relation
    from stoplint.trace.request import Parameters

TURN_LIMIT: Final = 10_000
TURN_AGE_S: Final = 3600.0
CHAIN_IDLE_S: Final = 600.0
OPEN_ENDS: Final = frozenset({"max_tokens", "model_context_window_exceeded", "pause_turn", "tool_use"})
"""Reasons after which something has to follow."""
_END_LIMIT: Final = 32
"""How many open ends a chain remembers: the last ones."""


class TurnState:
    """What later requests may need to know of a turn.  Mutable: made with the request, completed with the answer.

    `child` is the turn that holds the answer of this one, the last of them; `carried_on` whether a request followed
    from that answer: held it, or was made anew because of it; `streak` how many turns in a row had the same relation.
    `answer_keys` stand for the assistant turn alone, `digest` for the conversation up to it.  `context` is the
    span context to link to, None where no span was there.
    """

    # Defaults live on the class: a turn sets only what differs, which halves the cost of making one.
    index = 0
    relation: Relation = "new"
    streak = 1
    digest: str | None = None
    parent_digest: str | None = None
    answer_keys: tuple[int, ...] = ()
    stop_reason: str | None = None
    empty = False
    exact = True
    failed = False
    unread = False
    """The answer came, and nobody could read it here."""
    answered = False
    carried_on = False
    forced_tool = False
    tool_ids: tuple[str, ...] = ()
    nulls = 0
    child: TurnState | None = None
    call_site: CallSite | None = None
    context: SpanContext | None = None
    keys: tuple[Hashable, ...] = ()
    seen = 0.0
    response_id: str | None = None
    _own_id: str | None = None

    def __init__(self, chain: Chain, request_key: int, parameters: Parameters) -> None:
        self.chain = chain
        self.request_key = request_key
        self.parameters = parameters

    @property
    def turn_id(self) -> str:
        """The response id; until there is one, and where none comes, an id of our own."""
        if self.response_id is not None:
            return self.response_id
        if self._own_id is None:
            self._own_id = "stoplint_" + new_id()
        return self._own_id


class Chain:
    """A sequence of turns, or several from one beginning.  `begun` counts their requests, less those that failed and had
    none after them, `length` the answered ones; `last` is the latest, whatever became of it; `ends` are those after
    whose answer something has to follow and nothing has yet.
    """

    __slots__ = ("begun", "chain_id", "ended_at", "ends", "last", "length", "seen")

    def __init__(self, chain_id: str) -> None:
        self.chain_id = chain_id
        self.begun = 0
        self.length = 0
        self.last: TurnState | None = None
        self.seen = 0.0
        self.ended_at = 0
        self.ends: tuple[TurnState, ...] = ()

    def carry_on(self, turn: TurnState) -> None:
        """Something follows `turn`.  The same answer to the same request, which only one of two that went out at once
        is found by, counts as one.
        """
        if self.ends:
            self.ends = tuple(
                [end for end in self.ends if end is not turn and (end.digest is None or end.digest != turn.digest)]
            )


def new_id() -> str:
    """24 random hex digits."""
    return os.urandom(12).hex()


class Chains:
    """Finds turns by what later requests show of them.  Every method takes the lock itself, `locked` ones excepted.

    Least recently used turns go first once there are more than `limit`; turns older than `max_age` seconds are not
    found any more.  A chain is over after `idle` seconds without a turn.
    """

    def __init__(
        self,
        *,
        limit: int = TURN_LIMIT,
        max_age: float = TURN_AGE_S,
        idle: float = CHAIN_IDLE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lock = threading.Lock()
        self.clock = clock
        self._limit = limit
        self._max_age = max_age
        self._idle = idle
        self._turns: OrderedDict[TurnState, None] = OrderedDict()
        self._index: dict[Hashable, TurnState] = {}
        self._open: OrderedDict[str, Chain] = OrderedDict()
        self._due = 0.0
        """The time before which no chain is idle too long and no turn too old."""

    def __len__(self) -> int:
        return len(self._turns)

    def find_locked(self, key: Hashable) -> TurnState | None:
        """The latest turn known by `key`.  Finding a turn counts as using it."""
        state = self._index.get(key)
        if state is None:
            return None
        if self.clock() - state.seen > self._max_age:
            self._forget_locked(state)
            return None
        self._turns.move_to_end(state)
        return state

    def over_locked(self, chain: Chain) -> bool:
        """Whether a chain is over, also where that was not noticed yet."""
        if chain.chain_id not in self._open:
            return True
        return self.clock() - chain.seen > self._idle and not _under_way(chain)

    def add_locked(self, state: TurnState) -> list[Chain]:
        """Remember a turn and make its chain the most recent.  Returns the chains that are over by now."""
        now = self.clock()
        turns, opened = self._turns, self._open
        key = state.request_key
        chain = state.chain
        state.seen = chain.seen = now
        state.index = chain.begun
        chain.begun += 1
        chain.last = state
        self._index[key] = state
        turns[state] = None
        opened[chain.chain_id] = chain
        opened.move_to_end(chain.chain_id)
        over = [] if now < self._due else self._due_locked(now)
        while len(turns) > self._limit:
            oldest, _ = turns.popitem(last=False)
            self._unlearn_locked(oldest)
            last_of = oldest.chain
            if last_of.last is oldest and opened.pop(last_of.chain_id, None) is not None:
                # Nothing can carry this chain on any more.
                over.append(last_of)
        return over

    def settle_locked(self, state: TurnState, keys: tuple[Hashable, ...], ended_at: int) -> None:
        """Note that a turn is over.  An answered one counts, and is found by `keys`; the newest turn wins a key."""
        chain = state.chain
        chain.seen = self.clock()
        chain.ended_at = ended_at
        if chain.chain_id not in self._open:
            self._open[chain.chain_id] = chain
            if chain.last is None:
                chain.last = state
        if state.failed:
            if state.index == chain.begun - 1:
                # The place is free for the next try.
                chain.begun -= 1
            return
        state.answered = True
        chain.length += 1
        if state.stop_reason in OPEN_ENDS and not state.forced_tool and not state.carried_on:
            chain.ends = (*chain.ends, state)[-_END_LIMIT:]
        if state in self._turns:
            state.keys = keys
            index = self._index
            for key in keys:
                index[key] = state

    def _unlearn_locked(self, state: TurnState) -> None:
        index = self._index
        for key in (state.request_key, *state.keys):
            if index.get(key) is state:
                del index[key]
        state.keys = ()
        state.child = None

    def _forget_locked(self, state: TurnState) -> None:
        self._turns.pop(state, None)
        self._unlearn_locked(state)

    def _due_locked(self, now: float) -> list[Chain]:
        """Take out the chains that have been idle too long, and forget the turns that are too old."""
        over = []
        due = now + min(self._idle, self._max_age)
        while self._open:
            chain = next(iter(self._open.values()))
            if now - chain.seen <= self._idle:
                due = min(due, chain.seen + self._idle)
                break
            if _under_way(chain):
                # A request that is still under way keeps its chain open.
                chain.seen = now
                self._open.move_to_end(chain.chain_id)
                continue
            self._open.popitem(last=False)
            over.append(chain)
        while self._turns:
            oldest = next(iter(self._turns))
            if now - oldest.seen <= self._max_age:
                due = min(due, oldest.seen + self._max_age)
                break
            self._forget_locked(oldest)
        self._due = due
        return over

    def end(self, chain_id: str) -> Chain | None:
        """Take out one chain; None where it is not open."""
        with self.lock:
            return self._open.pop(chain_id, None)

    def end_all(self) -> list[Chain]:
        """Take out every open chain, oldest first."""
        with self.lock:
            chains = list(self._open.values())
            self._open.clear()
            return chains

    def take_ends(self, chain: Chain) -> tuple[TurnState, ...]:
        """The open ends of a chain that is over: told once."""
        with self.lock:
            ends, chain.ends = chain.ends, ()
            return ends

    def let_go(self, chain: Chain, last: TurnState) -> None:
        """Forget the last turn of a chain that is over, which knows its chain in turn: without the circle both are
        freed at once, and not when the garbage collector comes by.
        """
        with self.lock:
            if chain.last is last and chain.chain_id not in self._open:
                chain.last = None

    def after_fork(self) -> None:
        """In the child: a new lock, and the chains begun in the parent are the parent's to end."""
        self.lock = threading.Lock()
        self._open.clear()


def _under_way(chain: Chain) -> bool:
    return chain.last is not None and not (chain.last.answered or chain.last.failed)


OUTCOMES: Final[dict[str | None, ChainOutcome]] = {
    "end_turn": "finished",
    "stop_sequence": "stopped",
    "refusal": "refused",
    "max_tokens": "truncated",
    "model_context_window_exceeded": "truncated",
    "pause_turn": "unresumed",
    "compaction": "unresumed",
    "tool_use": "unanswered",
}
"""How a chain ended, by the reason of its last turn."""


def outcome(last: TurnState, ends: tuple[TurnState, ...] = ()) -> ChainOutcome:
    """How a chain ended, by its last turn; where that ended well, by the last of its open ends.  A turn without a stop
    reason (failed, cut, given up) has failed; a reason that is not known yet, or that came and was not read here, counts
    as finished.
    """
    if not last.unread and (last.failed or last.stop_reason is None):
        return "failed"
    if last.empty and last.stop_reason == "end_turn":
        return "empty"
    found = OUTCOMES.get(last.stop_reason, "finished")
    return OUTCOMES[ends[-1].stop_reason] if ends and found in ("finished", "stopped") else found
