"""Reads suppression comments: `# stoplint: ignore[SL101] reason`, `# stoplint: ignore-file[SL101]`, `# noqa: SL101`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stoplint.check.statements import Comment, Layout

Form: TypeAlias = Literal["ignore", "ignore-file", "noqa", "unknown"]

# A reason may hold a "#" (an issue's number); it ends where another tool's comment begins.
_NEXT = r"(?=\s*#\s*(?:stoplint:|noqa\b|type:|ruff:|flake8:|pylint:|pyright:|mypy:|pragma:|fmt:|isort:|nosec\b)|$)"
_OWN = re.compile(r"#\s*stoplint:\s*(?P<verb>[\w-]*)[ \t]*(?P<list>\[(?P<codes>[^\]]*)\]?)?(?P<reason>.*?)" + _NEXT)
_NOQA = re.compile(
    r"#\s*noqa\s*:\s*(?P<codes>[A-Za-z]+\d+(?:\s*,\s*[A-Za-z]+\d+|[ \t]+[A-Za-z]+\d+)*)(?P<reason>.*?)" + _NEXT,
    re.IGNORECASE,
)
_CODE = re.compile(r"[\w-]+")
_OURS = re.compile(r"SL\d+", re.IGNORECASE)
_MENTION = re.compile(rb"stoplint\s*:|noqa\s*:[^\n]*\bSL\d", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Directive:
    """One suppression.  `column` and `end_column` (from 1, the end exclusive) delimit it in its line, `text` is what
    stands there; `selectors` are what its list names (of a `noqa` only the codes that are ours); `covers` is the range
    of lines whose findings it suppresses, None for the whole file.
    """

    form: Form
    line: int
    column: int
    end_column: int
    text: str
    selectors: tuple[str, ...]
    reason: str
    alone: bool
    covers: tuple[int, int] | None


def mentions(data: bytes) -> bool:
    """Whether a file's bytes can hold a suppression: most files are done with this."""
    lower = data.lower()  # two searches in it take a quarter of what the pattern does
    return (b"stoplint" in lower or b"noqa" in lower) and _MENTION.search(data) is not None


def read(layout: Layout) -> tuple[Directive, ...]:
    """The suppressions of a text, in order."""
    bare = {comment.line for comment in layout.comments if comment.alone}
    found: list[Directive] = []
    for comment in layout.comments:
        if "stoplint" in comment.text or "noqa" in comment.text.lower():
            found += _in_comment(comment, _covered(comment, layout, bare))
    return tuple(found)


def _covered(comment: Comment, layout: Layout, bare: set[int]) -> tuple[int, int]:
    """The statement that a comment speaks of: the one it stands in, or, alone, the one right below."""
    line = comment.line
    inside = layout.logical_of(line)
    if not comment.alone or inside != (line, line):
        return inside
    while line in bare:
        line += 1
    return layout.logical_of(line)


def _in_comment(comment: Comment, covers: tuple[int, int]) -> Iterator[Directive]:
    for match in _OWN.finditer(comment.text):
        verb = match["verb"]
        form: Form = "ignore" if verb == "ignore" else "ignore-file" if verb == "ignore-file" else "unknown"
        selectors = tuple(_CODE.findall(match["codes"] or ""))
        yield _directive(form, comment, match, selectors, None if form == "ignore-file" else covers)
    for match in _NOQA.finditer(comment.text):
        ours = tuple(code for code in _CODE.findall(match["codes"]) if _OURS.fullmatch(code))
        if ours:
            yield _directive("noqa", comment, match, ours, covers)


def _directive(
    form: Form, comment: Comment, match: re.Match[str], selectors: tuple[str, ...], covers: tuple[int, int] | None
) -> Directive:
    text = match[0].rstrip()
    column = comment.column + match.start()
    reason = match["reason"].strip(" \t:-")
    return Directive(
        form, comment.line, column, column + len(text), text, selectors, reason, comment.alone, covers
    )  # fmt: skip


def without(directive: Directive, unused: tuple[str, ...]) -> str:
    """The text of a directive after some of its selectors are gone; "" when none is left.

    A `noqa` keeps the codes of other tools.
    """
    start, end = _list_span(directive)
    listed = directive.text[start:end]
    kept = [word for word in _CODE.findall(listed) if word not in unused]
    if not kept:
        return ""
    return directive.text[:start] + ", ".join(kept) + directive.text[end:]


def extended(directive: Directive, codes: tuple[str, ...]) -> str:
    """The text of a directive with more codes in its list."""
    start, end = _list_span(directive)
    listed = [word for word in _CODE.findall(directive.text[start:end]) if word not in codes]
    return directive.text[:start] + ", ".join([*listed, *codes]) + directive.text[end:]


def _list_span(directive: Directive) -> tuple[int, int]:
    match = (_NOQA if directive.form == "noqa" else _OWN).match(directive.text)
    if match is None or match["codes"] is None:
        return len(directive.text), len(directive.text)
    return match.span("codes")
