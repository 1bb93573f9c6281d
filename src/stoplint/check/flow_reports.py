"""A branch of its own for the answers that are not finished, which says so: whoever reads on has been told."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from stoplint.check import ir
from stoplint.check.flow_core import callee_name
from stoplint.check.flow_execute import is_display
from stoplint.reasons import END_TURN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stoplint.check.knowledge import State
    from stoplint.check.run import Run
    from stoplint.check.values import Token

Apart: TypeAlias = "dict[Token, int]"


def set_apart(yes: Sequence[State], no: Sequence[State]) -> tuple[Apart, Apart]:
    """Per side of a test the responses that are not finished on this side and may be on the other, and their reasons.  What
    an `else` behind the test for `end_turn` says is said of unknown reasons, as a rule, and max_tokens is none.
    """
    if not yes or not no:
        return {}, {}
    ones, others = _remaining(yes), _remaining(no)
    return _unfinished(ones, others), _unfinished(others, ones)


def note_reported(run: Run, body: Sequence[ir.Stmt], apart: Apart) -> None:
    """A branch with the answers that were set apart: does it say something, or set something to a constant?"""
    if apart and any(_says(statement) for statement in body):
        note_told(run, apart)


def note_told(run: Run, apart: Apart) -> None:
    """What is made of these answers tells them from finished ones."""
    for token, reasons in apart.items():
        track = run.tracks.get(token)
        if track is not None:
            track.reported |= reasons


def _remaining(states: Sequence[State]) -> Apart:
    found = {token: known.remaining for token, known in states[0].know.items()}
    for state in states[1:]:
        found = {token: mask | state.know[token].remaining for token, mask in found.items() if token in state.know}
    return found


def _unfinished(here: Apart, there: Apart) -> Apart:
    return {token: mask for token, mask in here.items() if there.get(token, 0) & END_TURN and not mask & END_TURN}


def _says(statement: ir.Stmt) -> bool:
    if isinstance(statement, (ir.Assign, ir.AugAssign)):
        said = statement.value.value if isinstance(statement.value, ir.Const) else None
        return isinstance(said, str) or (isinstance(statement, ir.Assign) and said is not None)  # `n += 1` counts
    expr = statement.value if isinstance(statement, ir.Do) else None
    if isinstance(expr, ir.Yield):
        return isinstance(expr.value, ir.Const)
    return isinstance(expr, ir.Call) and is_display(callee_name(expr.func)) and _is_remark(expr)


def _is_remark(call: ir.Call) -> bool:
    """What is shown begins with words of the program's own; `print(text)` shows the answer as any other."""
    first = call.args[0].value if call.args else None
    return isinstance(first, ir.Const) or (isinstance(first, ir.Format) and not _names(first))


def _names(text: ir.Format) -> bool:
    return any(isinstance(part, (ir.Name, ir.Call, ir.Index)) for part in text.parts)
