"""Methods of the values that the analysis follows: lists, dicts, text, tool input, responses used as dicts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stoplint.check.flow_bind import fresh_symbol
from stoplint.check.flow_blocks import note_answer
from stoplint.check.flow_change import void
from stoplint.check.flow_escape import escape, put_away, reach, show
from stoplint.check.flow_execute import note_named
from stoplint.check.flow_expr import step
from stoplint.check.flow_follow import given
from stoplint.check.flow_kinds import entered
from stoplint.check.flow_lists import appended, as_list, extended, inserted, iterate
from stoplint.check.flow_many import set_aside
from stoplint.check.flow_mix import CARRIED, whole
from stoplint.check.flow_reasons import look_up_reason, looked_up, reason_method
from stoplint.check.flow_streams import advance
from stoplint.check.knowledge import ANY, ENDED, START, DictObj, ListObj, State, changed, shortened
from stoplint.check.values import (
    EMPTY_STRING,
    REASON_KINDS,
    UNKNOWN,
    Atom,
    Value,
    const,
    in_part,
    literal,
    only,
    ordered,
    text_of,
    union,
    value,
)

if TYPE_CHECKING:
    from stoplint.check.flow_core import Arguments
    from stoplint.check.run import Run

LIST_METHODS = frozenset({"append", "extend", "insert", "pop", "clear", "copy", "remove", "reverse", "sort", "index", "count"})  # fmt: skip
TEXT_METHODS = frozenset(name for name in dir(str) if not name.startswith("_")) - LIST_METHODS
TEXT_TESTS = frozenset(name for name in TEXT_METHODS if name.startswith("is")) | {"startswith", "endswith", "find", "rfind", "index", "rindex", "count"}  # fmt: skip
"""What they give says something of the text, and is no text."""

ENTERING = frozenset({"__enter__", "__aenter__", "enter_context", "enter_async_context"})
"""They give what `with` binds: of their object, or of what they are given."""

DUMPS = frozenset({"model_dump", "model_dump_json", "dict", "json", "to_dict", "to_json"})
"""Pydantic's methods, and those like them, that write out all fields of an object."""

INPUTS = frozenset({"tool_input", "dict", "const"})
"""What `block.input or {}` may be."""

MUTATING = frozenset({"append", "extend", "insert", "appendleft"})
MAPPINGS = frozenset({"message", "snapshot", "event", "delta", "event_message", "block", "event_block", "batch_item", "batch_result"})  # fmt: skip


def call_method(
    run: Run, base: Value, name: str, arguments: Arguments, state: State, at: int, path: str | None
) -> Value | None:
    """What `base.name(...)` gives where `base` is a plain value; None when it is something else."""
    if name == "get":
        note_named(arguments.all(), state)
    told = reason_method(run, base, name, arguments) or _by_name(run, base, name, arguments, state, at)
    if told is not None:
        return told
    atom = only(base)
    if atom is None:
        return _several(run, base, name, arguments, state, at)
    if atom.kind == "object" and name in DUMPS and run.program.class_member(str(atom.info), name) is None:
        return whole(run, base, state) - base
    if atom.kind == "list" and name in LIST_METHODS:
        return _list_method(run, atom, name, arguments, state, at)
    if atom.kind == "symbol" and name in LIST_METHODS and isinstance(run.obj(state, atom.ref), ListObj):
        return _list_method(run, atom, name, arguments, state, at)
    if atom.kind == "symbol" and name in MUTATING and arguments.positional:
        return _list_method(run, atom, name, arguments, state, at)
    if atom.kind == "dict":
        return _dict_method(run, atom, name, arguments, state, at)
    if atom.kind in MAPPINGS and name in ("get", "pop") and arguments.positional:
        key = text_of(arguments.positional[0])
        return step(run, base, "." + key, state, at) if key else UNKNOWN
    if atom.kind == "const" and isinstance(atom.ref, str):
        return _joined(run, arguments, state)
    if atom.kind in ("text", "tool_input", "mix", "iterator"):
        return value(atom) | _joined(run, arguments, state)
    if atom.kind == "exception_text":
        return value(atom)
    if atom.kind in ("reason", "reason_like"):
        return value(Atom("reason_like", atom.ref))
    if atom.kind in ("message", "stream_manager") and name in ("result", "wait"):
        return base
    if atom.kind in ("stream", "raw_stream") and name in ("close", "aclose", "until_done"):
        return UNKNOWN
    del path
    return None


