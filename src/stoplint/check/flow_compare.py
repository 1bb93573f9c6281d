"""Comparisons: the tests that they are, and what they say of reasons, sizes and kinds."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

from stoplint.check import ir
from stoplint.check.flow_convert import note_reason
from stoplint.check.flow_core import evaluate, evaluates, path_of
from stoplint.check.flow_errors import error_compared
from stoplint.check.flow_escape import reach, show
from stoplint.check.flow_execute import NAMES
from stoplint.check.flow_kinds import BLOCK_UNIVERSE, EVENT_UNIVERSE, narrowing
from stoplint.check.flow_reasons import compared
from stoplint.check.knowledge import EMPTY, MANY, NONEMPTY, ONE, DictObj, ListObj, State
from stoplint.check.values import (
    UNKNOWN,
    Atom,
    Token,
    Value,
    const,
    literal,
    of_kind,
    only,
    ordered,
    text_of,
    tokens,
    union,
    value,
    without_verdict,
)
from stoplint.reasons import EVERY, mask_of

if TYPE_CHECKING:
    from stoplint.check.run import Run

SIZED = ("content", "content_len", "text_len", "content_test")
"""Kinds whose truth says whether content is empty."""


def text_token(val: Value) -> Token | None:
    """The one response that a value is text of, or nothing where none came (`""`, None)."""
    found = tokens(val, frozenset({"text"}))
    plain = all(atom.kind == "text" or (atom.kind == "const" and not atom.ref) for atom in val)
    return found[0] if len(found) == 1 and plain else None


NAME_TESTS = frozenset({"name_test", "name_in"})
"""A tool's name is one that is known, or one of several; `info`: whether that is so where the test is true, and which."""


TESTS = frozenset({"test", "path_test", "content_test", *NAME_TESTS})
"""Kinds of values that are truth values."""


def sizes(atom: Atom) -> tuple[int, int]:
    """The sizes of content that a test of it, or its truth, leaves: where it is true, and where it is false."""
    return atom.info if atom.kind == "content_test" and isinstance(atom.info, tuple) else (NONEMPTY, EMPTY)


def as_test(val: Value) -> Value | None:
    """A value as the truth value that it stands for: a test is one, and content tests whether there is any.  None where
    nothing would be learned.
    """
    atom = only(val, "text", *SIZED)
    if atom is not None:
        return value(Atom("content_test", atom.ref, sizes(atom)))
    return val if val and all(one.kind in TESTS for one in val) else None


@evaluates(ir.Compare)
def _compare(run: Run, expr: ir.Compare, state: State) -> Value:
    left = _operand(run, expr.left, state)
    if len(expr.ops) != 1:
        show(run, union([left, *(_operand(run, other, state) for _, other in expr.ops)]), state)
        return UNKNOWN
    op, right_expr = expr.ops[0]
    right = _operand(run, right_expr, state)
    return compare(run, left, op, right, state, expr.at, path_of(expr.left))


