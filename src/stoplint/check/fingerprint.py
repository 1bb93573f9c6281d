"""What stays the same about a finding while code around it changes.

A fingerprint is made of the rule, the path, the function and the text of the statement that the finding points into,
and of an ordinal where all those are equal.  No line number is in it.  The text is normalised so far that moving and
reformatting code (black, ruff format) leaves it alone: without white space, comments, quotes, parentheses, line
continuations, trailing commas and case.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from stoplint.check.source import Source
    from stoplint.check.statements import Layout
    from stoplint.findings import Finding

_TRAILING_COMMA = re.compile(r",(?=\s*[)\]}])")
_OLD_PREFIX = re.compile(r"\b[uU](?=['\"])")
_FORM = re.compile(r"[\s\\'\"()]+")


def normalised(code: str) -> str:
    """The part of a statement's text that no formatter changes."""
    return _FORM.sub("", _TRAILING_COMMA.sub("", _OLD_PREFIX.sub("", code))).removesuffix(",").lower()


def statement_text(finding: Finding, source: Source, layout: Layout) -> str:
    """The normalised text of the statement that a finding's primary span begins in."""
    place = finding.place
    line = source.flat_line(place.cell, place.line)
    column = place.column - (source.shifts[line - 1] if 0 < line <= len(source.shifts) else 0)
    return normalised(layout.code_of(layout.piece_at(line, column)))


def digest(*parts: str) -> str:
    """32 hexadecimal digits for some texts."""
    joined = "\0".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(joined, digest_size=16).hexdigest()


def with_fingerprints(
    findings: Sequence[Finding], texts: Mapping[Finding, str], path_of: Callable[[str], str]
) -> list[Finding]:
    """The findings in the same order, with their fingerprints.

    `texts` holds the normalised statement of each; `path_of` turns a reported path into one that does not depend on
    the working folder.  Equal ones are counted through in the order of their places, those of the strict profile
    last, so that the profile of a run does not move the others.
    """
    seen: Counter[tuple[str, str, str, str]] = Counter()
    made: dict[Finding, str] = {}
    for finding in sorted(findings, key=_order):
        key = (finding.code, path_of(finding.place.path), finding.function, texts.get(finding, ""))
        made[finding] = digest(*key, str(seen[key]))
        seen[key] += 1
    return [replace(finding, fingerprint=made[finding]) for finding in findings]


def _order(finding: Finding) -> tuple[bool, str, int, int, int, str]:
    place = finding.place
    return finding.profile != "default", place.path, place.cell or 0, place.line, place.column, finding.message
