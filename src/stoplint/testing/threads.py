"""Message threads (beta): conversations that the fake holds between requests."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stoplint.testing.answers import HttpError

if TYPE_CHECKING:
    from stoplint.testing.request import Request

Message = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Conversation:
    """All messages of a request, those that a thread holds included, and the tools that apply to it."""

    messages: Sequence[Message]
    tools: object
    threaded: bool


class Threads:
    """The conversations by the id of their last reply."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, Conversation] = {}
        self._continued: set[str] = set()

    def conversation(self, request: Request) -> Conversation | HttpError:
        """What `request` continues. Without a `thread` field: itself."""
        thread = request.body.get("thread")
        if not isinstance(thread, Mapping) or thread.get("type") != "continue":
            return Conversation(request.messages, request.body.get("tools"), threaded=isinstance(thread, Mapping))
        repeated = [name for name in ("system", "tools") if name in request.body]
        if repeated:
            return HttpError(
                400, "invalid_request_error", f"{', '.join(repeated)}: a thread keeps what it was created with"
            )
        previous = str(thread.get("previous_message_id"))
        with self._lock:
            held = self._held.get(previous)
            if held is None:
                return _rejected(
                    404, "not_found_error", "thread_not_found", f"no thread is held for message {previous}"
                )
            if previous in self._continued:
                message = f"message {previous} was continued by another request"
                return _rejected(400, "invalid_request_error", "thread_already_continued", message)
        return Conversation([*held.messages, *request.messages], held.tools, threaded=True)

    def record(self, request: Request, conversation: Conversation, reply: Message) -> None:
        """Hold the conversation with `reply` for the next request. A refused turn is not held."""
        if not conversation.threaded or reply["stop_reason"] == "refusal":
            return
        answered = [*conversation.messages, {"role": "assistant", "content": reply["content"]}]
        thread = request.body.get("thread")
        with self._lock:
            self._held[str(reply["id"])] = Conversation(answered, conversation.tools, threaded=True)
            if isinstance(thread, Mapping) and thread.get("type") == "continue":
                self._continued.add(str(thread.get("previous_message_id")))

    def forget(self) -> None:
        """Lose every thread, as the API may after some minutes."""
        with self._lock:
            self._held.clear()


def _rejected(status: int, kind: str, code: str, message: str) -> HttpError:
    return HttpError(status, kind, message, details={"error_code": code})
