"""Close a support ticket: the refund has been looked up, now write to the customer."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from anthropic import Anthropic

if TYPE_CHECKING:
    from anthropic.types import MessageParam, ToolParam, ToolResultBlockParam, ToolUseBlockParam

MODEL = "claude-opus-5-5"
MAX_ATTEMPTS = 3
FIND_REFUND: ToolParam = {
    "name": "find_refund",
    "description": "The state of a refund.",
    "input_schema": {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]},
}
log = logging.getLogger("tickets")


def load_ticket() -> list[MessageParam]:
    """The conversation so far, as the ticket system stored it."""
    call: ToolUseBlockParam = {
        "type": "tool_use",
        "id": "toolu_01",
        "name": "find_refund",
        "input": {"order": "1042"},
    }
    result: ToolResultBlockParam = {
        "type": "tool_result",
        "tool_use_id": "toolu_01",
        "content": "paid out on 3 May",
    }
    return [
        {"role": "user", "content": "Where is the money for order 1042?"},
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [result]},
    ]


def write_reply(client: Anthropic, messages: list[MessageParam]) -> str:
    """What to send to the customer."""
    for attempt in range(1, MAX_ATTEMPTS + 1):
        response = client.messages.create(model=MODEL, max_tokens=1024, tools=[FIND_REFUND], messages=messages)
        if response.stop_reason != "end_turn":
            raise RuntimeError(f"no reply: {response.stop_reason}")
        if not response.content:
            log.warning("attempt %d: empty answer, trying again", attempt)
            continue
        return "".join(block.text for block in response.content if block.type == "text")
    raise RuntimeError(f"no reply after {MAX_ATTEMPTS} attempts")


def main() -> None:
    logging.basicConfig(format="%(message)s")
    try:
        print(write_reply(Anthropic(), load_ticket()))
    except RuntimeError as exc:
        print(f"Ticket left open: {exc}")


if __name__ == "__main__":
    main()
