"""Can this file matter?  Asked of the bytes of every file, so that few of them are ever parsed.

It errs on the side of yes: a file that is parsed in vain costs a little time, one that is left out hides its findings.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

# A search takes the same time whether it finds or not, so rarely met stems stand before the words that have them.
_SURE: Final = (
    (b"stop_reason", (b"stop_reason",)),
    (b"tool_", (b"tool_use_id", b"tool_runner")),
    (b"content_block", (b"content_block_start", b"content_block_delta", b"content_block_stop")),
    (b"message_", (b"message_start", b"message_delta", b"message_stop")),
)
"""Words of this API and hardly of another, behind their stems."""

_NAMES: Final = (b"anthropic", b"claude")
_PARTS: Final = (b"messages", b"tool_result", b"tool_use", b".content", b".thread")
"""One of the names and one of the parts together."""

# Between the words of a call may stand line ends and comments; in a notebook's JSON the lines of a cell are strings of
# their own, with what ends one and begins the next.
_GAP: Final = rb"""(?:[\s"',]|\\[nrt]?|#[^\n]*\n)*"""
_CALL: Final = re.compile(
    rb"messages" + _GAP + rb"\." + _GAP + rb"(create|stream|parse|thread|batches|with_raw|with_streaming|tool_runner)"
)
_THREADS: Final = re.compile(rb"\bthreads" + _GAP + rb"\." + _GAP + rb"\Z")
_SDK: Final = re.compile(
    rb"\b(?:from|import)[ \t]+anthropic\b"
    rb"|\bimport[ \t][^\n#]*[ \t,]anthropic\b"
    rb"|\bposthog\.ai\.anthropic\b"
    rb"""|\b(?:import_module|__import__|importorskip)\([ \t]*["']anthropic\b"""
    rb"|\b(?:Async)?Anthropic(?:AWS|Bedrock|BedrockMantle|Foundry|GoogleCloud|Vertex)?\("
)
_MESSAGES: Final = re.compile(rb"\.messages\b(?!\.(?:append|extend|insert|pop|copy)\b)")
_CLIENT: Final = re.compile(rb"(?:client|anthropic|claude|api|\.beta)\w*\Z", re.IGNORECASE)


def may_matter(data: bytes, words: Collection[str] = ()) -> bool:
    """Whether a request may be made in the file, or a response known by its type: whatever is to be found begins there.

    `words` are the project's own: names of wrappers that its configuration declares.
    """
    if (b"nthropic" in data and _SDK.search(data) is not None) or any(word.encode() in data for word in words):
        return True
    return b"messages" in data and (_is_request(data) or _names_resource(data))


def speaks(data: bytes) -> bool:
    """Whether the file is about the API at all: a helper in it, called where a request is made, is worth a look."""
    if any(stem in data and any(word in data for word in family) for stem, family in _SURE):
        return True
    lower = data.lower()
    return any(name in lower for name in _NAMES) and any(part in data for part in _PARTS)


def _is_request(data: bytes) -> bool:
    """A call that has the shape of a request, without a word of whose it is.

    Twilio's and OpenAI's look the same up to here: the one is told by its name and the missing token limit, the other by
    the thread its messages belong to.
    """
    for match in _CALL.finditer(data):
        if _THREADS.search(data[max(match.start() - 80, 0) : match.start()]):
            continue
        if match[1] != b"create" or b"max_tokens" in data or b"twilio" not in data.lower():
            return True
    return False


def _names_resource(data: bytes) -> bool:
    """`client.messages` under whatever name: what is called on it may be said elsewhere."""
    return any(
        _CLIENT.search(data[max(match.start() - 40, 0) : match.start()]) is not None
        for match in _MESSAGES.finditer(data)
    )


_IMPORT: Final = re.compile(
    rb"(?:^|[\n;:\"]|\\n)[ \t]*(?:lazy[ \t]+)?"
    rb"(?:from(?P<dots>[. \t]+)(?:(?P<module>[\w\x80-\xff][\w.\x80-\xff]*)[ \t]+)?import\b[ \t]*(?P<names>\([^)]*\)|(?:\\\r?\n|[^\n;\"\\])*)"
    rb"|import[ \t]+(?P<modules>(?:\\\r?\n|[^\n;\"\\#])*))"
)
_OWN_PACKAGE: Final = re.compile(rb"from[. \t]*\.[. \t]*import\b")
_COMMENT: Final = re.compile(r"#[^\n]*")


def imports(data: bytes) -> frozenset[str]:
    """The names of modules that the file may import, as they are written: relative ones with their dots.

    For `from a import b` both "a" and "a.b" are named, since b may be a module.  Imports within strings count as well.
    """
    return frozenset(_imported(data))


def holds(data: bytes, words: Collection[bytes]) -> bool:
    """Whether one of the words is in the text; one that ends with a parenthesis stands for a call of the whole name."""
    if any(word in data for word in words if not word.endswith(b"(")):
        return True
    names = [word[:-1] for word in words if word.endswith(b"(") and word[:-1] in data]
    return bool(names) and re.search(rb"(?<!\w)(?:" + b"|".join(names) + rb")\s*\(", data) is not None


def defines(data: bytes, name: str) -> bool:
    """Whether a function or a method of that name is defined in the text."""
    return re.search(rb"\bdef\s+" + re.escape(name.encode()) + rb"\s*\(", data) is not None


def imports_own_package(data: bytes) -> bool:
    """Whether the file imports from a package that it does not name: `from . import x`."""
    return _OWN_PACKAGE.search(data) is not None


def _imported(data: bytes) -> Iterator[str]:
    for match in _IMPORT.finditer(data):
        if match["modules"] is not None:
            yield from _names(match["modules"])
            continue
        module = "." * match["dots"].count(b".") + (match["module"] or b"").decode("utf-8", "replace")
        if not module:
            continue
        yield module
        for name in _names(match["names"]):
            if name != "*":
                yield module + name if module.endswith(".") else f"{module}.{name}"


def _names(written: bytes) -> Iterator[str]:
    text = _COMMENT.sub("", written.decode("utf-8", "replace")).replace("\\", " ").strip("() \t\r\n")
    for part in text.split(","):
        words = part.split()
        if words:
            yield words[0]
