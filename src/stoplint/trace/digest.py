"""Digests of a conversation at a cost that does not follow its length.

A digest covers the opening message, the last user turn, the assistant turn after it, and where that assistant turn
stands: enough to tell conversations apart, and the same on both sides of a process boundary.  The digest of a turn is
the parent digest of the request that carries it on.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple

from stoplint.trace.canonical import NOTHING, SEPARATOR, Scan, clip, plain, scan

if TYPE_CHECKING:
    from collections.abc import Sequence

_SIZE: Final = 16
_GROUP_LIMIT: Final = 64
"""How many messages of one role in a row are looked at, counted from the last."""


class Tail(NamedTuple):
    """The end of a conversation: `... before, assistant, user`.

    `user` is empty where the request ends with an assistant turn.  `depth` is the number of messages before
    `assistant`, `length` that of all messages; `opening` the canonical bytes of the first message, empty where
    it lies in `before` (or in `user`, for the digest of the turn to come).
    """

    before: Scan
    assistant: Scan
    user: Scan
    depth: int
    length: int
    opening: bytes
    user_opening: bytes


def _as_dict(message: object) -> dict[str, object]:
    if isinstance(message, dict):
        return message
    return {"role": getattr(message, "role", None), "content": getattr(message, "content", None)}


def split(messages: Sequence[object]) -> Tail:
    """Look at the last three turns of `messages`, at most 64 messages each."""
    length = user_start = len(messages)
    try:
        lowest = max(0, length - _GROUP_LIMIT)
        while user_start > lowest and messages[user_start - 1].get("role") != "assistant":  # type: ignore[attr-defined]  # an object of the SDK, whose classes are not imported here
            user_start -= 1
        before_start = assistant_start = _run_of_assistant(messages, user_start)
        lowest = max(0, assistant_start - _GROUP_LIMIT)
        while before_start > lowest and messages[before_start - 1].get("role") != "assistant":  # type: ignore[attr-defined]
            before_start -= 1
    except AttributeError:
        # Before 1.14 a message may still be a model here.
        return split([_as_dict(message) for message in messages])
    user = scan(messages[user_start:]) if user_start < length else NOTHING
    if assistant_start == user_start:
        opening = SEPARATOR.join(scan(messages[:1]).blocks) if user_start > 0 else b""
        return Tail(NOTHING, NOTHING, user, user_start, length, b"", opening)
    before = scan(messages[before_start:assistant_start])
    opening = SEPARATOR.join(before.blocks if assistant_start == 1 else scan(messages[:1]).blocks)
    assistant = scan(messages[assistant_start:user_start])
    return Tail(before, assistant, user, assistant_start, length, opening if before_start > 0 else b"", opening)


def _run_of_assistant(messages: Sequence[object], end: int) -> int:
    lowest = max(0, end - _GROUP_LIMIT)
    while end > lowest and messages[end - 1].get("role") == "assistant":  # type: ignore[attr-defined]
        end -= 1
    return end


def _digest(depth: int, opening: bytes, before: Sequence[bytes], after: Sequence[bytes]) -> str:
    joined = SEPARATOR.join
    return blake2b(
        b"%d\x1d%b\x1d%b\x1d%b" % (depth, opening, joined(before), joined(after)), digest_size=_SIZE
    ).hexdigest()


def parent_digest(tail: Tail) -> str | None:
    """The digest of the conversation up to and including its last assistant turn, None where there is none yet."""
    if not tail.assistant.kinds:
        return None
    return _digest(tail.depth, tail.opening, tail.before.blocks, tail.assistant.blocks)


def turn_digests(tail: Tail, answer: Sequence[bytes]) -> tuple[str, ...]:
    """The digests of the conversation with `answer` added: first the turn's own.

    Where the request ends with an assistant turn the answer carries that turn on.  The next request may then send
    both parts or, as one documented pause loop does, only the last: a second digest stands for that form.
    """
    if tail.user.kinds or not tail.assistant.kinds:
        return (_digest(tail.length, tail.user_opening, tail.user.blocks, answer),)
    place = (tail.depth, tail.opening, tail.before.blocks)
    return (_digest(*place, (*tail.assistant.blocks, *answer)), _digest(*place, answer))


def thread_digest(response_id: str) -> str:
    """The digest of a turn of a message thread: its requests hold no history, but name the response before."""
    return blake2b(b"thread\0" + response_id.encode(), digest_size=_SIZE).hexdigest()


def request_key(tail: Tail, parent: str | None, system: int, without: int = 0) -> int:
    """A key equal for two requests with the same conversation.  Valid in this process only.

    `parent` is the parent digest; `without` leaves out that many blocks at the end of the user turn: what the request
    was before they were added.
    """
    user = tail.user.blocks
    return hash((parent, tail.user_opening, user[: len(user) - without] if without else user, system))


def joined(first: Scan, second: Scan) -> Scan:
    """Two assistant turns as one."""
    return Scan(
        first.blocks + second.blocks,
        first.kinds + second.kinds,
        first.texts + second.texts,
        tool_ids=first.tool_ids + second.tool_ids,
        nulls=first.nulls + second.nulls,
    )


def answer_key(blocks: Sequence[bytes]) -> int:
    """A key equal for two assistant turns with the same content.  Valid in this process only."""
    return hash(tuple(blocks))


def system_key(system: object) -> int:
    """A key for a system prompt.  Valid in this process only."""
    if not system:
        return 0
    if isinstance(system, str):
        return hash(clip(system))
    if isinstance(system, (list, tuple)):
        return hash(tuple(clip(str(plain(block).get("text", ""))) for block in system))
    return 0
