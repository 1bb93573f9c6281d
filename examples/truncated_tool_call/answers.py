"""The file does not fit into 256 tokens: its content breaks off, and what was in the file before is not in it yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint.testing import text, tool_use, truncated_tool_use

if TYPE_CHECKING:
    from stoplint.testing import Answer, Request

CONTENT = "# 1.1\n\nStarts twice as fast.\nReads TOML.\n\n# 1.0\n\nThe first release.\n"


def answer(request: Request) -> Answer:
    if len(request.messages) > 1:
        return text("The notes for 1.1 are in CHANGES.md.")
    if request.body["max_tokens"] == 256:
        return truncated_tool_use("write_file", {"path": "CHANGES.md", "content": CONTENT[:24]})
    return tool_use("write_file", {"path": "CHANGES.md", "content": CONTENT})


ANSWERS = answer
