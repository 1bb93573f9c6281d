"""A rule's Markdown page as text for a terminal: wrapped, code indented, headings and code in colour."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from stoplint.report._terminal import highlight, paint, printable, wrap

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stoplint.report import Style

_HEADING = re.compile(r"(?P<level>#{1,6})\s+(?P<text>.+)")
_FENCE = re.compile(r"(?P<fence>`{3,}|~{3,})(?P<info>.*)")
_ITEM = re.compile(r"(?P<indent>\s*)(?P<mark>[-*+]|\d+[.)])\s+(?P<text>.*)")
_LINK = re.compile(r"\[(?P<text>[^\]]+)\]\((?P<url>[^)\s]+)\)")
_STRONG = re.compile(r"(?<![\w*])(\*\*|\*)(?P<text>\S(?:.*?\S)?)\1(?![\w*])")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_INDENT = "    "


def render_page(text: str, style: Style) -> Iterator[str]:
    """The lines of a page."""
    lines = _COMMENT.sub("", text).splitlines()
    number = 0
    blank = True
    while number < len(lines):
        block, number = _block(lines, number)
        rendered = list(_rendered(block, style))
        if rendered or not blank:
            yield from rendered or [""]
        blank = not rendered


def _block(lines: Sequence[str], start: int) -> tuple[list[str], int]:
    """The lines of the block that starts at an index, and where the next one does."""
    first = lines[start]
    if fence := _FENCE.match(first.strip()):
        end = start + 1
        while end < len(lines) and not lines[end].strip().startswith(fence["fence"]):
            end += 1
        return list(lines[start : end + 1]), end + 1
    if not first.strip() or _HEADING.match(first) or first.startswith("|"):
        return [first], start + 1
    end = start + 1
    while end < len(lines) and lines[end].strip() and not _starts_block(lines[end]):
        end += 1
    return list(lines[start:end]), end


def _starts_block(line: str) -> bool:
    return bool(_HEADING.match(line) or _FENCE.match(line.strip()) or _ITEM.match(line) or line.startswith("|"))


def _rendered(block: Sequence[str], style: Style) -> Iterator[str]:
    first = block[0]
    if _FENCE.match(first.strip()):
        for line in block[1:-1]:
            yield paint(
                f"{_INDENT}{printable(line)}".rstrip(), "dim" if line.lstrip().startswith("#") else "code", style
            )
    elif heading := _HEADING.match(first):
        yield paint(_inline(heading["text"]), "strong", style)
    elif first.startswith("|"):
        yield _inline(first)
    elif item := _ITEM.match(first):
        text = " ".join([item["text"], *(line.strip() for line in block[1:])])
        lead = f"{item['indent']}{item['mark']} "
        yield from _wrapped(text, style, lead)
    elif first.strip():
        yield from _wrapped(" ".join(line.strip() for line in block), style, "")


def _wrapped(text: str, style: Style, lead: str) -> Iterator[str]:
    for line in wrap(_inline(text), style, first=lead, indent=" " * len(lead)):
        yield highlight(line, style)


def _inline(text: str) -> str:
    """Links written out, emphasis dropped; code keeps its backticks, which say where it ends without colours."""
    parts = text.split("`")
    for number in range(0, len(parts), 2):
        linked = _LINK.sub(lambda link: f"{link['text']} ({link['url']})", parts[number])
        parts[number] = _STRONG.sub(lambda strong: strong["text"], linked)
    return "`".join(parts)
