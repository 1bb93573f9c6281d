"""Which results of batches were told already: an application may read them as often as it likes."""

from __future__ import annotations

from typing import Final

BATCH_LIMIT: Final = 100_000
"""Requests in one batch, at most."""


class Seen:
    """Remembers the last ids, of a whole batch at least and of two at most, by their hashes."""

    def __init__(self, limit: int = BATCH_LIMIT) -> None:
        self._limit = limit
        self._now: set[int] = set()
        self._before: set[int] = set()

    def __len__(self) -> int:
        return len(self._now) + len(self._before)

    def again(self, identity: str) -> bool:
        """Note an id; whether it was noted before."""
        key = hash(identity)
        if key in self._now:
            return True
        known = key in self._before
        if len(self._now) >= self._limit:
            self._before, self._now = self._now, set()
        # What is read again is what will be read once more.
        self._now.add(key)
        return known
