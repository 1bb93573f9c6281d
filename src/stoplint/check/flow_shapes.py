"""Answers that nothing names: a parameter is one when what the function does with it fits a Message and nothing else.

The blocks of its `content` are told apart by words that only this API has, or read beside its token counts or its stop
reason.  Turns of a history have blocks too, and a role that is asked for; what MCP, OpenAI and others return has a
`content`, but not the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from stoplint import sdk
from stoplint.check import ir
from stoplint.check.flow_core import callee_name, path_of, set_path
from stoplint.check.index import walk
from stoplint.check.values import UNKNOWN, only

if TYPE_CHECKING:
    from stoplint.check.knowledge import State
    from stoplint.check.program import FunctionInfo
    from stoplint.check.run import Run
    from stoplint.check.values import Token, Value

OWN_TYPES = frozenset({"tool_use", "thinking", "redacted_thinking", "server_tool_use"})
"""Types by which blocks are known to be of this API."""

COUNTS = frozenset({"input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"})
ANSWERS = ("response", "resp", "completion", "answer", "result", "res", "reply", "output")
"""Words in the names of parameters that hold answers."""


class Taker(Protocol):
    """Makes a response of which nothing is known; `guessed`: that it is one is."""

    def __call__(self, run: Run, token: Token, state: State, *, guessed: bool) -> Value: ...


def recognise(run: Run, info: FunctionInfo, state: State, take: Taker) -> None:
    """Let parameters, and what is kept in them, be Messages where the function uses them as such."""
    if not info.module.speaks_of_anthropic:
        return
    imports = info.module.index.imports.items()
    classes = frozenset((name, alias.name) for name, alias in imports if alias.module.startswith("anthropic."))
    for path, sure in _messages(_Same(info.func), _Same(info.module.ir), classes):
        root = path.split(".")[0]
        atom = only(state.env.get(root, UNKNOWN), "symbol")
        if atom is None or run.obj(state, atom.ref) is not None:
            continue
        message = take(run, run.token(info.func.at, f"shape {path}"), state, guessed=not sure)
        if path == root:
            state.env[root] = message
        else:
            set_path(path, message, state)


@dataclass(slots=True)
class _Seen:
    """What a function does with something that has a content."""

    types: set[str] = field(default_factory=set)
    text: bool = False
    classed: bool = False
    """Blocks are told apart by the SDK's classes of those that only this API has."""
    counted: bool = False
    reasoned: bool = False
    is_turn: bool = False
    is_tested: bool = False
    """Its class is asked for: that says what it is."""

    def is_message(self, path: str) -> bool:
        # A turn has no stop reason; the role of an answer may be checked all the same.
        is_turn = self.is_turn and not self.reasoned
        if is_turn or self.is_tested or "tool_result" in self.types:
            return False
        if self.classed:
            return True
        named = any(word in path.rsplit(".", 1)[-1].lower() for word in ANSWERS)
        if self.types & OWN_TYPES and (named or self.counted or self.reasoned):
            return True
        return bool(self.types or self.text) and (self.counted or self.reasoned)


Node = TypeVar("Node", ir.Function, ir.Module)


class _Same(Generic[Node]):
    """A function or module by its identity: comparing whole ones costs more than looking through them."""

    __slots__ = ("node",)

    def __init__(self, node: Node) -> None:
        self.node: Node = node

    def __hash__(self) -> int:
        return id(self.node)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.node is self.node


@lru_cache(maxsize=4096)
def _messages(
    of: _Same[ir.Function], module: _Same[ir.Module], classes: frozenset[tuple[str, str | None]]
) -> tuple[tuple[str, bool], ...]:
    """The paths from parameters of a function to what it uses as a Message, and whether it is sure that it is one.
    `classes`: names in the module of what it imports from the SDK, and the names there.  Where another function of the
    module reads a stop reason, the two may share the work on one answer: then this one has to read it as well.
    """
    params = of.node.params
    names = {one.name for one in params if not one.kind.startswith("*") and one.name not in ("self", "cls")}
    nodes = list(walk(of.node.body))
    looking = _Looking(names, {name for name, known in classes if sdk.BLOCK_CLASSES.get(known or "") in OWN_TYPES})
    for node in nodes:
        looking.bind(node)
    for node in nodes:
        looking.look(node)
    found = sorted(path for path, seen in looking.seen.items() if seen.is_message(path))
    shared = bool(found) and _reads_reasons(module)
    return tuple((path, looking.seen[path].classed) for path in found if looking.seen[path].reasoned or not shared)


@lru_cache(maxsize=256)
def _reads_reasons(module: _Same[ir.Module]) -> bool:
    return any(
        node.name == "stop_reason"
        if isinstance(node, ir.Attr)
        else isinstance(node, ir.Const) and node.value == "stop_reason"
        for node in walk(module.node.body)
    )


