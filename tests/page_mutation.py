"""Takes every look at `stop_reason` out of a program, so that a rule that needs one must speak up."""

# ruff: noqa: N802 - libcst names its hooks after node classes
from __future__ import annotations

import libcst as cst

NAME = "stop_reason"

# A value nothing is known of: it neither shows a reason nor cuts off a path, whatever it is compared with.
_UNKNOWN = cst.parse_expression("random.random()")
_IMPORT = cst.parse_statement("import random")


def without_looks(text: str) -> str:
    """The program with every read of a `stop_reason` replaced by an unknown value.

    Reads are attributes, `getattr`, subscripts, `.get`/`.pop`, and keywords of class patterns.  Names that hold a
    reason keep their name and hold the unknown value.  Returns `text` itself where nothing is read.
    """
    changed = cst.parse_module(text).visit(_Blind())
    if changed.code == text:
        return text
    return changed.with_changes(body=_with_import(list(changed.body))).code


def _with_import(body: list[cst.BaseStatement | cst.SimpleStatementLine]) -> list[cst.BaseStatement]:
    at = 0
    while at < len(body) and _stays_first(body[at]):
        at += 1
    return [*body[:at], _IMPORT, *body[at:]]


def _stays_first(statement: cst.BaseStatement | cst.SimpleStatementLine) -> bool:
    """Docstrings and `from __future__` come before any other import."""
    if not isinstance(statement, cst.SimpleStatementLine):
        return False
    first = statement.body[0]
    if isinstance(first, cst.ImportFrom):
        return isinstance(first.module, cst.Name) and first.module.value == "__future__"
    return isinstance(first, cst.Expr) and isinstance(first.value, cst.SimpleString)


class _Blind(cst.CSTTransformer):
    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.BaseExpression:
        return _UNKNOWN if updated_node.attr.value == NAME else updated_node

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.BaseExpression:
        return _UNKNOWN if any(_is_name(one.slice) for one in updated_node.slice) else updated_node

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        return _UNKNOWN if any(_is_text(arg.value) for arg in updated_node.args if not arg.keyword) else updated_node

    def leave_Assign(self, original_node: cst.Assign, updated_node: cst.Assign) -> cst.Assign:
        """An attribute that is written, `self.stop_reason = ...`, stays a target."""
        return updated_node.with_changes(targets=original_node.targets)

    def leave_AnnAssign(self, original_node: cst.AnnAssign, updated_node: cst.AnnAssign) -> cst.AnnAssign:
        return updated_node.with_changes(target=original_node.target)

    def leave_MatchCase(self, original_node: cst.MatchCase, updated_node: cst.MatchCase) -> cst.MatchCase:
        """`case Message(stop_reason="x"):` becomes `case Message() if random.random():`."""
        pattern = updated_node.pattern
        if not isinstance(pattern, cst.MatchClass):
            return updated_node
        kept = [one for one in pattern.kwds if one.key.value != NAME]
        if len(kept) == len(pattern.kwds):
            return updated_node
        if kept:
            kept[-1] = kept[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        return updated_node.with_changes(
            pattern=pattern.with_changes(kwds=kept),
            guard=_UNKNOWN,
            whitespace_before_if=cst.SimpleWhitespace(" "),
            whitespace_after_if=cst.SimpleWhitespace(" "),
        )


def _is_name(key: cst.BaseSlice) -> bool:
    return isinstance(key, cst.Index) and _is_text(key.value)


def _is_text(value: cst.BaseExpression) -> bool:
    return isinstance(value, cst.SimpleString) and value.evaluated_value == NAME
