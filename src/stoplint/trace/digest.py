"""Digests of a conversation at a cost that does not follow its length.

A digest covers the opening message, the last user turn, the assistant turn after it, and where that assistant turn
stands: enough to tell conversations apart, and the same on both sides of a process boundary.  The digest of a turn is
the parent digest of the request that carries it on.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple

from stoplint.trace.canonical import SEPARATOR, Scan, clip, plain, scan

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


_NOTHING: Final = Scan([], [], [], [], False, [])


def _role(message: object) -> object:
    return message.get("role") if isinstance(message, dict) else getattr(message, "role", None)


def _group_start(messages: Sequence[object], end: int, *, assistant: bool) -> int:
    lowest = max(0, end - _GROUP_LIMIT)
    start = end
    while start > lowest and (_role(messages[start - 1]) == "assistant") is assistant:
        start -= 1
    return start


def split(messages: Sequence[object]) -> Tail:
    """Look at the last three turns of `messages`, at most 64 messages each."""
    length = len(messages)
    user_start = _group_start(messages, length, assistant=False)
    assistant_start = _group_start(messages, user_start, assistant=True)
    user = scan(messages[user_start:]) if user_start < length else _NOTHING
    if assistant_start == user_start:
        opening = _opening(messages) if user_start > 0 else b""
        return Tail(_NOTHING, _NOTHING, user, user_start, length, b"", opening)
    before_start = _group_start(messages, assistant_start, assistant=False)
    opening = _opening(messages)
    return Tail(
        before=scan(messages[before_start:assistant_start]),
        assistant=scan(messages[assistant_start:user_start]),
        user=user,
        depth=assistant_start,
        length=length,
        opening=opening if before_start > 0 else b"",
        user_opening=opening,
    )


def _opening(messages: Sequence[object]) -> bytes:
    return SEPARATOR.join(scan(messages[:1]).blocks)


def _hasher(depth: int, opening: bytes, before: Sequence[bytes]) -> blake2b:
    joined = b"\x1d".join((str(depth).encode(), opening, SEPARATOR.join(before), b""))
    return blake2b(joined, digest_size=_SIZE)


def parent_digest(tail: Tail) -> str | None:
    """The digest of the conversation up to and including its last assistant turn, None where there is none yet."""
    if not tail.assistant.kinds:
        return None
    hasher = _hasher(tail.depth, tail.opening, tail.before.blocks)
    hasher.update(SEPARATOR.join(tail.assistant.blocks))
    return hasher.hexdigest()


def turn_digests(tail: Tail, answer: Sequence[bytes]) -> tuple[str, ...]:
    """The digests of the conversation with `answer` added: first the turn's own.

    Where the request ends with an assistant turn the answer carries that turn on.  The next request may then send
    both parts or, as one documented pause loop does, only the last: a second digest stands for that form.
    """
    if tail.user.kinds or not tail.assistant.kinds:
        hasher = _hasher(tail.length, tail.user_opening, tail.user.blocks)
        hasher.update(SEPARATOR.join(answer))
        return (hasher.hexdigest(),)
    base = _hasher(tail.depth, tail.opening, tail.before.blocks)
    alone = base.copy()
    base.update(SEPARATOR.join([*tail.assistant.blocks, *answer]))
    alone.update(SEPARATOR.join(answer))
    return (base.hexdigest(), alone.hexdigest())


def thread_digest(response_id: str) -> str:
    """The digest of a turn of a message thread: its requests hold no history, but name the response before."""
    return blake2b(b"thread\0" + response_id.encode(), digest_size=_SIZE).hexdigest()


def request_key(tail: Tail, system: int) -> int:
    """A key equal for two requests with the same conversation.  Valid in this process only."""
    return hash(
        (
            tail.depth,
            tail.opening or tail.user_opening,
            tuple(tail.before.blocks),
            tuple(tail.assistant.blocks),
            tuple(tail.user.blocks),
            system,
        )
    )


def shortened(tail: Tail, blocks: int) -> Tail:
    """`tail` without the last `blocks` blocks of its user turn: what the request was before they were added."""
    user = tail.user
    return tail._replace(user=user._replace(blocks=user.blocks[: len(user.blocks) - blocks]))


def joined(first: Scan, second: Scan) -> Scan:
    """Two assistant turns as one."""
    return Scan(
        blocks=[*first.blocks, *second.blocks],
        kinds=[*first.kinds, *second.kinds],
        results=[],
        tool_ids=[*first.tool_ids, *second.tool_ids],
        null_keys=False,
        texts=[*first.texts, *second.texts],
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