def _operand(run: Run, expr: ir.Expr, state: State) -> Value:
    """One side of a comparison; turns that are written there are what others are held against, and are never sent."""
    written = isinstance(expr, (ir.Seq, ir.Dict)) or (
        isinstance(expr, ir.Call) and any(isinstance(arg.value, (ir.Seq, ir.Dict)) for arg in expr.args)
    )
    run.unsure += written
    try:
        return evaluate(run, expr, state)
    finally:
        run.unsure -= written


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
    for atom in _listed_reasons(run, left, op, right, state):
        run.expose(atom.ref, state)  # of many answers at once: which of them it was is not told apart
    if any(atom.kind in ("reason", "reason_like") for atom in left):
        return _compare_reason(run, left, op, right, state, at, path, negated=negated)
    sized = only(left, "content_len", "text_len", "content", "list_len")
    if sized is not None:
        if sized.kind == "list_len":
            run.counted.add(sized.ref)
        return _compare_size(run, sized, op, right, state)
    if len(left) > 1 and all(atom.kind in SIZED[:3] for atom in left):
        tests = [_compare_size(run, one, op, right, state) for one in left]
        return union(tests) if all(tests) else UNKNOWN
    if op in ("==", "!=") and literal(right) == "" and (token := text_token(left)) is not None:
        return value(Atom("content_test", token, (EMPTY, NONEMPTY)[:: -1 if negated else 1]))
    if left and all(atom.kind in ("block_type", "event_type") for atom in left):
        return _compare_type(run, left, right, state, negated=negated)
    named = tokens(left, NAMES)
    if named:
        single = only(left, "block_name") and only(right, "const")
        words = frozenset(Atom("const", word) for word in strings_in(run, right, state) or ())
        found = Atom("name_test" if single else "name_in", named[0], (not negated, words))
        return value(found) if len(named) == 1 else UNKNOWN
    note_reason(run, left, strings_in(run, right, state))
    if path is not None and literal(right) is None and only(right, "const"):
        return _compare_none(path, left, negated=negated)
    run.size_tests += op in ("<", "<=", ">", ">=")
    return _compare_literals(left, op, right) or frozenset(
        Atom("text_test", atom.ref, atom.info) for atom in left | right if atom.kind == "text"
    )


def shared_reasons(run: Run, parts: list[Value], at: int, state: State) -> Value | None:
    """`{"max_tokens", "refusal"} & {message.stop_reason}` is a test of the reason; None where it is none."""
    for mine, others in (parts, parts[::-1]) if len(parts) == 2 else ():
        atom = only(mine, "list")
        obj = run.obj(state, atom.ref) if atom is not None else None
        if isinstance(obj, ListObj) and obj.members and all(one.kind == "reason" for one in obj.members):
            return _compare_reason(run, obj.members, "in", others, state, at, None, negated=False)
    return None


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


def _compare_reason(
    run: Run, left: Value, op: str, right: Value, state: State, at: int, path: str | None, *, negated: bool
) -> Value:
    values = strings_in(run, right, state)
    atoms = [atom for atom in left if atom.kind in ("reason", "reason_like")]
    if any(atom.kind == "const" and isinstance(atom.ref, str) for atom in left):
        atoms = [Atom(atom.kind, atom.ref, "kept") for atom in atoms]  # words of the program's own stand beside it
    for atom in atoms:
        if values is None:
            run.expose(atom.ref, state)
            continue
        mask = mask_of(values)
        run.look(atom.ref, mask)
        compared(run, atom, values, "in" if op in ("in", "not in") else "==", right, at, path)
    reasons = [atom for atom in left if atom.kind != "const"]
    if not values or any(atom.kind != "reason" for atom in reasons):
        return UNKNOWN
    mask = mask_of(values)
    return frozenset(Atom("test", atom.ref, EVERY & ~mask if negated else mask) for atom in reasons)


def _listed_reasons(run: Run, left: Value, op: str, right: Value, state: State) -> list[Atom]:
    """The reasons in a list or set that is compared with another one, or searched for a word."""
    sides = {"in": (right,), "not in": (right,), "==": (left, right), "!=": (left, right)}.get(op, ())
    lists = frozenset(atom for side in sides for atom in side if atom.kind == "list")
    return list(of_kind(reach(run, lists, state, 1), "reason", "reason_like"))


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
    least = 1 if atom.kind == "text_len" else 2
    some = {least, *(max(least, bound + step) for step in (-1, 0, 1))}  # sizes around the bound stand for all
    sizes = ((EMPTY, {0}), (ONE, some if least == 1 else {1}), (MANY, some))
    answers = [(bit, {_SIZES[op](size, bound) for size in those}) for bit, those in sizes]
    told = tuple(sum(bit for bit, either in answers if side in either) for side in (True, False))
    return value(Atom("content_test", atom.ref, told))


_SIZES = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
"""Comparisons of `len(content)` with a number."""


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
    one, two = only(without_verdict(left), "const"), only(without_verdict(right), "const")
    if one is None or two is None:
        return UNKNOWN
    if op in ("==", "is"):
        return const(one == two)
    if op in ("!=", "is not"):
        return const(one != two)
    return UNKNOWN
