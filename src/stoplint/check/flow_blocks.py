"""The calls in an answer: which of its tool_use blocks are answered, skipped, picked out or left behind.

While a loop goes over the blocks of an answer, `Knowledge.call` says of the block at hand what it may be: no call of a
tool, a call that nothing has answered, one that has a result, one that was put aside to be dealt with later, one of
a tool that no test has named.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stoplint import reasons
from stoplint.check.events import CallLost
from stoplint.check.knowledge import NONEMPTY, DictObj, ListObj, State
from stoplint.check.values import Atom, BlockInfo, Token, Value, Where, tokens

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stoplint.check.flow_loops import Loop
    from stoplint.check.knowledge import Turn
    from stoplint.check.run import Run

NO_CALL, OPEN, ANSWERED, KEPT, OTHER = 1, 2, 4, 8, 16
"""Bits of `Knowledge.call`."""

BLOCK = frozenset({"block"})
OF_BLOCK = frozenset({"block", "block_id"})
TOOL_USE = frozenset({"tool_use"})
INTERRUPTED = "interrupted"
"""With a response's token the heap key that says that a tool of it was interrupted."""


def _bits(state: State, token: Token) -> int:
    known = state.know.get(token)
    return known.call if known is not None else 0


def _set(state: State, token: Token, bits: int) -> None:
    known = state.know.get(token)
    if known is not None and known.call != bits:
        state.know[token] = replace(known, call=bits)


# ------------------------------------------------------------------ what a loop over blocks sees


def enter_blocks(run: Run, loop: Loop, items: Value, state: State) -> Loop:
    """A loop binds the next block: it may be a call, and then nothing has answered it."""
    held = set(items)
    for atom in items:
        obj = run.obj(state, atom.ref) if atom.kind == "list" else None
        held |= obj.members if isinstance(obj, ListObj) else set()
    for token in tokens(frozenset(held), BLOCK):
        infos = [a.info for a in held if a.kind == "block" and a.ref == token and isinstance(a.info, BlockInfo)]
        kinds = [info.kinds for info in infos if info.position is None and info.picked is None]
        if any(kind is None or "tool_use" in kind for kind in kinds):
            loop.blocks[token] = loop.blocks.get(token, 0)
            _set(state, token, OPEN if all(kind == TOOL_USE for kind in kinds) else NO_CALL | OPEN)
    return loop


def note_kinds(left: Value, state: State) -> None:
    """A test has told the type of a block."""
    for token in tokens(left, BLOCK):
        bits = _bits(state, token)
        kinds = [a.info.kinds for a in left if a.kind == "block" and a.ref == token and isinstance(a.info, BlockInfo)]
        if not bits or not kinds or any(kind is None for kind in kinds):
            continue
        called = frozenset().union(*(kind for kind in kinds if kind is not None))
        bits &= ~NO_CALL if called == TOOL_USE else ~OPEN if "tool_use" not in called else ~0
        _set(state, token, bits)


def note_index(token: object, state: State) -> None:
    """`content[k]` is read, and nothing was raised."""
    known = state.know.get(token) if isinstance(token, Token) else None
    if known is not None and isinstance(token, Token) and not known.indexed:
        state.know[token] = replace(known, indexed=True)


def note_other_tool(token: object, state: State) -> None:
    """The call is not of a tool that was named: whether any other can be called, the program's author knows."""
    if isinstance(token, Token) and _bits(state, token):
        bits = _bits(state, token)
        _set(state, token, bits & ~OPEN | OTHER if bits & OPEN else bits)


def note_answer(val: Value, state: State, *, sure: bool) -> None:
    """A result is made for the block at hand, or (not `sure`) the block is put aside or handed over."""
    for token in tokens(val, OF_BLOCK):
        bits = _bits(state, token)
        if bits & (OPEN | OTHER):
            _set(state, token, bits & ~(OPEN | OTHER) | (ANSWERED if sure else KEPT))


# ------------------------------------------------------------------ where calls get lost


def note_branch(run: Run, at: int, one: Iterable[State], two: Iterable[State]) -> None:
    """One side of an `if` answers the call, the other does not."""
    loop = block_loop(run)
    sides = [list(one), list(two)]
    if loop is None or not all(sides):
        return
    for token in loop.blocks:
        for mine, other in (sides, sides[::-1]):
            answered = seen_of(token, mine)
            if answered & ANSWERED and not answered & OPEN and any(_bits(state, token) == OPEN for state in other):
                loop.lost.setdefault((token, run.where(at)), "skipped")


def seen_of(token: Token, states: Iterable[State]) -> int:
    """What the block at hand may be on some of these paths."""
    bits = 0
    for state in states:
        bits |= _bits(state, token)
    return bits


def note_continue(run: Run, at: int, state: State) -> None:
    loop = block_loop(run)
    if loop is None or loop is not run.frame.loops[-1]:
        return
    for token in loop.blocks:
        if _bits(state, token) == OPEN:
            loop.lost.setdefault((token, run.where(at)), "skipped")


def note_break(run: Run, at: int, state: State) -> None:
    """A loop over blocks ends early: what it holds is the one that was picked, and the rest is left behind."""
    loop = block_loop(run)
    if loop is None or loop is not run.frame.loops[-1]:
        return
    for token in loop.blocks:
        if _bits(state, token) & ANSWERED and not _bits(state, token) & OPEN:
            loop.lost.setdefault((token, run.where(at)), "left")
    for name, val in list(state.env.items()):
        if any(atom.kind in OF_BLOCK and atom.ref in loop.blocks for atom in val):
            state.env[name] = picked(val, run.where(at))


