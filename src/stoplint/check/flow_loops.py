"""Loops and recursion: what keeps them going, and whether anything but the answers can end them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stoplint.check import ir
from stoplint.check.events import GoesOn, LoopContinued
from stoplint.check.flow_escape import reach
from stoplint.check.index import dotted_name
from stoplint.check.knowledge import DictObj, ListObj, State
from stoplint.check.values import EMPTY_STRING, UNKNOWN, Atom, Token, Value, Where, text_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from stoplint.check.run import Frame, Run

OF_ANSWERS = frozenset(
    {
        "test",
        "content_test",
        "path_test",
        "content",
        "content_len",
        "text_len",
        "text",
        "reason",
        "reason_like",
        "block",
        "block_type",
    }
    | {"block_id", "block_name", "message", "tool_input", "event", "event_type", "delta", "dump", "stop_sequence"}
)
"""Kinds of values that say something of a response: a test of one is no bound."""


@dataclass(slots=True)
class Loop:
    """A loop, or the body of a function that calls itself, while it is interpreted.  `bounded`: something else than the
    answers can end it; `flagged`: a variable that is True or False decides; `requests`: those made in it; `inside`: the
    paths that enter its body, in the latest round; `blocks`: the answers whose blocks it goes over, `lost`: where it may
    leave a call without a result; `over`: what the items that it goes over are parts of; `kept`: the names and
    heap keys that stand before it, and so outlive its rounds.
    """

    where: Where
    bounded: bool = False
    flagged: bool = False
    requests: set[Token] = field(default_factory=set)
    blocks: dict[Token, int] = field(default_factory=dict)
    lost: dict[tuple[Token, Where], str] = field(default_factory=dict)
    inside: list[State] = field(default_factory=list)
    over: set[Hashable] = field(default_factory=set)
    kept: frozenset[Hashable] = frozenset()


def note_test(run: Run, val: Value, state: State) -> None:
    """A test whose outcome is open: what does it speak of?"""
    if not val:
        run.free_tests += 1
        return
    if all(atom.kind == "const" for atom in val):
        if run.frame.loops:
            run.frame.loops[-1].flagged = True
        return
    held = reach(run, val, state, 3)
    if not any(atom.kind in OF_ANSWERS or _is_result(run, atom, state) for atom in held):
        run.free_tests += 1


def _is_result(run: Run, atom: Atom, state: State) -> bool:
    obj = run.obj(state, atom.ref) if atom.kind == "dict" else None
    return isinstance(obj, DictObj) and text_of(obj.get("type") or UNKNOWN) == "tool_result"


def note_exit(run: Run, free: bool, *, broke: bool, left: bool) -> None:
    """A test decided over leaving a loop (`broke`) or the function (`left`)."""
    loops = run.frame.loops
    if not free:
        return
    for loop in loops if left else loops[-1:] if broke else ():
        loop.bounded = True
    if left:
        run.frame.bounded = True
    for loop in loops:
        loop.bounded = loop.bounded or loop.flagged


def note_request(run: Run, token: Token) -> None:
    for frame in run.frames:
        for loop in frame.loops:
            loop.requests.add(token)


def finish_loop(run: Run, loop: Loop) -> None:
    """A loop has settled: tell what it goes on because of."""
    goes_on = _goes_on(run, loop.inside, loop.requests)
    if goes_on:
        run.emit(LoopContinued(loop.where, goes_on, loop.bounded))


def finish_function(run: Run, frame: Frame) -> None:
    """The body of a function is through: tell of the calls of itself in it."""
    for where, states in frame.recursions.items():
        tokens = {token for state in states for token in state.know if token.path == frame.path}
        goes_on = _goes_on(run, states, tokens)
        if goes_on:
            run.emit(LoopContinued(where, goes_on, frame.bounded))


def _goes_on(run: Run, states: list[State], tokens: set[Token]) -> tuple[GoesOn, ...]:
    found: dict[GoesOn, None] = {}
    for state in states:
        for token in sorted(tokens & state.know.keys()):
            request = run.request_of(token)
            if request is not None:
                known = state.know[token]
                found[GoesOn(request, known.remaining, known.content, _answered(state, token))] = None
    return tuple(found)


def ends_inside(node: ir.For) -> bool:
    """`for attempt in range(n)` whose body leaves by itself in its last round: `if attempt == n - 1: raise`.  What is behind
    it is reached by `break` alone.
    """
    items = node.iter
    if not isinstance(items, ir.Call) or not isinstance(items.func, ir.Name) or items.func.id != "range":
        return False
    rounds = items.args[0].value if len(items.args) == 1 else None
    if rounds is None or not isinstance(node.target, ir.Name):
        return False
    name = node.target.id
    return any(_leaves_at(statement, name, rounds) for statement in node.body)


def _leaves_at(statement: ir.Stmt, name: str, rounds: ir.Expr) -> bool:
    if not isinstance(statement, ir.If):
        return False
    test = statement.test
    if isinstance(test, ir.Compare) and len(test.ops) == 1 and isinstance(test.left, ir.Name) and test.left.id == name:
        op, bound = test.ops[0]
        return op in ("==", ">=") and _is_last(bound, rounds) and isinstance(statement.body[-1], (ir.Raise, ir.Return))
    return any(_leaves_at(inner, name, rounds) for inner in statement.orelse)


def _is_last(bound: ir.Expr, rounds: ir.Expr) -> bool:
    """`n - 1` for `range(n)`."""
    if isinstance(bound, ir.Const) and isinstance(rounds, ir.Const):
        return isinstance(rounds.value, int) and bound.value == rounds.value - 1
    if not isinstance(bound, ir.BinOp) or bound.op != "-" or len(bound.parts) != 2:
        return False
    one = bound.parts[1]
    named = dotted_name(rounds)
    return named is not None and dotted_name(bound.parts[0]) == named and isinstance(one, ir.Const) and one.value == 1


def gathered(loop: Loop, begun: Mapping[str, Value], after: Sequence[State]) -> None:
    """What was an empty string before a loop over an answer that asked for nothing but the answer's parts, and may be text
    of them now, is empty only where there is no text in them.  `begun`: the variables before.
    """
    for name in [name for name, val in begun.items() if val == EMPTY_STRING]:
        for state in after:
            texts = state.env.get(name, UNKNOWN) - EMPTY_STRING
            if len({atom.ref for atom in texts} & loop.over) == 1 and all(atom.kind == "text" for atom in texts):
                state.env[name] = texts


def _answered(state: State, token: Token) -> bool:
    """Whether results of tools were put behind the answer."""
    for obj in state.heap.values():
        if not isinstance(obj, ListObj):
            continue
        for one in obj.sent:
            if one.token == token and any("tool_result" in turn.blocks for turn in one.tail or ()):
                return True
    return False


def recursion(run: Run, callee: Atom, at: int, state: State) -> None:
    """A call of a function that is being interpreted already: kept until its body is through."""
    for frame in reversed(run.frames):
        if frame.function is not None and frame.function.key == callee.ref:
            where = Where(frame.path, run.site(at)) if frame is run.frame else run.where(at)
            frame.recursions.setdefault(where, []).append(state.copy())
            return
