"""Text behind a tool result looks like the next turn of the user: a model may answer it with an empty one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint.testing import empty, text, tool_use

if TYPE_CHECKING:
    from stoplint.testing import Answer, Request


def answer(request: Request) -> Answer:
    content = request.messages[-1]["content"]
    if not isinstance(content, list):
        return tool_use("get_weather", {"city": "Oslo"})
    return empty() if content[-1]["type"] == "text" else text("Yes: it is raining in Oslo, at 9 degrees.")


ANSWERS = answer
