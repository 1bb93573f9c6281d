"""A shop's assistant: looks up orders and shipments, then answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from anthropic import Anthropic

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anthropic.types import Message, MessageParam, ToolParam, ToolResultBlockParam, ToolUseBlock

MODEL = "claude-opus-5-5"
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


def run_tool(call: ToolUseBlock) -> ToolResultBlockParam:
    entry = TABLES.get(call.name, {}).get(str(call.input.get("number")))
    content = json.dumps(entry) if entry else "not found"
    return {"type": "tool_result", "tool_use_id": call.id, "content": content, "is_error": entry is None}


def send(client: Anthropic, messages: list[MessageParam]) -> Message:
    return client.messages.create(model=MODEL, max_tokens=200, tools=TOOLS, messages=messages)


def ask(client: Anthropic, question: str) -> str:
    """The answer to `question`, after as many look-ups as it takes."""
    messages: list[MessageParam] = [{"role": "user", "content": question}]
    response = send(client, messages)
    while response.stop_reason == "tool_use":
        messages.append({"role": "assistant", "content": response.content})
        results = [run_tool(block) for block in response.content if block.type == "tool_use"]
        messages.append({"role": "user", "content": results})
        response = send(client, messages)
    return "".join(block.text for block in response.content if block.type == "text")


def main() -> None:
    print(ask(Anthropic(), "Where is my order 1042, and when do I get it?"))


if __name__ == "__main__":
    main()
