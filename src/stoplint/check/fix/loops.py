"""SL209, SL211: loops that are written otherwise."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import libcst as cst

from stoplint.findings import Fix

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stoplint.check.fix.spot import Spot
    from stoplint.check.fix.tree import Tree
    from stoplint.findings import Edit

_BOUND = 10
_COUNTERS = ("attempts", "rounds", "requests_made")
_LISTS = ("results", "tool_results", "result_blocks")


# ------------------------------------------------------------------ SL209: a bound


def unbounded(spot: Spot) -> Fix | None:
    """SL209: ten rounds, and an exception behind them."""
    tree = spot.tree
    loop = tree.beginning(spot.place[0], cst.While)
    if loop is None or not isinstance(loop.body, cst.IndentedBlock):
        return None
    for_ever = tree.code(loop.test) in ("True", "1") and loop.orelse is None
    edits = _in_range(tree, loop) if for_ever else _counted(tree, loop, loop.body)
    return Fix("unsafe", f"Give up after {_BOUND} rounds", tuple(edits)) if edits else None


def _in_range(tree: Tree, loop: cst.While) -> list[Edit]:
    ignored = "_" if not re.search(r"\b_\b", tree.text) else "_attempt"
    header = tree.edit(tree.span(loop)[0], tree.whole(loop.test)[1], f"for {ignored} in range({_BOUND})")
    give_up = [f'raise RuntimeError("no complete answer after {_BOUND} rounds")']
    if any(_breaks(loop.body)):
        give_up = ["else:", f"{tree.step}{give_up[0]}"]
    return [header, tree.after(loop, give_up, tree.indent(loop))]


def _counted(tree: Tree, loop: cst.While, body: cst.IndentedBlock) -> list[Edit] | None:
    name = _free(tree, _COUNTERS)
    if name is None:
        return None
    give_up = f'{tree.step}raise RuntimeError("no complete answer after {_BOUND} rounds")'
    test = [f"{name} += 1", f"if {name} > {_BOUND}:", give_up]
    return [tree.before(loop, [f"{name} = 0"]), tree.first(body, test)]


def _breaks(node: cst.CSTNode) -> Iterator[cst.Break]:
    """The `break` statements that end the loop whose body `node` is."""
    for child in node.children:
        if isinstance(child, cst.Break):
            yield child
        elif not isinstance(child, (cst.For, cst.While, cst.FunctionDef, cst.ClassDef)):
            yield from _breaks(child)


# ------------------------------------------------------------------ SL211: one message


def split(spot: Spot) -> Fix | None:
    """SL211: the results are collected, and one message with all of them goes out behind the loop."""
    tree = spot.tree
    call = next((node for node in tree.at(*spot.place) if isinstance(node, cst.Call)), None)
    result = _only_result(tree, call) if call is not None else None
    statement = tree.statement(call) if call is not None else None
    if call is None or result is None or not isinstance(statement, cst.SimpleStatementLine):
        return None
    loop = next((above for above in tree.around(statement) if isinstance(above, (cst.For, cst.While, cst.Try))), None)
    name = _free(tree, _LISTS)
    messages = tree.code(call.func).removesuffix(".append")
    if name is None or not isinstance(loop, cst.For) or not _collects(tree, loop, messages):
        return None
    together = f'{messages}.append({{"role": "user", "content": {name}}})'
    edits = (
        tree.before(loop, [f"{name} = []"]),
        tree.replaced(call, f"{name}.append({tree.code(result)})"),
        tree.after(loop, [f"if {name}:", f"{tree.step}{together}"], tree.indent(loop)),
    )
    return Fix("safe", "Send all results in one message", edits)


def _only_result(tree: Tree, call: cst.Call) -> cst.BaseExpression | None:
    """The block in `messages.append({"role": "user", "content": [block]})`."""
    if not re.fullmatch(r"\w+\.append", tree.code(call.func)) or len(call.args) != 1:
        return None
    if not isinstance(tree.parent(call), cst.Expr):
        return None
    turn = call.args[0].value
    if call.args[0].star or not isinstance(turn, cst.Dict) or len(turn.elements) != 2:
        return None
    parts = {
        tree.code(one.key).strip("\"'"): one.value for one in turn.elements if isinstance(one, cst.DictElement)
    }  # fmt: skip
    role, content = parts.get("role"), parts.get("content")
    if role is None or tree.code(role).strip("\"'") != "user" or not isinstance(content, cst.List):
        return None
    if len(content.elements) != 1 or not isinstance(content.elements[0], cst.Element):
        return None
    return content.elements[0].value


def _collects(tree: Tree, loop: cst.For, messages: str) -> bool:
    """Whether a loop does nothing else with the messages and is left at its end only."""
    leaves = any(any(tree.inside(loop.body, kind)) for kind in (cst.Return, cst.Raise, cst.Yield))
    mentions = len(re.findall(rf"\b{re.escape(messages)}\b", tree.code(loop)))
    return not leaves and mentions == 1 and loop.orelse is None


def _free(tree: Tree, names: Sequence[str]) -> str | None:
    return next((name for name in names if not re.search(rf"\b{name}\b", tree.text)), None)
