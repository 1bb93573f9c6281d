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

from libcst import Comment
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
    """Takes down the token counts at both ends of one node."""

    __slots__ = ("_end_key", "_key", "_recorder")

    def __init__(self, recorder: _Recorder, key: int, end_key: int | None) -> None:
        self._recorder = recorder
        self._key = key
        self._end_key = end_key

    def __enter__(self) -> None:
        recorder = self._recorder
        recorder.starts[self._key] = len(recorder.tokens)
        if self._end_key is not None:
            recorder.wanted.add(self._end_key)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        recorder = self._recorder
        inner = recorder.ends.get(self._end_key) if self._end_key is not None else None
        recorder.ends[self._key] = len(recorder.tokens) if inner is None else inner


_IGNORE: Final = _Ignore()


class _Recorder(CodegenState):
    """A code generation state that remembers where the wanted nodes begin and end, counted in tokens."""

    def __init__(self, module: cst.Module, wanted: set[int], *, comments: bool) -> None:
        super().__init__(default_indent=module.default_indent, default_newline=module.default_newline)
        self.wanted = wanted
        self.starts: dict[int, int] = {}
        self.ends: dict[int, int] = {}
        self.befores: dict[int, int] = {}
        self.comments: list[int] | None = [] if comments else None

    def before_codegen(self, node: cst.CSTNode) -> None:
        # Blocks and parentheses never reach `record_syntactic_position` at the place that matters here: where a
        # block's own text starts is where its header has ended.
        key = id(node)
        if key in self.wanted:
            self.befores[key] = len(self.tokens)
        elif self.comments is not None and type(node) is Comment:
            self.comments.append(len(self.tokens))

    def after_codegen(self, node: cst.CSTNode) -> None:
        key = id(node)
        if key in self.wanted and key not in self.ends:
            self.ends[key] = len(self.tokens)

    def record_syntactic_position(  # type: ignore[override]  # any context manager will do, and these two are cheaper
        self,
        node: cst.CSTNode,
        *,
        start_node: cst.CSTNode | None = None,
        end_node: cst.CSTNode | None = None,
    ) -> _Note | _Ignore:
        del start_node  # only blocks have one, and of a block only its beginning is ever asked for
        key = id(node)
        if key not in self.wanted:
            return _IGNORE
        return _Note(self, key, None if end_node is None else id(end_node))


@dataclass(frozen=True, slots=True)
class Positions:
    """What one run of code generation found: `spans` as `Module.spans`, `ranges` as `Module.statements`, and the
    `comments` (line, column, text) that mention the marker.
    """

    spans: tuple[Span, ...]
    ranges: tuple[tuple[int, int], ...]
    comments: tuple[tuple[int, int, str], ...]


@dataclass(slots=True)
class Spots:
    """The positions that lowering asks for; `at` numbers them from 1 (0 means "no position")."""

    pairs: list[tuple[int, int, bool]] = field(default_factory=list)
    known: dict[int, int] = field(default_factory=dict)
    ranges: list[tuple[int, int, bool]] = field(default_factory=list)

    def at(self, node: cst.CSTNode) -> int:
        """The number of `node`'s own range."""
        key = id(node)
        found = self.known.get(key)
        if found is None:
            self.pairs.append((key, key, False))
            found = self.known[key] = len(self.pairs)
        return found

    def between(self, first: cst.CSTNode, last: cst.CSTNode) -> int:
        """The number of the range from the beginning of `first` to the end of `last`."""
        self.pairs.append((id(first), id(last), False))
        return len(self.pairs)

    def before(self, first: cst.CSTNode, block: cst.CSTNode) -> int:
        """The number of the range from the beginning of `first` to where `block` starts."""
        self.pairs.append((id(first), id(block), True))
        return len(self.pairs)

    def lines(self, first: cst.CSTNode, last: cst.CSTNode) -> None:
        """The lines from `first` to the end of `last` are one statement."""
        self.ranges.append((id(first), id(last), False))

    def lines_before(self, first: cst.CSTNode, block: cst.CSTNode) -> None:
        """The lines from `first` up to where `block` starts are one header."""
        self.ranges.append((id(first), id(block), True))


def locate(module: cst.Module, text: str, spots: Spots, marker: str | None) -> Positions:
    """Find all `spots` of `module`, which was parsed from `text`, and its comments that mention `marker`.

    Raises RecursionError for a tree that is too deep.
    """
    wanted = {key for first, last, _ in (*spots.pairs, *spots.ranges) for key in (first, last)}
    recorder = _Recorder(module, wanted, comments=marker is not None)
    module._codegen(recorder)  # noqa: SLF001 - as PositionProvider does; there is no public way
    tokens = recorder.tokens
    begins, ends = _offsets(tokens, text)
    line_starts = [0, *(found.end() for found in NEWLINE.finditer(text))]

    def place(offset: int) -> tuple[int, int]:
        line = bisect_right(line_starts, offset)
        return line, offset - line_starts[line - 1] + 1

    def span(first: int, last: int, before: bool) -> Span:
        end = (recorder.befores if before else recorder.ends)[last]
        return (*place(begins[recorder.starts[first]]), *place(ends[end]))

    spans = ((0, 0, 0, 0), *(span(*pair) for pair in spots.pairs))
    ranges = {(top, bottom) for top, _, bottom, _ in (span(*each) for each in spots.ranges) if top != bottom}
    comments = tuple(
        (*place(begins[each]), tokens[each]) for each in recorder.comments or () if marker and marker in tokens[each]
    )
    return Positions(spans, tuple(sorted(ranges)), comments)


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
