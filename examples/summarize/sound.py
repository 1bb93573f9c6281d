"""Summarise meeting notes for the people who were not there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from anthropic import Anthropic

if TYPE_CHECKING:
    from anthropic.types import MessageParam

MODEL = "claude-opus-5-5"
MAX_PARTS = 4
PROMPT = "Summarise these meeting notes in two sentences, with every date and every decision."
NOTES = """\
Ana: we cannot make 2 May, legal needs another week and a half. Everybody fine with 14 May?  (yes)
Raj: support is drowning. I want two people by June.  (agreed)
Ana: who pays?  Raj: open. The board meets on Friday, I will bring it up there.
"""


class NoSummaryError(Exception):
    """The model did not write a summary."""


@dataclass(frozen=True)
class Summary:
    text: str
    complete: bool


def summarize(client: Anthropic, notes: str) -> Summary:
    """The summary of `notes`, put together from several answers where one is cut. Raises NoSummaryError on a refusal."""
    messages: list[MessageParam] = [{"role": "user", "content": f"{PROMPT}\n\n{notes}"}]
    parts: list[str] = []
    for _ in range(MAX_PARTS):
        response = client.messages.create(model=MODEL, max_tokens=25, messages=messages)
        if response.stop_reason == "refusal":
            raise NoSummaryError("the model declined to summarise these notes")
        parts += [block.text for block in response.content if block.type == "text"]
        if response.stop_reason == "end_turn":
            return Summary("".join(parts), complete=True)
        if response.stop_reason != "max_tokens" or not response.content:
            break
        messages += [
            {"role": "assistant", "content": response.content},
            {"role": "user", "content": "Go on exactly where you stopped, without repeating anything."},
        ]
    return Summary("".join(parts), complete=False)


def main() -> None:
    summary = summarize(Anthropic(), NOTES)
    print("To: everybody@example.com")
    print("Subject: what we decided today")
    print()
    print(summary.text if summary.complete else f"{summary.text} [...]\n\n(This summary is incomplete.)")


if __name__ == "__main__":
    main()
