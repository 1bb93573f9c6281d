"""Helpers of the lowering tests."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, TypeVar

from stoplint.check import ir
from stoplint.check.lower import lower_module

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")


def lower(text: str, name: str = "pkg.mod", *, is_package: bool = False) -> ir.Module:
    return lower_module(text, name=name, path="mod.py", is_package=is_package)


def bare(node: T) -> T:
    """The same node without positions, all the way down."""
    if isinstance(node, tuple):
        return tuple(bare(each) for each in node)
    if not dataclasses.is_dataclass(node) or isinstance(node, type):
        return node
    values = {field.name: bare(getattr(node, field.name)) for field in dataclasses.fields(node) if field.name != "at"}
    return type(node)(**values)


def body(text: str, name: str = "pkg.mod", *, is_package: bool = False) -> tuple[ir.Stmt, ...]:
    return bare(lower(text, name, is_package=is_package).body)


def stmt(text: str) -> ir.Stmt:
    found = body(text)
    assert len(found) == 1, found
    return found[0]


def expr(text: str) -> ir.Expr:
    found = stmt(text)
    assert isinstance(found, ir.Do), found
    return found.value


def nodes(node: object) -> Iterator[object]:
    """Every IR node below (and with) `node`."""
    if isinstance(node, tuple):
        for each in node:
            yield from nodes(each)
    elif dataclasses.is_dataclass(node) and not isinstance(node, type):
        yield node
        for field in dataclasses.fields(node):
            yield from nodes(getattr(node, field.name))


def snippet(module: ir.Module, at: int) -> str:
    """The text that a position covers."""
    line, column, end_line, end_column = module.spans[at]
    lines = module.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[line - 1 : end_line]
    lines[-1] = lines[-1][: end_column - 1]
    lines[0] = lines[0][column - 1 :]
    return "\n".join(lines)
