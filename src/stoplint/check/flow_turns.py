"""Turns and content blocks as programs write them: what a dict, a parameter class or a helper's result says as a turn,
and what happens where one is put behind another.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stoplint.check.events import TurnAppended, TurnBuilt, TurnKept
from stoplint.check.flow_blocks import note_answer
from stoplint.check.knowledge import ANY, EMPTY, START, DictObj, ListObj, State, Turn
from stoplint.check.values import UNKNOWN, Atom, BlockInfo, Token, Value, Where, only, ordered, text_of

if TYPE_CHECKING:
    from collections.abc import Hashable

    from stoplint.check.run import Run

MAX_TURNS = 4
"""Turns at the end of a list that are remembered one by one."""

TEXTUAL = frozenset({"text", "mix", "str", "dump", "reason", "reason_like"})
CARRIERS = frozenset({"content", "block", "text", "tool_input", "message", "snapshot"})
RESULT = "tool_result"


# ------------------------------------------------------------------ what is written


def fields(run: Run, atom: Atom, state: State) -> DictObj | None:
    """The keys of a turn or block, written as a dict or as an object of a class."""
    obj = run.obj(state, atom.ref) if atom.kind in ("dict", "object") else None
    return obj if isinstance(obj, DictObj) else None


def atom_type(run: Run, atom: Atom, state: State) -> str:
    """The `type` of one block, "?" when it cannot be told."""
    obj = fields(run, atom, state)
    if obj is not None:
        return text_of(obj.get("type") or UNKNOWN) or "?"
    if atom.kind == "block" and isinstance(atom.info, BlockInfo) and atom.info.kinds and len(atom.info.kinds) == 1:
        return next(iter(atom.info.kinds))
    return "?"


def types_of(run: Run, val: Value, state: State) -> set[str]:
    """The types that a block may have; START is no block, ANY one of any type."""
    return {atom_type(run, atom, state) for atom in val if atom != START}


def describe(run: Run, item: Value, where: Where, state: State) -> Turn:
    """What a value says as a turn; role "" when it is none or cannot be read."""
    turns = {_describe(run, atom, where, state) for atom in item}
    if not turns:
        return Turn(where=where)
    first, *others = sorted(turns, key=repr)
    for other in others:
        first = Turn(
            first.role if first.role == other.role else "",
            first.blocks if first.blocks == other.blocks else ("?",),
            tuple(sorted({*first.owners, *other.owners})),
            first.how if first.how == other.how else "",
            where=where,
            answers=tuple(sorted({*first.answers, *other.answers}, key=repr)),
        )
    return first


def _describe(run: Run, atom: Atom, where: Where, state: State) -> Turn:
    if atom.kind in ("assistant_turn", "message") and isinstance(atom.ref, Token):
        return Turn("assistant", ("?",), (atom.ref,), "nulls" if atom.info == "nulls" else "content", where=where)
    obj = fields(run, atom, state)
    content = obj.get("content") if obj is not None else None
    if obj is None or content is None:
        return Turn(where=where)
    role = text_of(obj.get("role") or UNKNOWN) or ""
    held = _reach(run, content, state)
    owners = tuple(sorted({a.ref for a in held if a.kind in CARRIERS and isinstance(a.ref, Token)}))
    how = _how(run, content, held) if owners else ""
    if not role and how in ("content", "nulls") and obj.get("role") is not None:
        role = "assistant"  # {"role": message.role, "content": message.content}
    blocks, answers = blocks_of(run, content, state), _answers(run, content, state)
    return Turn(role, blocks, owners, how, _words(run, content, state), where, answers)


def _reach(run: Run, val: Value, state: State, depth: int = 4) -> frozenset[Atom]:
    seen: set[Atom] = set()
    todo = [(atom, depth) for atom in val]
    while todo:
        atom, left = todo.pop()
        if atom in seen:
            continue
        seen.add(atom)
        if atom.kind == "iterator" and isinstance(atom.info, frozenset):
            todo += [(inner, left - 1) for inner in atom.info]
        if atom.kind not in ("list", "dict") or not left:
            continue
        obj = run.obj(state, atom.ref)
        if isinstance(obj, ListObj):
            todo += [(inner, left - 1) for inner in obj.members]
        elif isinstance(obj, DictObj) and text_of(obj.get("type") or UNKNOWN) != RESULT:
            todo += [(inner, left - 1) for _, item in obj.items for inner in item]
    return frozenset(seen)


def _how(run: Run, content: Value, held: frozenset[Atom]) -> str:
    if any(atom.kind == "content" for atom in held):
        return "nulls" if any(atom.kind == "content" and atom.info in run.with_nulls for atom in held) else "content"
    blocks = [atom.info for atom in held if atom.kind == "block" and isinstance(atom.info, BlockInfo)]
    if any(info.nulls for info in blocks):
        return "nulls"
    if any(info.kinds is None and info.position is None and info.picked is None for info in blocks):
        return "content"
    return "text" if all(atom.kind in TEXTUAL or atom.kind == "const" for atom in content) else "rebuilt"


def blocks_of(run: Run, content: Value, state: State) -> tuple[str, ...]:
    """The block types of a turn's content in order, as far as they are known; of any number of them, each once."""
    if content and all(a.kind in TEXTUAL or (a.kind == "const" and isinstance(a.ref, str)) for a in content):
        return ("text",)
    atom = only(content, "list")
    obj = run.obj(state, atom.ref) if atom is not None else None
    if not isinstance(obj, ListObj):
        return ("?",)
    if obj.items is not None:
        kinds = [types_of(run, item, state) for item in obj.items]
        return tuple(kind.pop() if len(kind) == 1 else "?" for kind in kinds)
    found = types_of(run, obj.members, state) | ({"?"} if obj.open else set())
    return tuple(sorted(found or {"?"}))


