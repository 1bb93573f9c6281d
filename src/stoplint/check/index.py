"""What a module defines, read off its statements once: functions, classes, imports, assigned names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stoplint.check import ir

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(slots=True)
class ModuleIndex:
    """Top-level names of a module, those under `if` and `try` included; the first definition of a name counts."""

    functions: dict[str, ir.Function] = field(default_factory=dict)
    classes: dict[str, ir.Class] = field(default_factory=dict)
    imports: dict[str, ir.Alias] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    assigned: set[str] = field(default_factory=set)


def index_module(module: ir.Module) -> ModuleIndex:
    index = ModuleIndex()
    for statement in top_level(module.body):
        if isinstance(statement, ir.Def):
            index.functions[statement.func.name] = statement.func
        elif isinstance(statement, ir.Class):
            index.classes[statement.name] = statement
        elif isinstance(statement, ir.Import):
            for alias in statement.names:
                if alias.name == "*":
                    index.stars.append(alias.module)
                else:
                    index.imports.setdefault(alias.local, alias)
        elif isinstance(statement, ir.Assign):
            index.assigned |= {target.id for target in statement.targets if isinstance(target, ir.Name)}
    return index


def top_level(body: Sequence[ir.Stmt]) -> Iterator[ir.Stmt]:
    """The statements that run when a module is imported, those in its `if`, `try` and `with` blocks included."""
    for statement in body:
        yield statement
        if isinstance(statement, ir.If):
            yield from top_level(statement.body)
            yield from top_level(statement.orelse)
        elif isinstance(statement, ir.Try):
            yield from top_level(statement.body)
            for handler in statement.handlers:
                yield from top_level(handler.body)
            yield from top_level(statement.orelse)
            yield from top_level(statement.final)
        elif isinstance(statement, (ir.With, ir.For, ir.While)):
            yield from top_level(statement.body)


def dotted_name(expr: ir.Expr) -> str | None:
    """`a.b.c` as text; None for anything else."""
    parts: list[str] = []
    while isinstance(expr, ir.Attr):
        parts.append(expr.name)
        expr = expr.obj
    if not isinstance(expr, ir.Name):
        return None
    parts.append(expr.id)
    return ".".join(reversed(parts))


def is_declared_only(func: ir.Function) -> bool:
    """A method that is there for heirs to define: a docstring, `...`, `pass`, `return None` or `raise
    NotImplementedError` is all of its body.
    """
    for statement in func.body:
        if isinstance(statement, ir.Do) and isinstance(statement.value, ir.Const):
            continue
        if isinstance(statement, ir.Return):
            return statement.value is None or (isinstance(statement.value, ir.Const) and statement.value.value is None)
        if isinstance(statement, ir.Raise) and statement.value is not None:
            raised = statement.value.func if isinstance(statement.value, ir.Call) else statement.value
            return isinstance(raised, ir.Name) and raised.id == "NotImplementedError"
        return False
    return True


def walk(node: object) -> Iterator[object]:
    """Every node of a tree, or of a tuple of trees, those of nested functions too, as they are written."""
    todo = [node]
    while todo:
        one = todo.pop()
        if isinstance(one, tuple):
            todo += reversed(one)
        elif slots := getattr(type(one), "__slots__", ()):
            yield one
            todo += [getattr(one, name) for name in reversed(slots) if name != "at"]


def flat(body: Sequence[ir.Stmt]) -> Iterator[ir.Stmt]:
    """The statements of a body and of the blocks in it, those of nested functions and classes left out."""
    for statement in body:
        yield statement
        for part in _blocks(statement):
            yield from flat(part)


def _blocks(statement: ir.Stmt) -> list[Sequence[ir.Stmt]]:
    if isinstance(statement, (ir.If, ir.For, ir.While)):
        return [statement.body, statement.orelse]
    if isinstance(statement, ir.With):
        return [statement.body]
    if isinstance(statement, ir.Try):
        handlers = [handler.body for handler in statement.handlers]
        return [statement.body, statement.orelse, statement.final, *handlers]
    return [case.body for case in statement.cases] if isinstance(statement, ir.Match) else []
