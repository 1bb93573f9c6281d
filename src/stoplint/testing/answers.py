"""What the fake Messages API can be told to answer: one builder for each way a turn can end.

Every builder returns an `Answer`, and answers add up: `thinking("...") + text("Let me see.") + tool_use("f", {})` is one turn with
three blocks that stops as its last part says. Values and shapes follow the public documentation of the Messages API
and the types of the `anthropic` package.
"""

# ruff: noqa: A002 - parameters are named as the API names its fields
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from stoplint.testing.request import Request

Block = Mapping[str, object]
"""One content block as JSON. An `id` of None (or a `tool_use_id` of None) is numbered when the answer is sent."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One assistant turn.

    `fields` holds any other top-level field of the message (`model`, `usage`, `container`, ...). `partial_json` is the text that
    is streamed as the input of the last tool_use block; it may break off anywhere.
    """

    content: tuple[Block, ...] = ()
    stop_reason: str | None = "end_turn"
    stop_sequence: str | None = None
    stop_details: Mapping[str, object] | None = None
    fields: Mapping[str, object] = field(default_factory=dict)
    partial_json: str | None = None

    def __add__(self, other: Answer) -> Answer:
        """The blocks of both; everything else as the right-hand side says."""
        return replace(other, content=self.content + other.content, fields={**self.fields, **other.fields})

    def with_fields(self, **fields: object) -> Answer:
        """The same turn with other top-level fields, such as `model="..."` or `usage={...}`."""
        return replace(self, fields={**self.fields, **fields})


@dataclass(frozen=True, slots=True)
class HttpError:
    """An answer that is no message: `status` with the API's error body.

    `retry_after_ms` is sent as the header of that name, so that a client that retries does so at once.
    """

    status: int
    type: str
    message: str
    details: Mapping[str, object] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    retry_after_ms: int = 1


Ending = Literal["close", "abort", "stall"]


@dataclass(frozen=True, slots=True)
class CutStream:
    """A turn whose stream ends after `after_events` events. See `cut_stream`."""

    answer: Answer
    after_events: int
    ending: Ending = "close"
    error: HttpError | None = None


Scripted = Answer | HttpError | CutStream | Mapping[str, object] | Callable[[Request], "Scripted"]
"""One entry of a script: an answer, the JSON of a whole message, or a function of the request that returns either."""


def text(value: str, *, stop_reason: str = "end_turn", citations: Sequence[Block] | None = None) -> Answer:
    """A turn that says `value`."""
    block: dict[str, object] = {"type": "text", "text": value}
    if citations is not None:
        block["citations"] = list(citations)
    return Answer((block,), stop_reason)


def empty(*, stop_reason: str = "end_turn") -> Answer:
    """A turn without content: what the model may return when it takes a tool result for the end of the conversation."""
    return Answer((), stop_reason)


def truncated(value: str) -> Answer:
    """Text that was cut because `max_tokens` was used up."""
    return text(value, stop_reason="max_tokens")


def context_window(value: str) -> Answer:
    """Text that was cut because the context window was full."""
    return text(value, stop_reason="model_context_window_exceeded")


def stop_sequence(sequence: str, value: str = "") -> Answer:
    """A turn that ended because `sequence`, one of the request's `stop_sequences`, came up."""
    return replace(text(value) if value else empty(), stop_reason="stop_sequence", stop_sequence=sequence)


def thinking(value: str, *, signature: str = "c2lnbmF0dXJl", stop_reason: str = "end_turn") -> Answer:
    """A thinking block, meant to be added to: `thinking("...") + text("...")`.

    Alone with `stop_reason="max_tokens"` it is a turn that spent its whole budget on thinking.
    """
    return Answer(({"type": "thinking", "thinking": value, "signature": signature},), stop_reason)


def tool_use(name: str, input: Mapping[str, object] | None = None, *, id: str | None = None) -> Answer:
    """Call a client tool. Two at once: add two of them up."""
    return Answer(({"type": "tool_use", "id": id, "name": name, "input": dict(input or {})},), "tool_use")


def truncated_tool_use(
    name: str,
    partial: Mapping[str, object] | None = None,
    *,
    id: str | None = None,
    partial_json: str | None = None,
) -> Answer:
    """A tool call that was cut by `max_tokens`.

    `partial` is the part of the input that arrived. In a stream its JSON lacks the closing brace; `partial_json` says exactly
    where it breaks off instead.
    """
    call = tool_use(name, partial, id=id)
    return replace(
        call, stop_reason="max_tokens", partial_json=partial_json if partial_json is not None else _unclosed(partial)
    )


def web_search(
    query: str, results: Sequence[tuple[str, str]] = (), *, answered: bool = True, id: str | None = None
) -> Answer:
    """A web search that the API ran by itself: the call and its `(title, url)` results.

    `answered=False` leaves the call open, as in a turn that waits for a client tool first.
    """
    call: Block = {"type": "server_tool_use", "id": id, "name": "web_search", "input": {"query": query}}
    found: Block = {
        "type": "web_search_tool_result",
        "tool_use_id": id,
        "content": [
            {"type": "web_search_result", "title": title, "url": url, "encrypted_content": "ZW5j", "page_age": None}
            for title, url in results
        ],
    }
    return Answer((call, found) if answered else (call,))


def pause(query: str = "stop reasons", *, value: str | None = None, answered: bool = True) -> Answer:
    """A long turn that the server interrupted: text, then a web search, then `pause_turn`."""
    search = web_search(query, [("A page", "https://example.com/page")], answered=answered)
    turn = text(value) + search if value is not None else search
    return replace(turn, stop_reason="pause_turn")


def refusal(category: str | None = None, *, explanation: str | None = None, partial: str | None = None) -> Answer:
    """A refusal: HTTP 200 with `stop_details`. `partial` is what had been written when it was stopped."""
    details = {"type": "refusal", "category": category, "explanation": explanation}
    return replace(text(partial) if partial else empty(), stop_reason="refusal", stop_details=details)


def compaction(summary: str | None) -> Answer:
    """A turn in which the server summarised the conversation and handed it back (beta). None: no valid summary was made."""
    return Answer(({"type": "compaction", "content": summary, "encrypted_content": None},), "compaction")


def error(
    status: int,
    type: str | None = None,
    message: str | None = None,
    *,
    details: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> HttpError:
    """An HTTP error with the API's error body. `type` defaults to the one that belongs to `status`."""
    kind = type or _ERROR_TYPES.get(status, "api_error")
    return HttpError(status, kind, message or f"scripted {kind}", details, headers or {})


def cut_stream(
    answer: Answer | None = None,
    *,
    after_events: int,
    ending: Ending = "close",
    error: HttpError | None = None,
) -> CutStream:
    """A stream that ends after `after_events` events (`ping` and `message_start` count).

    `ending="close"` ends the HTTP body properly: the SDK raises nothing and `stop_reason` stays None. `"abort"` breaks the connection.
    `"stall"` keeps it open and silent until the client leaves or the fake closes. With `error`, an `error` event follows.
    A request that does not stream sees an aborted connection.
    """
    return CutStream(answer or text("This answer breaks off before its end."), after_events, ending, error)


def _unclosed(partial: Mapping[str, object] | None) -> str | None:
    import json  # noqa: PLC0415 - pytest loads this module in every run

    return json.dumps(dict(partial))[:-1] if partial else ""


_ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
