"""One run of the interpreter: a root function and whatever it calls, with the frames, the ledger and the budget."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from stoplint.check.events import LOOKED_AFTER, LOST, READ_LATER, Event, ReasonReadEarly, Request, ResponseEnded, Track
from stoplint.check.flow_blocks import note_execution, note_interrupt
from stoplint.check.flow_kinds import CUT, is_whole
from stoplint.check.flow_results import lost_results
from stoplint.check.knowledge import EMPTY, NONEMPTY, Knowledge, State, Use, join_envs
from stoplint.check.values import REASON_KINDS, UNKNOWN, Atom, Site, Token, Value, Where, Whole
from stoplint.reasons import COMPLETE

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from stoplint.check.flow_loops import Loop
    from stoplint.check.flow_ways import Ways
    from stoplint.check.knowledge import Obj
    from stoplint.check.program import FunctionInfo, ModuleInfo, Program

MAX_DEPTH = 6
MAX_STEPS = 2_500
"""Statements that one root may execute, its callees included; past it calls count as unresolved, hence quiet."""


ASSERTED = "asserted"
"""Excuses what a test reads: it asserts something, and fails where an answer is not as it should be."""


class Stop(Exception):  # noqa: N818 - control flow, not an error
    """The path ends here: a call never returns."""


@dataclass(slots=True)
class Frame:
    """One function being interpreted."""

    module: ModuleInfo
    function: FunctionInfo | None
    path: tuple[Site, ...] = ()
    closure: dict[str, Value] = field(default_factory=dict)
    guards: list[frozenset[str]] = field(default_factory=list)
    mending: int = 0
    """How many of the `try` around set something right when an exception passes."""
    raised: list[tuple[str | None, State]] = field(default_factory=list)
    returned: list[tuple[Value, State]] = field(default_factory=list)
    yielded: Value = UNKNOWN
    watching: list[list[State]] = field(default_factory=list)
    shared: frozenset[str] = frozenset()
    outer: frozenset[str] = frozenset()
    """Names that others see: what is bound to them is stored."""
    caller_env: dict[str, Value] = field(default_factory=dict)
    loops: list[Loop] = field(default_factory=list)
    recursions: dict[Where, list[State]] = field(default_factory=dict)
    counted: bool = False
    """A comparison of sizes decides over raising in it."""
    bounded: bool = False
    """A test of something else than the answers decides over leaving it."""
    handed: Where | None = None
    """The call that handed a tool call's input to this function: there it is run, as far as the caller can see."""
    lent: Where | None = None
    """Where the method that this function sends requests with was named: `retry(client.messages.create, ...)`."""
    failed: list[int] = field(default_factory=list)
    """Of each handler of failed requests that control is in: how many requests had been made when it began."""
    handling: int = 0
    """How many `except` blocks control is in."""

    @property
    def qualname(self) -> str:
        return self.function.func.qualname if self.function else "<module>"


