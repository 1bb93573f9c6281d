"""A chat in the terminal that shows every word as it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anthropic import Anthropic

if TYPE_CHECKING:
    from anthropic.types import MessageParam

MODEL = "claude-opus-5-5"
QUESTIONS = ("Where does the Seine rise?", "And where does it end?")


class Chat:
    def __init__(self, client: Anthropic) -> None:
        self.client = client
        self.history: list[MessageParam] = []

    def ask(self, question: str) -> None:
        """Print the answer to `question` and keep both for the next one."""
        self.history.append({"role": "user", "content": question})
        answer = ""
        with self.client.messages.stream(model=MODEL, max_tokens=300, messages=self.history) as stream:
            for text in stream.text_stream:
                print(text, end="", flush=True)
                answer += text
        print()
        self.history.append({"role": "assistant", "content": answer})


def main() -> None:
    chat = Chat(Anthropic())
    for question in QUESTIONS:
        print(f"> {question}")
        chat.ask(question)
    print(f"({len(chat.history)} messages in the history)")


if __name__ == "__main__":
    main()
