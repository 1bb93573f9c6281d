"""`match`: patterns are tests like any other, so each case narrows and the cases after it know that it failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint import sdk
from stoplint.check import ir
from stoplint.check.flow_bind import bind
from stoplint.check.flow_compare import compare
from stoplint.check.flow_cond import branch, split
from stoplint.check.flow_core import Exits, evaluate, path_of, set_path
from stoplint.check.flow_errors import caught
from stoplint.check.flow_expr import step
from stoplint.check.flow_kinds import BLOCK_UNIVERSE, EVENT_UNIVERSE, narrowing
from stoplint.check.flow_lists import iterate
from stoplint.check.flow_ways import each_way
from stoplint.check.knowledge import ListObj, State, compact
from stoplint.check.values import UNKNOWN, Value, only, ordered

if TYPE_CHECKING:
    from stoplint.check.flow_core import Runner
    from stoplint.check.run import Run


Paths = tuple[list[State], list[State]]


def run_match(run: Run, node: ir.Match, state: State, run_block: Runner) -> Exits:
    exits = Exits()
    for subject, one in each_way(run, state, lambda one: (evaluate(run, node.subject, one), one)):
        _run_cases(run, node, subject, one, run_block, exits)
    return exits


def _run_cases(run: Run, node: ir.Match, subject: Value, state: State, run_block: Runner, exits: Exits) -> None:
    path = path_of(node.subject)
    paths = [state]
    for case in node.cases:
        inside: list[State] = []
        outside: list[State] = []
        for one in paths:
            yes, no = _matches(run, case.pattern, subject, path, one, case.at)
            outside += no
            if case.guard is not None:
                for there in yes:
                    passed, failed = branch(run, case.guard, there)
                    inside += passed
                    outside += failed
            else:
                inside += yes
        if inside:
            inner = run_block(run, case.body, compact(inside))
            exits.absorb(inner)
            exits.go += inner.go
        paths = compact(outside)
        if not paths:
            break
    exits.go += paths


def _matches(run: Run, pattern: ir.Pattern, val: Value, path: str | None, state: State, at: int) -> Paths:
    """The paths on which a value matches, and those on which it may not."""
    if isinstance(pattern, ir.MatchAs):
        if pattern.pattern is None:
            yes: list[State] = [state]
            no: list[State] = []
        else:
            yes, no = _matches(run, pattern.pattern, val, path, state, at)
        if pattern.name:
            for one in yes:
                bind(run, ir.Name(pattern.name), _as_class(run, pattern.pattern, val, one), one)
        return yes, no
    if isinstance(pattern, ir.MatchValue):
        wanted = evaluate(run, pattern.value, state)
        return split(run, compare(run, val, "==", wanted, state, _at(pattern.value), path), path, state)
    if isinstance(pattern, ir.MatchOr):
        return _matches_any(run, pattern, val, path, state, at)
    if isinstance(pattern, ir.MatchClass):
        return _matches_class(run, pattern, val, path, state, at)
    if isinstance(pattern, ir.MatchMapping):
        parts = [(evaluate(run, key, state), inner) for key, inner in pattern.items]
        named = [("." + str(only(key).ref), inner) for key, inner in parts if only(key, "const")]  # type: ignore[union-attr]  # asked for in the same line
        return _matches_parts(run, named, val, path, [state], [state.copy()] if len(named) != 1 else [], at)
    if isinstance(pattern, ir.MatchSequence):
        return _matches_sequence(run, pattern, val, path, state, at)
    return [state], [state.copy()]


def _at(expr: ir.Expr) -> int:
    return getattr(expr, "at", 0)


def _matches_any(run: Run, pattern: ir.MatchOr, val: Value, path: str | None, state: State, at: int) -> Paths:
    if all(isinstance(option, ir.MatchValue) for option in pattern.options):
        first = pattern.options[0]
        wanted = frozenset().union(
            *(evaluate(run, option.value, state) for option in pattern.options if isinstance(option, ir.MatchValue))
        )
        at = _at(first.value) if isinstance(first, ir.MatchValue) else 0
        return split(run, compare(run, val, "in", wanted, state, at, path), path, state)
    yes: list[State] = []
    rest = [state]
    for option in pattern.options:
        pairs = [_matches(run, option, val, path, one, at) for one in rest]
        yes += [one for pair in pairs for one in pair[0]]
        rest = [one for pair in pairs for one in pair[1]]
    return yes, rest


def _matches_class(run: Run, pattern: ir.MatchClass, val: Value, path: str | None, state: State, at: int) -> Paths:
    name = sdk.unprefixed(pattern.cls.id if isinstance(pattern.cls, ir.Name) else getattr(pattern.cls, "name", ""))
    kind = ordered(val)[0].kind if val and len({atom.kind for atom in val}) == 1 else ""
    table, universe = (sdk.BLOCK_CLASSES, BLOCK_UNIVERSE) if kind == "block" else (sdk.EVENT_CLASSES, EVENT_UNIVERSE)
    yes, no = [state], [state.copy()]
    if kind in ("block", "event") and path is not None and name in table:
        test = narrowing(path, val, frozenset({table[name]}), universe, exact=True, negated=False)
        yes, no = split(run, test, path, state)
    narrowed = _as_class(run, pattern, val, state)
    if narrowed != val and path is not None:
        set_path(path, narrowed, state)
    val = narrowed
    sure = name in sdk.MESSAGE_CLASSES and only(val, "message") is not None
    parts = [("." + keyword, inner) for keyword, inner in pattern.keywords]
    if sure and len(parts) == 1:
        no = []
    return _matches_parts(run, parts, val, path, yes, no, at)


def _as_class(run: Run, pattern: ir.Pattern | None, val: Value, state: State) -> Value:
    """An exception is of the class that its pattern names."""
    if not isinstance(pattern, ir.MatchClass) or only(val, "exception") is None:
        return val
    return caught(run, evaluate(run, pattern.cls, state), frozenset(), state)[0]


def _matches_parts(
    run: Run,
    parts: list[tuple[str, ir.Pattern]],
    val: Value,
    path: str | None,
    yes: list[State],
    no: list[State],
    at: int,
) -> Paths:
    """Sub-patterns on members: each narrows what is left, and may fail."""
    for name, inner in parts:
        left: list[State] = []
        for one in yes:
            now = (one.env.get(path) if path and path.isidentifier() else None) or val
            found = step(run, now, name, one, at, ir.Name(path) if path and path.isidentifier() else None)
            passed, failed = _matches(run, inner, found, f"{path}{name}" if path else None, one, at)
            left += passed
            no = no + failed
        yes = left
    return yes, no


def _matches_sequence(
    run: Run, pattern: ir.MatchSequence, val: Value, path: str | None, state: State, at: int
) -> Paths:
    atom = only(val, "list")
    obj = run.obj(state, atom.ref) if atom else None
    items = obj.items if isinstance(obj, ListObj) else None
    yes, no = [state], [state.copy()]
    blocks = UNKNOWN
    if only(val, "content") is not None:
        some, none = split(run, val, path, state)
        blocks = iterate(run, val, state)
        if not pattern.items:
            return none, some
        if any(not isinstance(inner, ir.MatchStar) for inner in pattern.items):
            yes, no = some, [*none, *(one.copy() for one in some)]  # there may be more blocks than the pattern names
    for index, inner in enumerate(pattern.items):
        part = items[index] if items is not None and index < len(items) else blocks
        if isinstance(inner, ir.MatchStar):
            continue
        yes = [one for there in yes for one in _matches(run, inner, part, None, there, at)[0]]
    return yes, no
