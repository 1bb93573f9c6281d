"""Which expressions of a text are the answer of a request, and which variables hold it: only what is certain."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import libcst as cst

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stoplint.check.fix.tree import Tree

Scope: TypeAlias = "cst.FunctionDef | cst.Lambda | cst.Module"

_WHOLE = ("create", "parse")
_OPENED = "stream"
_FINAL = "get_final_message"
_RAW = re.compile(r"\bwith_(raw|streaming)_response\b")
_STREAM_SET = re.compile(r"""["']stream["']|\bstream\s*=""")
"""Somewhere in the file: what is splatted into a request may say that it streams."""
_NAMES = ("response", "message", "answer", "reply", "final_message")


@dataclass(frozen=True, slots=True)
class Call:
    """A request: its call, and how its answer comes: "whole", "opened" (`with ... .stream()`), "events" or "unsure"."""

    node: cst.Call
    form: str

    def may_have(self, name: str) -> bool:
        """Whether an argument is given, or may be: by `**`."""
        return any(
            arg.star == "**" or (arg.keyword is not None and arg.keyword.value == name) for arg in self.node.args
        )


@dataclass(frozen=True, slots=True)
class Binding:
    """`name = <the answer>` as a statement on a line of its own."""

    name: str
    statement: cst.SimpleStatementLine


def request_at(tree: Tree, span: tuple[int, int]) -> Call | None:
    """The request of that range, if it is written as a plain call of the SDK's."""
    call = next((node for node in tree.at(*span) if isinstance(node, cst.Call)), None)
    if call is None or not isinstance(call.func, cst.Attribute) or _RAW.search(tree.code(call.func)):
        return None
    called = call.func.attr.value
    if called == _OPENED:
        return Call(call, "opened")
    if called not in _WHOLE:
        return None
    stream = next((arg for arg in call.args if arg.keyword is not None and arg.keyword.value == "stream"), None)
    if stream is None:
        splatted = any(arg.star == "**" for arg in call.args)
        return Call(call, "unsure" if splatted and _STREAM_SET.search(tree.text) else "whole")
    value = tree.code(stream.value)
    return Call(call, {"True": "events", "False": "whole"}.get(value, "unsure"))


def awaited(tree: Tree, node: cst.BaseExpression) -> cst.BaseExpression:
    """The `await` around an expression, or the expression itself."""
    above = tree.parent(node)
    return above if isinstance(above, cst.Await) else node


def opened(tree: Tree, call: Call) -> tuple[cst.With, str] | None:
    """The `with` statement that opens a stream, and the name of the stream in it."""
    item = tree.parent(call.node)
    block = tree.parent(item) if item is not None else None
    if not isinstance(item, cst.WithItem) or not isinstance(block, cst.With) or item.asname is None:
        return None
    name = item.asname.name
    return (block, name.value) if isinstance(name, cst.Name) else None


def final_messages(tree: Tree, scope: Scope, stream: str) -> list[cst.BaseExpression]:
    """Where a stream is asked for its final message."""
    return [
        awaited(tree, call) for call in tree.inside(scope, cst.Call) if tree.code(call.func) == f"{stream}.{_FINAL}"
    ]


def helper_calls(tree: Tree, call: Call, scope: Scope) -> list[cst.BaseExpression]:
    """The calls in `scope` of the one function that makes the request and returns its answer, nothing else."""
    maker = tree.function(call.node)
    if not isinstance(maker, cst.FunctionDef) or maker is scope or maker.decorators:
        return []
    returns = list(tree.inside(maker, cst.Return))
    if not returns or any(tree.inside(maker, cst.Yield)):
        return []
    source = awaited(tree, call.node)
    held = binding(tree, source)
    for one in returns:
        same = one.value is source or (held and isinstance(one.value, cst.Name) and one.value.value == held.name)
        if not same:
            return []
    name = maker.name.value
    if len(re.findall(rf"\bdef\s+{name}\b", tree.text)) > 1:
        return []
    calls = [one for one in tree.inside(scope, cst.Call) if re.fullmatch(rf"(\w+\.)*{name}", tree.code(one.func))]
    found = [awaited(tree, one) for one in calls]
    is_async = maker.asynchronous is not None
    return found if all(isinstance(one, cst.Await) == is_async for one in found) else []


def binding(tree: Tree, value: cst.BaseExpression) -> Binding | None:
    """The statement that does nothing but give `value` a name."""
    assign = tree.parent(value)
    statement = tree.parent(assign) if assign is not None else None
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        return None
    if isinstance(assign, cst.Assign) and len(assign.targets) == 1:
        target: cst.BaseExpression = assign.targets[0].target
    elif isinstance(assign, cst.AnnAssign):
        target = assign.target
    else:
        return None
    return Binding(target.value, statement) if isinstance(target, cst.Name) else None


def bindings_of(
    tree: Tree, scope: Scope, name: str, sources: Sequence[cst.BaseExpression]
) -> list[Binding] | None:  # fmt: skip
    """All bindings of a name in a scope, if each is one of `sources` or another request's answer; else None."""
    found: list[Binding] = []
    for node in tree.inside(scope, cst.Name):
        if node.value != name or not _is_target(tree, node):
            continue
        statement = next((up for up in tree.around(node) if isinstance(up, cst.SimpleStatementLine)), None)
        value = _value(statement) if statement is not None else None
        held = binding(tree, value) if value is not None else None
        if value is None or held is None or held.name != name:
            return None
        if not any(value is source for source in sources) and not _is_answer(tree, value):
            return None
        found.append(held)
    return found


def _value(statement: cst.SimpleStatementLine) -> cst.BaseExpression | None:
    only = statement.body[0]
    return only.value if isinstance(only, (cst.Assign, cst.AnnAssign)) else None


def _is_answer(tree: Tree, value: cst.BaseExpression) -> bool:
    call = value.expression if isinstance(value, cst.Await) else value
    if not isinstance(call, cst.Call) or not isinstance(call.func, cst.Attribute):
        return False
    if call.func.attr.value == _FINAL:
        return True
    request = request_at(tree, tree.span(call))
    return request is not None and request.form == "whole" and ".messages." in tree.code(call.func)


def _is_target(tree: Tree, node: cst.Name) -> bool:
    """Whether a name is given a value here."""
    below: cst.CSTNode = node
    for above in tree.around(node):
        if isinstance(above, (cst.AssignTarget, cst.AsName, cst.Param)):
            return not isinstance(below, (cst.Attribute, cst.Subscript))
        if isinstance(above, (cst.AnnAssign, cst.AugAssign, cst.NamedExpr, cst.For, cst.CompFor)):
            return below is above.target
        if not isinstance(above, (cst.Tuple, cst.List, cst.Element, cst.StarredElement)):
            return isinstance(above, (cst.MatchAs, cst.MatchStar, cst.Del, cst.NameItem))
        below = above
    return False


def attributes_of(tree: Tree, node: cst.CSTNode, name: str) -> Iterator[cst.Attribute]:
    """`name.<anything>` within a node."""
    for one in tree.inside(node, cst.Attribute):
        if isinstance(one.value, cst.Name) and one.value.value == name:
            yield one


def free_name(tree: Tree) -> str | None:
    """A name for a message that the text does not use yet."""
    return next((name for name in _NAMES if not re.search(rf"\b{name}\b", tree.text)), None)
