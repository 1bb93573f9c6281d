"""Summarise meeting notes for the people who were not there."""

from __future__ import annotations

from anthropic import Anthropic

MODEL = "claude-opus-5-5"
PROMPT = "Summarise these meeting notes in two sentences, with every date and every decision."
NOTES = """\
Ana: we cannot make 2 May, legal needs another week and a half. Everybody fine with 14 May?  (yes)
Raj: support is drowning. I want two people by June.  (agreed)
Ana: who pays?  Raj: open. The board meets on Friday, I will bring it up there.
"""


def summarize(client: Anthropic, notes: str) -> str:
    """The summary of `notes`."""
    response = client.messages.create(
        model=MODEL,
        max_tokens=25,
        messages=[{"role": "user", "content": f"{PROMPT}\n\n{notes}"}],
    )
    return "".join(block.text for block in response.content if block.type == "text")


def main() -> None:
    summary = summarize(Anthropic(), NOTES)
    print("To: everybody@example.com")
    print("Subject: what we decided today")
    print()
    print(summary)


if __name__ == "__main__":
    main()
