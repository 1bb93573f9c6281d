"""`with`: what is bound to the name behind `as`, and whether an exception ends there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint.check import ir
from stoplint.check.flow_bind import bind, fresh_symbol
from stoplint.check.flow_core import Exits, evaluate
from stoplint.check.flow_kinds import entered
from stoplint.check.flow_try import run_try, suppresses

if TYPE_CHECKING:
    from stoplint.check.flow_core import Runner
    from stoplint.check.knowledge import State
    from stoplint.check.run import Run


def run_with(run: Run, node: ir.With, state: State, run_block: Runner) -> Exits:
    """The body, with what its managers give; under `contextlib.suppress` as in a `try` that goes on."""
    for item in node.items:
        val = evaluate(run, item.value, state)
        made = entered(val)
        if item.target is not None:
            bind(run, item.target, made or fresh_symbol(run, node.at, state), state)
    silent = any(suppresses(item.value) for item in node.items)
    if not silent:
        return run_block(run, node.body, [state])
    handler = ir.Handler(None, None, ())
    return run_try(run, ir.Try(node.body, (handler,), (), ()), state, run_block)
