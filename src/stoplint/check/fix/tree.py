"""A file's lossless tree with what fixes ask of it: the node of a place, what is around it, and edits by span.

One run of code generation notes where every node stands and which one it stands in; a metadata provider would take
several times as long.
"""

from __future__ import annotations

import contextlib
from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import libcst as cst
from libcst._nodes.internal import CodegenState

from stoplint.check.positions import NEWLINE
from stoplint.findings import Edit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

N = TypeVar("N", bound=cst.CSTNode)

Function: TypeAlias = "cst.FunctionDef | cst.Lambda"
Statement: TypeAlias = "cst.SimpleStatementLine | cst.BaseCompoundStatement"


class _Recorder(CodegenState):
    """Notes for every node its parent and, in tokens, where it begins and ends without the space around it."""

    def __init__(self, module: cst.Module) -> None:
        super().__init__(default_indent=module.default_indent, default_newline=module.default_newline)
        self.around: list[cst.CSTNode] = []
        self.parents: dict[int, cst.CSTNode] = {}
        self.children: dict[int, list[cst.CSTNode]] = {}
        self.nodes: dict[int, cst.CSTNode] = {}
        self.spans: dict[int, tuple[int, int]] = {}

    def before_codegen(self, node: cst.CSTNode) -> None:
        self.nodes[id(node)] = node
        if self.around:
            above = self.around[-1]
            self.parents[id(node)] = above
            self.children.setdefault(id(above), []).append(node)
        self.around.append(node)

    def after_codegen(self, node: cst.CSTNode) -> None:  # noqa: ARG002 - libcst's signature
        self.around.pop()

    @contextlib.contextmanager
    def record_syntactic_position(
        self, node: cst.CSTNode, *, start_node: cst.CSTNode | None = None, end_node: cst.CSTNode | None = None
    ) -> Iterator[None]:
        del start_node
        begin = len(self.tokens)
        yield
        # A block's last line end belongs to the block; the statement ends where its last part does.
        end = self.spans[id(end_node)][1] if end_node is not None and id(end_node) in self.spans else len(self.tokens)
        self.spans[id(node)] = (begin, end)


