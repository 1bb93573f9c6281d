"""The two entry points that every part of the interpreter calls, and the registries behind them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from stoplint.check import ir
from stoplint.check.run import Stop
from stoplint.check.values import UNKNOWN, Value, Where

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from stoplint.check.knowledge import State
    from stoplint.check.run import Run

    Evaluator = Callable[[Run, "ir.Expr", State], Value]

F = TypeVar("F")

_EVALUATORS: dict[type, Evaluator] = {}


@dataclass(slots=True)
class Exits:
    """How control leaves a block without returning or raising."""

    go: list[State] = field(default_factory=list)
    broke: list[State] = field(default_factory=list)
    continued: list[State] = field(default_factory=list)

    def absorb(self, other: Exits) -> None:
        """Add the breaks and continues of an inner block."""
        self.broke += other.broke
        self.continued += other.continued


@dataclass(frozen=True, slots=True)
class Arguments:
    """The values of a call's arguments: `splats` are those after `**`, `rest` the items of a `*`, None without one;
    `lent`: where among them a method that sends requests is named.
    """

    positional: tuple[Value, ...] = ()
    keywords: dict[str, Value] = field(default_factory=dict)
    splats: tuple[Value, ...] = ()
    rest: Value | None = None
    lent: Where | None = None

    def all(self) -> Value:
        """Every atom of every argument."""
        return frozenset().union(*self.positional, *self.keywords.values(), *self.splats, self.rest or UNKNOWN)

    def get(self, position: int, keyword: str = "") -> Value | None:
        if position < len(self.positional):
            return self.positional[position]
        return self.keywords.get(keyword)

    def without(self, count: int) -> Arguments:
        return Arguments(self.positional[count:], self.keywords, self.splats, self.rest, self.lent)


_CALLER: list[Callable[[Run, Value, Arguments, State, int], Value]] = []


def calls(function: F) -> F:
    """Register the function that applies a value to arguments."""
    _CALLER[:] = [function]  # type: ignore[list-item]  # registered from a module that imports this one
    return function


def call(run: Run, callee: Value, arguments: Arguments, state: State, at: int) -> Value:
    """What calling a value may give; `at` is the place of the call."""
    return _CALLER[0](run, callee, arguments, state, at)


def evaluates(*nodes: type) -> Callable[[F], F]:
    """Register a function as the meaning of these expression nodes."""

    def register(function: F) -> F:
        for node in nodes:
            _EVALUATORS[node] = function  # type: ignore[assignment]  # the caller knows its exact type
        return function

    return register


def evaluate(run: Run, expr: ir.Expr, state: State) -> Value:
    """What an expression may be; `state` is changed by what the expression does."""
    evaluator = _EVALUATORS.get(type(expr))
    return evaluator(run, expr, state) if evaluator else UNKNOWN


Runner: TypeAlias = "Callable[[Run, Sequence[ir.Stmt], list[State]], Exits]"
"""Runs statements on paths: for what has blocks of its own, and is called by what runs statements."""


def call_perhaps(run: Run, callee: Value, arguments: Arguments, state: State, at: int) -> Value:
    """What a call gives that need not happen now, nor at all."""
    try:
        return call(run, callee, arguments, state, at)
    except Stop:
        return UNKNOWN


def evaluate_ways(run: Run, ways: Iterable[tuple[ir.Expr, State]]) -> list[tuple[Value, State]]:
    """What expressions give, each on a path of its own, of those from which there is a way back: not of `sys.exit()`.
    Raises Stop where all leave.
    """
    tried = [(evaluate_perhaps(run, expr, path), path) for expr, path in ways]
    found = [(val, path) for val, path in tried if val is not None]
    if tried and not found:
        raise Stop
    return found


def evaluate_perhaps(run: Run, expr: ir.Expr, state: State) -> Value | None:
    """What an expression gives; None where it leaves by itself."""
    try:
        return evaluate(run, expr, state)
    except Stop:
        return None


def callee_name(func: ir.Expr) -> str:
    """The last name of what is called, "" when it has none."""
    if isinstance(func, ir.Name):
        return func.id
    return func.name if isinstance(func, ir.Attr) else ""


def path_of(expr: ir.Expr) -> str | None:
    """The access path of an expression (`event`, `reply.content[0]`), or None when it has no stable one."""
    if isinstance(expr, ir.Name):
        return expr.id
    if isinstance(expr, ir.Attr):
        base = path_of(expr.obj)
        return f"{base}.{expr.name}" if base else None
    if isinstance(expr, ir.Index) and isinstance(expr.key, ir.Const):
        base = path_of(expr.obj)
        return f"{base}[{expr.key.value!r}]" if base else None
    return None


def read_path(path: str, state: State) -> Value | None:
    """What was learned of an access path by a test, if anything."""
    return state.env.get(path if path.isidentifier() else "@" + path)


def set_path(path: str, val: Value, state: State) -> None:
    state.env[path if path.isidentifier() else "@" + path] = val


def forget_paths(name: str, state: State) -> None:
    """A name is bound anew: what was learned of paths through it is void."""
    dotted, indexed = f"@{name}.", f"@{name}["
    stale = [key for key in state.env if key.startswith((dotted, indexed))]
    for key in stale:
        del state.env[key]
