"""The search takes two pauses. A message from the user ends the paused turn, and with it what the model was about to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint.testing import pause, text

if TYPE_CHECKING:
    from stoplint.testing import Answer, Request

REPORT = """\
Vienna: every night, 14 hours, couchette from 60 euros.
Berlin: three nights a week, 13 hours, couchette from 70 euros."""


def answer(request: Request) -> Answer:
    if len(request.messages) == 1:
        return pause("night train Paris Vienna timetable", value="I start with Vienna. ")
    if request.messages[-1]["role"] == "user":
        return text("I found the timetable of the train to Vienna. What else would you like to know?")
    return pause("night train Paris Berlin price") if len(request.messages) == 2 else text(REPORT)


ANSWERS = answer
