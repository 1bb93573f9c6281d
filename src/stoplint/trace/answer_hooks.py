"""The hooks H2 to H4: what becomes of an answer that the request did not return as a message."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING

from stoplint.trace import faults
from stoplint.trace.watch import TAG, turn_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from types import ModuleType
    from typing import TypeAlias

    from stoplint.trace.patch import Patches
    from stoplint.trace.reads import ReadTracking
    from stoplint.trace.tracer import Tracer
    from stoplint.trace.turn import Turn
    from stoplint.trace.watch import Watcher

    Function: TypeAlias = Callable[..., object]


class AnswerHooks:
    """The hooks for the answers of one tracer.  `install` puts them among `patches`."""

    def __init__(self, patches: Patches, tracer: Tracer, watcher: Watcher, reads: ReadTracking | None) -> None:
        self._patches = patches
        self._tracer = tracer
        self._watcher = watcher
        self._reads = reads
        self._hooked: set[type] = set()

    def install(self, streaming: ModuleType, jsonl: ModuleType) -> None:
        """Put the hooks into the modules `_streaming` and `_decoders.jsonl`."""
        replace = self._patches.replace
        for name, events in (("Stream", self._stream), ("AsyncStream", self._async_stream)):
            stream = getattr(streaming, name)
            replace(stream, "__stream__", events)
            replace(stream, "close", self._close)
        replace(jsonl.JSONLDecoder, "__decode__", self._lines)
        replace(jsonl.AsyncJSONLDecoder, "__decode__", self._async_lines)

    # H2: raw responses.

    def follow_raw(self, raw: object) -> None:
        """Watch a raw response that carries its turn.

        Its class is hooked with the first one: the SDK itself makes and parses one in every request, and an application
        that never asks for one should not pay for that.
        """
        for kind in type(raw).__mro__:
            if "parse" in vars(kind) and kind not in self._hooked:
                self._hooked.add(kind)
                waits = inspect.iscoroutinefunction(vars(kind)["parse"])
                replace = self._patches.replace
                replace(kind, "parse", self._async_parse if waits else self._parse)
                replace(kind, "read", self._async_read if waits else self._read)
                replace(kind, "close", self._close)
                for name in ("iter_bytes", "iter_text", "iter_lines"):
                    replace(kind, name, self._async_pieces if waits else self._pieces)

    def _parse(self, original: Function) -> Function:
        @functools.wraps(original)
        def parse(raw: object, *args: object, **kwargs: object) -> object:
            parsed = original(raw, *args, **kwargs)
            self._parsed(raw, parsed)
            return parsed

        return parse

    def _async_parse(self, original: Function) -> Function:
        start: Callable[..., Awaitable[object]] = original  # type: ignore[assignment]  # the caller knows its exact type

        @functools.wraps(original)
        async def parse(raw: object, *args: object, **kwargs: object) -> object:
            parsed = await start(raw, *args, **kwargs)
            self._parsed(raw, parsed)
            return parsed

        return parse

    def _parsed(self, raw: object, parsed: object) -> None:
        current = turn_of(raw)
        if current is None:
            return
        try:
            if hasattr(type(parsed), "__stream__"):
                if TAG not in parsed.__dict__:
                    self._tracer.start_stream(current)
                    parsed.__dict__[TAG] = current
            elif "stop_reason" in getattr(parsed, "__dict__", ()):
                self._message(current, parsed)
        except Exception:  # noqa: BLE001 - whatever goes wrong here must not reach the caller
            faults.note("raw response")

    def _read(self, original: Function) -> Function:
        @functools.wraps(original)
        def read(raw: object, *args: object, **kwargs: object) -> object:
            current = turn_of(raw)
            if current is None or current.done or current.reading:
                return original(raw, *args, **kwargs)
            current.reading = True
            try:
                body = original(raw, *args, **kwargs)
                self._watcher.body_read(raw, current)
                return body
            finally:
                self._watcher.release(current)

        return read

    def _async_read(self, original: Function) -> Function:
        start: Callable[..., Awaitable[object]] = original  # type: ignore[assignment]  # the caller knows its exact type

        @functools.wraps(original)
        async def read(raw: object, *args: object, **kwargs: object) -> object:
            current = turn_of(raw)
            if current is None or current.done or current.reading:
                return await start(raw, *args, **kwargs)
            current.reading = True
            try:
                body = await start(raw, *args, **kwargs)
                self._watcher.body_read(raw, current)
                return body
            finally:
                self._watcher.release(current)

        return read

    def _close(self, original: Function) -> Function:
        # For both kinds: the asynchronous one hands the coroutine on.
        @functools.wraps(original)
        def close(holder: object, *args: object, **kwargs: object) -> object:
            current = turn_of(holder)
            if current is not None and not current.done:
                self._watcher.let_go(current, getattr(holder, "http_response", None))
            return original(holder, *args, **kwargs)

        return close

    def _pieces(self, original: Function) -> Function:
        start: Callable[..., Iterator[bytes]] = original  # type: ignore[assignment]  # or of str, which is the same here
        after = b"\n" if original.__name__ == "iter_lines" else b""

        @functools.wraps(original)
        def pieces(raw: object, *args: object, **kwargs: object) -> Iterator[bytes]:
            current, source = turn_of(raw), start(raw, *args, **kwargs)
            if current is None or current.done or current.reading:
                return source
            return self._watcher.pieces(source, raw, current, after)

        return pieces

    def _async_pieces(self, original: Function) -> Function:
        start: Callable[..., AsyncIterator[bytes]] = original  # type: ignore[assignment]
        after = b"\n" if original.__name__ == "iter_lines" else b""

        @functools.wraps(original)
        def pieces(raw: object, *args: object, **kwargs: object) -> AsyncIterator[bytes]:
            current, source = turn_of(raw), start(raw, *args, **kwargs)
            if current is None or current.done or current.reading:
                return source
            return self._watcher.async_pieces(source, raw, current, after)

        return pieces

    # H3: streams.

    def _stream(self, original: Function) -> Function:
        start: Callable[..., Iterator[object]] = original  # type: ignore[assignment]

        def later(stream: object) -> Iterator[object]:
            current = turn_of(stream)
            source = start(stream)
            yield from source if current is None else self._watcher.events(source, current)

        @functools.wraps(original)
        def __stream__(stream: object) -> Iterator[object]:  # noqa: N807 - the SDK's name
            current = turn_of(stream)
            if current is not None:
                return self._watcher.events(start(stream), current)
            # Before 1.14 the constructor calls this, before there is a tag: then it is looked for at the first event.
            return later(stream)

        return __stream__

    def _async_stream(self, original: Function) -> Function:
        start: Callable[..., AsyncIterator[object]] = original  # type: ignore[assignment]

        async def later(stream: object) -> AsyncIterator[object]:
            current = turn_of(stream)
            source = start(stream)
            events = source if current is None else self._watcher.async_events(source, current)
            try:
                async for event in events:
                    yield event
            finally:
                await events.aclose()  # type: ignore[attr-defined]  # an object of the SDK, whose classes are not imported here

        @functools.wraps(original)
        def __stream__(stream: object) -> AsyncIterator[object]:  # noqa: N807 - the name that the interpreter looks for
            current = turn_of(stream)
            if current is not None:
                return self._watcher.async_events(start(stream), current)
            return later(stream)

        return __stream__

    # H4: batches.

    def _lines(self, original: Function) -> Function:
        start: Callable[..., Iterator[object]] = original  # type: ignore[assignment]

        @functools.wraps(original)
        def __decode__(decoder: object) -> Iterator[object]:  # noqa: N807
            for item in start(decoder):
                self._batch_item(item)
                yield item

        return __decode__

    def _async_lines(self, original: Function) -> Function:
        start: Callable[..., AsyncIterator[object]] = original  # type: ignore[assignment]

        @functools.wraps(original)
        async def __decode__(decoder: object) -> AsyncIterator[object]:  # noqa: N807
            async for item in start(decoder):
                self._batch_item(item)
                yield item

        return __decode__

    def _message(self, current: Turn, message: object) -> None:
        self._tracer.answered(current, message)
        if self._reads is not None:
            self._reads.message(message, current)

    def _batch_item(self, item: object) -> None:
        message = getattr(getattr(item, "result", None), "message", None)
        if not self._patches.active or "stop_reason" not in getattr(message, "__dict__", ()):
            return
        try:
            current = self._tracer.batch_item(message)
            if self._reads is not None and current is not None:
                self._reads.message(message, current)
        except Exception:  # noqa: BLE001 - whatever goes wrong here must not reach the caller
            faults.note("batch")
