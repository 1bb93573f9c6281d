"""SL101, SL102, SL103: a test of `stop_reason` that raises, put where the program cannot pass it by."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import libcst as cst

from stoplint.check.fix import answers, streams
from stoplint.check.fix.raising import Guard
from stoplint.findings import Fix

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stoplint.check.fix.answers import Binding, Call
    from stoplint.check.fix.spot import Spot
    from stoplint.check.fix.tree import Statement, Tree
    from stoplint.findings import Edit

_LEFT = re.compile(r"(?:[\w.]+\()*")
"""What may stand in front of a request in its statement without being evaluated before it."""


def ignored(spot: Spot) -> Fix | None:
    """SL101: raise on everything but what the request is made to end with."""
    call = spot.call
    if call is None:
        return None
    expected = spot.expected()
    edits = _guarded(spot, call, Guard(expected, unless=True))
    if edits is None:
        return None
    listed = " or ".join(f"`{one}`" for one in expected)
    return Fix("unsafe", f"Raise unless `stop_reason` is {listed}", tuple(edits))


def unhandled(spot: Spot) -> Fix | None:
    """SL102: raise, in front of the use, on the reasons that nothing asks about."""
    call, tree, reasons = spot.call, spot.tree, spot.finding.reasons
    # A stop sequence is an end that was asked for: raising on it would be wrong.
    if call is None or spot.node is None or not reasons or "stop_sequence" in reasons:
        return None
    guard = Guard(reasons)
    if call.form == "whole":
        use = tree.statement(spot.node)
        at = _held_at(spot, call, use) if use is not None else None
        edits = [tree.before(at[1], guard.lines(tree, f"{at[0]}.stop_reason"))] if at is not None else None
    else:
        edits = streams.guarded(tree, call, guard)
    return Fix("unsafe", f"Raise on {' and '.join(f'`{one}`' for one in reasons)}", tuple(edits)) if edits else None


def truncated(spot: Spot) -> Fix | None:
    """SL103: raise on a cut answer before any of its tool calls is run."""
    call, reasons = spot.call, spot.finding.reasons
    if call is None or spot.scope is None or not reasons:
        return None
    held = _bindings(spot, call)
    if not held or spot.tree.span(held[0].statement)[1] > spot.place[0]:
        return None
    edits = _after_each(spot.tree, held, Guard(reasons))
    return Fix("unsafe", "Raise on a cut answer instead of running its tool calls", tuple(edits))


def _guarded(spot: Spot, call: Call, guard: Guard) -> list[Edit] | None:
    """The edits that put a guard behind a request."""
    tree = spot.tree
    if call.form in ("opened", "events"):
        return streams.guarded(tree, call, guard) or _finally_taken(spot, call, guard)
    if call.form != "whole":
        return None
    source = answers.awaited(tree, call.node)
    if tree.function(call.node) is spot.scope:
        held = answers.binding(tree, source)
        return _after_each(tree, [held], guard) if held is not None else _taken_apart(tree, source, guard)
    if spot.scope is None:
        return None
    calls = answers.helper_calls(tree, call, spot.scope)
    bound = [answers.binding(tree, one) for one in calls]
    named = [one for one in bound if one is not None]
    if len(calls) == 1 and not named:
        return _taken_apart(tree, calls[0], guard)
    return _after_each(tree, named, guard) if calls and len(named) == len(calls) else None


def _finally_taken(spot: Spot, call: Call, guard: Guard) -> list[Edit] | None:
    """For `stream.get_final_message().content`: the message gets a name."""
    found = answers.opened(spot.tree, call)
    if found is None:
        return None
    finals = answers.final_messages(spot.tree, spot.tree.function(found[0]), found[1])
    return _taken_apart(spot.tree, finals[0], guard) if len(finals) == 1 else None


def _after_each(tree: Tree, held: Sequence[Binding], guard: Guard) -> list[Edit]:
    anchors = ((one.name, _outside_try(tree, one.statement)) for one in held)
    return [tree.after(at, guard.lines(tree, f"{name}.stop_reason"), tree.indent(at)) for name, at in anchors]


def _outside_try(tree: Tree, statement: cst.SimpleStatementLine) -> cst.BaseStatement:
    """The `try` around a request that does nothing else, where its handlers end the path: behind it they do not catch
    what the guard raises.
    """
    here: cst.BaseStatement = statement
    while True:
        block = tree.parent(here)
        above = tree.parent(block) if block is not None else None
        if not isinstance(block, cst.IndentedBlock) or not isinstance(above, cst.Try) or above.body is not block:
            return here
        if block.body[-1] is not here or not all(_leaves(handler.body) for handler in above.handlers):
            return here
        if not above.handlers or above.orelse is not None or above.finalbody is not None:
            return here
        here = above


def _leaves(body: cst.BaseSuite) -> bool:
    last = body.body[-1] if body.body else None
    small = last.body[-1] if isinstance(last, cst.SimpleStatementLine) else last
    return isinstance(small, (cst.Return, cst.Raise, cst.Continue, cst.Break))


def _taken_apart(tree: Tree, source: cst.BaseExpression, guard: Guard) -> list[Edit] | None:
    """For an answer that is used without a name: it gets one, on a line in front of its statement."""
    statement = next((up for up in tree.around(source) if isinstance(up, cst.SimpleStatementLine)), None)
    name = answers.free_name(tree)
    if statement is None or name is None or tree.statement(source) is not statement:
        return None
    only = statement.body[0]
    value = only.value if isinstance(only, (cst.Return, cst.Assign, cst.AnnAssign, cst.Expr)) else None
    begin, end = tree.whole(source)
    inside = any(
        isinstance(up, (cst.CompFor, cst.BaseComp, cst.IfExp, cst.BooleanOperation)) for up in tree.around(source)
    )
    if value is None or inside or not _LEFT.fullmatch(tree.text, tree.span(value)[0], begin) or value is source:
        return None
    call = source.expression if isinstance(source, cst.Await) else source
    if isinstance(call, cst.Call) and "\n" in tree.code(call.func):
        return None
    lines = [f"{name} = {tree.code(source)}", *guard.lines(tree, f"{name}.stop_reason")]
    return [tree.right_before(statement, lines), tree.edit(begin, end, name)]


def _bindings(spot: Spot, call: Call) -> list[Binding] | None:
    """The statements that give the answer its name, if that name has no other values in the function at hand."""
    tree, scope = spot.tree, spot.scope
    if scope is None:
        return None
    if call.form == "opened":
        found = answers.opened(tree, call)
        sources = answers.final_messages(tree, scope, found[1]) if found is not None else []
    elif call.form != "whole":
        return None
    elif tree.function(call.node) is scope:
        sources = [answers.awaited(tree, call.node)]
    else:
        sources = answers.helper_calls(tree, call, scope)
    held = [one for one in (answers.binding(tree, source) for source in sources) if one is not None]
    names = {one.name for one in held}
    if len(names) != 1 or len(held) != len(sources):
        return None
    everywhere = answers.bindings_of(tree, scope, held[0].name, sources)
    return everywhere or None


def _is_told(tree: Tree, use: Statement) -> bool:
    """Whether a branch around a statement is only taken for certain reasons: then the open ones came another way."""
    below: cst.CSTNode = use
    for above in tree.around(use):
        if isinstance(above, cst.If) and below is above.body and "stop_reason" in tree.code(above.test):
            return True
        if isinstance(above, cst.MatchCase) and tree.code(above.pattern) != "_":
            return True
        if isinstance(above, (cst.FunctionDef, cst.Lambda)):
            return False
        below = above
    return False


def _held_at(spot: Spot, call: Call, use: Statement) -> tuple[str, Statement] | None:
    """The name that certainly holds the answer where it is used, and that statement: of a use in a loop over the
    content, the loop.
    """
    tree = spot.tree
    held = _bindings(spot, call)
    if not held:
        return None
    name = held[0].name
    loops = [one for one in _loops_around(tree, use) if tree.code(one.iter) == f"{name}.content"]
    place = loops[-1] if loops else use
    if _is_told(tree, place):
        return None
    if any(one.attr.value in ("content", "parsed_output") for one in answers.attributes_of(tree, place, name)):
        return name, place
    around = {id(up) for up in tree.around(place)}
    first = held[0].statement
    sure = len(held) == 1 and id(tree.parent(first)) in around and tree.span(first)[1] <= tree.span(place)[0]
    return (name, place) if sure else None


def _loops_around(tree: Tree, use: Statement) -> Iterator[cst.For]:
    for above in tree.around(use):
        if isinstance(above, (cst.FunctionDef, cst.Lambda)):
            return
        if isinstance(above, cst.For):
            yield above
