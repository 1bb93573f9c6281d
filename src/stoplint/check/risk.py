"""Which text may keep the parser busy for seconds, or bring it down?

libcst's time grows with the square of a chain's length (3,000 calls in a row take a minute) and of the depth of
brackets.  Such text is parsed in a process that can be ended; the rest need not pay for one.
"""

from __future__ import annotations

import re
from typing import Final

MAX_LENGTH: Final = 300_000
"""Characters; about a third of a second."""

MAX_LINKS: Final = 1_000
"""Attributes, brackets, operators and literals in one statement; 800 calls in a row (two links each) take a second."""

MAX_DEPTH: Final = 60
"""Open brackets; 300 take a fifth of a second, 2,000 more C stack than there usually is."""

_PARTS: Final = re.compile(
    r"""
    (?P<string> '''(?:[^'\\]|\\.|'(?!''))*''' | \"\"\"(?:[^"\\]|\\.|"(?!""))*\"\"\"
        | '(?:[^'\\\n]|\\.)*' | "(?:[^"\\\n]|\\.)*" )
    | \#[^\n]*
    | (?P<open> [(\[{] ) | (?P<close> [)\]}] ) | (?P<line> (?<!\\)\n )
    | (?P<link> \.(?=\s*\w) | [-+*/%@&|^~<>] | \b(?:and|or|not|if|elif|lambda|await)\b )
    """,
    re.VERBOSE | re.DOTALL,
)


def risky(text: str) -> bool:
    """Whether parsing `text` should happen where it can be stopped."""
    if len(text) > MAX_LENGTH:
        return True
    depth = links = 0
    for part in _PARTS.finditer(text):
        kind = part.lastgroup
        if kind == "line":
            if depth == 0:
                links = 0
        elif kind == "close":
            depth = max(depth - 1, 0)
        elif kind is not None:
            links += 1
            depth += kind == "open"
            if links > MAX_LINKS or depth > MAX_DEPTH:
                return True
    return False