def _by_name(run: Run, base: Value, name: str, arguments: Arguments, state: State, at: int) -> Value | None:
    """What methods give that mean one thing wherever they are called."""
    kinds = {atom.kind for atom in base}
    if name in TEXT_TESTS and "text" in kinds and kinds <= {"text", "const"}:
        return frozenset(Atom("text_test", atom.ref, atom.info) for atom in base if atom.kind == "text")
    if name == "items" and kinds == {"message"}:
        pairs = frozenset(Atom("message_item", atom.ref) for atom in base)
        return value(Atom("iterator", run.token(at, "items"), pairs))
    if name in ENTERING:
        return entered(base if name.startswith("__") else arguments.get(0) or UNKNOWN) or None
    if name == "update" and "event_message" in kinds:
        return _completed(run, base, arguments, state)
    return None


def _completed(run: Run, base: Value, arguments: Arguments, state: State) -> Value:
    """Later events complete the message of the first one."""
    show(run, arguments.all(), state)
    run.excused |= {("completed", atom.ref) for atom in base}
    return UNKNOWN


def _several(run: Run, base: Value, name: str, arguments: Arguments, state: State, at: int) -> Value | None:
    """A value that may be several things: methods of text and lists still carry what is in them."""
    if base and all(atom.kind in ("text", "tool_input", "const", "mix", "choice", "reason_like") for atom in base):
        return frozenset(a for a in base if a.kind not in ("const", "choice")) | _joined(run, arguments, state)
    if any(atom.kind == "tool_input" for atom in base) and all(atom.kind in INPUTS for atom in base):
        ones = [call_method(run, value(atom), name, arguments, state, at, None) for atom in ordered(base)]
        return union(one or UNKNOWN for one in ones)
    if name in TEXT_METHODS and any(atom.kind == "text" for atom in base):
        return frozenset(atom for atom in base if atom.kind == "text") | _joined(run, arguments, state)
    if base and all(atom.kind in ("list", "const", "symbol") for atom in base) and name in LIST_METHODS:
        lists = [atom for atom in ordered(base) if atom.kind != "const"]
        run.unsure += len(lists) > 1  # one of them changes: nothing is certain of any
        found = [_list_method(run, atom, name, arguments, state, at) for atom in lists]
        run.unsure -= len(lists) > 1
        return union(found)
    return None


def _joined(run: Run, arguments: Arguments, state: State) -> Value:
    """`"".join(parts)`, `"{}".format(x)`: what is put together carries what was in the pieces."""
    pieces = reach(run, arguments.all(), state)
    streams = frozenset(atom for atom in pieces if atom.kind == "text_stream")
    advance(streams, state, ENDED)
    told = frozenset(atom for atom in pieces if atom.kind in CARRIED) | iterate(run, streams, state)
    return in_part(told) if pieces >= EMPTY_STRING else told


def _tells(run: Run, val: Value, state: State) -> bool:
    """Whether a value means something to whoever finds it in a list: turns, results of tools, answers."""
    for atom in reach(run, val, state):
        obj = run.obj(state, atom.ref) if atom.kind == "dict" else None
        if atom.kind in ("message", "content") or (
            isinstance(obj, DictObj) and (obj.get("role") or obj.get("tool_use_id"))
        ):
            return True
    return False


def _put(run: Run, val: Value, at: int, state: State) -> Value:
    """What a collection gets: in a loop, an answer that the next one does not replace."""
    return set_aside(run, val, at, state, state) if run.frame.loops else val