class _Looking:
    """One look through the nodes of a function."""

    def __init__(self, names: set[str], classes: set[str]) -> None:
        self.names = names
        self.classes = classes
        self.contents: dict[str, str] = {}
        self.blocks: dict[str, str] = {}
        self.usages: dict[str, str] = {}
        self.seen: dict[str, _Seen] = {}

    # ---- what is what
    def owner(self, expr: ir.Expr, member: str) -> str | None:
        """The path of what `expr` reads `member` off: `x.member`, `x["member"]`, `x.get("member")`, `getattr(x, ...)`."""
        found = _member(expr)
        if found is None or found[1] != member:
            return None
        path = path_of(found[0])
        return path if path is not None and path.split(".")[0] in self.names and "[" not in path else None

    def content(self, expr: ir.Expr) -> str | None:
        """Whose content an expression is."""
        if isinstance(expr, ir.BoolOp):
            return self.content(expr.left)
        if isinstance(expr, ir.Name):
            return self.contents.get(expr.id)
        return self.owner(expr, "content")

    def block(self, expr: ir.Expr) -> str | None:
        """Whose block an expression is."""
        if isinstance(expr, ir.Name):
            return self.blocks.get(expr.id)
        if isinstance(expr, ir.Index) and isinstance(expr.key, ir.Const) and isinstance(expr.key.value, int):
            return self.content(expr.obj)
        return None

    def bind(self, node: object) -> None:
        if isinstance(node, ir.Assign) and node.value is not None:
            pairs = [(target, node.value) for target in node.targets]
        elif isinstance(node, ir.Bind):
            pairs = [(node.target, node.value)]
        elif isinstance(node, (ir.For, ir.Loop)):
            path = self.content(node.iter)
            if path is not None and isinstance(node.target, ir.Name):
                self.blocks[node.target.id] = path
            return
        else:
            return
        for target, val in pairs:
            if isinstance(target, ir.Name):
                for table, found in (
                    (self.contents, self.owner(val, "content")),
                    (self.blocks, self.block(val)),
                    (self.usages, self.owner(val, "usage")),
                ):
                    if found is not None:
                        table[target.id] = found

    # ---- what is done with it
    def of(self, path: str) -> _Seen:
        return self.seen.setdefault(path, _Seen())

    def look(self, node: object) -> None:
        if isinstance(node, ir.Compare):
            self.typed(node.left, [right for _, right in node.ops])
        elif isinstance(node, ir.Match):
            values = [one.value for one in walk(node.cases) if isinstance(one, ir.MatchValue)]
            self.typed(node.subject, values)
        elif isinstance(node, (ir.Attr, ir.Index, ir.Call)):
            self.read(node)
            if isinstance(node, ir.Call) and callee_name(node.func) == "isinstance" and node.args:
                self.classed(node.args[0].value, [arg.value for arg in node.args[1:]])

    def classed(self, subject: ir.Expr, classes: list[ir.Expr]) -> None:
        path = path_of(subject)
        if path is not None:
            self.of(path).is_tested = True
        owner = self.block(subject)
        names = {one.id for one in walk(tuple(classes)) if isinstance(one, ir.Name)}
        if owner is not None and names & self.classes:
            self.of(owner).classed = True

    def typed(self, left: ir.Expr, right: list[ir.Expr]) -> None:
        found = _member(left)
        path = self.block(found[0]) if found is not None and found[1] == "type" else None
        if path is not None:
            consts = (one.value for one in walk(tuple(right)) if isinstance(one, ir.Const))
            self.of(path).types |= {one for one in consts if isinstance(one, str)}

    def read(self, node: ir.Attr | ir.Index | ir.Call) -> None:
        found = _member(node)
        if found is None:
            return
        base, name = found
        if name == "text" and (path := self.block(base)) is not None:
            self.of(path).text = True
        if name in COUNTS:
            usage = self.usages.get(base.id) if isinstance(base, ir.Name) else self.owner(base, "usage")
            if usage is not None:
                self.of(usage).counted = True
        for member in ("stop_reason", "role"):
            path = self.owner(node, member) if name == member else None
            if path is not None:
                self.of(path).reasoned |= member == "stop_reason"
                self.of(path).is_turn |= member == "role"


def _member(expr: ir.Expr) -> tuple[ir.Expr, str] | None:
    """What is read off what: `x.name`, `x["name"]`, `x.get("name")`, `getattr(x, "name")`."""
    if isinstance(expr, ir.Attr):
        return expr.obj, expr.name
    key: ir.Expr | None = None
    base: ir.Expr | None = None
    if isinstance(expr, ir.Index):
        base, key = expr.obj, expr.key
    elif isinstance(expr, ir.Call) and isinstance(expr.func, ir.Attr) and expr.func.name == "get" and expr.args:
        base, key = expr.func.obj, expr.args[0].value
    elif isinstance(expr, ir.Call) and callee_name(expr.func) == "getattr" and len(expr.args) > 1:
        base, key = expr.args[0].value, expr.args[1].value
    return (base, key.value) if base is not None and isinstance(key, ir.Const) and isinstance(key.value, str) else None
