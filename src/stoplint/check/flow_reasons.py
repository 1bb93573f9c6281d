"""Stop reasons meet literals: comparisons, translation tables, Enums, `Literal` annotations, constants returned for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint.check import ir
from stoplint.check.events import Outcome, ReasonCompared
from stoplint.check.flow_ways import come_out, joined
from stoplint.check.knowledge import DictObj
from stoplint.check.values import (
    REASON_KINDS,
    UNKNOWN,
    Atom,
    Token,
    Value,
    Where,
    literal,
    only,
    ordered,
    text_of,
    value,
)
from stoplint.reasons import BIT, END_TURN, EVERY, OTHER, STOP_SEQUENCE, mask_of, tells_the_end

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from stoplint.check.flow_core import Arguments
    from stoplint.check.knowledge import State
    from stoplint.check.run import Run

LOOKUP_GUARDS = frozenset({"KeyError", "ValueError", "LookupError", "Exception", "BaseException", ""})
"""Handlers that deal with a reason that a table, an Enum or a validated Literal does not have."""


def note_entries(run: Run, ref: Hashable, keys: Iterable[ir.Expr | None]) -> None:
    """Remember where the strings of a display stand, when some of them are stop reasons."""
    spots = {k.value: run.where(k.at) for k in keys if isinstance(k, ir.Const) and isinstance(k.value, str)}
    if any(text in BIT for text in spots):
        run.program.entries[ref] = spots


def compared(run: Run, atom: Atom, values: tuple[str, ...], how: str, right: Value, at: int, path: str | None) -> None:
    """A reason, kept at `path`, is compared with literals; tests of several at once may treat unlike reasons alike."""
    request = run.request_of(atom.ref)
    if request is None or not values or atom.kind != "reason" or not isinstance(atom.ref, Token):
        return
    info = run.frame.function
    # A function that is given a reason may be given other words as well.
    handed = how == "in" and info is not None and any(param.name == path for param in info.func.params)
    kept = atom.info == "kept" or (handed and mask_of(values) != 0)
    run.emit(ReasonCompared(request, run.where(at), values, how, _spots(run, right, values), kept=kept))
    tests = run.tracks[atom.ref].tests
    tests[run.where(at)] = tests.get(run.where(at), 0) | mask_of(values)


def _spots(run: Run, val: Value, values: tuple[str, ...]) -> tuple[Where | None, ...]:
    known = run.program.entries.get(atom.ref) if (atom := only(val, "list", "dict")) is not None else None
    return tuple(known.get(text) if known is not None else None for text in values)


def look_up_reason(run: Run, mapping: Atom, reasons: list[Atom], at: int, state: State, default: Value | None) -> None:
    """`mapping[stop_reason]`, `mapping.get(stop_reason)`: every key is named, and what it leads to is the outcome.
    `default` is what the others lead to; None where that is an error.
    """
    obj = run.obj(state, mapping.ref)
    keys = tuple(key for key, _ in obj.items if isinstance(key, str)) if isinstance(obj, DictObj) else ()
    closed = isinstance(obj, DictObj) and not obj.open
    for reason in reasons:
        run.look(reason.ref, mask_of(keys))
        if not keys or not isinstance(obj, DictObj):
            run.expose(reason.ref, state)
            continue
        missing = 0 if default is not None or not closed else _missing(run, reason, mask_of(keys), state)
        request = run.request_of(reason.ref)
        if request is None or not isinstance(reason.ref, Token):
            continue
        spots = _spots(run, value(mapping), keys)
        run.emit(ReasonCompared(request, run.where(at), keys, "mapping", spots, missing))
        outcomes = run.tracks[reason.ref].outcomes
        for (key, val), spot in zip(((k, v) for k, v in obj.items if isinstance(k, str)), spots, strict=True):
            atom = only(val, "const")
            if atom is not None and atom.ref is not None:
                outcomes[
                    Outcome("table", repr(mapping.ref), repr(atom.ref), BIT.get(key, 0), spot or run.where(at))
                ] = None
        others = _others(run, mapping, keys, default or UNKNOWN, at) if closed else None
        if others is not None:
            outcomes[others] = None


def looked_up(run: Run, mapping: Atom, reasons: list[Atom], at: int, state: State, default: Value | None) -> Value:
    """What a table has for a reason: a test of it, where that is a truth value; one of the program's own, each with the
    reasons that lead to it, where these are members of its enums; else a word that stands for the reason.
    """
    obj = run.obj(state, mapping.ref)
    atom = reasons[0] if len(reasons) == 1 and reasons[0].kind == "reason" else None
    found = frozenset(Atom("reason_like", reason.ref) for reason in reasons)
    if atom is None or not isinstance(obj, DictObj) or obj.open or not isinstance(atom.ref, Token):
        return found
    ways = {key: only(val, "const") for key, val in obj.items if isinstance(key, str)}
    masks: dict[Atom, int] = {}
    for key, leads in ways.items():
        if leads is None:
            return found
        masks[leads] = masks.get(leads, 0) | BIT.get(key, OTHER)
    rest = EVERY & ~mask_of(tuple(ways))
    other = only(default, "const") if default is not None else None
    if default is not None and other is None:
        return found
    if other is not None:
        masks[other] = masks.get(other, 0) | rest
    if all(isinstance(leads.ref, bool) or leads.ref is None for leads in masks):
        return value(Atom("test", atom.ref, masks.get(Atom("const", True, "bool"), 0)))
    if any(isinstance(leads.ref, str) for leads in masks):
        return found
    ends: list[tuple[Value, State]] = []
    for leads, mask in masks.items():
        end = state.copy()
        known = state.know.get(atom.ref)
        narrowed = known.narrowed(mask) if known is not None else None
        if narrowed is not None:
            end.know[atom.ref] = narrowed
            ends.append((value(leads, Atom("verdict", atom.ref)), end))
    return joined(come_out(run, ends, state, at)) if ends else found


PLAIN = frozenset({"lower", "casefold", "strip"})
"""Methods of text that leave a stop reason as it is."""


def reason_method(run: Run, base: Value, name: str, arguments: Arguments) -> Value | None:
    """`reason.lower()` is the reason, `reason.startswith("max")` a test of it; None for anything else."""
    reasons = [atom for atom in base if atom.kind == "reason"]
    if not reasons or not all(atom.kind == "reason" or (atom.kind == "const" and not atom.ref) for atom in base):
        return None
    if name in PLAIN and not arguments.all():
        return base
    start = text_of(arguments.get(0) or UNKNOWN)
    if name not in ("startswith", "endswith") or not start:
        return None
    mask = mask_of(tuple(text for text in BIT if getattr(text, name)(start)))
    for atom in reasons:
        run.look(atom.ref, mask)
    return frozenset(Atom("test", atom.ref, mask) for atom in reasons)


def beside_words(ends: list[tuple[Value, State]]) -> list[tuple[Value, State]]:
    """The ways that a value may come out; where one of them is a word of the program's own, a reason that is another has
    such words beside it.
    """
    if not any(text_of(val) for val, _ in ends):
        return ends
    return [(frozenset(a._replace(info="kept") if a.kind == "reason" else a for a in val), end) for val, end in ends]


def _others(run: Run, mapping: Atom, keys: tuple[str, ...], default: Value, at: int) -> Outcome | None:
    """What a table's default makes of the reasons that it does not have."""
    atom = only(default, "const")
    if atom is None or atom.ref is None:
        return None
    return Outcome("default", repr(mapping.ref), repr(atom.ref), EVERY & ~mask_of(keys) & ~OTHER, run.where(at))


