"""The response side of a turn: what a Message, whole or put together from a stream, tells."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from stoplint.trace import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stoplint.trace.canonical import Scan

TRUNCATED: Final = frozenset({"max_tokens", "model_context_window_exceeded"})
PAUSED: Final = frozenset({"pause_turn", "compaction"})


_COUNTS: Final = 2**63


class Usage(NamedTuple):
    """Token counts as the API gives them; None where it gave none."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None


class Answer(NamedTuple):
    """An answer as the relations and the findings see it.  `used` are the API's usage objects, in the order they came;
    `exact` is False where a stream held something that could not be put together with certainty, so that an echo may
    differ without being altered.
    """

    response_id: str | None
    model: str | None
    stop_reason: str | None
    stop_sequence: str | None
    refusal_category: str | None
    used: tuple[object, ...]
    kinds: tuple[tuple[str, int], ...]
    empty: bool
    truncated_tool_use: bool
    content: Scan
    exact: bool

    @property
    def usage(self) -> Usage:
        """The token counts; read only where they are told.  Those of a stream are cumulative: the last one given counts."""
        found = usage(self.used[0]) if self.used else Usage()
        for holder in self.used[1:]:
            found = Usage(*(old if new is None else new for old, new in zip(found, usage(holder), strict=True)))
        return found


NO_ANSWER: Final = Answer(None, None, None, None, None, (), (), False, False, canonical.NOTHING, True)


def field(holder: object, name: str) -> object:
    """A field of a model or a dict, read past any tracking descriptor; None where there is none."""
    if isinstance(holder, dict):
        return holder.get(name)
    fields = getattr(holder, "__dict__", None)
    if fields is not None and name in fields:
        return fields[name]
    extra = getattr(holder, "__pydantic_extra__", None)
    return extra.get(name) if extra else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def usage(holder: object) -> Usage:
    """The token counts of a `usage` object or dict."""
    fields = holder if isinstance(holder, dict) else getattr(holder, "__dict__", None)
    if not fields:
        return Usage()
    get = fields.get
    return Usage(
        _count(get("input_tokens")),
        _count(get("output_tokens")),
        _count(get("cache_read_input_tokens")),
        _count(get("cache_creation_input_tokens")),
    )


def _count(value: object) -> int | None:
    # No more than 64 bits: a number that an exporter cannot write would cost the application its other spans.
    return value if type(value) is int and value < _COUNTS else None


def from_message(message: object, *, used: tuple[object, ...] | None = None, exact: bool = True) -> Answer:
    """The facts of a Message: an SDK model or the decoded JSON.

    Taken as the API says they are: nothing validates a response unless the client is told to, and a field of another
    type is worth no more here than one that is absent.  Empty is an answer without a block, or with blank text blocks
    only; a refusal without content is a refusal.
    """
    fields: Mapping[str, Any] = message if isinstance(message, dict) else getattr(message, "__dict__", {})
    get = fields.get
    blocks, reason = get("content"), _text(get("stop_reason"))
    sequence = category = None
    if reason != "end_turn":
        # An SDK that does not know the details yet keeps them among the extra fields.
        details = get("stop_details") if "stop_details" in fields else field(message, "stop_details")
        sequence, category = _text(get("stop_sequence")), _text(field(details, "category"))
    content = canonical.scan_content(blocks) if blocks and isinstance(blocks, (list, tuple)) else canonical.NOTHING
    kinds = content.kinds[0] if content.kinds else ()
    blank = not kinds or (len(content.texts) == len(kinds) and not any(map(str.strip, content.texts)))
    return canonical.made(
        Answer,
        (
            _text(get("id")),
            _text(get("model")),
            reason,
            sequence,
            category,
            (get("usage"),) if used is None else used,
            ((kinds[0], 1),) if len(kinds) == 1 else _counted(kinds),
            blank and reason is not None and reason != "refusal",
            bool(kinds) and kinds[-1] == "tool_use" and reason in TRUNCATED,
            content,
            exact,
        ),
    )


def _counted(kinds: tuple[str, ...]) -> tuple[tuple[str, int], ...]:
    counts: dict[str, int] = {}
    for kind in kinds:
        counts[kind] = counts.get(kind, 0) + 1
    return tuple(counts.items())


