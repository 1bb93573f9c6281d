"""What a fix is made from: the finding, the tree of its file, and the nodes that its places name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from stoplint.check.fix import answers

if TYPE_CHECKING:
    import libcst as cst

    from stoplint.check.fix.answers import Call, Scope
    from stoplint.check.fix.tree import Tree
    from stoplint.findings import Finding

Range: TypeAlias = "tuple[int, int]"

_RUNS_TOOLS = re.compile(r"""["']tool_use["']|\.input\b|\[["']input["']\]|ToolUseBlock""")


@dataclass(frozen=True)
class Spot:
    """`place` and `origin` are the ranges of the finding and of its request in the tree's text."""

    tree: Tree
    finding: Finding
    place: Range
    origin: Range | None

    @cached_property
    def node(self) -> cst.CSTNode | None:
        """The innermost node of the finding's range."""
        return next(iter(self.tree.at(*self.place)), None)

    @cached_property
    def scope(self) -> Scope | None:
        """The function that the finding lies in."""
        return self.tree.function(self.node) if self.node is not None else None

    @cached_property
    def call(self) -> Call | None:
        """The request, if it is a plain call in the same file."""
        return answers.request_at(self.tree, self.origin) if self.origin is not None else None

    def expected(self) -> tuple[str, ...]:
        """The reasons that the request is made to end with.

        Those of tools only where the file speaks of tool calls: else they are passed, but nothing runs them.
        """
        call = self.call
        found = ["end_turn"]
        if call is not None and call.may_have("stop_sequences") and "stop_sequences" in self.tree.text:
            found.append("stop_sequence")
        if call is not None and call.may_have("tools") and _RUNS_TOOLS.search(self.tree.text):
            found.append("tool_use")
        return tuple(found)