class Run:
    """The interpreter's state beside the program's: nothing here outlives the root it was made for."""

    def __init__(self, program: Program, frame: Frame, *, max_depth: int = MAX_DEPTH) -> None:
        self.program = program
        self.frames = [frame]
        self.tracks: dict[Token, Track] = {}
        self.events: dict[Event, None] = {}
        self.steps = 0
        self.requests = 0
        self.openings = 0
        self.waits = 0
        self.ways: Ways | None = None
        self.opened: dict[Token, int] = {}
        self.guarded_at: dict[Token, int] = {}
        self.foreign: set[Hashable] = set()
        self.answers: list[tuple[Atom, Where]] = []
        self.handed: list[Hashable] = []
        self.swallowed: list[tuple[Atom, frozenset[Where]]] = []
        self.tried: dict[Where, frozenset[Hashable]] = {}
        self.reason_reads: dict[Where, set[Hashable]] = {}
        self.enclosed: dict[str, dict[str, Value]] = {}
        self.foreign_reads: dict[Where, set[Hashable]] = {}
        self.free_tests = 0
        self.counted: set[Hashable] = set()  # lists whose length was compared: how many there are is known by that
        self.unfinished: set[Where] = set()  # where text is taken that may be of an answer that is not finished
        self.size_tests = 0
        self.error_tests = 0
        self.unsure = 0
        self.with_nulls: set[Where] = set()
        self.max_depth = max_depth
        self.touched = False
        self.mutated = False
        self.turned = False
        self.sending = False
        self.sends_given = False
        self.positional = False
        self.retrying = False
        self.looping = False
        self.calls: set[str] = set()
        self.calls_out: set[str] = set()
        self.judged_by_callers: set[str] = set()
        self.reads: set[tuple[str, str]] = set()
        self.deferred: dict[Event, tuple[frozenset[Hashable], Hashable]] = {}
        self.cuts: dict[Where, Hashable] = {}
        self.excused: set[Hashable] = set()

    @property
    def frame(self) -> Frame:
        return self.frames[-1]

    # ---- places and identities
    def site(self, at: int) -> Site:
        return Site(self.frame.module.name, at, self.frame.qualname)

    def where(self, at: int) -> Where:
        return Where(self.frame.path, self.site(at))

    def token(self, at: int, mode: str = "") -> Token:
        return Token(self.site(at), self.frame.path, mode)

    def enclose(self, key: str, env: dict[str, Value]) -> None:
        """A function is defined with these variables around it, on every path that comes by with its own.  Whoever calls
        it later, and was not there, knows what the function around it knows by itself, and what lasts of its callers'.
        """
        known = self.enclosed.get(key)
        self.enclosed[key] = whole = env if known is None else join_envs(known, env)
        if len(self.frames) > 1:
            whole = join_envs(self.program.closures.get(key, {}), {name: _lasting(val) for name, val in whole.items()})
        self.program.closures[key] = whole

    # ---- objects
    def obj(self, state: State, ref: Hashable) -> Obj | None:
        found = state.heap.get(ref)
        return found if found is not None else self.program.heap.get(ref)

    def may_raise(self, kind: str, token: Hashable, content: int, state: State) -> None:
        """Reading `content[k]` fails where the content is too short: a handler in view sees that path."""
        self.positional = True
        known = state.know.get(token) if isinstance(token, Token) else None
        if known is None or not isinstance(token, Token) or not any(frame.watching for frame in self.frames):
            return
        empty = known.with_content(content)
        if empty is not None:
            other = state.copy()
            other.know[token] = empty
            self.frame.raised.append((kind, other))

    # ---- what is seen of a response
    def emit(self, event: Event) -> None:
        self.events[event] = None

    def emit_unless(self, event: Event, excuses: Iterable[Hashable], needs: Hashable = None) -> None:
        """Tell of something at the end of the run, unless one of the excuses was seen by then (`excused`), and only if
        `needs` was.
        """
        old, _ = self.deferred.get(event, (frozenset(), None))
        self.deferred[event] = old | frozenset(excuses), needs

    def open(self, request: Request, state: State) -> None:
        """A response comes into being; what an earlier one of the same place left unanswered is settled first."""
        token = request.token
        self.touched = True
        self.requests += request.surface != "unknown"
        self.openings += 1
        self.opened[token] = self.openings
        self.guarded_at[token] = len(self.frame.guards)
        old = state.know.get(token)
        track = self.tracks.get(token)
        if track is None:
            self.tracks[token] = Track(request)
        elif old is not None:
            self.settle(token, old)
        state.know[token] = Knowledge(remaining=request.possible, when=frozenset(state.facts.items()))

    def renew(self, token: Token, state: State) -> None:
        """The next response of the same request site: nothing is known of it yet."""
        known, track = state.know.get(token), self.tracks.get(token)
        if known is not None and track is not None:
            self.settle(token, known)
            state.know[token] = Knowledge(remaining=track.request.possible)

    def settle(self, token: Token, known: Knowledge) -> None:
        track = self.tracks.get(token)
        if track is not None:
            for use, mask in known.pending:
                track.open_uses[use] = track.open_uses.get(use, 0) | mask
            for where in known.unparsed:
                track.parses[where] = track.parses.get(where, 0) | LOST

    def look(self, token: Hashable, mask: int = 0) -> None:
        track = self.tracks.get(token) if isinstance(token, Token) else None
        if track is not None:
            track.looked = True
            track.named |= mask

    def read_reason(self, token: Hashable, state: State) -> None:
        """The reason is read: in time for what is parsed later, too late for what was parsed before."""
        track = self.tracks.get(token) if isinstance(token, Token) else None
        if track is None or not isinstance(token, Token):
            return
        track.read = True
        known = state.know.get(token)
        after = known.unparsed if known is not None else frozenset()
        for where in track.parses:
            track.parses[where] |= READ_LATER | (LOOKED_AFTER if where in after else 0)
        if known is not None and after:
            state.know[token] = replace(known, unparsed=frozenset())

    def parse(self, val: Value, kind: str, at: int, state: State) -> None:
        """Text is parsed: unless the reason was looked at, the path of the parser's error, an exception of this name,
        has not seen it.
        """
        where = self.where(at)
        for token in sorted({atom.ref for atom in val if atom.kind == "text" and isinstance(atom.ref, Token)}):
            track, known = self.tracks.get(token), state.know.get(token)
            if track is None or known is None or track.looked or track.read:
                continue
            track.parses.setdefault(where, 0)
            failing = state.copy()
            failing.know[token] = replace(known, unparsed=known.unparsed | {where})
            self.frame.raised.append((kind, failing))

    def expose(self, token: Hashable, state: State, kind: str = "reason") -> None:
        """The reason, or the whole response, goes out of view; `kind` is that of the atom that takes it along."""
        if not isinstance(token, Token) or token not in self.tracks:
            return
        self.look(token)
        track = self.tracks[token]
        track.exposed = True
        track.exposed_raw = track.exposed_raw or kind not in ("reason_like", "verdict")
        track.exposed_whole = track.exposed_whole or kind not in REASON_KINDS
        known = state.know.get(token)
        if known is not None:
            free = known.remaining == track.request.possible and known.content == EMPTY | NONEMPTY
            track.exposed_freely = track.exposed_freely or (free and not any(f.handling for f in self.frames))
            state.know[token] = known.shown()

    def use(self, atom: Atom, at: int, state: State, kind: str = "text") -> None:
        """Content of a response goes on."""
        token = atom.ref
        if not isinstance(token, Token) or token not in self.tracks:
            return
        info = atom.info.where if isinstance(atom.info, Whole) else atom.info
        taken = info if isinstance(info, Where) else self.where(at)
        use = Use(taken, self.where(at), kind)
        known = state.know.get(token, Knowledge())
        track = self.tracks[token]
        uses = track.uses
        if taken in track.told or (
            track.request.surface in ("batch", "tool_runner") and any(one.taken == taken for one in uses)
        ):
            return  # it went on already while more was known of its own reason
        uses[use] = uses.get(use, 0) | known.remaining
        self.excused.add(("used", token))
        state.know[token] = known.used(use)

    def hand_out(self, val: Value, at: int, state: State, opened_before: int) -> None:
        """A callee returns text of a response of its own, of a request made since that many.  Whoever calls it knows
        nothing of the reason any more, so the text counts as used with what the callee knew where it returned.
        """
        for atom in sorted(val, key=repr):
            track = self.tracks.get(atom.ref) if isinstance(atom.ref, Token) and atom.kind == "text" else None
            new = isinstance(atom.ref, Token) and self.opened.get(atom.ref, 0) > opened_before
            if track is not None and new:
                self.use_now(atom, at, state)

    def use_now(self, atom: Atom, at: int, state: State) -> None:
        """Text is used here, whatever becomes of it later: then less is known of its response."""
        track = self.tracks.get(atom.ref) if isinstance(atom.ref, Token) else None
        if track is not None and isinstance(atom.info, Where):
            track.told.discard(atom.info)
            self.use(atom, at, state)
            track.told.add(atom.info)

    def use_complete(self, atom: Atom, at: int, state: State) -> None:
        """Text goes somewhere to be used later, when less is known of its response: where this one is finished for
        certain, on every path by which it gets there, it is used here.
        """
        token = atom.ref
        known = state.know.get(token) if isinstance(token, Token) else None
        if known is None or not isinstance(token, Token) or not isinstance(atom.info, Where):
            return
        if known.remaining & ~COMPLETE:
            self.unfinished.add(atom.info)
            self.tracks[token].told.discard(atom.info)
        elif atom.info not in self.unfinished:
            self.use_now(atom, at, state)

    def execute(self, atom: Atom, at: int, state: State, what: str) -> None:
        """A tool call's input is run or validated."""
        token = atom.ref
        if not isinstance(token, Token) or token not in self.tracks:
            return
        handed = next((frame.handed for frame in self.frames if frame.handed is not None), None)
        where, known = handed or self.where(at), state.know.get(token, Knowledge())
        if not what:  # a tool that was looked up; what a method of an executor does with errors is its own affair
            note_execution(self, token, where, state)
        note_interrupt(self, token, state)
        track = self.tracks[token]
        old = track.executions.get(where, (0, what))
        possible = known.remaining & ~track.named & ~(CUT if is_whole(atom) else 0)
        track.executions[where] = (old[0] | possible, what)

    def early(self, atom: Atom, at: int, what: str) -> None:
        token = atom.ref
        track = self.tracks.get(token) if isinstance(token, Token) else None
        if track is not None:
            track.early.append(self.where(at))
            self.emit_unless(ReasonReadEarly(track.request, self.where(at), what), [("completed", token)])

    def request_of(self, token: Hashable) -> Request | None:
        track = self.tracks.get(token) if isinstance(token, Token) else None
        return track.request if track else None

    # ---- the end of a root
    def finish(self, states: list[State]) -> list[Event]:
        """Settle what is left on the paths that end normally; return every event of the run."""
        for state in states:
            for token, known in state.know.items():
                self.settle(token, known)
        for _, state in self.frames[0].raised:
            for token, known in state.know.items():
                self.settle(token, replace(known, pending=frozenset()))
        ended = [_ended(track) for _, track in sorted(self.tracks.items())]
        late = {track.request.token for track in self.tracks.values() if track.late_look}
        told = [
            event
            for event, (excuses, needs) in self.deferred.items()
            if not excuses & self.excused and (needs is None or needs in self.excused)
        ]
        kept = [e for e in (*self.events, *told) if not isinstance(e, ReasonReadEarly) or e.request.token not in late]
        return [*kept, *lost_results(self), *ended]


MAX_LASTING = 8
"""Things that a variable around a function may be: beyond that, it may be anything."""


def _lasting(val: Value) -> Value:
    kept = frozenset(atom for atom in val if not isinstance(atom.ref, Token) and atom.kind not in ("const", "symbol"))
    return kept if len(kept) <= MAX_LASTING else UNKNOWN


def _ended(track: Track) -> ResponseEnded:
    return ResponseEnded(
        replace(track.request),
        track.looked,
        track.exposed,
        track.exposed_freely,
        track.named,
        tuple(sorted(track.uses.items())),
        tuple(sorted(track.open_uses.items())),
        tuple((where, mask, what) for where, (mask, what) in sorted(track.executions.items())),
        tuple(sorted(track.parses.items())),
        track.stop_sequence_read,
        bool(track.early) and not track.looked,
        track.exposed_raw,
        track.exposed_whole,
        tuple(sorted(track.tests.items())),
        tuple(sorted(track.outcomes, key=repr)),
        track.reported,
    )
