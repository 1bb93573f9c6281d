"""How far a stream has come: before its end the snapshot of its message has no stop reason."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stoplint import sdk
from stoplint.check.knowledge import ENDED, RUNNING
from stoplint.check.values import Atom, Token, Value

if TYPE_CHECKING:
    from stoplint.check.knowledge import State

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
