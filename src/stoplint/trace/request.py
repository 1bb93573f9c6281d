"""The request side of a turn: what one look at the body of a Messages request tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from stoplint.trace import digest
from stoplint.trace.canonical import made

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from stoplint.trace.digest import Point, Tail

_COMPARED: Final = (
    "temperature",
    "top_p",
    "top_k",
    "thinking",
    "tool_choice",
    "stop_sequences",
    "output_config",
    "output_format",
)

_SINGLE: Final = ("model", "max_tokens", "system", "tools")
_COMPARED_SET: Final = frozenset(_COMPARED)


class Parameters(NamedTuple):
    """What makes the same conversation another request.  `system` and `tools` are keys, 0 where there is none."""

    model: str | None
    max_tokens: int | None
    system: int
    tools: int
    others: tuple[tuple[str, int], ...]


class RequestView(NamedTuple):
    """A request as the relations and the findings see it.

    `key` finds the same conversation again, `parent_key` the turn this one carries on: the hash of `point`, or
    `previous_id`, the response id that a message thread names.  `ends_with_assistant` is how a paused turn is resumed.  `forced_tool`
    is whether `tool_choice` leaves the model no other answer than a tool call.
    """

    parameters: Parameters
    tail: Tail
    key: int
    parent_key: Hashable
    point: Point | None
    thread: bool
    previous_id: str | None
    ends_with_assistant: bool
    thinking: bool
    has_tools: bool
    forced_tool: bool
    readable: bool

    def parent_digest(self) -> str | None:
        """The digest of the turn that this request carries on, by what it shows of it; None where it shows none."""
        if self.thread:
            return None if self.previous_id is None else digest.thread_digest(self.previous_id)
        return None if self.point is None else self.point.digest()


_EMPTY: Final = digest.split(())


def view(body: Mapping[str, object]) -> RequestView:
    """Read the body of a Messages request.  `messages` that are not a list (an iterator) stay untouched: unreadable."""
    get = body.get
    messages = get("messages")
    readable = isinstance(messages, (list, tuple))
    tail = digest.split(messages) if isinstance(messages, (list, tuple)) and messages else _EMPTY
    thread, previous_id, point = get("thread"), None, None
    parent: Hashable = None
    assistant, user = tail.assistant, tail.user
    if isinstance(thread, dict):
        previous = thread.get("previous_message_id")
        parent = previous_id = previous if isinstance(previous, str) else None
    else:
        thread = None
        if assistant.kinds:
            point = made(digest.Point, (tail.depth, tail.opening, tail.before.blocks, assistant.blocks))
            parent = hash(point)
    thinking, forced_tool, asked = False, False, parameters(body)
    if asked.others:
        thinking = _kind(get("thinking")) not in (None, "disabled")
        forced_tool = _kind(get("tool_choice")) in ("tool", "any")
    return made(
        RequestView,
        (
            asked,
            tail,
            # As `digest.request_key` has it.
            hash((parent, tail.user_opening, user.blocks, asked.system if parent is None else 0)),
            parent,
            point,
            thread is not None,
            previous_id,
            bool(assistant.kinds) and not user.kinds,
            thinking,
            asked.tools != 0,
            forced_tool,
            readable,
        ),
    )


def _kind(value: object) -> object:
    return value.get("type") if isinstance(value, dict) else None


def parameters(body: Mapping[str, object]) -> Parameters:
    """The parameters that tell a changed retry from an unchanged one."""
    model = body.get("model")
    max_tokens = body.get("max_tokens")
    system = body.get("system")
    tools = body.get("tools")
    others: tuple[tuple[str, int], ...] = ()
    if not _COMPARED_SET.isdisjoint(body):
        others = tuple([(name, hash(repr(body[name]))) for name in _COMPARED if body.get(name)])
    return made(
        Parameters,
        (
            model if isinstance(model, str) else None,
            max_tokens if isinstance(max_tokens, int) else None,
            digest.system_key(system) if system else 0,
            _tools_key(tools) if tools else 0,
            others,
        ),
    )


def _tools_key(tools: object) -> int:
    if not isinstance(tools, (list, tuple)) or not tools:
        return 0
    return hash(
        tuple((tool.get("type"), tool.get("name")) if isinstance(tool, dict) else str(type(tool)) for tool in tools)
    )


def changed(before: Parameters, now: Parameters) -> tuple[str, ...]:
    """The names of the parameters that differ, in a fixed order."""
    if before == now:
        return ()
    names = [name for name in _SINGLE if getattr(before, name) != getattr(now, name)]
    old, new = dict(before.others), dict(now.others)
    names += [name for name in _COMPARED if old.get(name) != new.get(name)]
    return tuple(names)
