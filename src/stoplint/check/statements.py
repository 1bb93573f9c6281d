"""Where statements and comments stand in a text, by its tokens alone: no parser, hence also for what does not parse."""

from __future__ import annotations

import re
import tokenize
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_COMPOUND = frozenset(
    {"if", "elif", "else", "for", "while", "with", "try", "except", "finally", "def", "class", "async", "match", "case"}
)
_NO_CODE = frozenset({tokenize.INDENT, tokenize.DEDENT, tokenize.NL, tokenize.ENDMARKER})
# What stands in a line of a text that cannot be tokenized: strings are stepped over, so that their "#" is no comment.
_STRING_OR_COMMENT = re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|(?P<comment>#.*)")


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment: line and column from 1, the text with its "#"; `alone`: nothing else stands in the line."""

    line: int
    column: int
    text: str
    alone: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """A simple statement or the header of a compound one: from (line, column) to (line, column), columns from 1, the end
    exclusive.
    """

    start: tuple[int, int]
    end: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Layout:
    """`logical` are the line ranges of logical lines, decorators together with what they decorate; `pieces` split them
    at semicolons and after the colon of a header.  All in order.
    """

    lines: tuple[str, ...]
    logical: tuple[tuple[int, int], ...]
    pieces: tuple[Piece, ...]
    comments: tuple[Comment, ...]

    def logical_of(self, line: int) -> tuple[int, int]:
        """The logical line that a line belongs to; the line itself where it belongs to none."""
        index = bisect_right(self.logical, line, key=lambda one: one[0]) - 1
        return self.logical[index] if index >= 0 and line <= self.logical[index][1] else (line, line)

    def piece_at(self, line: int, column: int) -> Piece:
        """The piece that a position lies in; its whole line where it lies in none."""
        index = bisect_right(self.pieces, (line, column), key=lambda one: one.start) - 1
        if index >= 0 and (line, column) < self.pieces[index].end:
            return self.pieces[index]
        width = len(self.lines[line - 1]) if 0 < line <= len(self.lines) else 0
        return Piece((line, 1), (line, width + 1))

    def code_of(self, piece: Piece) -> str:
        """The text of a piece without its comments."""
        first = bisect_left(self.comments, piece.start[0], key=lambda one: one.line)
        last = bisect_right(self.comments, piece.end[0], key=lambda one: one.line)
        comments = {one.line: one.column - 1 for one in self.comments[first:last]}
        parts: list[str] = []
        for number in range(piece.start[0], min(piece.end[0], len(self.lines)) + 1):
            text = self.lines[number - 1]
            start = piece.start[1] - 1 if number == piece.start[0] else 0
            end = piece.end[1] - 1 if number == piece.end[0] else len(text)
            parts.append(text[start : min(end, comments.get(number, end))])
        return "\n".join(parts)


def layout(lines: Sequence[str], ranges: Sequence[tuple[int, int]] = ()) -> Layout:
    """The layout of a text given by its lines.

    Where it does not tokenize, the rest is taken line by line, except for the line `ranges` of statements that the
    caller may know better.
    """
    reader = _Reader(tuple(lines))
    try:
        for token in tokenize.generate_tokens(_Lines(lines)):
            reader.take(token)
    except (tokenize.TokenError, SyntaxError, ValueError):
        reader.fall_back(ranges)
    return Layout(reader.lines, tuple(_with_decorators(reader)), tuple(reader.pieces), tuple(reader.comments))


class _Lines:
    """A `readline` over lines, which keeps their count whatever characters they hold."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = iter(lines)

    def __call__(self) -> str:
        line = next(self._lines, None)
        return "" if line is None else line + "\n"


@dataclass(slots=True)
class _Reader:
    lines: tuple[str, ...]
    logical: list[tuple[int, int]] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    first: tokenize.TokenInfo | None = None
    start: tuple[int, int] | None = None
    end: tuple[int, int] = (1, 1)
    depth: int = 0
    lambdas: int = 0
    in_header: bool = False

    def take(self, token: tokenize.TokenInfo) -> None:
        if token.type == tokenize.COMMENT:
            line, column = token.start
            alone = not self.lines[line - 1][:column].strip()
            self.comments.append(Comment(line, column + 1, token.string, alone))
        elif token.type == tokenize.NEWLINE:
            self._end_piece()
            if self.first is not None:
                self.logical.append((self.first.start[0], token.start[0]))
            self.first = None
        elif token.type not in _NO_CODE:
            self._code(token)

    def fall_back(self, ranges: Sequence[tuple[int, int]]) -> None:
        """Go on line by line after the last whole statement."""
        done = self.logical[-1][1] if self.logical else 0
        self.comments = [one for one in self.comments if one.line <= done]
        number = done + 1
        while number <= len(self.lines):
            last = next((end for start, end in ranges if start == number), number)
            for line in range(number, last + 1):
                self.comments += _comments(line, self.lines[line - 1])
            text = self.lines[number - 1].strip()
            if text and not text.startswith("#"):
                self.logical.append((number, last))
                self.pieces.append(Piece((number, 1), (last, len(self.lines[last - 1]) + 1)))
            number = last + 1

    def _code(self, token: tokenize.TokenInfo) -> None:
        if self.first is None:
            self.first = token
            self.depth = self.lambdas = 0
            self.in_header = token.string in _COMPOUND
        if self.depth == 0 and token.string == ";":
            self._end_piece()
            return
        if self.start is None:
            self.start = (token.start[0], token.start[1] + 1)
        self.end = (token.end[0], token.end[1] + 1)
        if token.type == tokenize.OP:
            self._operator(token.string)
        elif token.string == "lambda" and self.depth == 0:
            self.lambdas += 1

    def _operator(self, symbol: str) -> None:
        if symbol in "([{":
            self.depth += 1
        elif symbol in ")]}":
            self.depth -= 1
        elif symbol == ":" and self.depth == 0 and self.lambdas:
            self.lambdas -= 1
        elif symbol == ":" and self.depth == 0 and self.in_header:
            self.in_header = False
            self._end_piece()

    def _end_piece(self) -> None:
        if self.start is not None:
            self.pieces.append(Piece(self.start, self.end))
        self.start = None


def _with_decorators(reader: _Reader) -> Iterator[tuple[int, int]]:
    start: int | None = None
    for first, last in reader.logical:
        begin = first if start is None else start
        if reader.lines[first - 1].lstrip().startswith("@"):
            start = begin
            continue
        yield begin, last
        start = None
    if start is not None:
        yield start, reader.logical[-1][1]


def _comments(number: int, line: str) -> Iterator[Comment]:
    for match in _STRING_OR_COMMENT.finditer(line):
        if match["comment"]:
            alone = not line[: match.start()].strip()
            yield Comment(number, match.start() + 1, match["comment"], alone)
