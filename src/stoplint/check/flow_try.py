"""`try`: a handler sees every state that the body may fail in; `finally` runs on every exit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stoplint.check import flow_errors as errors
from stoplint.check import ir
from stoplint.check.flow_core import Exits, evaluate
from stoplint.check.flow_results import Body, note_swallowed
from stoplint.check.knowledge import EMPTY, NONEMPTY, State, compact
from stoplint.check.retry import NOT
from stoplint.check.values import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stoplint.check.flow_core import Runner
    from stoplint.check.run import Run


BROAD = frozenset({"Exception", "BaseException", ""})
"""Handlers that catch everything; "" is the bare one."""

PARSE_ERRORS = frozenset({"JSONDecodeError", "ValidationError"})
"""What parsers raise."""

ALSO_ELSEWHERE = PARSE_ERRORS | {"KeyboardInterrupt"}
"""What is followed from some places only: a handler of it sees other states as well."""

PARENTS: dict[str, frozenset[str]] = {
    "IndexError": frozenset({"IndexError", "LookupError"}),
    "KeyError": frozenset({"KeyError", "LookupError"}),
    "ValidationError": frozenset({"ValidationError", "ValueError"}),
    "JSONDecodeError": frozenset({"JSONDecodeError", "ValueError"}),
}


def run_try(run: Run, node: ir.Try, state: State, run_block: Runner) -> Exits:
    frame = run.frame
    outer, frame.raised = frame.raised, []
    first_return = len(frame.returned)
    guards = frozenset().union(*(_names(h) for h in node.handlers if not _reraises(h.body)))
    frame.guards.append(guards)
    frame.watching.append([])
    before, waits = run.requests, run.waits
    body = Body(run, node, state)
    exits = run_block(run, node.body, [state.copy()])
    body.close(run)
    requested = run.requests > before or run.waits > waits  # a stream is part of its request until its end
    frame.watching[-1] += [path.copy() for path in exits.go]
    watched = compact(_by_chance(path) for path in frame.watching.pop())
    frame.guards.pop()
    raised, frame.raised = frame.raised, []
    if node.orelse and exits.go:
        after = run_block(run, node.orelse, exits.go)
        exits.absorb(after)
        exits.go = after.go
    earlier: frozenset[str] = frozenset()
    for handler in node.handlers:
        sure = any(kind not in ALSO_ELSEWHERE and catches(_names(handler), kind) for kind, _ in raised)
        caught, raised = _caught(_names(handler), raised)
        paths = compact([*caught, *([] if sure and not _names(handler) & BROAD else (s.copy() for s in watched))])
        names: frozenset[str] = frozenset()
        for path in paths:
            types = evaluate(run, handler.types, path) if handler.types is not None else UNKNOWN
            error, names = errors.caught(run, types, earlier, path)
            if handler.name:
                path.env[handler.name] = error
        earlier |= names
        frame.handling += 1
        frame.failed.append(run.requests if requested and errors.fails_requests(names) else -1)
        counts, returned = (len(run.answers), len(run.handed)), len(frame.returned)
        inner = run_block(run, handler.body, paths)
        if inner.go or inner.continued or inner.broke or len(frame.returned) > returned:
            note_swallowed(run, body, _names(handler), counts)
        frame.failed.pop()
        frame.handling -= 1
        exits.absorb(inner)
        exits.go += inner.go
    frame.raised += raised
    if node.final:
        _finally(run, node, exits, first_return, run_block)
    frame.raised = outer + frame.raised
    exits.go = compact(exits.go)
    return exits


def _by_chance(state: State) -> State:
    """Where anything may have failed, it was not for want of content, even if there was none."""
    for token, known in state.know.items():
        if known.content == EMPTY:
            state.know[token] = replace(known, content=EMPTY | NONEMPTY)
    return state


def _finally(run: Run, node: ir.Try, exits: Exits, first_return: int, run_block: Runner) -> None:
    frame = run.frame
    exits.go = run_block(run, node.final, compact(exits.go)).go
    exits.broke = run_block(run, node.final, compact(exits.broke)).go
    exits.continued = run_block(run, node.final, compact(exits.continued)).go
    mine = frame.returned[first_return:]
    del frame.returned[first_return:]
    raised, frame.raised = frame.raised, []
    for val, path in mine:
        frame.returned += [(val, end) for end in run_block(run, node.final, [path]).go]
    for kind, path in raised:
        frame.raised += [(kind, end) for end in run_block(run, node.final, [path]).go]


def _names(handler: ir.Handler) -> frozenset[str]:
    """The class names that a handler catches, "" for a bare one."""
    if handler.types is None:
        return frozenset({""})
    exprs = handler.types.items if isinstance(handler.types, ir.Seq) else (handler.types,)
    return frozenset(e.id if isinstance(e, ir.Name) else e.name for e in exprs if isinstance(e, (ir.Name, ir.Attr)))


def _caught(
    names: frozenset[str], raised: list[tuple[str | None, State]]
) -> tuple[list[State], list[tuple[str | None, State]]]:
    """The raised states that a handler takes, and those that go on."""
    taken: list[State] = []
    left: list[tuple[str | None, State]] = []
    for kind, state in raised:
        if catches(names, kind):
            taken.append(state)
        else:
            left.append((kind, state))
    return taken, left


def catches(names: frozenset[str], kind: str | None) -> bool:
    """Whether a handler of these classes takes an exception of this name."""
    if f"{NOT}{kind}" in names:
        return False
    broad = BROAD - {"Exception"} if kind in ("KeyboardInterrupt", "SystemExit") else BROAD
    return bool(names & broad or names & PARENTS.get(kind or "", frozenset({kind or "Exception"})))


def _reraises(body: Sequence[ir.Stmt]) -> bool:
    """Whether a handler ends by raising: then it is no way out."""
    if not body:
        return False
    last = body[-1]
    if isinstance(last, ir.Raise):
        return True
    if isinstance(last, ir.If):
        return bool(last.orelse) and _reraises(last.body) and _reraises(last.orelse)
    return False


def suppresses(expr: ir.Expr) -> bool:
    """`contextlib.suppress(...)`, whatever it is called."""
    func = expr.func if isinstance(expr, ir.Call) else None
    return (isinstance(func, ir.Attr) and func.name == "suppress") or (
        isinstance(func, ir.Name) and func.id == "suppress"
    )