class StreamedAnswer:
    """Puts an answer together from the raw events of a stream, as they pass.

    Events are SDK models.  The deltas that carry the content are kept as strings until the stream ends; only their
    canonical form outlives it.
    """

    __slots__ = ("_blocks", "_exact", "_index", "_parts", "_used", "model", "response_id", "start", "stop", "stopped")

    def __init__(self) -> None:
        self._blocks: dict[object, tuple[object, dict[str, list[str]], list[object]]] = {}
        self._index: object = None
        self._parts: dict[str, list[str]] = {}
        self._exact = True
        self._used: list[object] = []
        self.response_id: str | None = None
        self.model: str | None = None
        self.start = False
        self.stop: tuple[str | None, str | None, str | None] | None = None
        self.stopped = False

    def event(self, event: object) -> bool:
        """Take in one event; whether it was the last of the message."""
        fields = event.__dict__
        kind = fields["type"]
        if kind != "content_block_delta":
            return kind != "ping" and self._rare(kind, fields)
        delta = fields["delta"].__dict__
        place = _DELTAS.get(delta["type"])
        if place is not None and fields["index"] == self._index:
            self._parts[place].append(delta[place])
        else:
            self._rare_delta(fields, delta, place)
        return False

    def _rare_delta(self, fields: Mapping[str, object], delta: Mapping[str, object], place: str | None) -> None:
        entry = self._blocks.get(fields["index"])
        if entry is None:
            self._exact = False
        elif place is not None:
            entry[1][place].append(str(delta[place]))
        elif delta["type"] == "citations_delta":
            entry[2].append(delta.get("citation"))
        else:
            # A kind of delta newer than this table: its block cannot be put together with certainty.
            self._exact = False

    def _rare(self, kind: object, fields: Mapping[str, object]) -> bool:
        if kind == "content_block_start":
            self._index = fields["index"]
            self._parts = {"text": [], "thinking": [], "signature": [], "partial_json": []}
            self._blocks[self._index] = (fields["content_block"], self._parts, [])
        elif kind == "message_start":
            message = fields["message"]
            self.start = True
            self.response_id = _text(field(message, "id"))
            self.model = _text(field(message, "model"))
            self._used.append(field(message, "usage"))
        elif kind == "message_delta":
            delta = fields["delta"]
            details = field(delta, "stop_details")
            self.stop = (
                _text(field(delta, "stop_reason")),
                _text(field(delta, "stop_sequence")),
                _text(field(details, "category")) if details is not None else None,
            )
            self._used.append(fields.get("usage"))
        elif kind == "message_stop":
            self.stopped = True
            return True
        return False

    def answer(self) -> Answer:
        """What is known so far; without a `message_delta` there is no stop reason."""
        reason, sequence, category = self.stop or (None, None, None)
        message = {
            "id": self.response_id,
            "model": self.model,
            "content": self.blocks(),
            "stop_reason": reason,
            "stop_sequence": sequence,
            "stop_details": {"category": category},
        }
        return from_message(message, used=tuple(self._used), exact=self._exact)

    def blocks(self) -> list[dict[str, object]]:
        """The content so far, as plain data."""
        return [self._block(*entry) for entry in self._blocks.values()]

    def _block(self, start: object, parts: dict[str, list[str]], citations: list[object]) -> dict[str, object]:
        data = dict(canonical.plain(start))
        for name in ("text", "thinking", "signature"):
            if parts[name]:
                data[name] = str(data.get(name) or "") + _joined(parts[name])
        if parts["partial_json"]:
            data["input"] = self._input(_joined(parts["partial_json"]))
        if citations:
            data["citations"] = [canonical.plain(citation) for citation in citations]
        return data

    def _input(self, text: str) -> object:
        try:
            return json.loads(text)
        except ValueError:
            # The SDK reads a cut input as far as it goes; what an application echoes of it is its own choice.
            self._exact = False
            return {}


def _joined(parts: list[str]) -> str:
    try:
        return "".join(parts)
    except TypeError:
        return "".join([part for part in parts if isinstance(part, str)])


_DELTAS: Final = {
    "text_delta": "text",
    "input_json_delta": "partial_json",
    "thinking_delta": "thinking",
    "signature_delta": "signature",
}
