"""The fake Messages API without its transport: a request goes in, a reply comes out."""

from __future__ import annotations

import itertools
import json
import secrets
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from stoplint.testing.answers import CutStream, Ending, HttpError
from stoplint.testing.batches import Batches
from stoplint.testing.threads import Conversation, Threads
from stoplint.testing.validation import rejection
from stoplint.testing.wire import (
    JsonObject,
    aws_frame,
    error_json,
    message_json,
    sse_frame,
    stream_events,
    token_estimate,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stoplint.testing.request import Request
    from stoplint.testing.script import Script

_BATCHES = "/v1/messages/batches"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the transport sends: whole, or piece by piece when `pieces` is there. `ending` says how the body ends."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    pieces: Sequence[bytes] | None = None
    ending: Ending = "close"


@dataclass(frozen=True, slots=True)
class _Answered:
    """The message that answers a request, and what its stream does differently."""

    message: JsonObject
    partial_json: str | None
    cut: CutStream | None


class Api:
    """Everything the fake holds: its script, its threads, its batches, its counters."""

    def __init__(self, script: Script, *, strict: bool, chunk_size: int) -> None:
        self.script = script
        self.strict = strict
        self.threads = Threads()
        self._chunk_size = chunk_size
        self._batches = Batches()
        self._lock = threading.Lock()
        self._counters: dict[str, itertools.count[int]] = {}
        self._run = secrets.token_hex(3)  # ids are told apart in a store that several runs write to, as the API's are

    def handle(self, request: Request) -> Reply:
        """The reply to `request`. A path that the fake does not know is a 404, an answer that cannot be sent a 500."""
        try:
            return self._route(request)
        except Exception as exc:  # noqa: BLE001 - a raw message of the script may hold anything
            return self._failed(self.script.fail(f"{request.method} {request.path} cannot be answered: {exc!r}"))

    def _route(self, request: Request) -> Reply:
        if request.path.endswith(("/count_tokens", "/count-tokens:rawPredict")):
            return _json({"input_tokens": token_estimate(request.body)})
        if _BATCHES in request.path:
            return self._batch(request)
        if request.method == "POST" and _asks_for_a_message(request.path):
            return self._message(request)
        return self._failed(HttpError(404, "not_found_error", f"the fake has no {request.method} {request.path}"))

    def _message(self, request: Request) -> Reply:
        answered = self._answer(request)
        if isinstance(answered, HttpError):
            return self._failed(answered)
        if request.stream:
            return self._stream(request, answered)
        return Reply(ending="abort") if answered.cut is not None else _json(answered.message, self._headers())

    def _answer(self, request: Request) -> _Answered | HttpError:
        conversation = self._checked(request)
        if isinstance(conversation, HttpError):
            return conversation
        scripted = self.script.take(request)
        if isinstance(scripted, HttpError):
            return scripted
        cut = scripted if isinstance(scripted, CutStream) else None
        answer = scripted.answer if isinstance(scripted, CutStream) else scripted
        message = message_json(answer, request, self._next_id)
        self.threads.record(request, conversation, message)
        return _Answered(message, answer.partial_json, cut)

    def _checked(self, request: Request) -> Conversation | HttpError:
        conversation = self.threads.conversation(request)
        if isinstance(conversation, HttpError) or not self.strict:
            return conversation
        problem = rejection(request, conversation)
        return conversation if problem is None else HttpError(400, "invalid_request_error", problem)

    def _stream(self, request: Request, answered: _Answered) -> Reply:
        bedrock = request.path.endswith("/invoke-with-response-stream")
        frame = aws_frame if bedrock else sse_frame
        events = stream_events(answered.message, partial_json=answered.partial_json, chunk_size=self._chunk_size)
        cut = answered.cut
        if cut is not None:
            events = itertools.islice(events, cut.after_events)
            if cut.error is not None:
                events = itertools.chain(events, [("error", error_json(cut.error, self._next_id("req")))])
        content_type = "application/vnd.amazon.eventstream" if bedrock else "text/event-stream; charset=utf-8"
        headers = {**self._headers(), "content-type": content_type}
        pieces = [frame(event) for event in events]  # now, so that a message that cannot be streamed is a 500
        return Reply(headers=headers, pieces=pieces, ending=cut.ending if cut is not None else "close")

    def _batch(self, request: Request) -> Reply:
        batch_id = request.path.split(_BATCHES, 1)[1].strip("/").removesuffix("/results")
        if request.method == "POST" and not batch_id:
            created = self._batches.create(self._next_id("msgbatch"), request, self._batch_result)
            if created is not None:
                return _json(created, self._headers())
            return self._failed(
                HttpError(400, "invalid_request_error", "requests: a list of {custom_id, params} is needed")
            )
        if request.method == "GET" and request.path.endswith("/results"):
            lines = self._batches.results(batch_id)
            if lines is not None:
                return Reply(headers={**self._headers(), "content-type": "application/x-jsonl"}, body=lines)
        elif request.method == "GET":
            batch = self._batches.retrieve(batch_id, f"http://{request.headers.get('host', '')}")
            if batch is not None:
                return _json(batch, self._headers())
        return self._failed(HttpError(404, "not_found_error", f"the fake has no {request.method} {request.path}"))

    def _batch_result(self, request: Request) -> JsonObject:
        answered = self._answer(request)
        if isinstance(answered, HttpError):
            return {"type": "errored", "error": error_json(answered, self._next_id("req"))}
        if answered.message["type"] != "message":
            return {"type": answered.message["type"]}
        return {"type": "succeeded", "message": answered.message}

    def _failed(self, problem: HttpError) -> Reply:
        headers = {**self._headers(), "retry-after-ms": str(problem.retry_after_ms), **problem.headers}
        return replace(_json(error_json(problem, headers["request-id"]), headers), status=problem.status)

    def _headers(self) -> dict[str, str]:
        return {"request-id": self._next_id("req")}

    def _next_id(self, prefix: str) -> str:
        with self._lock:
            number = next(self._counters.setdefault(prefix, itertools.count(1)))
        return f"{prefix}_fake{self._run}{number:06d}"


def _asks_for_a_message(path: str) -> bool:
    bedrock = path.endswith(("/invoke", "/invoke-with-response-stream"))
    vertex = path.endswith((":rawPredict", ":streamRawPredict"))
    return path.endswith("/v1/messages") or bedrock or vertex


def _json(value: JsonObject, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(headers={**(headers or {}), "content-type": "application/json"}, body=json.dumps(value).encode())
