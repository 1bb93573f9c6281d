"""How far a stream has come: before its end the snapshot of its message has no stop reason."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stoplint import sdk
from stoplint.check.events import ReasonReadEarly, Request
from stoplint.check.knowledge import ENDED, RUNNING
from stoplint.check.values import UNKNOWN, Atom, Token, Value, value

if TYPE_CHECKING:
    from stoplint.check.knowledge import State
    from stoplint.check.run import Run

STREAMS = frozenset({"stream", "raw_stream", "text_stream"})


def advance(val: Value, state: State, stage: int) -> None:
    """A loop over a stream runs, or has run to the end."""
    for atom in val:
        known = state.know.get(atom.ref) if atom.kind in STREAMS and isinstance(atom.ref, Token) else None
        if known is not None and isinstance(atom.ref, Token):
            state.know[atom.ref] = replace(known, stage=stage)


def ended(atom: Atom, state: State) -> None:
    """The stream is read to its end: its final message is asked for."""
    advance(frozenset((atom,)), state, ENDED)


def is_too_early(snapshot: Atom, state: State) -> bool:
    """Whether a loop over the stream certainly has not come to the event that brings the reason."""
    known = state.know.get(snapshot.ref) if isinstance(snapshot.ref, Token) else None
    if known is None or known.stage != RUNNING:
        return False
    events = [a for val in state.env.values() for a in val if a.kind == "event" and a.ref == snapshot.ref]
    return all(isinstance(event.info, frozenset) and not event.info & sdk.LATE_EVENTS for event in events)


def note_foreign(run: Run, base: Value, name: str, at: int) -> None:
    """An attribute that no Message has is read off what a name of the function at hand was bound to.  Where that is an
    answer on other paths, what it is here has a Message's attributes as well, as it seems.
    """
    if name in sdk.MESSAGE_ATTRIBUTES or name.startswith("_"):
        return
    refs = {atom.ref for atom in base if atom.kind == "symbol" and isinstance(atom.ref, Token)}
    here = {ref for ref in refs if ref.mode == "symbol" and ref.path == run.frame.path}
    answers = {ANSWER for atom in base if atom.kind == "message"}
    if not here and not answers:
        return
    run.foreign |= here
    seen = run.foreign_reads.setdefault(run.where(at), set())
    seen |= here | answers
    if ANSWER in seen:
        run.excused |= {("alike", ref) for ref in seen}


ANSWER = "answer"


def before_answer(run: Run, base: Value, at: int) -> None:
    """The reason is read off a name that holds an answer on some paths, and on others what is certainly none."""
    where = run.where(at)
    seen = run.reason_reads.setdefault(where, set())
    seen |= {ANSWER for atom in base if atom.kind == "message"}
    seen |= {atom.ref for atom in base if atom.kind == "symbol" and atom.ref in run.foreign}
    if ANSWER in seen and len(seen) > 1:
        event = ReasonReadEarly(Request(run.token(at, "before"), where, "unknown"), where, "")
        run.emit_unless(event, [("alike", ref) for ref in seen])


STREAM_PARTS = frozenset({"event", "delta", "event_message"})


def merged(base: Value) -> Value:
    """One event (or delta) of a stream that tests have split into several is one again, of all their types."""
    parts = [atom for atom in base if atom.kind in STREAM_PARTS]
    if len(parts) < 2:
        return base
    types: dict[tuple[str, object], frozenset[str] | None] = {}
    for atom in parts:
        key = (atom.kind, atom.ref)
        mine = atom.info if isinstance(atom.info, frozenset) else None
        old = types.get(key, frozenset())
        types[key] = None if mine is None or old is None else old | mine
    return frozenset(a for a in base if a.kind not in STREAM_PARTS) | {Atom(k, r, t) for (k, r), t in types.items()}


def stream_reason(run: Run, atom: Atom, following: str, state: State, at: int) -> Value:
    """Reads on stream events: `delta.stop_reason` is right on message_delta only, `message.stop_reason` on the last."""
    types = atom.info if isinstance(atom.info, frozenset) else None
    if following == "early_reason":
        run.early(atom, at, "the event itself")
        return UNKNOWN
    right = "message_delta" if following == "delta_reason" else "message_stop"
    if types is not None and right not in types:
        run.early(atom, at, " or ".join(sorted(types)))
        return UNKNOWN
    run.read_reason(atom.ref, state)
    track = run.tracks.get(atom.ref) if isinstance(atom.ref, Token) else None
    if track is not None:
        track.late_look = True
    return value(Atom("reason", atom.ref))
