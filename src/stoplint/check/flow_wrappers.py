"""Calls of the callables that the configuration declares as wrappers of a request, a check or a log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint.check.events import Request
from stoplint.check.flow_escape import escape, reach
from stoplint.check.values import UNKNOWN, Atom, Value, ordered, value
from stoplint.reasons import EVERY

if TYPE_CHECKING:
    from stoplint.check.flow_core import Arguments
    from stoplint.check.knowledge import State
    from stoplint.check.run import Run


def call_declared(run: Run, callee: Atom, arguments: Arguments, state: State, at: int) -> Value | None:
    """What a declared wrapper gives; None for any other callable."""
    facts = run.frame.module.facts
    if not facts.wrappers or callee.kind not in ("func", "class", "external"):
        return None
    name = str(callee.ref).replace(":", ".")
    if _is_named(name, facts.returns_response):
        token = run.token(at, "declared")
        run.open(Request(token, run.where(at), "wrapper"), state)
        return value(Atom("message", token))
    checks = _is_named(name, facts.checks_response)
    if not checks and not _is_named(name, facts.exposes_response):
        return None
    for atom in ordered(reach(run, arguments.all(), state)):
        if checks and run.request_of(atom.ref) is not None:
            run.look(atom.ref, EVERY)
            run.expose(atom.ref, state)
    escape(run, arguments.all(), at, state, shown=True)
    return UNKNOWN


def _is_named(name: str, declared: tuple[str, ...]) -> bool:
    """The folders above a project's packages need not be written: `src.app.llm.ask` is declared by `app.llm.ask`."""
    return any(name == one or name.endswith("." + one) for one in declared)
