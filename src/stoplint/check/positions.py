"""Exact source positions of chosen nodes, without a metadata provider.

libcst's `PositionProvider` stores a range for every node, whitespace included, and costs more than two parses.  Here
the same code generation runs with a state that takes note of the wanted nodes alone, by token count; token counts
become lines and columns once, at the end.  `CodegenState` is private to libcst, but it is the class that
`PositionProvider` itself extends; the tests hold the two to the same answers.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from libcst._nodes.internal import CodegenState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    import libcst as cst

    from stoplint.check.ir import Span

_LOST: Final = frozenset(" \t\f\r\n\\")
"""Characters that libcst may leave out."""

NEWLINE: Final = re.compile(r"\r\n?|\n")
"""What ends a line for libcst and for Python itself; `str.splitlines` knows more ends than they do."""


class _Ignore:
    """The context manager for the nodes nobody asked about."""

    __slots__ = ()

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class _Note:
    """Takes down where the wanted node that was entered last ends.

    It shares the recorder's lists instead of knowing the recorder: a cycle would keep them alive where garbage is not
    collected.
    """

    __slots__ = ("_ends", "_entered", "_tokens")

    def __init__(self, entered: list[int], ends: dict[int, int], tokens: list[str]) -> None:
        self._entered = entered
        self._ends = ends
        self._tokens = tokens

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ends[self._entered.pop()] = len(self._tokens)


_IGNORE: Final = _Ignore()


class _Recorder(CodegenState):
    """A code generation state that remembers where the wanted nodes begin and end, counted in tokens."""

    def __init__(self, module: cst.Module, wanted: set[int]) -> None:
        super().__init__(default_indent=module.default_indent, default_newline=module.default_newline)
        self.wanted = wanted
        self.starts: dict[int, int] = {}
        self.ends: dict[int, int] = {}
        self.headers: dict[int, int] = {}
        self.entered: list[int] = []
        self._note = _Note(self.entered, self.ends, self.tokens)

    def record_syntactic_position(  # type: ignore[override]  # any context manager will do, and these two are cheaper
        self,
        node: cst.CSTNode,
        *,
        start_node: cst.CSTNode | None = None,
        end_node: cst.CSTNode | None = None,
    ) -> _Note | _Ignore:
        del start_node, end_node  # they matter for the ends of blocks, which nobody asks for
        key = id(node)
        if key not in self.wanted:
            return _IGNORE
        self.starts[key] = len(self.tokens)
        self.entered.append(key)
        return self._note

    def increase_indent(self, value: str) -> None:
        # The first block within a compound statement is its own, and the last token before it ends the header's line.
        if self.entered:
            self.headers.setdefault(self.entered[-1], len(self.tokens) - 1)
        super().increase_indent(value)


@dataclass(frozen=True, slots=True)
class Positions:
    """What one run of code generation found: `spans` as `Module.spans`, `ranges` as `Module.statements`."""

    spans: tuple[Span, ...]
    ranges: tuple[tuple[int, int], ...]


@dataclass(slots=True)
class Spots:
    """The positions that lowering asks for; `at` numbers them from 1 (0 means "no position")."""

    pairs: list[tuple[int, int]] = field(default_factory=list)
    """First and last node by identity; instead of the last node, minus a length in characters."""
    known: dict[int, int] = field(default_factory=dict)
    ranges: list[tuple[int, int]] = field(default_factory=list)
    headers: list[int] = field(default_factory=list)

    def at(self, node: cst.CSTNode) -> int:
        """The number of `node`'s own range."""
        key = id(node)
        found = self.known.get(key)
        if found is None:
            self.pairs.append((key, key))
            found = self.known[key] = len(self.pairs)
        return found

    def between(self, first: cst.CSTNode, last: cst.CSTNode) -> int:
        """The number of the range from the beginning of `first` to the end of `last`."""
        self.pairs.append((id(first), id(last)))
        return len(self.pairs)

    def beginning(self, node: cst.CSTNode, length: int) -> int:
        """The number of the range of the first `length` characters of `node`."""
        self.pairs.append((id(node), -length))
        return len(self.pairs)

    def lines(self, first: cst.CSTNode, last: cst.CSTNode) -> None:
        """The lines from `first` to the end of `last` are one statement."""
        self.ranges.append((id(first), id(last)))

    def header(self, node: cst.CSTNode) -> None:
        """The lines of the compound statement `node` up to its colon are one header."""
        self.headers.append(id(node))


def locate(module: cst.Module, text: str, spots: Spots) -> Positions:
    """Find all `spots` of `module`, which was parsed from `text`.

    Raises RecursionError for a tree that is too deep.
    """
    wanted = {key for pair in (*spots.pairs, *spots.ranges) for key in pair}
    wanted.update(spots.headers)
    recorder = _Recorder(module, wanted)
    module._codegen(recorder)  # noqa: SLF001 - as PositionProvider does; there is no public way
    tokens, starts, ends = recorder.tokens, recorder.starts, recorder.ends
    begins, finishes = _offsets(tokens, text)
    line_starts = [0, *(found.end() for found in NEWLINE.finditer(text))]

    def place(offset: int) -> tuple[int, int]:
        line = bisect_right(line_starts, offset)
        return line, offset - line_starts[line - 1] + 1

    def span(first: int, last: int) -> Span:
        begin = begins[starts[first]]
        return (*place(begin), *place(begin - last if last < 0 else finishes[ends[last]]))

    spans = ((0, 0, 0, 0), *(span(*pair) for pair in spots.pairs))
    ranges = {(place(begins[starts[first]])[0], place(finishes[ends[last]])[0]) for first, last in spots.ranges}
    headers = recorder.headers
    ranges |= {(place(begins[starts[key]])[0], place(begins[headers[key]])[0]) for key in spots.headers}
    long = sorted((top, bottom) for top, bottom in ranges if top != bottom)
    return Positions(spans, tuple(long))


def _offsets(tokens: Sequence[str], text: str) -> tuple[list[int], list[int]]:
    """Where in `text` each token begins, and where the tokens before it end.

    Code generation usually gives the text back as it was.  Where it does not - libcst loses form feeds, lines that hold
    but a backslash, the space between an `except` clause and its colon - only space is missing, so that the tokens are
    found by stepping over it.
    """
    if "".join(tokens) == text:
        offsets = [0, *accumulate(map(len, tokens))]
        return offsets, offsets
    begins: list[int] = []
    ends = [0]
    here = 0
    for token in tokens:
        if token and not token.isspace():
            while not text.startswith(token, here) and text[here : here + 1] in _LOST:
                here += 1
            begins.extend([here] * (len(ends) - len(begins)))
            here += len(token)
        elif text.startswith(token, here):
            here += len(token)
        ends.append(here)
    begins.extend([here] * (len(ends) - len(begins)))
    return begins, ends
