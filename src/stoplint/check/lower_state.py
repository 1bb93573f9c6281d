"""What lowering carries along, and the operators' symbols."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import libcst as cst

from stoplint.check.positions import Spots

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(slots=True)
class Lowering:
    """The state of lowering one file.

    `scopes` are the names of the functions and classes around; `yields` tells whether the function at hand has a yield
    so far.  While an annotation written as a string is lowered, `pinned` is the position of that string: the parts of
    its text have none of their own.
    """

    name: str
    is_package: bool
    spots: Spots = field(default_factory=Spots)
    scopes: list[str] = field(default_factory=list)
    yields: bool = False
    pinned: int | None = None

    def at(self, node: cst.CSTNode) -> int:
        return self.spots.at(node) if self.pinned is None else self.pinned

    def between(self, first: cst.CSTNode, last: cst.CSTNode) -> int:
        return self.spots.between(first, last) if self.pinned is None else self.pinned

    def beginning(self, node: cst.CSTNode, length: int) -> int:
        return self.spots.beginning(node, length)

    def qualname(self, name: str) -> str:
        return ".".join((*self.scopes, name))


def optional(*names: str) -> tuple[type[cst.CSTNode], ...]:
    """The node classes of these names that the installed libcst has: newer syntax comes with newer releases."""
    found: Iterable[object] = (getattr(cst, name, None) for name in names)
    return tuple(each for each in found if isinstance(each, type) and issubclass(each, cst.CSTNode))


BINARY: Final[dict[type[cst.CSTNode], str]] = {
    cst.Add: "+",
    cst.Subtract: "-",
    cst.Multiply: "*",
    cst.Divide: "/",
    cst.FloorDivide: "//",
    cst.Modulo: "%",
    cst.Power: "**",
    cst.LeftShift: "<<",
    cst.RightShift: ">>",
    cst.BitOr: "|",
    cst.BitAnd: "&",
    cst.BitXor: "^",
    cst.MatrixMultiply: "@",
}

AUGMENTED: Final[dict[type[cst.CSTNode], str]] = {
    cst.AddAssign: "+",
    cst.SubtractAssign: "-",
    cst.MultiplyAssign: "*",
    cst.DivideAssign: "/",
    cst.FloorDivideAssign: "//",
    cst.ModuloAssign: "%",
    cst.PowerAssign: "**",
    cst.LeftShiftAssign: "<<",
    cst.RightShiftAssign: ">>",
    cst.BitOrAssign: "|",
    cst.BitAndAssign: "&",
    cst.BitXorAssign: "^",
    cst.MatrixMultiplyAssign: "@",
}

COMPARE: Final[dict[type[cst.CSTNode], str]] = {
    cst.Equal: "==",
    cst.NotEqual: "!=",
    cst.LessThan: "<",
    cst.LessThanEqual: "<=",
    cst.GreaterThan: ">",
    cst.GreaterThanEqual: ">=",
    cst.In: "in",
    cst.NotIn: "not in",
    cst.Is: "is",
    cst.IsNot: "is not",
}
