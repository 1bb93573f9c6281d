"""The model ends its turn without a word after the tool result, as often as it is asked the same again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint.testing import empty, text

if TYPE_CHECKING:
    from stoplint.testing import Answer, Request


def answer(request: Request) -> Answer:
    asked_again = isinstance(request.messages[-1]["content"], str)
    return text("Good news: your refund for order 1042 was paid out on 3 May.") if asked_again else empty()


ANSWERS = answer
