"""SL104, SL105, SL301: expressions that are written otherwise."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

import libcst as cst

from stoplint.findings import Fix
from stoplint.reasons import BIT, FOREIGN, VALUES

if TYPE_CHECKING:
    from stoplint.check.fix.spot import Spot
    from stoplint.check.fix.tree import Tree
    from stoplint.findings import Edit

_NEAR = 0.8
"""How much of two spellings must be the same: "max_token" and "max_tokens" have 0.95, "stop" and "stop_sequence" 0.47."""

_ITEMS = ("block", "part", "item")
_DELTA = "message_delta"


# ------------------------------------------------------------------ SL104: text by type


def positional(spot: Spot) -> Fix | None:
    """SL104: all text blocks joined in the place of the text of one block."""
    tree, block = spot.tree, spot.node
    if not isinstance(block, cst.Subscript):
        return None
    content = tree.text[slice(*tree.whole(block.value))]
    read = tree.parent(block)
    name = next((one for one in _ITEMS if not re.search(rf"\b{one}\b", content)), None)
    if (
        name is None
        or "\n" in content
        or not isinstance(read, (cst.Attribute, cst.Subscript))
        or read.value is not block
    ):
        return None
    by_key = isinstance(read, cst.Subscript)
    if tree.code(read)[len(tree.code(block)) :] not in (".text", '["text"]', "['text']") or _is_target(tree, read):
        return None
    quote = _quote(tree, read)
    if quote is None:
        return None
    text, kind = (f'{name}["text"]', f'{name}["type"]') if by_key else (f"{name}.text", f"{name}.type")
    joined = f'"".join({text} for {name} in {content} if {kind} == "text")'
    if quote == "'":
        if "'" in content or '"' in content:
            return None
        joined = joined.replace('"', "'")
    return Fix("unsafe", "Join the text blocks", (tree.replaced(read, joined),))


def _is_target(tree: Tree, node: cst.CSTNode) -> bool:
    return isinstance(tree.parent(node), (cst.AssignTarget, cst.AugAssign, cst.Del, cst.AnnAssign))


def _quote(tree: Tree, node: cst.CSTNode) -> str | None:
    """The quotes that a string may have at a place: within an f-string not those of the f-string."""
    around = [up for up in tree.around(node) if isinstance(up, cst.FormattedString)]
    if not around:
        return '"'
    if len(around) > 1:
        return None
    return "'" if around[0].end.startswith('"') else '"'


# ------------------------------------------------------------------ SL105: spelling


def misspelt(spot: Spot) -> Fix | None:
    """SL105: the value that was meant, where only its spelling is wrong."""
    tree = spot.tree
    if spot.node is None:
        return None
    strings = list(tree.inside(spot.node, cst.SimpleString))
    tables = (cst.Comparison, cst.Dict, cst.MatchOr)
    whole = next((up for up in (spot.node, *tree.around(spot.node)) if isinstance(up, tables)), spot.node)
    written = {one.evaluated_value for one in tree.inside(whole, cst.SimpleString)}
    edits: list[Edit] = []
    meant: list[str] = []
    for one in strings:
        text = one.evaluated_value
        value = _nearest(text) if isinstance(text, str) and text not in BIT else None
        if value is None or value in written or value in meant:
            continue
        begin, end = tree.span(one)
        skip = len(one.prefix) + len(one.quote)
        edits.append(tree.edit(begin + skip, end - len(one.quote), value))
        meant.append(value)
    if not edits:
        return None
    return Fix("safe", f"Write {' and '.join(f'`{one}`' for one in meant)}", tuple(edits))


def _nearest(text: str) -> str | None:
    """The one value that a text is another spelling of; a word of another API is none."""
    lowered = text.strip().lower().replace("-", "_").replace(" ", "_")
    if lowered in BIT:
        return lowered
    if lowered in FOREIGN:
        return None
    near = difflib.get_close_matches(lowered, VALUES, n=2, cutoff=_NEAR)
    return near[0] if len(near) == 1 else None


# ------------------------------------------------------------------ SL301: the delta


def too_early(spot: Spot) -> Fix | None:
    """SL301: the event's delta, where the code has made sure of a message_delta."""
    tree, read = spot.tree, spot.node
    if isinstance(read, cst.Call):
        return _getattr(spot, read)
    if not isinstance(read, (cst.Attribute, cst.Subscript)):
        return None
    rest = tree.text[tree.span(read.value)[1] : tree.span(read)[1]]
    event = tree.code(read.value)
    if rest not in (".stop_reason", '["stop_reason"]', "['stop_reason']"):
        return None
    if not isinstance(read.value, cst.Name):
        event, _, middle = event.rpartition(".") if isinstance(read.value, cst.Attribute) else (event, "", "")
        if middle != "message" or not event.isidentifier():
            return None
    if not _is_delta(tree, read, event):
        return None
    quote = rest[1] if rest.startswith("[") else ""
    delta = f"[{quote}delta{quote}]" if quote else ".delta"
    return _delta_fix(tree.edit(tree.span(read)[0], tree.span(read)[1], f"{event}{delta}{rest}"))


def _getattr(spot: Spot, call: cst.Call) -> Fix | None:
    tree = spot.tree
    if tree.code(call.func) != "getattr" or not call.args or not isinstance(call.args[0].value, cst.Name):
        return None
    event = call.args[0].value
    if not _is_delta(tree, call, event.value):
        return None
    return _delta_fix(tree.replaced(event, f"{event.value}.delta"))


def _delta_fix(edit: Edit) -> Fix:
    return Fix("safe", "Read the event's delta", (edit,))


def _is_delta(tree: Tree, node: cst.CSTNode, event: str) -> bool:
    """Whether a test around a node says that the event is a message_delta."""
    below = node
    for above in tree.around(node):
        if isinstance(above, (cst.FunctionDef, cst.Lambda)):
            return False
        if isinstance(above, cst.BooleanOperation) and isinstance(above.operator, cst.And) and below is above.right:
            if _says_delta(tree, above.left, event):
                return True
        elif isinstance(above, (cst.If, cst.IfExp)) and below is above.body and _says_delta(tree, above.test, event):
            return True
        elif isinstance(above, cst.MatchCase):
            match = tree.parent(above)
            if isinstance(match, cst.Match) and _is_type(tree.code(match.subject), event):
                return above.guard is None and tree.code(above.pattern).strip("\"'") == _DELTA
        below = above
    return False


def _says_delta(tree: Tree, test: cst.BaseExpression, event: str) -> bool:
    if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And):
        return _says_delta(tree, test.left, event) or _says_delta(tree, test.right, event)
    if not isinstance(test, cst.Comparison) or len(test.comparisons) != 1:
        return False
    right = test.comparisons[0]
    value = right.comparator
    return (
        isinstance(right.operator, cst.Equal)
        and _is_type(tree.code(test.left), event)
        and isinstance(value, cst.SimpleString)
        and value.evaluated_value == _DELTA
    )


def _is_type(code: str, event: str) -> bool:
    return code in (f"{event}.type", f'{event}["type"]', f"{event}['type']")
