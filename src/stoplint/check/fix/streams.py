"""Guards for streams: behind what is read of an opened stream, or in the loop over raw events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from stoplint.check.fix import answers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stoplint.check.fix.answers import Call
    from stoplint.check.fix.raising import Guard
    from stoplint.check.fix.tree import Tree
    from stoplint.findings import Edit


def guarded(tree: Tree, call: Call, guard: Guard) -> list[Edit] | None:
    """The edits that put a guard at the end of a stream; None where that is not certain to be reached."""
    if call.form == "opened":
        return _opened(tree, call, guard)
    return _events(tree, call, guard) if call.form == "events" else None


def _opened(tree: Tree, call: Call, guard: Guard) -> list[Edit] | None:
    found = answers.opened(tree, call)
    if found is None:
        return None
    block, stream = found
    finals = answers.final_messages(tree, tree.function(block), stream)
    if finals:
        held = [answers.binding(tree, one) for one in finals]
        if len(held) == 1 and held[0] is not None:
            one = held[0]
            return [tree.after(one.statement, guard.lines(tree, f"{one.name}.stop_reason"))]
        return None
    name = answers.free_name(tree)
    if name is None or not isinstance(block.body, cst.IndentedBlock) or not _runs_through(tree, block.body):
        return None
    waits = "await " if block.asynchronous is not None else ""
    lines = [f"{name} = {waits}{stream}.get_final_message()", *guard.lines(tree, f"{name}.stop_reason")]
    last = block.body.body[-1]
    if isinstance(last, cst.SimpleStatementLine) and isinstance(last.body[-1], cst.Return):
        return [tree.before(last, lines)] if len(last.body) == 1 else None
    return [tree.after(last, lines, tree.indent(last))]


def _runs_through(tree: Tree, block: cst.IndentedBlock) -> bool:
    """Whether nothing leaves the block before its last statement."""
    *others, last = block.body
    final = last.body[-1] if isinstance(last, cst.SimpleStatementLine) else None
    leaving: list[cst.CSTNode] = [*_leaving(tree, block)]
    return not any(isinstance(one, (cst.Try, cst.TryStar)) for one in (*others, last)) and all(
        node is final and isinstance(node, cst.Return) for node in leaving
    )


def _leaving(tree: Tree, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    yield from tree.inside(node, cst.Return)
    yield from tree.inside(node, cst.Break)
    yield from tree.inside(node, cst.Raise)


def _events(tree: Tree, call: Call, guard: Guard) -> list[Edit] | None:
    loop = _loop_over(tree, call)
    if loop is None or not isinstance(loop.target, cst.Name) or not isinstance(loop.body, cst.IndentedBlock):
        return None
    event = loop.target.value
    plain = any(one.attr.value in ("type", "delta") for one in answers.attributes_of(tree, loop.body, event))
    if not plain or any(_leaving(tree, loop.body)):
        return None
    lines = guard.lines(tree, f"{event}.delta.stop_reason", only_if=f'{event}.type == "message_delta"')
    return [tree.first(loop.body, lines)]


def _loop_over(tree: Tree, call: Call) -> cst.For | None:
    """The one loop over a request's events."""
    source = answers.awaited(tree, call.node)
    above = tree.parent(source)
    if isinstance(above, cst.For):
        return above
    held = answers.binding(tree, source)
    if held is None:
        return None
    scope = tree.function(held.statement)
    loops = [
        one for one in tree.inside(scope, cst.For) if isinstance(one.iter, cst.Name) and one.iter.value == held.name
    ]
    mentions = sum(one.value == held.name for one in tree.inside(scope, cst.Name))
    return loops[0] if len(loops) == 1 and mentions == 2 else None
