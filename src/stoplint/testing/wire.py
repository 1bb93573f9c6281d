"""Answers as bytes: the JSON of a message, the events of its stream, and their two framings."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from stoplint.testing.answers import Answer, HttpError
    from stoplint.testing.request import Request

JsonObject = dict[str, object]
Event = tuple[str, JsonObject]
"""The name of a server-sent event and its data."""

_CALLS = {"tool_use": "toolu", "server_tool_use": "srvtoolu", "mcp_tool_use": "mcptoolu"}


def message_json(answer: Answer, request: Request, next_id: Callable[[str], str]) -> JsonObject:
    """The message that `answer` becomes as the reply to `request`.

    Token counts are a quarter of the JSON's length; a turn that ran into `max_tokens` reports exactly that many.
    """
    content = _numbered(answer, next_id)
    limit = request.body.get("max_tokens")
    output = max(1, len(json.dumps(content)) // 4) if content else 2
    if answer.stop_reason == "max_tokens" and isinstance(limit, int):
        output = limit
    return {
        "id": next_id("msg"),
        "type": "message",
        "role": "assistant",
        "model": request.model or "claude-opus-5-5",
        "content": content,
        "stop_reason": answer.stop_reason,
        "stop_sequence": answer.stop_sequence,
        "stop_details": dict(answer.stop_details) if answer.stop_details is not None else None,
        "usage": {"input_tokens": token_estimate(request.body), "output_tokens": output},
        **answer.fields,
    }


def token_estimate(body: Mapping[str, object]) -> int:
    """A stand-in for the number of input tokens: a quarter of the JSON's length."""
    return max(1, len(json.dumps(body)) // 4)


def error_json(problem: HttpError, request_id: str) -> JsonObject:
    """The API's error body."""
    error: JsonObject = {"type": problem.type, "message": problem.message}
    if problem.details is not None:
        error["details"] = dict(problem.details)
    return {"type": "error", "error": error, "request_id": request_id}


def stream_events(message: JsonObject, *, partial_json: str | None = None, chunk_size: int = 20) -> Iterator[Event]:
    """The events of `message`: text, thinking and tool input arrive in pieces of `chunk_size` characters."""
    blocks = message["content"]
    usage = message["usage"]
    if not isinstance(blocks, list) or not isinstance(usage, dict):
        raise TypeError("a message needs a list as `content` and an object as `usage`")
    unfinished = {"stop_reason": None, "stop_sequence": None, "stop_details": None}
    start = {**message, **unfinished, "content": [], "usage": {**usage, "output_tokens": 1}}
    yield "message_start", {"type": "message_start", "message": start}
    yield "ping", {"type": "ping"}
    for index, block in enumerate(blocks):
        partial = partial_json if index == len(blocks) - 1 else None
        first, deltas = _pieces(block, partial, chunk_size)
        yield "content_block_start", {"type": "content_block_start", "index": index, "content_block": first}
        for delta in deltas:
            yield "content_block_delta", {"type": "content_block_delta", "index": index, "delta": delta}
        yield "content_block_stop", {"type": "content_block_stop", "index": index}
    delta = {name: message.get(name) for name in (*unfinished, "container") if name in message}
    final: JsonObject = {"type": "message_delta", "delta": delta, "usage": usage}
    if "context_management" in message:
        final["context_management"] = message["context_management"]
    yield "message_delta", final
    yield "message_stop", {"type": "message_stop"}


def sse_frame(event: Event) -> bytes:
    """`event` as a server-sent event."""
    name, data = event
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


def aws_frame(event: Event) -> bytes:
    """`event` in the AWS event-stream encoding: prelude, headers, payload, each part under its CRC-32.

    Bedrock puts the event's JSON, base64-encoded, into the payload's `bytes`. A mid-stream error is an exception frame.
    """
    name, data = event
    if name == "error":
        headers = {
            ":exception-type": "modelStreamErrorException",
            ":content-type": "application/json",
            ":message-type": "exception",
        }
        problem = data.get("error")
        payload = {"message": problem.get("message") if isinstance(problem, dict) else ""}
    else:
        headers = {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}
        payload = {"bytes": base64.b64encode(json.dumps(data).encode()).decode()}
    head = b"".join(map(_aws_header, headers, headers.values()))
    body = json.dumps(payload).encode()
    prelude = struct.pack(">II", 16 + len(head) + len(body), len(head))
    framed = prelude + struct.pack(">I", zlib.crc32(prelude)) + head + body
    return framed + struct.pack(">I", zlib.crc32(framed))


def _aws_header(name: str, value: str) -> bytes:
    string_type = 7
    raw = value.encode()
    return struct.pack(">B", len(name)) + name.encode() + struct.pack(">BH", string_type, len(raw)) + raw


def _numbered(answer: Answer, next_id: Callable[[str], str]) -> list[JsonObject]:
    """The content with an id on every call, and the results of server tools pointing at theirs."""
    content: list[JsonObject] = []
    last_call: object = None
    for given in answer.content:
        block = dict(given)
        prefix = _CALLS.get(str(block.get("type")))
        if prefix is not None:
            block["id"] = last_call = block.get("id") or next_id(prefix)
        if "tool_use_id" in block:
            block["tool_use_id"] = block["tool_use_id"] or last_call
        content.append(block)
    return content


def _pieces(block: JsonObject, partial_json: str | None, size: int) -> tuple[JsonObject, list[JsonObject]]:
    """A block as it starts in a stream, and the deltas that complete it."""
    kind = block.get("type")
    if kind == "text":
        deltas: list[JsonObject] = [{"type": "text_delta", "text": part} for part in _split(str(block["text"]), size)]
        citations = block.get("citations")
        if isinstance(citations, list):
            deltas += [{"type": "citations_delta", "citation": citation} for citation in citations]
            return {**block, "text": "", "citations": []}, deltas
        return {**block, "text": ""}, deltas
    if kind == "thinking":
        deltas = [{"type": "thinking_delta", "thinking": part} for part in _split(str(block["thinking"]), size)]
        return {**block, "thinking": "", "signature": ""}, [
            *deltas,
            {"type": "signature_delta", "signature": block["signature"]},
        ]
    if kind in _CALLS:
        whole = partial_json if partial_json is not None else json.dumps(block["input"])
        return {**block, "input": {}}, [
            {"type": "input_json_delta", "partial_json": part} for part in ("", *_split(whole, size))
        ]
    if kind == "compaction":
        delta = {"type": "compaction_delta", **{name: block.get(name) for name in ("content", "encrypted_content")}}
        return {**block, "content": None}, [delta]
    return block, []


def _split(value: str, size: int) -> list[str]:
    return [value[at : at + size] for at in range(0, len(value), size)]
