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
        """Print the answer to `question`; keep both for the next one unless the answer never arrived in full."""
        asked: MessageParam = {"role": "user", "content": question}
        with self.client.messages.stream(model=MODEL, max_tokens=300, messages=[*self.history, asked]) as stream:
            for text in stream.text_stream:
                print(text, end="", flush=True)
            final = stream.get_final_message()
        print()
        match final.stop_reason:
            case "end_turn" | "stop_sequence" if final.content:
                self.history += [asked, {"role": "assistant", "content": final.content}]
            case "max_tokens" | "model_context_window_exceeded" if final.content:
                print("[cut: the answer was too long. Say 'go on' to read the rest.]")
                self.history += [asked, {"role": "assistant", "content": final.content}]
            case "refusal":
                print("[the model declined; this question is not kept]")
            case None:
                print("[the connection ended early; ask again]")
            case reason:
                print(f"[no answer: {reason}]")


def main() -> None:
    chat = Chat(Anthropic())
    for question in QUESTIONS:
        print(f"> {question}")
        chat.ask(question)
    print(f"({len(chat.history)} messages in the history)")


if __name__ == "__main__":
    main()
