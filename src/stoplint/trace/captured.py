"""The content of a turn as `STOPLINT_CAPTURE_CONTENT` has it recorded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from stoplint.trace import answer, canonical

if TYPE_CHECKING:
    from collections.abc import Mapping


def of_request(body: Mapping[str, object]) -> str | None:
    """The last message of a request."""
    messages = body.get("messages")
    return dumps(messages[-1:]) if isinstance(messages, (list, tuple)) else None


def of_answer(message: object) -> str:
    """The blocks of an answer."""
    content = answer.field(message, "content")
    return dumps([canonical.plain(block) for block in content] if isinstance(content, (list, tuple)) else [])


def dumps(value: object) -> str:
    """JSON, whatever stands in it."""
    return json.dumps(value, ensure_ascii=False, default=canonical.opaque)
