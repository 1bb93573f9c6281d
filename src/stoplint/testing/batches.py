"""Message batches: every item takes one answer from the script, in the order of the items."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from stoplint.testing.request import Request

if TYPE_CHECKING:
    from stoplint.testing.wire import JsonObject

_RESULT_TYPES = ("succeeded", "errored", "canceled", "expired")
_CREATED, _ENDED, _EXPIRES = "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z", "2026-01-02T00:00:00Z"


class Batches:
    """Batches by id. A batch is `in_progress` in the reply that creates it and `ended` from then on."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: dict[str, Sequence[JsonObject]] = {}

    def create(self, batch_id: str, request: Request, run: Callable[[Request], JsonObject]) -> JsonObject | None:
        """Answer every item with `run`, which returns a batch result, and describe the new batch. None: no list of items."""
        items = request.body.get("requests")
        if not isinstance(items, list) or not items or not all(map(_is_item, items)):
            return None
        lines: list[JsonObject] = []
        for item in items:
            inner = Request("POST", "/v1/messages", request.query, request.headers, item["params"])
            lines.append({"custom_id": item["custom_id"], "result": run(inner)})
        with self._lock:
            self._lines[batch_id] = lines
        return self._described(batch_id, lines, results_url=None)

    def retrieve(self, batch_id: str, base_url: str) -> JsonObject | None:
        """The batch, ended, or None when there is none of this id."""
        with self._lock:
            lines = self._lines.get(batch_id)
        if lines is None:
            return None
        return self._described(batch_id, lines, results_url=f"{base_url}/v1/messages/batches/{batch_id}/results")

    def results(self, batch_id: str) -> bytes | None:
        """The results as JSON lines, or None when there is no such batch."""
        with self._lock:
            lines = self._lines.get(batch_id)
        return None if lines is None else b"".join(json.dumps(line).encode() + b"\n" for line in lines)

    @staticmethod
    def _described(batch_id: str, lines: Sequence[JsonObject], *, results_url: str | None) -> JsonObject:
        ended = results_url is not None
        kinds = [line["result"]["type"] if isinstance(line["result"], Mapping) else None for line in lines]
        counts: JsonObject = {name: kinds.count(name) if ended else 0 for name in _RESULT_TYPES}
        return {
            "id": batch_id,
            "type": "message_batch",
            "processing_status": "ended" if ended else "in_progress",
            "request_counts": {"processing": 0 if ended else len(lines), **counts},
            "created_at": _CREATED,
            "ended_at": _ENDED if ended else None,
            "expires_at": _EXPIRES,
            "archived_at": None,
            "cancel_initiated_at": None,
            "results_url": results_url,
        }


def _is_item(item: object) -> bool:
    return (
        isinstance(item, Mapping) and isinstance(item.get("params"), Mapping) and isinstance(item.get("custom_id"), str)
    )
