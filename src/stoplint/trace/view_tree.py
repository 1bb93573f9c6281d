"""Draws the turns of a chain as a tree: what goes on stays in its column, retries and forks branch off to the right.

Only the layout is decided here; each view turns the rows into text or markup.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stoplint.trace.records import TurnRecord

DEEPEST: Final = 8
"""Branches of branches beyond this stay in one column: the page is not endless."""


@dataclass(frozen=True, slots=True)
class TreeRow:
    """One turn.  `depth` is its column; `open` holds the columns left of it that go on further down; `branches` says
    that the row hangs on a line from the left, `goes_on` that its own column continues below.
    """

    turn: TurnRecord
    depth: int
    open: frozenset[int]
    branches: bool
    goes_on: bool


def lay_out(turns: Sequence[TurnRecord]) -> list[TreeRow]:
    """The rows of a chain, top to bottom, from its turns in the order of their start.

    Of the turns that continue one turn, the last stays in its column and the earlier ones branch off.
    """
    known = {turn.turn_id: turn for turn in turns}
    by_digest: dict[str, str] = {}
    children: dict[str, list[TurnRecord]] = {}
    roots: list[TurnRecord] = []
    for turn in turns:
        parent = turn.parent_turn_id
        if parent is None and turn.parent_digest is not None:
            parent = by_digest.get(turn.parent_digest)  # the turn before was another process's
        if parent is not None and parent in known and parent != turn.turn_id:
            children.setdefault(parent, []).append(turn)
        else:
            roots.append(turn)
        if turn.digest is not None:
            by_digest[turn.digest] = turn.turn_id
    rows: list[TreeRow] = []
    # (turn, column, columns still open to the left, hangs on a line)
    waiting = [(turn, 0, frozenset[int](), False) for turn in reversed(roots)]
    placed: set[str] = set()
    while waiting:
        turn, depth, left, branches = waiting.pop()
        if turn.turn_id in placed:
            continue
        placed.add(turn.turn_id)
        below = children.get(turn.turn_id, [])
        rows.append(TreeRow(turn, depth, left, branches, bool(below)))
        if below:
            waiting.append((below[-1], depth, left, False))
        beside = min(depth + 1, DEEPEST)
        waiting.extend((child, beside, left | {depth}, True) for child in reversed(below[:-1]))
    return rows + [TreeRow(turn, 0, frozenset(), False, False) for turn in _left_out(turns, placed)]


def _left_out(turns: Iterable[TurnRecord], placed: set[str]) -> list[TurnRecord]:
    """Turns that continue each other in a circle: no true record says so, but every turn is shown."""
    return [turn for turn in turns if turn.turn_id not in placed]