def _missing(run: Run, reason: Atom, named: int, state: State) -> int:
    """The reasons that may arrive where only some are known and nothing deals with the others."""
    known = state.know.get(reason.ref) if isinstance(reason.ref, Token) else None
    request = run.request_of(reason.ref)
    if known is None or request is None or any(g & LOOKUP_GUARDS for frame in run.frames for g in frame.guards):
        return 0
    return known.remaining & request.sure & ~named


def converted(run: Run, members: Iterable[str], val: Value, how: str, at: int, state: State) -> None:
    """A reason becomes a member of an Enum, or is said to be one of a Literal's: "enum" or "Literal"."""
    named = mask_of(tuple(members))
    own = any(atom.kind == "const" and isinstance(atom.ref, str) for atom in val)
    for atom in ordered(val):
        request = run.request_of(atom.ref)
        if atom.kind == "reason" and request is not None and named and not own and atom.info != "kept":
            missing = _missing(run, atom, named, state)
            if missing:
                run.emit(ReasonCompared(request, run.where(at), (), how, (), missing))


def enum_members(run: Run, key: str) -> tuple[str, ...]:
    """The string values of an Enum; none where it says itself what an unknown value becomes."""
    if run.program.class_member(key, "_missing_") is not None:
        return ()
    found = (val for (cls, _), val in run.program.constants.items() if cls == key)
    return tuple(sorted(atom.ref for val in found for atom in val if isinstance(atom.ref, str)))


