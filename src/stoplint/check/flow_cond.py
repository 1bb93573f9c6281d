"""Conditions: what each side of a test knows more than before.

Comparing gives "test" atoms that say what is learned when they are true; branching on a value applies them.  So a test
means the same in an `if`, in a variable, behind a helper's `return`, in `and`/`or`/`not`, in a walrus.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

from stoplint.check import ir
from stoplint.check.flow_blocks import note_kinds, note_other_tool
from stoplint.check.flow_convert import note_asked, note_default, note_reason
from stoplint.check.flow_core import evaluate, evaluates, path_of, read_path, set_path
from stoplint.check.flow_errors import error_compared
from stoplint.check.flow_kinds import BLOCK_UNIVERSE, EVENT_UNIVERSE, meet, narrowing, sides
from stoplint.check.flow_loops import note_test
from stoplint.check.flow_reasons import compared
from stoplint.check.knowledge import EMPTY, MANY, NONEMPTY, ONE, START, DictObj, ListObj, State
from stoplint.check.values import (
    UNKNOWN,
    Atom,
    Token,
    Value,
    const,
    literal,
    only,
    ordered,
    text_of,
    truth,
    union,
    value,
)
from stoplint.reasons import EVERY, mask_of

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
    val = evaluate(run, test, state)
    target = test.target if isinstance(test, ir.Bind) else test
    return split(run, val, path_of(target), state)


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
    alive_yes = _learn(run, val, path, yes, wanted=True)
    alive_no = _learn(run, val, path, no, wanted=False)
    return ([yes] if alive_yes else []), ([no] if alive_no else [])


def _learn(run: Run, val: Value, path: str | None, state: State, *, wanted: bool) -> bool:
    """Let a state know that a value is true (or false); False when it cannot be."""
    if path is not None and any(atom.kind == "const" for atom in val) and len(val) > 1:
        kept = frozenset(a for a in val if a.kind != "const" or bool(a.ref) == wanted)
        set_path(path, kept if wanted else val, state)
        val = kept if wanted else val
    if not wanted and any(atom.kind == "const" and not atom.ref for atom in val):
        return True
    atom = only(val)
    if atom is None:
        return _learn_texts(val, state, wanted=wanted)
    if atom.kind == "test":
        mask = atom.info if isinstance(atom.info, int) else EVERY
        return _narrow_reason(atom.ref, mask if wanted else EVERY & ~mask, state)
    if atom.kind == "content_test":
        bit = atom.info if isinstance(atom.info, int) else NONEMPTY
        return _narrow_content(atom.ref, bit if wanted else (NONEMPTY | EMPTY) & ~bit, state)
    if atom.kind == "path_test":
        return _narrow_path(atom, state, wanted=wanted)
    if atom.kind in ("content", "content_len", "text"):
        return _narrow_content(atom.ref, NONEMPTY if wanted else EMPTY, state)
    if atom.kind == "name_test" and wanted != atom.info:
        note_other_tool(atom.ref, state)
    if atom.kind == "list":
        return _narrow_list(run, atom, state, wanted=wanted)
    return True


SIZED = ("content", "content_len", "content_test")


def _learn_texts(val: Value, state: State, *, wanted: bool) -> bool:
    """Content of whichever response it is, or text of one response taken in several places: falsy means that the answer
    was found empty.
    """
    if val and all(atom.kind in SIZED for atom in val):
        bits = [(atom.ref, atom.info if isinstance(atom.info, int) else NONEMPTY) for atom in ordered(val)]
        alive = [_narrow_content(ref, bit if wanted else (NONEMPTY | EMPTY) & ~bit, state) for ref, bit in bits]
        return any(alive)
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


def _narrow_path(atom: Atom, state: State, *, wanted: bool) -> bool:
    path = str(atom.ref)
    before, when_true, when_false = sides(atom)
    now = read_path(path, state)
    left: Value = when_true if wanted else when_false
    if not left and before:
        return False
    if now is None or now == before:
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


# ------------------------------------------------------------------ comparisons


@evaluates(ir.Compare)
def _compare(run: Run, expr: ir.Compare, state: State) -> Value:
    left = evaluate(run, expr.left, state)
    if len(expr.ops) != 1:
        for _, other in expr.ops:
            evaluate(run, other, state)
        for atom in left:
            if atom.kind == "reason":
                run.expose(atom.ref, state)
        return UNKNOWN
    op, right_expr = expr.ops[0]
    right = evaluate(run, right_expr, state)
    return compare(run, left, op, right, state, expr.at, path_of(expr.left))


def compare(run: Run, left: Value, op: str, right: Value, state: State, at: int, path: str | None) -> Value:
    """The value of `left op right`, as tests where something can be learned from it."""
    told = [any(a.kind in ("reason", "reason_like") for a in side) for side in (left, right)]
    if op in ("==", "!=") and told == [False, True]:
        left, right = right, left
    if any(atom.kind == "exception_text" for atom in left | right):
        run.error_tests += 1
        error_compared(
            run, left | right, strings_in(run, _literals(left), state) or strings_in(run, _literals(right), state), at
        )
    negated = op in ("!=", "not in", "is not")
    for atom in right:
        if atom.kind in ("reason", "reason_like"):
            run.look(atom.ref)
    if any(atom.kind in ("reason", "reason_like") for atom in left):
        return _compare_reason(run, left, op, right, state, at, negated=negated)
    sized = only(left, "content_len", "content", "list_len")
    if sized is not None:
        return _compare_size(run, sized, op, right, state)
    if len(left) > 1 and all(atom.kind in SIZED[:2] for atom in left):
        tests = [_compare_size(run, one, op, right, state) for one in left]
        return union(tests) if all(tests) else UNKNOWN
    if left and all(atom.kind in ("block_type", "event_type") for atom in left):
        return _compare_type(run, left, right, state, negated=negated)
    if only(left, "block_name"):
        return value(Atom("name_test", next(iter(left)).ref, not negated)) if only(right, "const") else UNKNOWN
    note_reason(run, left, strings_in(run, right, state))
    if path is not None and literal(right) is None and only(right, "const"):
        return _compare_none(path, left, negated=negated)
    run.size_tests += op in ("<", "<=", ">", ">=")
    return _compare_literals(left, op, right)


def _literals(val: Value) -> Value:
    return frozenset() if any(atom.kind == "exception_text" for atom in val) else val


def strings_in(run: Run, val: Value, state: State) -> tuple[str, ...] | None:
    """The strings that a value certainly consists of: a literal, or the members of a literal list or dict."""
    found: list[str] = []
    for atom in ordered(val):
        if atom.kind == "const":
            if isinstance(atom.ref, str):
                found.append(atom.ref)
            continue
        obj = run.obj(state, atom.ref) if atom.kind in ("list", "dict") else None
        if isinstance(obj, DictObj) and not obj.open:
            found += [key for key, _ in obj.items if isinstance(key, str)]
        elif isinstance(obj, ListObj) and obj.items is not None and not obj.open:
            for item in obj.items:
                if only(item, "const") is None:
                    return None
                text = text_of(item)
                found += [text] if text is not None else []
        else:
            return None
    return tuple(found) if val else None


def _compare_reason(run: Run, left: Value, op: str, right: Value, state: State, at: int, *, negated: bool) -> Value:
    values = strings_in(run, right, state)
    atoms = [atom for atom in left if atom.kind in ("reason", "reason_like")]
    for atom in atoms:
        if values is None:
            run.expose(atom.ref, state)
            continue
        mask = mask_of(values)
        run.look(atom.ref, mask)
        compared(run, atom, values, "in" if op in ("in", "not in") else "==", right, at)
    single = only(frozenset(a for a in left if a.kind != "const"), "reason")
    if values is None or single is None:
        return UNKNOWN
    if not values:
        return UNKNOWN
    mask = mask_of(values)
    return value(Atom("test", single.ref, EVERY & ~mask if negated else mask))


def _compare_size(run: Run, atom: Atom, op: str, right: Value, state: State) -> Value:
    bound = literal(right)
    other = only(right, "list")
    if other is not None:
        obj = run.obj(state, other.ref)
        bound = len(obj.items) if isinstance(obj, ListObj) and obj.items is not None else None
    if not isinstance(bound, int) or isinstance(bound, bool):
        return UNKNOWN
    if op not in _SIZES or atom.kind == "list_len":
        return UNKNOWN
    passes = {bit: {_SIZES[op](size, bound) for size in sizes} for bit, sizes in _SIZE_BITS}
    if any(len(answers) > 1 for answers in passes.values()):
        return UNKNOWN
    return value(Atom("content_test", atom.ref, sum(bit for bit, answers in passes.items() if answers == {True})))


_SIZES = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
"""Comparisons of `len(content)` with a number."""

_SIZE_BITS = ((EMPTY, (0,)), (ONE, (1,)), (MANY, tuple(range(2, 40))))


def _compare_type(run: Run, left: Value, right: Value, state: State, *, negated: bool) -> Value:
    values = strings_in(run, right, state)
    infos = [atom.info for atom in left if isinstance(atom.info, tuple)]
    paths = {info[0] for info in infos}
    if values is None or len(paths) != 1 or None in paths:
        return UNKNOWN
    kind = next(iter(left)).kind
    universe = EVENT_UNIVERSE if kind == "event_type" else BLOCK_UNIVERSE
    wanted = frozenset(v if v in universe else "other" for v in values)
    owners = frozenset(info[1] for info in infos)
    exact = all(v in universe for v in values)
    return narrowing(str(paths.pop()), owners, wanted, universe, exact=exact, negated=negated)


def _compare_none(path: str, left: Value, *, negated: bool) -> Value:
    nones = frozenset(atom for atom in left if atom.kind == "const" and atom.ref is None)
    others = left - nones
    if not left or (not nones and any(a.kind in ("symbol", "mix") for a in left)):
        return UNKNOWN
    when_true, when_false = (others, nones) if negated else (nones, others)
    return value(Atom("path_test", path, (left, when_true, when_false)))


def _compare_literals(left: Value, op: str, right: Value) -> Value:
    one, two = only(left, "const"), only(right, "const")
    if one is None or two is None:
        return UNKNOWN
    if op in ("==", "is"):
        return const(one == two)
    if op in ("!=", "is not"):
        return const(one != two)
    return UNKNOWN


@evaluates(ir.Not)
def _not(run: Run, expr: ir.Not, state: State) -> Value:
    val = evaluate(run, expr.value, state)
    sure = truth(val)
    if sure is not None:
        return const(not sure)
    atom = only(val)
    if atom is None:
        return UNKNOWN
    if atom.kind == "test" and isinstance(atom.info, int):
        return value(Atom("test", atom.ref, EVERY & ~atom.info))
    if atom.kind in ("text", *SIZED):
        bit = atom.info if atom.kind == "content_test" and isinstance(atom.info, int) else NONEMPTY
        return value(Atom("content_test", atom.ref, (NONEMPTY | EMPTY) & ~bit))
    if atom.kind == "path_test":
        before, when_true, when_false = sides(atom)
        return value(Atom("path_test", atom.ref, (before, when_false, when_true)))
    if atom.kind == "reason":
        run.look(atom.ref)
    return UNKNOWN


@evaluates(ir.BoolOp)
def _boolop(run: Run, expr: ir.BoolOp, state: State) -> Value:
    left = evaluate(run, expr.left, state)
    yes, no = split(run, left, path_of(expr.left), state)
    going, done = (yes, no) if expr.op == "and" else (no, yes)
    rights = [evaluate(run, expr.right, path) for path in going]
    ends = [*going, *done]
    if ends:
        whole = ends[0]
        for other in ends[1:]:
            whole = whole.join(other)
        state.env, state.know, state.heap = whole.env, whole.know, whole.heap
    right = frozenset().union(*rights)
    if expr.op == "or":
        note_default(run, left, right)
    both = _combined(expr.op, left, right)
    if both is not None:
        return both
    if expr.op == "or":
        return frozenset(a for a in left if a.kind != "const" or a.ref) | right
    if not going:
        return left
    return right | frozenset(a for a in left if a.kind == "const" and not a.ref)


def _combined(op: str, left: Value, right: Value) -> Value | None:
    """Two tests of the same response's reason are one."""
    one, two = only(left, "test"), only(right, "test")
    if (
        one is None
        or two is None
        or one.ref != two.ref
        or not isinstance(one.info, int)
        or not isinstance(two.info, int)
    ):
        return None
    return value(Atom("test", one.ref, one.info & two.info if op == "and" else one.info | two.info))
