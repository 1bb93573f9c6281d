"""The flow IR: what `lower` makes of source text and `flow` interprets.

Plain data, no behaviour, no libcst.  Every node that a finding may point at carries `at`: an index into
`Module.spans` (index 0 means "no position").  Expressions that the analysis has no use for become `Opaque`, which
keeps only their parts, so that nothing that is read inside them is lost.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from stoplint.check.ir_expr import (
    Arg,
    Attr,
    Await,
    Bind,
    BinOp,
    BoolOp,
    Call,
    Comp,
    Compare,
    Cond,
    Const,
    Dict,
    Format,
    Index,
    Lambda,
    Loop,
    Name,
    Not,
    Opaque,
    Seq,
    Slice,
    Star,
    Yield,
)

Span: TypeAlias = tuple[int, int, int, int]
"""Line, column, end line, end column: lines and columns from 1, columns in characters, the end exclusive."""

# ------------------------------------------------------------------ patterns of `match`


@dataclass(frozen=True, slots=True)
class MatchValue:
    value: Expr


@dataclass(frozen=True, slots=True)
class MatchOr:
    options: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class MatchClass:
    """`Cls(a, b, key=pattern)`."""

    cls: Expr
    positional: tuple[Pattern, ...]
    keywords: tuple[tuple[str, Pattern], ...]


@dataclass(frozen=True, slots=True)
class MatchMapping:
    items: tuple[tuple[Expr, Pattern], ...]
    rest: str | None = None


@dataclass(frozen=True, slots=True)
class MatchSequence:
    items: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class MatchStar:
    name: str | None


@dataclass(frozen=True, slots=True)
class MatchAs:
    """A capture or wildcard: pattern None and name None is `_`."""

    pattern: Pattern | None
    name: str | None


# ------------------------------------------------------------------ statements


@dataclass(frozen=True, slots=True)
class Assign:
    """Plain, annotated (`note`) assignment; several targets for `a = b = value`.  An annotation alone has value None."""

    targets: tuple[Expr, ...]
    value: Expr | None
    note: Expr | None = None
    at: int = 0


@dataclass(frozen=True, slots=True)
class AugAssign:
    """`target op= value`; op is the symbol without the "="."""

    target: Expr
    op: str
    value: Expr
    at: int = 0


@dataclass(frozen=True, slots=True)
class Do:
    """An expression as a statement."""

    value: Expr
    at: int = 0


@dataclass(frozen=True, slots=True)
class If:
    test: Expr
    body: tuple[Stmt, ...]
    orelse: tuple[Stmt, ...]
    at: int = 0


@dataclass(frozen=True, slots=True)
class While:
    test: Expr
    body: tuple[Stmt, ...]
    orelse: tuple[Stmt, ...]
    at: int = 0


@dataclass(frozen=True, slots=True)
class For:
    target: Expr
    iter: Expr
    body: tuple[Stmt, ...]
    orelse: tuple[Stmt, ...]
    is_async: bool = False
    at: int = 0


@dataclass(frozen=True, slots=True)
class Handler:
    """`except types as name:`; types None is a bare except; a tuple of types is a `Seq`."""

    types: Expr | None
    name: str | None
    body: tuple[Stmt, ...]
    at: int = 0


@dataclass(frozen=True, slots=True)
class Try:
    body: tuple[Stmt, ...]
    handlers: tuple[Handler, ...]
    orelse: tuple[Stmt, ...]
    final: tuple[Stmt, ...]
    at: int = 0


@dataclass(frozen=True, slots=True)
class WithItem:
    value: Expr
    target: Expr | None


@dataclass(frozen=True, slots=True)
class With:
    items: tuple[WithItem, ...]
    body: tuple[Stmt, ...]
    is_async: bool = False
    at: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    pattern: Pattern
    guard: Expr | None
    body: tuple[Stmt, ...]
    at: int = 0


@dataclass(frozen=True, slots=True)
class Match:
    subject: Expr
    cases: tuple[Case, ...]
    at: int = 0


@dataclass(frozen=True, slots=True)
class Return:
    value: Expr | None
    at: int = 0


@dataclass(frozen=True, slots=True)
class Raise:
    value: Expr | None
    cause: Expr | None = None
    at: int = 0


@dataclass(frozen=True, slots=True)
class Break:
    at: int = 0


@dataclass(frozen=True, slots=True)
class Continue:
    at: int = 0


@dataclass(frozen=True, slots=True)
class Assert:
    test: Expr
    message: Expr | None = None
    at: int = 0


@dataclass(frozen=True, slots=True)
class Delete:
    targets: tuple[Expr, ...]
    at: int = 0


@dataclass(frozen=True, slots=True)
class Scope:
    """`global` or `nonlocal`: names that are not local to the function."""

    kind: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter; `kind` is "positional" (positional-only), "normal", "*", "keyword" (keyword-only) or "**"."""

    name: str
    note: Expr | None = None
    default: Expr | None = None
    kind: str = "normal"


