"""A shop's assistant: looks up orders and shipments, then answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from anthropic import Anthropic

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anthropic.types import Message, MessageParam, ToolParam, ToolResultBlockParam, ToolUseBlock

MODEL = "claude-opus-5-5"
MAX_ROUNDS = 6
ORDERS = {"1042": {"items": ["kettle", "two cups"], "shipment": "S-77"}}
SHIPMENTS = {"S-77": {"left": "Monday", "now in": "Lyon", "arrives": "Thursday, if customs clear it by Wednesday"}}
TABLES: Mapping[str, Mapping[str, object]] = {"get_order": ORDERS, "get_shipment": SHIPMENTS}
TOOLS: list[ToolParam] = [
    {
        "name": name,
        "description": f"Look up one entry of {name.removeprefix('get_')}s by its number.",
        "input_schema": {"type": "object", "properties": {"number": {"type": "string"}}, "required": ["number"]},
    }
    for name in TABLES
]


class NoAnswerError(Exception):
    """The model did not come to an answer."""


def run_tool(call: ToolUseBlock) -> ToolResultBlockParam:
    entry = TABLES.get(call.name, {}).get(str(call.input.get("number")))
    content = json.dumps(entry) if entry else "not found"
    return {"type": "tool_result", "tool_use_id": call.id, "content": content, "is_error": entry is None}


def send(client: Anthropic, messages: list[MessageParam]) -> Message:
    return client.messages.create(model=MODEL, max_tokens=200, tools=TOOLS, messages=messages)


def ask(client: Anthropic, question: str) -> str:
    """The answer to `question`, after at most MAX_ROUNDS rounds. Raises NoAnswerError when there is none."""
    messages: list[MessageParam] = [{"role": "user", "content": question}]
    answer = ""
    for _ in range(MAX_ROUNDS):
        response = send(client, messages)
        text = "".join(block.text for block in response.content if block.type == "text")
        calls = [block for block in response.content if block.type == "tool_use"]
        match response.stop_reason:
            case "tool_use":
                messages.append({"role": "assistant", "content": response.content})
                messages.append({"role": "user", "content": [run_tool(call) for call in calls]})
            case "max_tokens" if text and not calls:
                answer += text
                messages.append({"role": "assistant", "content": response.content})
                messages.append({"role": "user", "content": "Go on exactly where you stopped."})
            case "end_turn":
                return answer + text
            case reason:
                raise NoAnswerError(f"the model stopped with {reason}")
    raise NoAnswerError(f"no end after {MAX_ROUNDS} rounds")


def main() -> None:
    print(ask(Anthropic(), "Where is my order 1042, and when do I get it?"))


if __name__ == "__main__":
    main()
