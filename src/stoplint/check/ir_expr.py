"""The expressions of the flow IR (see `ir`, which hands all of them on)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stoplint.check.ir import Expr, Function


@dataclass(frozen=True, slots=True)
class Name:
    id: str
    at: int = 0


@dataclass(frozen=True, slots=True)
class Attr:
    obj: Expr
    name: str
    at: int = 0


@dataclass(frozen=True, slots=True)
class Arg:
    """One argument: `keyword` names it; `star` is "", "*" or "**"."""

    value: Expr
    keyword: str | None = None
    star: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    func: Expr
    args: tuple[Arg, ...]
    at: int = 0


@dataclass(frozen=True, slots=True)
class Index:
    """`obj[key]`; a slice as key is a `Slice`, several keys are a `Seq` of kind "tuple"."""

    obj: Expr
    key: Expr
    at: int = 0


@dataclass(frozen=True, slots=True)
class Slice:
    lower: Expr | None
    upper: Expr | None
    step: Expr | None = None


@dataclass(frozen=True, slots=True)
class Const:
    """A literal: str, bytes, int, float, bool, None or `...`; joined string literals are one."""

    value: str | bytes | int | float | bool | ellipsis | None  # noqa: F821 - typeshed's name
    at: int = 0


@dataclass(frozen=True, slots=True)
class Seq:
    """A display: `kind` is "list", "tuple" or "set"; items may be `Star`."""

    kind: str
    items: tuple[Expr, ...]
    at: int = 0


@dataclass(frozen=True, slots=True)
class Dict:
    """A dict display; a key of None is a `**` splat of the value."""

    items: tuple[tuple[Expr | None, Expr], ...]
    at: int = 0


@dataclass(frozen=True, slots=True)
class Star:
    """`*value` in a display, a call target list or an assignment target."""

    value: Expr


@dataclass(frozen=True, slots=True)
class Await:
    value: Expr
    at: int = 0


@dataclass(frozen=True, slots=True)
class Compare:
    """A chain: `left op0 c0 op1 c1 ...`; op is "==", "!=", "<", "<=", ">", ">=", "in", "not in", "is", "is not"."""

    left: Expr
    ops: tuple[tuple[str, Expr], ...]
    at: int = 0


@dataclass(frozen=True, slots=True)
class BoolOp:
    """`and` / `or`, two operands (longer chains nest to the left)."""

    op: str
    left: Expr
    right: Expr
    at: int = 0


@dataclass(frozen=True, slots=True)
class Not:
    value: Expr
    at: int = 0


@dataclass(frozen=True, slots=True)
class BinOp:
    """`left op right` for one operator symbol; a long left-leaning chain keeps its order in `parts`."""

    op: str
    parts: tuple[Expr, ...]
    at: int = 0


@dataclass(frozen=True, slots=True)
class Cond:
    """`body if test else orelse`."""

    test: Expr
    body: Expr
    orelse: Expr
    at: int = 0


@dataclass(frozen=True, slots=True)
class Loop:
    """One `for target in iter if ...` of a comprehension."""

    target: Expr
    iter: Expr
    ifs: tuple[Expr, ...]
    is_async: bool = False


@dataclass(frozen=True, slots=True)
class Comp:
    """A comprehension: `kind` is "list", "set", "dict" or "generator"; dicts have two `parts` (key, value)."""

    kind: str
    parts: tuple[Expr, ...]
    loops: tuple[Loop, ...]
    at: int = 0


@dataclass(frozen=True, slots=True)
class Format:
    """An f-string (or t-string): the literal text pieces and the expressions in it, in order."""

    parts: tuple[Expr, ...]
    at: int = 0


@dataclass(frozen=True, slots=True)
class Lambda:
    func: Function
    at: int = 0


@dataclass(frozen=True, slots=True)
class Bind:
    """`target := value`."""

    target: Expr
    value: Expr
    at: int = 0


@dataclass(frozen=True, slots=True)
class Yield:
    """`yield value` or, with `is_from`, `yield from value`."""

    value: Expr | None
    is_from: bool = False
    at: int = 0


@dataclass(frozen=True, slots=True)
class Opaque:
    """Anything else; `parts` are the expressions inside it, in order of evaluation."""

    parts: tuple[Expr, ...]
    at: int = 0