def note_return(run: Run, at: int, val: Value, state: State) -> Value:
    """A loop over blocks is left with one of them, or for good while results are missing."""
    loop = block_loop(run)
    if loop is None:
        return val
    for token in loop.blocks:
        if not _bits(state, token) & NO_CALL and _waits(run, state, token):
            loop.lost.setdefault((token, run.where(at)), "left")
    return picked(val, run.where(at))


def finish_blocks(run: Run, loop: Loop, ends: Iterable[State]) -> None:
    """A loop over blocks is through: tell of the calls that got lost, if others are answered."""
    ends = list(ends)
    for (token, where), how in loop.lost.items():
        request = run.request_of(token)
        seen = loop.blocks.get(token, 0) | seen_of(token, ends)
        if request is not None and seen & ANSWERED:
            run.emit(CallLost(request, where, how))
    around = {token for outer in run.frame.loops for token in outer.blocks}
    for state in ends:
        for token in loop.blocks:
            _set(state, token, 0)
        for name, val in list(state.env.items()):
            if any(atom.kind in OF_BLOCK and atom.ref in loop.blocks and atom.ref not in around for atom in val):
                state.env[name] = picked(val, loop.where)  # the last one that the loop put there


def note_sent(run: Run, turns: tuple[Turn, ...], at: int) -> None:
    """A request inside the loop over the blocks of an answer takes the result of the block at hand along, and no other."""
    loop = block_loop(run)
    if loop is None or len(turns) < 2 or turns[-1].blocks != ("tool_result",) or turns[-2].how == "rebuilt":
        return
    for token in tokens(frozenset(turns[-1].answers), OF_BLOCK):
        alone = [a.info for a in turns[-1].answers if isinstance(a.info, BlockInfo) and a.info.picked is None]
        request = run.request_of(token)
        if request is not None and alone and token in loop.blocks and token in turns[-2].owners:
            run.emit(CallLost(request, run.where(at), "asked"))


def block_loop(run: Run) -> Loop | None:
    """The innermost loop of this function over the blocks of an answer."""
    return next((loop for loop in reversed(run.frame.loops) if loop.blocks), None)


def picked(val: Value, where: Where) -> Value:
    """Of several blocks one was picked."""
    return frozenset(_pick(atom, where) for atom in val)


def _pick(atom: Atom, where: Where) -> Atom:
    info = atom.info
    if atom.kind not in OF_BLOCK or not isinstance(info, BlockInfo) or info.picked is not None:
        return atom
    return Atom(atom.kind, atom.ref, info._replace(picked=where))


def note_filter(run: Run, loop: Loop, at: int, kept: Iterable[State], dropped: Iterable[State]) -> None:
    """A comprehension leaves blocks out: those that it keeps say whether calls are among the others."""
    kept, dropped = list(kept), list(dropped)
    for token in loop.blocks:
        if not any(_bits(state, token) == OPEN for state in dropped):
            continue
        for state in kept:
            for name, val in list(state.env.items()):
                state.env[name] = frozenset(_beside(atom, token, run.where(at)) for atom in val)


def _beside(atom: Atom, token: Token, where: Where) -> Atom:
    info = atom.info
    if atom.kind not in OF_BLOCK or atom.ref != token or not isinstance(info, BlockInfo) or info.lost is not None:
        return atom
    return Atom(atom.kind, atom.ref, info._replace(lost=where))


# ------------------------------------------------------------------ a tool that raises


def note_execution(run: Run, token: Token, where: Where, state: State) -> None:
    """A tool runs between the assistant turn and its results: when it raises, a history that lives on stays broken."""
    request = run.request_of(token)
    guarded = any(any(frame.guards) or frame.mending for frame in run.frames) or run.frames[0].function is None
    if request is not None and not guarded and _waits(run, state, token):
        run.emit(CallLost(request, where, "raises"))


def note_interrupt(run: Run, token: object, state: State) -> None:
    """Ctrl-C while a tool runs: no tool deals with that, and a handler of it around the request goes on from here.  One
    that is entered after the request knows of the open calls.
    """
    known = state.know.get(token) if isinstance(token, Token) else None
    if known is None or not isinstance(token, Token) or not known.remaining & reasons.TOOL_USE:
        return
    places = [
        (level, number)
        for level, frame in enumerate(run.frames)
        for number, guard in enumerate(frame.guards)
        if "KeyboardInterrupt" in guard
    ]
    if not places or max(places) >= (len(token.path), run.guarded_at.get(token, 0)):
        return
    other = state.copy()
    content = known.content & NONEMPTY or NONEMPTY
    other.know[token] = replace(known, remaining=reasons.TOOL_USE, content=content, pending=frozenset(), call=0)
    other.heap[INTERRUPTED, token] = DictObj()
    run.frame.raised.append(("KeyboardInterrupt", other))


def note_after_interrupt(run: Run, obj: ListObj, turn: Turn, state: State) -> None:
    """A user turn is put behind the turn whose tool was interrupted: does it answer?"""
    last = obj.turns[-1] if obj.turns else None
    if last is None or last.where is None or last.role != "assistant":
        return
    if turn.role != "user" or "tool_result" in turn.blocks:
        return
    for token in last.owners:
        known, request = state.know.get(token), run.request_of(token)
        if (INTERRUPTED, token) in state.heap and known is not None and known.remaining == reasons.TOOL_USE and request:
            run.emit(CallLost(request, last.where, "interrupted"))


def _waits(run: Run, state: State, token: Token) -> bool:
    """Whether a history that outlives the call ends with the answer, its calls still open."""
    for ref, obj in state.heap.items():
        if not isinstance(obj, ListObj) or ref not in run.program.heap:
            continue
        turn = obj.turns[-1] if obj.turns else None
        if turn is not None and turn.role == "assistant" and token in turn.owners:
            return True
    return False