def _words(run: Run, content: Value, state: State, depth: int = 3) -> str:
    """The literal text of a user turn, for what it asks.  A text may come to hold the list that it is in."""
    found: list[str] = []
    for atom in ordered(content):
        if atom.kind == "const" and isinstance(atom.ref, str):
            found.append(atom.ref)
        elif atom.kind == "mix" and isinstance(atom.ref, tuple):
            found += [part.ref for part in atom.ref if part.kind == "const" and isinstance(part.ref, str)]
        elif atom.kind == "list" and depth:
            obj = run.obj(state, atom.ref)
            parts = [fields(run, member, state) for member in ordered(obj.members)] if isinstance(obj, ListObj) else []
            found += [_words(run, part.get("text") or UNKNOWN, state, depth - 1) for part in parts if part is not None]
    return " ".join(word for word in found if word)


def display_built(ref: Hashable, state: State) -> None:
    """A dict is written: a result answers the call whose id is in it, any other one puts the call aside."""
    obj = state.heap.get(ref)
    if isinstance(obj, DictObj):
        sure = text_of(obj.get("type") or UNKNOWN) == RESULT
        for key, val in obj.items:
            if not sure or key == "tool_use_id":
                note_answer(val, state, sure=sure)


def _answers(run: Run, content: Value, state: State) -> tuple[Atom, ...]:
    """The ids of blocks that the results in a turn's content answer."""
    atom = only(content, "list")
    obj = run.obj(state, atom.ref) if atom is not None else None
    found: set[Atom] = set()
    for member in obj.members if isinstance(obj, ListObj) else ():
        block = fields(run, member, state)
        if block is not None and text_of(block.get("type") or UNKNOWN) == RESULT:
            found |= {one for one in block.get("tool_use_id") or UNKNOWN if one.kind == "block_id"}
    return tuple(ordered(frozenset(found)))


def lives_on(run: Run, ref: Hashable) -> bool:
    """Whether a list outlives the function: an attribute, a global, a parameter."""
    return ref in run.program.heap or (isinstance(ref, Token) and " " in ref.mode)


def kept_turns(run: Run, state: State) -> None:
    """A function ends: tell of the answers in histories that outlive it."""
    for ref, obj in state.heap.items():
        for one in sorted(obj.sent, key=repr) if isinstance(obj, ListObj) and lives_on(run, ref) else ():
            request, known = run.request_of(one.token), state.know.get(one.token)
            if any(RESULT in turn.blocks for turn in one.tail or ()):
                continue  # calls of it are answered: there is something in it
            for turn in one.tail or ():
                if request is not None and known is not None and turn.role == "assistant" and one.token in turn.owners:
                    run.emit(TurnKept(request, turn, replace(known, pending=frozenset(), call=0)))


# ------------------------------------------------------------------ what is put behind what


def _written(val: Value) -> Where | None:
    atom = only(val - {START})
    return Where(atom.ref.path, atom.ref.site) if atom is not None and isinstance(atom.ref, Token) else None


def _shared(one: Where, two: Where) -> Where:
    """The place of `one` in the innermost function that knows of both."""
    common = 0
    for mine, theirs in zip(one.path, two.path, strict=False):
        if mine != theirs:
            break
        common += 1
    return Where(one.path[:common], one.path[common]) if len(one.path) > common else one


def is_ours(run: Run) -> bool:
    """Whether turns are meant for this API: other APIs write them alike, with rules of their own."""
    return bool(run.tracks) or any(frame.module.imports_anthropic for frame in run.frames)


def check_blocks(run: Run, before: Value, after: Value, at: int, state: State) -> None:
    """A block is put behind another in the content of a turn: told when both types are certain."""
    before = frozenset(atom for atom in before if atom != Atom("const", None, "NoneType"))  # never sent
    kinds, followers = types_of(run, before, state), types_of(run, after, state)
    if run.unsure or len(kinds) != 1 or len(followers) != 1 or not is_ours(run):
        return
    (kind,), (follower,) = kinds, followers
    if {kind, follower} != {"text", RESULT} or (kind == "text" and START in before):
        return
    here, one, two = run.where(at), _written(before), _written(after)
    where = here
    if one is not None and two is not None:
        home = _shared(one, two)  # the function that brings the two together
        where = _shared(here, home)
        if kind == "text":
            told = _shared(one, two)
            where = told if told.site.function == where.site.function and told.path == where.path else where
    run.emit(TurnBuilt(where, follower, frozenset({kind}), frozenset()))


def put_behind(
    run: Run, obj: ListObj, turn: Turn, state: State, *, many: bool = False, again: bool = False
) -> tuple[Turn, ...]:
    """A turn is put at the end of a message list: tell it, and return the turns now known to stand there."""
    if not turn.role:
        return ()
    found_empty = any(known.content == EMPTY for known in state.know.values())
    before = obj.turns if ANY not in obj.last else ()
    if turn.where is not None and not run.unsure and is_ours(run):
        asked = [run.request_of(token) for token in sorted({atom.ref for atom in turn.answers}, key=repr)]
        answered = tuple(request for request in asked if request is not None)
        owner = turn.owners[0] if len(turn.owners) == 1 and turn.role == "assistant" else None
        known = state.know.get(owner) if owner is not None else None
        run.emit(
            TurnAppended(
                turn.where,
                turn,
                before,
                found_empty,
                many,
                again,
                answered,
                run.request_of(owner),
                known.remaining if known is not None else 0,
                _is_given(run),
            )
        )
    return (*before, turn)[-MAX_TURNS:]


def _is_given(run: Run) -> bool:
    """Whether the function at hand takes arguments: what it appends may be one of them."""
    info = run.frame.function
    return info is not None and len(info.func.params) > (info.cls is not None)
