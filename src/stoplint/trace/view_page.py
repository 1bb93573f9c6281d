"""Lines of a terminal page: clipping, aligning, and the pieces that several parts of the report share."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Final

from stoplint.report._terminal import paint, plural, printable, width, wrap
from stoplint.trace import view_words as words
from stoplint.trace.view import GOOD

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from stoplint.report import Style
    from stoplint.report._terminal import Role
    from stoplint.trace.records import CallSite

_WIDEST: Final = 100
_NARROWEST: Final = 40


class Page:
    """A page of a style's width, within bounds that can be read."""

    def __init__(self, style: Style) -> None:
        self.style = style
        self.width = max(_NARROWEST, min(style.width, _WIDEST))
        self.dots = "…" if style.unicode else "..."

    def paint(self, text: str, role: Role) -> str:
        return paint(text, role, self.style)

    def title(self, text: str) -> list[str]:
        """The head of a section, with the empty line before it."""
        return ["", self.paint(text, "strong")]

    def prose(self, text: str, room: int = 0) -> list[str]:
        """Text in lines that fit the page, or `room` columns."""
        return wrap(text, replace(self.style, width=room or self.width))

    def left_out(self, count: int, word: str) -> Iterator[str]:
        """The line that ends a section whose last `count` rows are not shown."""
        if count > 0:
            yield self.paint(f"  and {plural(count, f'more {word}')}: --output-format json lists all", "dim")

    def ends(self, left: str, right: str) -> str:
        """Text at both ends of a line."""
        return self.ends_with(left, self.paint(right, "dim"))

    def ends_with(self, left: str, right: str) -> str:
        """Text at both ends of a line, both painted already."""
        if not right:
            return left
        return left + " " * max(2, self.width - self.measure(left) - self.measure(right)) + right

    def site(self, site: CallSite | None, room: int) -> str:
        """`src/app.py:41  Agent.ask` within `room` columns; a long path loses its beginning."""
        if site is None:
            return "unknown place"
        where, function = printable(words.place(site)), printable(site.function)
        where = self.clip_left(where, max(room // 2, room - 2 - width(function)))
        return f"{where}  {self.clip(function, max(0, room - width(where) - 2))}".rstrip()

    def outcome(self, outcome: str, cells: int = 0) -> str:
        return self.paint(f"{printable(outcome):<{cells}}", "good" if outcome in GOOD else "warning")

    def codes(self, found: Mapping[str, int]) -> str:
        return self.paint(printable(words.codes(found)), "warning")

    def path(self, reasons: Iterable[str], room: int) -> str:
        """`tool_use x3 > max_tokens`: the stop reasons of a chain; what does not fit is left out of its middle."""
        runs = [(reason, len(list(same))) for reason, same in groupby(reasons)]
        steps = [printable(reason if count == 1 else f"{reason} x{count}") for reason, count in runs]
        text = " > ".join(steps)
        for kept in range(len(steps) - 2, 0, -1):
            if width(text) <= room:
                break
            text = " > ".join([steps[0], self.dots, *steps[-kept:]])
        return self.clip(text, room)

    def clip(self, text: str, room: int) -> str:
        """The text, cut at its end where it is too long."""
        if width(text) <= room:
            return text
        kept = ""
        for one in text:
            if width(kept + one) > room - width(self.dots):
                break
            kept += one
        return kept + self.dots

    def clip_left(self, text: str, room: int) -> str:
        """The text, cut at its beginning where it is too long."""
        if width(text) <= room:
            return text
        kept = ""
        for one in reversed(text):
            if width(one + kept) > room - width(self.dots):
                break
            kept = one + kept
        return self.dots + kept

    @staticmethod
    def pad(text: str, cells: int) -> str:
        """The text, filled up with spaces."""
        return text + " " * (cells - width(text))

    @staticmethod
    def measure(text: str) -> int:
        """The columns of a text that may be painted."""
        first, *painted = text.split("\x1b[")
        return width(first + "".join(part.partition("m")[2] for part in painted))
