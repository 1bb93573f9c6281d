"""Digests of a conversation at a cost that does not follow its length.

A digest covers the opening message, the last user turn, the assistant turn after it, and where that assistant turn
stands: enough to tell conversations apart, and the same on both sides of a process boundary.  The digest of a turn is
the parent digest of the request that carries it on.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple

from stoplint.trace.canonical import NOTHING, Scan, clip, made, plain, scan

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

_SIZE: Final = 32
_GROUP_LIMIT: Final = 64
"""How many messages of one role in a row are looked at, counted from the last."""


class Tail(NamedTuple):
    """The end of a conversation: `... before, assistant, user`.

    `user` is empty where the request ends with an assistant turn.  `depth` is the number of messages before `before`,
    `user_depth` of those before `user`: what a turn itself is split into does not count.  `opening` are the canonical
    blocks of the first turn, empty where that is `before` (`user_opening`: `user`, for the digest of the turn to come).
    """

    before: Scan
    assistant: Scan
    user: Scan
    depth: int
    user_depth: int
    opening: tuple[str, ...]
    user_opening: tuple[str, ...]


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
        assistant_start = user_start
        lowest = max(0, user_start - _GROUP_LIMIT)
        while assistant_start > lowest and messages[assistant_start - 1].get("role") == "assistant":  # type: ignore[attr-defined]
            assistant_start -= 1
        before_start = assistant_start
        lowest = max(0, assistant_start - _GROUP_LIMIT)
        while before_start > lowest and messages[before_start - 1].get("role") != "assistant":  # type: ignore[attr-defined]
            before_start -= 1
    except AttributeError:
        # Before 1.14 a message may still be a model here.
        return split([_as_dict(message) for message in messages])
    user = scan(messages, user_start, length) if user_start < length else NOTHING
    if assistant_start == user_start:
        opening = _opening(messages) if user_start > 0 else ()
        return Tail(NOTHING, NOTHING, user, user_start, user_start, (), opening)
    before = scan(messages, before_start, assistant_start)
    opening = before.blocks if before_start == 0 < assistant_start else _opening(messages)
    assistant = scan(messages, assistant_start, user_start)
    return made(Tail, (before, assistant, user, before_start, user_start, opening if before_start > 0 else (), opening))


def _opening(messages: Sequence[object]) -> tuple[str, ...]:
    """The blocks of the first turn."""
    first = messages[0].get("role") == "assistant"  # type: ignore[attr-defined]  # as above
    end, limit = 1, min(len(messages), _GROUP_LIMIT)
    while end < limit and (messages[end].get("role") == "assistant") is first:  # type: ignore[attr-defined]
        end += 1
    return scan(messages, 0, end).blocks


class Point(NamedTuple):
    """A conversation up to and including an assistant turn: what its digest is made of, and what its key is.

    `depth` is the number of messages before `before`, the user turn before the assistant's: to count turns would be to
    walk through all of them.  `opening` is empty where it is `before`.
    """

    depth: int
    opening: tuple[str, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]

    # Its hash is a key equal for equal points, valid in this process only.

    def digest(self) -> str:
        """32 hex digits, the same in every process."""
        depth, opening, before, after = self
        join = "\x1e".join
        whole = f"{depth}\x1d{join(opening)}\x1d{join(before)}\x1d{join(after)}"
        return blake2b(whole.encode("utf-8", "surrogatepass")).hexdigest()[:_SIZE]


def turn_points(tail: Tail, answer: tuple[str, ...]) -> tuple[Point, ...]:
    """The conversation with `answer` added: first the turn's own point.

    Where the request ends with an assistant turn the answer carries that turn on.  The next request may then send
    both parts or, as one documented pause loop does, only the last: a second point stands for that form.
    """
    if tail.user.kinds or not tail.assistant.kinds:
        return (made(Point, (tail.user_depth, tail.user_opening, tail.user.blocks, answer)),)
    place = (tail.depth, tail.opening, tail.before.blocks)
    return (Point(*place, tail.assistant.blocks + answer), Point(*place, answer))


def thread_digest(response_id: str) -> str:
    """The digest of a turn of a message thread: its requests hold no history, but name the response before."""
    return blake2b(b"thread\0" + response_id.encode()).hexdigest()[:_SIZE]


def request_key(tail: Tail, parent: Hashable, system: int, without: int = 0) -> int:
    """A key equal for two requests with the same conversation.  Valid in this process only.

    `parent` is the key of the parent.  Another system prompt makes an opening turn, which has none, another
    conversation; in a later turn it may hold the time of day.  `without` leaves out that many blocks at the end of the
    user turn: what the request was before they were added.
    """
    user = tail.user.blocks
    kept = user[: len(user) - without] if without else user
    return hash((parent, tail.user_opening, kept, system if parent is None else 0))


def joined(first: Scan, second: Scan) -> Scan:
    """Two assistant turns as one."""
    return Scan(
        first.blocks + second.blocks,
        first.kinds + second.kinds,
        first.texts + second.texts,
        tool_ids=first.tool_ids + second.tool_ids,
        nulls=first.nulls + second.nulls,
    )


def system_key(system: object) -> int:
    """A key for a system prompt.  Valid in this process only."""
    if not system:
        return 0
    if isinstance(system, str):
        return hash(clip(system))
    if isinstance(system, (list, tuple)):
        return hash(tuple(clip(str(plain(block).get("text", ""))) for block in system))
    return 0
