"""Answer questions about the weather with one tool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anthropic import Anthropic

if TYPE_CHECKING:
    from anthropic.types import MessageParam, ToolParam, ToolResultBlockParam, ToolUseBlock

MODEL = "claude-opus-5-5"
MAX_ROUNDS = 5
GET_WEATHER: ToolParam = {
    "name": "get_weather",
    "description": "The weather in a city, now.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
STATIONS = {"Paris": "21 degrees, sunny", "Oslo": "9 degrees, rain"}


def look_up(call: ToolUseBlock) -> ToolResultBlockParam:
    city = str(call.input.get("city"))
    return {"type": "tool_result", "tool_use_id": call.id, "content": STATIONS.get(city, "no station there")}


def ask(client: Anthropic, question: str) -> str:
    """The model's answer to `question`, after as many look-ups as it wants."""
    messages: list[MessageParam] = [{"role": "user", "content": question}]
    for _ in range(MAX_ROUNDS):
        response = client.messages.create(
            model=MODEL,
            max_tokens=1024,
            system="Answer in one sentence, from what the tools say.",
            tools=[GET_WEATHER],
            messages=messages,
        )
        if response.stop_reason == "end_turn" and response.content:
            return "".join(block.text for block in response.content if block.type == "text")
        if response.stop_reason != "tool_use":
            raise RuntimeError(f"no answer: {response.stop_reason}")
        results = [look_up(block) for block in response.content if block.type == "tool_use"]
        messages.append({"role": "assistant", "content": response.content})
        messages.append({"role": "user", "content": results})
    raise RuntimeError(f"no answer after {MAX_ROUNDS} rounds")


def main() -> None:
    question = "Do I need an umbrella in Oslo?"
    print(f"Q: {question}")
    print(f"A: {ask(Anthropic(), question)!r}")


if __name__ == "__main__":
    main()
