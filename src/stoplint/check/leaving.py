"""Calls behind which nothing goes on: `sys.exit()`, and the program's own functions that end by raising, whatever they are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint.check import ir
from stoplint.check.index import dotted_name, flat, is_declared_only
from stoplint.check.values import only

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stoplint.check.program import FunctionInfo, Program

LEAVING = {
    **dict.fromkeys(("sys.exit", "exit", "quit", "os._exit", "os.abort", "posix._exit"), "SystemExit"),
    **dict.fromkeys(("pytest.fail", "pytest.skip", "pytest.xfail", "pytest.exit"), "SystemExit"),
    **dict.fromkeys(("typing.assert_never", "typing_extensions.assert_never"), "AssertionError"),
    **dict.fromkeys(("flask.abort", "werkzeug.exceptions.abort", "quart.abort", "bottle.abort"), "HTTPException"),
    **dict.fromkeys(("streamlit.stop", "streamlit.rerun"), "SystemExit"),
}
"""What leaves the function that calls it, and the exception by which it does; pytest's own are no Exceptions either."""

PARSERS = frozenset({"parser", "ap", "arg_parser", "argparser"})
ENDING = frozenset({"error", "exit"})
"""Methods of an argument parser that end the program."""

NEVER = frozenset({"NoReturn", "Never", "typing.NoReturn", "typing.Never", "t.NoReturn"})


def is_parsers(func: ir.Expr) -> bool:
    """`parser.error(...)`: by the usual names, since of an object out of view nothing else is known."""
    if not isinstance(func, ir.Attr) or func.name not in ENDING:
        return False
    return (dotted_name(func.obj) or "").removeprefix("self.") in PARSERS


def leaves(program: Program, info: FunctionInfo) -> str | None:
    """The name of the exception by which a function of the program always ends; None where it may come back."""
    func = info.func
    if func.is_generator or func.is_async or func.decorators or is_declared_only(func):
        return None  # the call of an async function only makes what may be awaited
    if info.cls is not None and program.overrides(info.cls, func.name):
        return None
    if func.returns is not None and dotted_name(func.returns) in NEVER:
        return "Exception"
    return None if any(isinstance(one, ir.Return) for one in flat(func.body)) else _ends(program, info, func.body)


def _ends(program: Program, info: FunctionInfo, body: Sequence[ir.Stmt]) -> str | None:
    """By what statements that return nothing end for certain."""
    for statement in body:
        kind = None
        if isinstance(statement, ir.Raise):
            raised = statement.value.func if isinstance(statement.value, ir.Call) else statement.value
            kind = (dotted_name(raised) if raised is not None else None) or "Exception"
        elif isinstance(statement, ir.Do) and isinstance(statement.value, ir.Call):
            kind = _called(program, info, statement.value.func)
        elif isinstance(statement, ir.If) and statement.orelse:
            kind = _ends(program, info, statement.body) and _ends(program, info, statement.orelse)
        if kind is not None:
            return kind.rpartition(".")[2]
    return None


def _called(program: Program, info: FunctionInfo, func: ir.Expr) -> str | None:
    dotted = dotted_name(func)
    if dotted is None:
        return None
    head, _, rest = dotted.partition(".")
    own = head in ("self", "cls") and info.cls is not None and "." not in rest
    found = program.class_member(info.cls, rest) if own and info.cls else program.lookup_global(info.module, head)
    if found is None:
        return "SystemExit" if is_parsers(func) and not dotted.startswith("self.") else LEAVING.get(dotted)
    atom = only(found)
    if atom is None:
        return None
    if atom.kind == "func" and (not rest or head in ("self", "cls")):
        return program.leaves(str(atom.ref))
    return LEAVING.get(f"{atom.ref}.{rest}" if rest else str(atom.ref)) if atom.kind == "external" else None
