"""Conditions: what each side of a test knows more than before.

Comparing gives "test" atoms that say what is learned when they are true; branching on a value applies them.  So a test
means the same in an `if`, in a variable, behind a helper's `return`, in `and`/`or`/`not`, in a walrus.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from stoplint.check import ir
from stoplint.check.flow_blocks import note_kinds, note_other_tool
from stoplint.check.flow_compare import NAME_TESTS, SIZED, TESTS, sizes, text_token
from stoplint.check.flow_convert import note_asked, note_default
from stoplint.check.flow_core import evaluate, evaluate_ways, evaluates, path_of, read_path, set_path
from stoplint.check.flow_execute import note_named
from stoplint.check.flow_kinds import meet, sides
from stoplint.check.flow_loops import note_test
from stoplint.check.flow_mix import chosen
from stoplint.check.flow_paths import assume
from stoplint.check.flow_ways import come_out, each_way, joined
from stoplint.check.knowledge import EMPTY, NONEMPTY, START, DictObj, ListObj, State
from stoplint.check.run import Stop
from stoplint.check.values import (
    UNKNOWN,
    Atom,
    Token,
    Value,
    const,
    only,
    ordered,
    truth,
    value,
)
from stoplint.reasons import EVERY, WITH_CONTENT

if TYPE_CHECKING:
    from stoplint.check.run import Run


def branch(run: Run, test: ir.Expr, state: State) -> tuple[list[State], list[State]]:
    """Evaluate a test once; return the paths on which it is true and those on which it is false."""
    if isinstance(test, ir.Not):
        yes, no = branch(run, test.value, state)
        return no, yes
    if isinstance(test, ir.BoolOp):
        yes, no = branch(run, test.left, state)
        going, done = (yes, no) if test.op == "and" else (no, yes)
        rights = [branch(run, test.right, path) for path in going]
        right_yes = [path for pair in rights for path in pair[0]]
        right_no = [path for pair in rights for path in pair[1]]
        return (right_yes, done + right_no) if test.op == "and" else (done + right_yes, right_no)
    sides = each_way(run, state, lambda one: _decide(run, test, one))
    return [path for yes, _ in sides for path in yes], [path for _, no in sides for path in no]


def _decide(run: Run, test: ir.Expr, state: State) -> tuple[list[State], list[State]]:
    val = evaluate(run, test, state)
    if (truth(val) is not None or only(val, "path_test")) and _is_setting(run, test, state):
        return [state.copy()], [state.copy()]
    target = test.target if isinstance(test, ir.Bind) else test
    return split(run, val, path_of(target), state)


def _is_setting(run: Run, test: ir.Expr, state: State) -> bool:
    """Whether a test asks for a global or an attribute that this path did not set: what is written down for it somewhere
    is there to be changed, and does not decide.
    """
    if isinstance(test, ir.Compare):
        return _is_setting(run, test.left, state)
    if isinstance(test, ir.Name):
        return test.id not in state.env and test.id not in run.frame.closure
    if not isinstance(test, ir.Attr) or path_of(test) in state.env:
        return False
    owners = (atom for atom in evaluate(run, test.obj, state) if atom.kind in ("object", "class", "module"))
    held = [run.obj(state, atom.ref) for atom in owners]
    return bool(held) and not any(isinstance(obj, DictObj) and obj.get(test.name) is not None for obj in held)


def split(run: Run, val: Value, path: str | None, state: State) -> tuple[list[State], list[State]]:
    """The paths on which a value is true and false; `path` is where it is kept, so that it can be narrowed."""
    sure = truth(val)
    if sure is not None:
        return ([state], []) if sure else ([], [state])
    for atom in val:
        if atom.kind in ("reason", "reason_like"):
            run.look(atom.ref)
    note_test(run, val, state)
    note_asked(run, val)
    yes, no = state.copy(), state.copy()
    alive_yes = assume(run, val, yes, wanted=True) and _learn(run, val, path, yes, wanted=True)
    alive_no = assume(run, val, no, wanted=False) and _learn(run, val, path, no, wanted=False)
    return ([yes] if alive_yes else []), ([no] if alive_no else [])


def _learn(run: Run, val: Value, path: str | None, state: State, *, wanted: bool) -> bool:
    """Let a state know that a value is true (or false); False when it cannot be."""
    if path is not None and any(atom.kind == "const" for atom in val) and len(val) > 1:
        kept = frozenset(a for a in val if a.kind != "choice" and (a.kind != "const" or bool(a.ref) == wanted))
        set_path(path, kept if wanted else val, state)
        val = kept if wanted else val
    if not wanted and any(atom.kind == "const" and not atom.ref for atom in val):
        return True
    atom = only(val)
    if atom is None:
        return _learn_several(val, state, wanted=wanted)
    if atom.kind == "test":
        return _learn_reason(atom, state, wanted=wanted)
    if atom.kind == "path_test":
        return _narrow_path(run, atom, state, wanted=wanted)
    if atom.kind in (*SIZED, "text"):
        alive = _narrow_content(atom.ref, sizes(atom)[0 if wanted else 1], state)
        bare = atom.kind in ("content", "content_len") and not wanted  # no text may still be a call
        return alive and (not bare or _narrow_reason(atom.ref, EVERY & ~WITH_CONTENT, state))
    if atom.kind in NAME_TESTS:
        _learn_name(atom, state, wanted=wanted)
    if atom.kind == "list":
        return _narrow_list(run, atom, state, wanted=wanted)
    return True


def _learn_name(test: Atom, state: State, *, wanted: bool) -> None:
    is_known, words = cast("tuple[bool, Value]", test.info)
    if wanted == is_known:
        note_named(value(Atom("block_name", test.ref)), state, words)
    elif test.kind == "name_test":
        note_other_tool(test.ref, state)


def _learn_reason(test: Atom, state: State, *, wanted: bool) -> bool:
    mask = _mask(test)
    return _narrow_reason(test.ref, mask if wanted else EVERY & ~mask, state)


def _learn_several(val: Value, state: State, *, wanted: bool) -> bool:
    """A test of whichever response it is, or text of one response taken in several places: falsy means that the answer
    was found empty.
    """
    if val and all(atom.kind == "test" for atom in val):
        alive = [_learn_reason(atom, state, wanted=wanted) for atom in ordered(val)]
        return any(alive)
    sized = [atom for atom in ordered(val) if atom.kind in SIZED]
    if sized:  # whichever it is: where it is the content, this is known of it
        alive = [_narrow_content(atom.ref, sizes(atom)[0 if wanted else 1], state) for atom in sized]
        return any(alive) or len(sized) < len(val)
    refs = {atom.ref for atom in val}
    if len(refs) == 1 and val and all(atom.kind == "text" for atom in val):
        return _narrow_content(next(iter(refs)), NONEMPTY if wanted else EMPTY, state)
    return True


def _narrow_reason(token: object, mask: int, state: State) -> bool:
    known = state.know.get(token) if isinstance(token, Token) else None
    if known is None or not isinstance(token, Token):
        return True
    narrowed = known.narrowed(mask)
    if narrowed is None:
        return False
    state.know[token] = narrowed
    return True


def _narrow_content(token: object, bits: int, state: State) -> bool:
    known = state.know.get(token) if isinstance(token, Token) else None
    if known is None or not isinstance(token, Token):
        return True
    narrowed = known.with_content(bits)
    if narrowed is None:
        return False
    state.know[token] = narrowed
    return True


def _no_text(run: Run, before: Value, left: Value, state: State) -> bool:
    """`text is None`, where text of an answer without tools would be: nothing came.  False where that cannot be."""
    token = text_token(before)
    request = run.request_of(token)
    if token is None or request is None or request.tools is not False or not _nothing(left):
        return True
    return _narrow_content(token, EMPTY, state)


def _nothing(val: Value) -> bool:
    return bool(val) and all(atom.kind == "const" and atom.ref is None for atom in val)


def _narrow_path(run: Run, atom: Atom, state: State, *, wanted: bool) -> bool:
    path = str(atom.ref)
    before, when_true, when_false = sides(atom)
    now = read_path(path, state)
    left: Value = when_true if wanted else when_false
    if not left and before:
        return False
    if now is None or now == before:
        if not _no_text(run, before, left, state):
            return False
        set_path(path, left, state)
        note_kinds(left, state)
        return True
    met = meet(now, left)
    if met is None:
        return True
    set_path(path, met, state)
    note_kinds(met, state)
    return bool(met)


def _narrow_list(run: Run, atom: Atom, state: State, *, wanted: bool) -> bool:
    obj = run.obj(state, atom.ref)
    if not isinstance(obj, ListObj):
        return True
    if obj.items is not None and not obj.open:
        return bool(obj.items) == wanted
    last = obj.last - {START} if wanted else frozenset({START})
    if not obj.last or (not wanted and START not in obj.last and not obj.open):
        return not (not wanted and obj.last and START not in obj.last)
    items = obj.items if wanted else ()
    state.heap[atom.ref] = ListObj(items, last, obj.members, obj.open and wanted, obj.sent, obj.turns if wanted else ())
    return bool(last)


# ------------------------------------------------------------------ not, and, or


@evaluates(ir.Not)
def _not(run: Run, expr: ir.Not, state: State) -> Value:
    val = evaluate(run, expr.value, state)
    sure = truth(val)
    if sure is not None:
        return const(not sure)
    if val and all(atom.kind == "test" for atom in val):
        return frozenset(Atom("test", atom.ref, EVERY & ~_mask(atom)) for atom in val)
    atom = only(val)
    if atom is None:
        return UNKNOWN
    if atom.kind in NAME_TESTS:
        is_known, words = cast("tuple[bool, Value]", atom.info)
        return value(Atom(atom.kind, atom.ref, (not is_known, words)))
    if atom.kind in ("text", *SIZED):
        return value(Atom("content_test", atom.ref, sizes(atom)[::-1]))
    if atom.kind == "path_test":
        before, when_true, when_false = sides(atom)
        return value(Atom("path_test", atom.ref, (before, when_false, when_true)))
    if atom.kind == "reason":
        run.look(atom.ref)
    return val if atom.kind == "text_test" else UNKNOWN


@evaluates(ir.BoolOp)
def _boolop(run: Run, expr: ir.BoolOp, state: State) -> Value:
    left = evaluate(run, expr.left, state)
    yes, no = split(run, left, path_of(expr.left), state)
    going, done = (yes, no) if expr.op == "and" else (no, yes)
    try:
        rights = evaluate_ways(run, ((expr.right, path) for path in going))
    except Stop:
        if not done:
            raise
        rights, going = [], []
    right = joined(rights)
    if left and done and expr.op == "or":
        note_default(run, left, right)
    both = _combined(expr.op, left, right)
    if both is not None:
        state.become([*going, *done])
        return both
    ends = [*rights, *((_decided(left, expr.op), path) for path in done)]
    ways = come_out(run, ends, state, expr.at)
    if len(ways) < len(ends) or (left and not done):
        return joined(ways)
    if expr.op == "or":
        return chosen(run, frozenset(a for a in left if a.kind != "const" or a.ref) | right, expr.left, state)
    if not going:
        return left
    return right | frozenset(a for a in left if a.kind == "const" and not a.ref)


def _decided(left: Value, op: str) -> Value:
    """What the left side of `and` and `or` is where it decides."""
    if left and all(atom.kind in TESTS for atom in left):
        return const(op == "or")
    return frozenset(atom for atom in left if atom.kind != "const" or bool(atom.ref) == (op == "or"))


def _combined(op: str, left: Value, right: Value) -> Value | None:
    """Two tests of the same responses' reasons are one."""
    ones = {atom.ref: _mask(atom) for atom in left if atom.kind == "test"}
    twos = {atom.ref: _mask(atom) for atom in right if atom.kind == "test"}
    if not ones or ones.keys() != twos.keys() or len(ones) != len(left) or len(twos) != len(right):
        return None
    return frozenset(
        Atom("test", ref, mask & twos[ref] if op == "and" else mask | twos[ref]) for ref, mask in ones.items()
    )


def _mask(test: Atom) -> int:
    """The reasons for which a test is true."""
    return test.info if isinstance(test.info, int) else EVERY
