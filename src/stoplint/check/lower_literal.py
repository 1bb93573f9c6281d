"""The values of literals as they are written."""

from __future__ import annotations

import ast
import re
from typing import Final

_FRACTION: Final = re.compile(r"[.eE]")
_OPENING: Final = re.compile("([a-zA-Z]*)('''|\"\"\"|'|\")")


def number(written: str) -> int | float | None:
    """An integer or float; None for an imaginary one, and for one that Python itself refuses."""
    digits = written.replace("_", "")
    try:
        return int(digits, 0)
    except ValueError:
        pass
    try:
        return float(digits) if _FRACTION.search(digits) else None
    except ValueError:
        return None


def string(written: str) -> str | bytes | None:
    """A plain string literal with prefix and quotes; None where its escapes are wrong."""
    opening = _OPENING.match(written)
    if opening is None:
        return None
    prefix, quote = opening[1].lower(), opening[2]
    body = written[opening.end() : -len(quote)]
    if "b" not in prefix and ("\\" not in body or "r" in prefix):
        return body.replace("\r\n", "\n").replace("\r", "\n") if "\r" in body else body
    try:
        value = ast.literal_eval(written)
    except (SyntaxError, ValueError, MemoryError):
        return None
    return value if isinstance(value, (str, bytes)) else None


def piece(written: str, *, raw: bool) -> str:
    """The text between the expressions of an f-string."""
    text = written.replace("{{", "{").replace("}}", "}")
    if raw or "\\" not in text:
        return text
    try:
        return text.encode("latin-1", "backslashreplace").decode("unicode-escape")
    except UnicodeDecodeError:
        return text
