"""The script of a fake: which answer comes next, and what went wrong with it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from stoplint.testing.answers import Answer, Block, CutStream, HttpError, Scripted

if TYPE_CHECKING:
    from stoplint.testing.request import Request

Settled = Answer | HttpError | CutStream
"""A script entry once functions have been called and raw messages read."""


class Script:
    """Answers in order, safe to take from several threads."""

    def __init__(self, entries: Iterable[Scripted], *, repeat_last: bool) -> None:
        self._lock = threading.Lock()
        self._entries = deque(entries)
        self._repeat_last = repeat_last
        self._last: Scripted | None = None
        self._served = 0
        self._problems: list[str] = []

    def extend(self, entries: Iterable[Scripted]) -> None:
        with self._lock:
            self._entries.extend(entries)

    @property
    def remaining(self) -> int:
        """How many entries no request has asked for yet."""
        with self._lock:
            return len(self._entries)

    @property
    def problems(self) -> Sequence[str]:
        """What a test should fail for: requests beyond the script's end, and functions that raised."""
        with self._lock:
            return tuple(self._problems)

    def take(self, request: Request) -> Settled:
        """The next answer. Past the end, and where a script function raises, it is an HTTP 500 that the SDK does not retry."""
        entry = self._next()
        if entry is None:
            asked = f"{request.method} {request.path}"
            return self.fail(f"the script is used up: after {self._served} answer(s) came {asked}")
        try:
            return settle(entry, request)
        except Exception as exc:  # noqa: BLE001 - whatever a test's function raises belongs into the test's report
            return self.fail(f"the scripted answer to {request.method} {request.path} raised {exc!r}")

    def fail(self, problem: str) -> HttpError:
        """Note `problem` for the test's report; returns what the client gets instead of an answer."""
        with self._lock:
            self._problems.append(problem)
        return HttpError(500, "api_error", f"fake Messages API: {problem}", headers={"x-should-retry": "false"})

    def _next(self) -> Scripted | None:
        with self._lock:
            if self._entries:
                self._last = self._entries.popleft()
            elif not self._repeat_last:
                return None
            self._served += self._last is not None
            return self._last


def settle(entry: Scripted, request: Request) -> Settled:
    """Call functions until an answer comes out; read a raw message as an answer.

    Raises TypeError for anything that is not an answer.
    """
    while not isinstance(entry, (Answer, HttpError, CutStream)):
        if isinstance(entry, Mapping):
            return _from_raw(entry)
        if not callable(entry):
            raise TypeError(f"{entry!r} is not an answer: use the builders of stoplint.testing, a dict or a function")
        entry = entry(request)
    return entry


def _from_raw(message: Mapping[str, object]) -> Answer:
    fields = dict(message)
    content = cast("Sequence[Block]", fields.pop("content", ()))
    return Answer(tuple(content), fields=fields)