def literal_type(base: Value, key: ir.Expr) -> Value:
    """`Literal["a", "b"]` as a value: its strings."""
    atom = only(base, "external")
    if atom is None or str(atom.ref) not in ("typing.Literal", "typing_extensions.Literal"):
        return UNKNOWN
    items = key.items if isinstance(key, ir.Seq) else (key,)
    return value(
        Atom("literal_type", tuple(i.value for i in items if isinstance(i, ir.Const) and isinstance(i.value, str)))
    )


def declared_as(run: Run, noted: Value, val: Value, at: int, state: State) -> None:
    """`name: Finish = message.stop_reason` where Finish is a Literal."""
    atom = only(noted, "literal_type")
    if atom is not None and isinstance(atom.ref, tuple) and any(a.kind in REASON_KINDS for a in val):
        converted(run, atom.ref, val, "Literal", at, state)


RESULT_WORDS = ("reason", "finish", "status", "outcome", "state")
"""Words in the names of variables that hold what became of an answer."""


def assigned_for(run: Run, target: ir.Expr, val: Value, at: int, state: State) -> Value:
    """`finish_reason = "stop"` on a path that tests of a reason led to: the branches translate.  Return the value as the
    variable has it: where it speaks of no other reasons than end_turn, or of none but those, it tells them apart.
    """
    if isinstance(literal(val), bool):
        return val | {
            Atom("verdict", token) for token in _tested(run, state) if tells_the_end(state.know[token].remaining)
        }
    name = target.id if isinstance(target, ir.Name) else target.name if isinstance(target, ir.Attr) else ""
    if not any(word in name.lower() for word in RESULT_WORDS):
        return val
    told = _translated(run, "assign", f"{run.frame.qualname} {name}", val, at, state)
    return val | {
        Atom("verdict", token)
        for token in told
        if not state.know[token].remaining & END_TURN or not state.know[token].remaining & ~(END_TURN | STOP_SEQUENCE)
    }


def returned_for(run: Run, val: Value, at: int, state: State) -> None:
    """A constant is returned on a path that tests of a reason led to: the function translates."""
    _translated(run, "return", run.frame.qualname, val, at, state)


def _translated(run: Run, kind: str, source: str, val: Value, at: int, state: State) -> list[Token]:
    """Note what a constant says of the responses whose reasons were tested here; return those.  In a handler it is the
    exception that decides: the same word for every reason there is no translation of them.
    """
    atom = only(val, "const")
    told: list[Token] = []
    if run.frame.handling or atom is None or not isinstance(atom.ref, str) or not atom.ref:
        return told
    for token in _tested(run, state):
        mask = state.know[token].remaining & ~OTHER
        run.tracks[token].outcomes[Outcome(kind, source, repr(atom.ref), mask, run.where(at))] = None
        told.append(token)
    return told


def _tested(run: Run, state: State) -> list[Token]:
    """The responses whose reasons were tested in the function at hand and have not gone out of view."""
    tracks = ((token, known, run.tracks.get(token)) for token, known in state.know.items())
    return [
        token
        for token, known, track in tracks
        if track is not None and not known.exposed and any(_here(run, where) for where in track.tests)
    ]


def _here(run: Run, where: Where) -> bool:
    """Whether a place is in the function at hand: what was asked elsewhere does not decide over its branches."""
    return where.path == run.frame.path and where.site.function == run.frame.qualname
