"""Let the model write files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anthropic import Anthropic

if TYPE_CHECKING:
    from anthropic.types import MessageParam, ToolParam, ToolResultBlockParam, ToolUseBlock

MODEL = "claude-opus-5-5"
MAX_ROUNDS = 8
WRITE_FILE: ToolParam = {
    "name": "write_file",
    "description": "Write a file of the project, replacing what was there.",
    "input_schema": {
        "type": "object",
        "properties": {"path": {"type": "string"}, "content": {"type": "string"}},
        "required": ["path", "content"],
    },
}


def write_file(files: dict[str, str], call: ToolUseBlock) -> ToolResultBlockParam:
    path, content = str(call.input.get("path")), str(call.input.get("content", ""))
    files[path] = content
    return {"type": "tool_result", "tool_use_id": call.id, "content": f"wrote {len(content)} characters"}


def work(client: Anthropic, task: str, files: dict[str, str]) -> str:
    """Let the model change `files` until it has done `task`; returns what it says about it."""
    messages: list[MessageParam] = [{"role": "user", "content": task}]
    for _ in range(MAX_ROUNDS):
        response = client.messages.create(model=MODEL, max_tokens=256, tools=[WRITE_FILE], messages=messages)
        calls = [block for block in response.content if block.type == "tool_use"]
        if not calls:
            return "".join(block.text for block in response.content if block.type == "text")
        messages.append({"role": "assistant", "content": response.content})
        messages.append({"role": "user", "content": [write_file(files, call) for call in calls]})
    raise RuntimeError(f"not done after {MAX_ROUNDS} rounds")


def main() -> None:
    files = {"CHANGES.md": "# 1.0\n\nThe first release.\n"}
    print(work(Anthropic(), "Put the notes for 1.1 on top of CHANGES.md.", files))
    print("--- CHANGES.md")
    print(files["CHANGES.md"])


if __name__ == "__main__":
    main()