@dataclass(frozen=True, slots=True)
class Function:
    """A `def` or a lambda (named "<lambda>", its body one `Return`).  `qualname` is dotted from the module's top:
    "Agent.ask", "outer.inner" (no "<locals>").  `is_generator`: a yield stands in its own body.
    """

    name: str
    qualname: str
    params: tuple[Param, ...]
    body: tuple[Stmt, ...]
    decorators: tuple[Expr, ...] = ()
    returns: Expr | None = None
    is_async: bool = False
    is_generator: bool = False
    at: int = 0


@dataclass(frozen=True, slots=True)
class Def:
    func: Function
    at: int = 0


@dataclass(frozen=True, slots=True)
class Class:
    name: str
    qualname: str
    bases: tuple[Expr, ...]
    keywords: tuple[tuple[str, Expr], ...]
    body: tuple[Stmt, ...]
    decorators: tuple[Expr, ...] = ()
    at: int = 0


@dataclass(frozen=True, slots=True)
class Alias:
    """One imported name: `local` is bound to `module` (name None), to `module.name`, or, name "*", to all of it.
    Relative imports are resolved to absolute module names where the file's package is known; otherwise the module
    keeps its leading dots.
    """

    local: str
    module: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Import:
    names: tuple[Alias, ...]
    at: int = 0


Expr: TypeAlias = (
    Name | Attr | Call | Index | Slice | Const | Seq | Dict | Star | Await | Compare | BoolOp | Not | BinOp | Cond
    | Comp | Format | Lambda | Bind | Yield | Opaque
)  # fmt: skip
Pattern: TypeAlias = MatchValue | MatchOr | MatchClass | MatchMapping | MatchSequence | MatchStar | MatchAs
Stmt: TypeAlias = (
    Assign | AugAssign | Do | If | While | For | Try | With | Match | Return | Raise | Break | Continue | Assert
    | Delete | Scope | Def | Class | Import
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Module:
    """One file, lowered.

    `name` is the dotted module name; `path` the path as reported; `spans[at]` the position of a node, (0, 0, 0, 0) at
    index 0.  `cells[i]` is, in a notebook, the cell (from 1) of source line i + 1 together with the line where that cell
    starts minus one, else empty.  `statements` are the line ranges of the simple statements and headers that span more
    than one line (for suppressions).
    """

    name: str
    path: str
    is_package: bool
    body: tuple[Stmt, ...]
    spans: tuple[Span, ...]
    cells: tuple[tuple[int, int], ...] = ()
    statements: tuple[tuple[int, int], ...] = ()
    text: str = field(default="", repr=False)


__all__ = [
    "Alias",
    "Arg",
    "Assert",
    "Assign",
    "Attr",
    "AugAssign",
    "Await",
    "BinOp",
    "Bind",
    "BoolOp",
    "Break",
    "Call",
    "Case",
    "Class",
    "Comp",
    "Compare",
    "Cond",
    "Const",
    "Continue",
    "Def",
    "Delete",
    "Dict",
    "Do",
    "Expr",
    "For",
    "Format",
    "Function",
    "Handler",
    "If",
    "Import",
    "Index",
    "Lambda",
    "Loop",
    "Match",
    "MatchAs",
    "MatchClass",
    "MatchMapping",
    "MatchOr",
    "MatchSequence",
    "MatchStar",
    "MatchValue",
    "Module",
    "Name",
    "Not",
    "Opaque",
    "Param",
    "Pattern",
    "Raise",
    "Return",
    "Scope",
    "Seq",
    "Slice",
    "Span",
    "Star",
    "Stmt",
    "Try",
    "While",
    "With",
    "WithItem",
    "Yield",
]
