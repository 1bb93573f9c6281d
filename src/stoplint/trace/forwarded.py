"""Bodies that the application reads in raw form: the answer is read from the pieces it is given, beside it."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from stoplint.trace.answer import StreamedAnswer

_LIMIT: Final = 4 * 2**20
"""Bytes kept at most, of a JSON body or of one event."""


class TooLongError(Exception):
    """The body is not worth the memory it takes to read it."""


class Body(Protocol):
    """What reads an answer from the pieces of its body."""

    def take(self, piece: bytes) -> bool:
        """Take in the next piece; whether the answer is over."""

    def message(self) -> dict[str, object] | None:
        """The answer, where it is put together at the end."""


class JsonBody:
    """A body that is one JSON object."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def take(self, piece: bytes) -> bool:
        self._size += len(piece)
        if self._size > _LIMIT:
            self._pieces.clear()
            raise TooLongError
        self._pieces.append(piece)
        return False

    def message(self) -> dict[str, object] | None:
        try:
            found = json.loads(b"".join(self._pieces))
        except ValueError:
            return None
        return found if isinstance(found, dict) else None


class EventBody:
    """A body of server-sent events, which `stream` puts together."""

    def __init__(self, stream: StreamedAnswer) -> None:
        self.stream = stream
        self.error: str | None = None
        self._rest = b""
        self._data: list[bytes] = []
        self._size = 0

    def take(self, piece: bytes) -> bool:
        lines = (self._rest + piece).split(b"\n")
        self._rest = lines.pop()
        over = False
        for line in lines:
            if line.startswith(b"data:"):
                self._data.append(line[5:])
                self._size += len(line)
            elif not line.strip() and self._data:
                over = self._event(b"\n".join(self._data)) or over
                self._data, self._size = [], 0
        if self._size + len(self._rest) > _LIMIT:
            raise TooLongError
        return over

    def message(self) -> dict[str, object] | None:
        return None

    def _event(self, data: bytes) -> bool:
        fields = json.loads(data)
        if fields["type"] == "error":
            self.error = str(fields["error"]["type"])
        elif fields["type"] == "content_block_delta":
            fields["delta"] = SimpleNamespace(**fields["delta"])
        return self.stream.event(SimpleNamespace(**fields))
