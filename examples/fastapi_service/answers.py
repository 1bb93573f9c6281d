"""A ticket that fits, one that needs more than 120 tokens, and a refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint.testing import refusal, text, truncated

if TYPE_CHECKING:
    from stoplint.testing import Answer, Request

SHORT = '{"title": "Cannot log in", "priority": "high", "steps": ["Reset the password"]}'
LONG = '{"title": "Everything is slow", "priority": "normal", "steps": ["Look at the load", "Ask which pages"]}'


def answer(request: Request) -> Answer:
    mail = str(request.messages[0]["content"])
    if "eve@" in mail:
        return refusal("cyber")
    if "ana@" in mail:
        return text(SHORT)
    return truncated(LONG[:90]) if request.body["max_tokens"] == 120 else text(LONG)


ANSWERS = answer
