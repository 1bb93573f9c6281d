"""Research a question with the web search that the API runs by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anthropic import Anthropic

if TYPE_CHECKING:
    from anthropic.types import MessageParam, WebSearchTool20250305Param

MODEL = "claude-opus-5-5"
MAX_PAUSES = 5
WEB_SEARCH: WebSearchTool20250305Param = {"type": "web_search_20250305", "name": "web_search", "max_uses": 20}


def research(client: Anthropic, question: str) -> str:
    """What the web says about `question`."""
    messages: list[MessageParam] = [{"role": "user", "content": question}]
    for _ in range(MAX_PAUSES):
        response = client.messages.create(model=MODEL, max_tokens=4096, tools=[WEB_SEARCH], messages=messages)
        if response.stop_reason == "pause_turn":
            messages.append({"role": "assistant", "content": response.content})
            messages.append({"role": "user", "content": "Please continue."})
            continue
        if response.stop_reason != "end_turn":
            raise RuntimeError(f"no answer: {response.stop_reason}")
        return "".join(block.text for block in response.content if block.type == "text")
    raise RuntimeError(f"still searching after {MAX_PAUSES} rounds")


def main() -> None:
    question = "Compare the night trains from Paris to Vienna and to Berlin: days, hours, price of a couchette."
    print(research(Anthropic(), question))


if __name__ == "__main__":
    main()
