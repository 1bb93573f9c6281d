"""The 400s of the Messages API that mistakes with stop reasons run into.

Only what the public documentation states is checked, in words of our own: a test should match on the status, not on the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stoplint.testing.request import Request
    from stoplint.testing.threads import Conversation, Message

_SERVER_CALLS = ("server_tool_use", "mcp_tool_use")
_MESSAGE_FIELDS = {"role", "content"}
_VERSION = re.compile(r"claude-(?:[a-z]+-)?(\d+)(?:[-.](\d)(?!\d))?")
_NO_PREFILL_SINCE = (4, 6)


@dataclass(slots=True)
class Turn:
    """Neighbouring messages of one role, which the API reads as one. `index` is that of the first."""

    role: str
    index: int
    blocks: list[Mapping[str, object]] = field(default_factory=list)

    def ids(self, kind: str, key: str = "id") -> list[str]:
        return [str(block.get(key)) for block in self.blocks if block.get("type") == kind]

    @property
    def open_server_calls(self) -> list[Mapping[str, object]]:
        """Server tool calls without a result in this turn."""
        answered = {block.get("tool_use_id") for block in self.blocks}
        return [
            block for block in self.blocks if block.get("type") in _SERVER_CALLS and block.get("id") not in answered
        ]


def rejection(request: Request, conversation: Conversation) -> str | None:
    """Why the API would answer 400, or None."""
    if not request.model:  # on Bedrock and Vertex it is in the path
        return "model: this field is required"
    for name in ("max_tokens", "messages"):
        if name not in request.body:
            return f"{name}: this field is required"
    if not conversation.messages:
        return "messages: at least one message is needed"
    malformed = next(filter(None, map(_malformed, range(len(conversation.messages)), conversation.messages)), None)
    if malformed is not None:
        return malformed
    turns = _turns(conversation.messages)
    return next(_problems(turns, conversation, request.model), None)


def _malformed(index: int, message: Message) -> str | None:
    unknown = sorted(set(message) - _MESSAGE_FIELDS)
    if unknown:
        return f"messages.{index}.{unknown[0]}: extra inputs are not permitted"
    content = message.get("content")
    if not isinstance(content, (str, list)):
        return f"messages.{index}.content: expected a string or a list of blocks"
    if isinstance(content, list) and not all(isinstance(block, Mapping) for block in content):
        return f"messages.{index}.content: every block must be an object"
    return None


def _turns(messages: Sequence[Message]) -> list[Turn]:
    turns: list[Turn] = []
    for index, message in enumerate(messages):
        role = str(message.get("role"))
        if not turns or turns[-1].role != role:
            turns.append(Turn(role, index))
        content = message["content"]
        if isinstance(content, list):
            turns[-1].blocks += content
        elif content:
            turns[-1].blocks.append({"type": "text", "text": content})
    return turns


def _problems(turns: Sequence[Turn], conversation: Conversation, model: str) -> Iterator[str]:
    yield from _empty_turns(conversation.messages)
    if turns[0].ids("tool_result"):
        yield f"messages.{turns[0].index}: a tool_result needs the tool_use it answers in the message before"
    for turn, following in pairwise(turns):
        if turn.role == "assistant":
            yield from _unanswered(turn, following)
        elif following.ids("tool_result"):
            yield f"messages.{following.index}: tool_result blocks belong to the user"
    yield from _open_server_calls(turns, conversation.tools)
    last = turns[-1]
    if last.role == "assistant" and not _is_continuation(last) and _refuses_prefill(model):
        yield f"messages.{last.index}: this model does not take a conversation that ends with an assistant message"


def _empty_turns(messages: Sequence[Message]) -> Iterator[str]:
    for index, message in enumerate(messages):
        final_assistant = index == len(messages) - 1 and message.get("role") == "assistant"
        if not message["content"] and not final_assistant:
            yield f"messages.{index}: content must not be empty, except in a final assistant message"


def _unanswered(turn: Turn, following: Turn) -> Iterator[str]:
    calls, results = turn.ids("tool_use"), following.ids("tool_result", "tool_use_id")
    missing = [call for call in calls if call not in results]
    if missing:
        yield f"messages.{following.index}: no tool_result for tool_use {', '.join(missing)} of the message before"
    stray = [result for result in results if result not in calls]
    if stray:
        yield f"messages.{following.index}: tool_result {', '.join(stray)} answers no tool_use of the message before"
    if len(results) != len(set(results)):
        yield f"messages.{following.index}: each tool_use takes one tool_result"
    kinds = [block.get("type") for block in following.blocks]
    if "tool_result" in kinds and any(kind != "tool_result" for kind in kinds[: len(results)]):
        yield f"messages.{following.index}: tool_result blocks must come before any other content"


def _open_server_calls(turns: Sequence[Turn], tools: object) -> Iterator[str]:
    offered = {tool.get("name") for tool in tools if isinstance(tool, Mapping)} if isinstance(tools, list) else set()
    for position, turn in enumerate(turns):
        for call in turn.open_server_calls:
            later = turns[position + 1 : position + 3]
            if len(later) == 2 and any(block.get("tool_use_id") == call.get("id") for block in later[1].blocks):
                continue
            waits_for_client = bool(later) and {block.get("type") for block in later[0].blocks} == {"tool_result"}
            if len(later) == 2 or (later and not waits_for_client):
                yield f"messages.{turn.index}: {call.get('name')} call {call.get('id')} has no result block"
            elif call.get("type") == "server_tool_use" and call.get("name") not in offered:
                yield f"messages.{turn.index}: {call.get('name')} call {call.get('id')} is open, but no such tool was given"


def _is_continuation(turn: Turn) -> bool:
    """Whether the final assistant turn may be there for the server to go on with: a paused or compacted one."""
    return any(block.get("type") in (*_SERVER_CALLS, "compaction") for block in turn.blocks)


def _refuses_prefill(model: str) -> bool:
    found = _VERSION.search(model)
    if found is None:
        return "mythos" in model
    return (int(found[1]), int(found[2] or 0)) >= _NO_PREFILL_SINCE