@dataclass(slots=True)
class Tree:
    """A parsed text.  All lines and columns count in that text, from 1, columns in characters."""

    text: str
    module: cst.Module
    _parents: dict[int, cst.CSTNode]
    _children: dict[int, list[cst.CSTNode]]
    _nodes: dict[int, cst.CSTNode]
    _spans: dict[int, tuple[int, int]]
    _lines: list[int]
    _by_span: dict[tuple[int, int], list[cst.CSTNode]] = field(default_factory=dict)

    @staticmethod
    def of(text: str) -> Tree:
        """Parse `text`.  Raises ValueError, saying why, where the tree does not give the text back unchanged."""
        try:
            module = cst.parse_module(text)
            recorder = _Recorder(module)
            module._codegen(recorder)  # noqa: SLF001 - as PositionProvider does; there is no public way
        except (cst.ParserSyntaxError, RecursionError) as error:
            raise ValueError("it cannot be parsed") from error
        if "".join(recorder.tokens) != text:
            raise ValueError("its tree does not give the text back unchanged")
        offsets = [0, *accumulate(map(len, recorder.tokens))]
        spans = {key: (offsets[begin], offsets[end]) for key, (begin, end) in recorder.spans.items()}
        lines = [0, *(found.end() for found in NEWLINE.finditer(text))]
        tree = Tree(text, module, recorder.parents, recorder.children, recorder.nodes, spans, lines)
        for key, span in spans.items():
            tree._by_span.setdefault(span, []).append(recorder.nodes[key])
        return tree

    # ---- from places to nodes and back
    def offset(self, line: int, column: int) -> int:
        return self._lines[min(line, len(self._lines)) - 1] + column - 1

    def position(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1

    def at(self, begin: int, end: int) -> list[cst.CSTNode]:
        """The nodes of exactly that range, inner ones first."""
        return self._by_span.get((begin, end), [])

    def beginning(self, begin: int, kind: type[N]) -> N | None:
        """The node of a kind that begins there."""
        for (start, _), nodes in self._by_span.items():
            for node in nodes if start == begin else ():
                if isinstance(node, kind):
                    return node
        return None

    def span(self, node: cst.CSTNode) -> tuple[int, int]:
        """Where a node begins and ends, without parentheses around it."""
        return self._spans[id(node)]

    def whole(self, node: cst.BaseExpression) -> tuple[int, int]:
        """As `span`, with the parentheses around an expression."""
        begin, end = self.span(node)
        for _ in node.lpar:
            begin, end = self.text.rindex("(", 0, begin), self.text.index(")", end) + 1
        return begin, end

    def code(self, node: cst.CSTNode) -> str:
        begin, end = self.span(node)
        return self.text[begin:end]

    # ---- what is around a node
    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        return self._parents.get(id(node))

    def around(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """What a node stands in, innermost first."""
        above = self.parent(node)
        while above is not None:
            yield above
            above = self.parent(above)

    def function(self, node: cst.CSTNode) -> cst.FunctionDef | cst.Lambda | cst.Module:
        """The scope that a node's names belong to, classes left out."""
        for above in self.around(node):
            if isinstance(above, (cst.FunctionDef, cst.Lambda)):
                return above
        return self.module

    def inside(self, node: cst.CSTNode, kind: type[N]) -> Iterator[N]:
        """The nodes of a kind in `node`, in the order of the text; nested functions are left out."""
        todo = [node]
        while todo:
            here = todo.pop()
            if here is not node and isinstance(here, (cst.FunctionDef, cst.Lambda, cst.ClassDef)):
                continue
            if isinstance(here, kind):
                yield here
            todo += reversed(self._children.get(id(here), ()))

    def statement(self, node: cst.CSTNode) -> Statement | None:
        """The statement whose own line or header a node stands in; None where another line cannot go in front of it."""
        below = node
        for above in (node, *self.around(node)):
            if isinstance(above, cst.SimpleStatementLine):
                return above if len(above.body) == 1 else None
            if isinstance(above, (cst.Lambda, cst.SimpleStatementSuite, cst.While)):
                return None
            if isinstance(above, (cst.For, cst.With)):
                return above if below is not above.body else None
            if isinstance(above, (cst.If, cst.Match)):
                under = self.parent(above)
                return above if not isinstance(under, cst.If) else None
            if isinstance(above, (cst.FunctionDef, cst.ClassDef, cst.Module)):
                return None
            below = above
        return None

    # ---- edits
    def edit(self, begin: int, end: int, content: str) -> Edit:
        return Edit(*self.position(begin), *self.position(end), content)

    def replaced(self, node: cst.CSTNode, content: str) -> Edit:
        return self.edit(*self.span(node), content)

    def indent(self, node: cst.CSTNode) -> str:
        """The space in front of a statement's first line."""
        begin = self.span(node)[0]
        start = self._lines[bisect_right(self._lines, begin) - 1]
        return self.text[start:begin]

    def before(self, statement: Statement, lines: Sequence[str]) -> Edit:
        """Lines in front of a statement and the comments right above it; each is indented as the statement is."""
        indent = self.indent(statement)
        line = bisect_right(self._lines, self.span(statement)[0]) - 1
        while line and self._is_comment(line - 1, indent):
            line -= 1
        return self.edit(self._lines[line], self._lines[line], "".join(f"{indent}{one}\n" for one in lines))

    def right_before(self, statement: Statement, lines: Sequence[str]) -> Edit:
        """Lines between a statement and the comments right above it, which are about them as well."""
        begin = self.span(statement)[0]
        return self.edit(begin, begin, "".join(f"{line}\n{self.indent(statement)}" for line in lines))

    def first(self, block: cst.IndentedBlock, lines: Sequence[str]) -> Edit:
        """Lines in front of all others of a block."""
        indent, begin = self.indent(block.body[0]), self.span(block)[0]
        return self.edit(begin, begin, "".join(f"{indent}{one}\n" for one in lines))

    def after(self, statement: cst.BaseStatement, lines: Sequence[str], indent: str | None = None) -> Edit:
        """Lines behind a statement and the comment that ends its last line."""
        lead = self.indent(statement) if indent is None else indent
        end = self.span(statement)[1]
        found = NEWLINE.search(self.text, end)
        end = found.start() if found else len(self.text)
        return self.edit(end, end, "".join(f"\n{lead}{line}" for line in lines))

    @property
    def step(self) -> str:
        """One level of indentation."""
        return self.module.default_indent

    def _is_comment(self, line: int, indent: str) -> bool:
        text = self.text[self._lines[line] : self._lines[line + 1]]
        return text.startswith(f"{indent}#")