def _list_method(run: Run, atom: Atom, name: str, arguments: Arguments, state: State, at: int) -> Value:
    obj = as_list(run, value(atom), state)
    first = arguments.get(0)
    put_away(run, arguments.all(), at, state, (atom.ref,))
    if name not in ("index", "count", "copy"):
        void(run, atom, state)
    if name not in ("index", "count", "copy") and (atom.kind == "symbol" or atom.ref not in state.heap):
        told = not run.unsure and _tells(run, arguments.all(), state)
        run.mutated = run.mutated or told or given(run, atom.ref)
        run.turned = run.turned or told
        escape(run, arguments.all(), at, state, shown=True)
    if name in ("append", "appendleft") and first is not None:
        note_answer(first, state, sure=False)
        state.heap[atom.ref] = appended(run, obj, _put(run, first, at, state), at, state, into=atom.ref)
    elif name == "extend" and first is not None:
        run.excused.add(("grown", atom.ref))
        state.heap[atom.ref] = extended(run, obj, _as_items(run, first, state), at, state)
    elif name == "insert" and len(arguments.positional) > 1:
        state.heap[atom.ref] = inserted(run, obj, literal(arguments.positional[0]), arguments.positional[1], at, state)
    elif name == "pop":
        position = literal(first) if first is not None else -1
        popped = obj.items[-1] if position == -1 and obj.items else obj.members
        items = obj.items[:-1] if position == -1 and obj.items else None
        last = (items[-1] or value(ANY)) if items else value(START) if items == () else value(ANY)
        sent, turns = (shortened(obj.sent), obj.turns[:-1]) if position == -1 else (changed(obj.sent), ())
        state.heap[atom.ref] = ListObj(items, last, obj.members, obj.open, sent, turns)
        return popped
    elif name == "clear":
        state.heap[atom.ref] = ListObj((), value(START), sent=changed(obj.sent))
    elif name == "copy":
        ref = run.token(at, "copy")
        state.heap[ref] = obj
        return value(Atom("list", ref))
    elif name in ("remove", "reverse", "sort"):
        state.heap[atom.ref] = ListObj(None, value(ANY), obj.members, open=True, sent=changed(obj.sent))
    return UNKNOWN


def _as_items(run: Run, val: Value, state: State) -> ListObj:
    atom = only(val, "list", "symbol", "content")
    if atom is not None:
        return as_list(run, val, state)
    members = iterate(run, val, state)
    return ListObj(None, (members or value(ANY)) | {START}, members, open=not members)


def _dict_method(run: Run, atom: Atom, name: str, arguments: Arguments, state: State, at: int) -> Value | None:
    obj = run.obj(state, atom.ref)
    if not isinstance(obj, DictObj):
        return None
    if name in ("get", "pop", "setdefault") and arguments.positional:
        reasons = [a for a in arguments.positional[0] if a.kind in REASON_KINDS]
        if reasons:
            default = arguments.get(1, "default") or const(None)
            look_up_reason(run, atom, reasons, at, state, default)
            return looked_up(run, atom, reasons, at, state, default)
        key = literal(arguments.positional[0])
        known = obj.get(key) if key is not None else union(val for _, val in obj.items)
        if known is None and name == "setdefault" and len(arguments.positional) > 1:
            known = arguments.positional[1]
            state.heap[atom.ref] = obj.having(key, known)
        default = arguments.get(1) or UNKNOWN
        return known if known is not None else default
    if name == "update":
        updated = obj
        for key, val in arguments.keywords.items():
            updated = updated.having(key, val or fresh_symbol(run, at, state))
        for val in (*arguments.positional, *arguments.splats):
            other = only(val, "dict")
            inner = run.obj(state, other.ref) if other else None
            if not isinstance(inner, DictObj):
                updated = replace(updated, open=True)
                continue
            for inner_key, inner_val in inner.items:
                updated = updated.having(inner_key, inner_val)
        state.heap[atom.ref] = updated
        return UNKNOWN
    if name == "copy":
        ref = run.token(at, "copy")
        state.heap[ref] = obj
        return value(Atom("dict", ref))
    if name == "items":
        members = union(val for _, val in obj.items)
        ref = run.token(at, "items")
        state.heap[ref] = ListObj((UNKNOWN, members), value(ANY), members)
        return value(Atom("iterator", ref, value(Atom("list", ref))))
    if name == "values":
        return value(Atom("iterator", run.token(at, "values"), union(val for _, val in obj.items)))
    if name == "keys":
        return value(atom)
    known = obj.get(name)
    return None if known is not None else UNKNOWN
