"""A decorated function that is called again: after an exception, or for what it gave back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint.check import ir
from stoplint.check.flow_cond import split
from stoplint.check.flow_core import Arguments, call, evaluate
from stoplint.check.flow_try import catches
from stoplint.check.retry import conditions_on_results

if TYPE_CHECKING:
    from stoplint.check.knowledge import State
    from stoplint.check.program import FunctionInfo
    from stoplint.check.run import Run
    from stoplint.check.values import Value


def tried_again(run: Run, info: FunctionInfo) -> list[State]:
    """The states in which the decorators of the function at hand, whose body has been run, call it again."""
    after = run.program.retried_after(info)
    if after is None:
        return []
    again = [raised for kind, raised in run.frame.raised if catches(after, kind)]
    for test, wanted in conditions_on_results(info):
        for val, end in run.frame.returned:
            state = end.copy()
            answer = val if test is None else _asked(run, test, val, state, info.func.at)
            again += split(run, answer, None, state)[0 if wanted else 1] if answer else []
    return again


def _asked(run: Run, test: ir.Expr, val: Value, state: State, at: int) -> Value:
    """What a condition says of a result."""
    body = test.func.body[0] if isinstance(test, ir.Lambda) else None
    if isinstance(test, ir.Lambda) and isinstance(body, ir.Return) and body.value is not None and test.func.params:
        state.env[test.func.params[0].name] = val  # a call of it would be looked into for answers only
        return evaluate(run, body.value, state)
    return call(run, evaluate(run, test, state), Arguments((val,)), state, at)
