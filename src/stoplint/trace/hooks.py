"""The places in the SDK where every Messages request passes exactly once, and what is put around them.

| hook | place | what for |
|---|---|---|
| H1 | `{Sync,Async}APIClient._request` (1.14 and later), `.request` before | begin and end of a call |
| H1' | `_base_client.{start,finish}_api_call_span` (1.14 and later) | the answer, before the SDK ends its span |
| H1'' | `{Sync,Async}APIClient._sleep_for_retry` | counting retries |
H2 to H4 are in `answer_hooks`:

| hook | place | what for |
|---|---|---|
| H2 | `parse`, `read`, `iter_*`, `close` of the raw response classes, once one was handed out | raw responses |
| H3 | `__stream__`, `close` of `Stream`, `AsyncStream` | the events of a stream, and its end |
| H4 | `{,Async}JSONLDecoder.__decode__` | the results of a batch |

All are looked up on the class at call time, so that clients made before count too.  `request` of 1.14 and later calls
`_request` once, with the body prepared (iterators read, models dumped) and the SDK's span current.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import inspect
from typing import TYPE_CHECKING, Final

from stoplint.trace import collector, faults
from stoplint.trace.answer_hooks import AnswerHooks
from stoplint.trace.options import remembered, request_attributes
from stoplint.trace.patch import Patches
from stoplint.trace.watch import TAG, Watcher, error_type, json_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from contextlib import AbstractContextManager
    from types import ModuleType
    from typing import TypeAlias

    from opentelemetry.trace import Span

    from stoplint.trace.emit import Telemetry
    from stoplint.trace.reads import ReadTracking
    from stoplint.trace.tracer import Tracer
    from stoplint.trace.turn import Turn

    Function: TypeAlias = Callable[..., object]

_PATH: Final = "/v1/messages"
_current: contextvars.ContextVar[Turn | None] = contextvars.ContextVar("stoplint_turn", default=None)
_outer: contextvars.ContextVar[Span | None] = contextvars.ContextVar("stoplint_outer_span", default=None)


class Hooks:
    """The hooks of one tracer.  `install` puts them in, `remove` takes them out."""

    def __init__(self, tracer: Tracer, reads: ReadTracking | None, others_active: Callable[[], bool]) -> None:
        self.patches = Patches()
        self._tracer = tracer
        self._reads = reads
        self._watcher = Watcher(tracer, None if reads is None else reads.event)
        self._after = AnswerHooks(self.patches, tracer, self._watcher, reads)
        self._others_active = others_active
        self._attending = False

    def install(self, base_client: ModuleType, streaming: ModuleType, jsonl: ModuleType) -> None:
        """Put the hooks into the modules `_base_client`, `_streaming` and `_decoders.jsonl`."""
        replace = self.patches.replace
        for name, wrap in (("SyncAPIClient", self._call), ("AsyncAPIClient", self._async_call)):
            client = getattr(base_client, name)
            replace(client, "_request" if _prepares(client) else "request", wrap)
            replace(client, "_sleep_for_retry", self._retry)
        replace(base_client, "start_api_call_span", self._start_span)
        replace(base_client, "finish_api_call_span", self._finish_span)
        self._after.install(streaming, jsonl)
        if not self._attending:
            self._attending = True
            collector.attend()

    def remove(self) -> None:
        """Take the hooks out."""
        self.patches.undo()
        if self._attending:
            self._attending = False
            collector.leave()

    # H1: the call.

    def _call(self, original: Function) -> Function:
        @functools.wraps(original)
        def request(client: object, *args: object, **kwargs: object) -> object:
            current = self._begin(client, args, kwargs)
            if current is None:
                return original(client, *args, **kwargs)
            token = _current.set(current)
            try:
                if current.own:
                    with self._around(current):
                        result = original(client, *args, **kwargs)
                else:
                    result = original(client, *args, **kwargs)
            except BaseException as error:
                self._failed(current, error)
                raise
            finally:
                _current.reset(token)
            self._returned(current, result)
            return result

        return request

    def _async_call(self, original: Function) -> Function:
        start: Callable[..., Awaitable[object]] = original  # type: ignore[assignment]  # the caller knows its exact type

        @functools.wraps(original)
        async def request(client: object, *args: object, **kwargs: object) -> object:
            current = self._begin(client, args, kwargs)
            if current is None:
                return await start(client, *args, **kwargs)
            token = _current.set(current)
            try:
                if current.own:
                    with self._around(current):
                        result = await start(client, *args, **kwargs)
                else:
                    result = await start(client, *args, **kwargs)
            except BaseException as error:
                self._failed(current, error)
                raise
            finally:
                # A task that is given up may be closed in another context, which is left as it is.
                with contextlib.suppress(ValueError):
                    _current.reset(token)
            self._returned(current, result)
            return result

        return request

    def _begin(self, client: object, args: tuple[object, ...], kwargs: Mapping[str, object]) -> Turn | None:
        try:
            if not self.patches.active:
                return None
            silenced = _outer.get()
            if silenced is not None:
                _outer.set(None)  # of a request of another kind, too: the next one has nothing to do with it
            options = args[1] if len(args) > 1 else kwargs["options"]
            url: str = options.url  # type: ignore[attr-defined]  # an object of the SDK, whose classes are not imported here
            if url != _PATH and url.partition("?")[0] != _PATH:
                return None
            if options.method.lower() != "post":  # type: ignore[attr-defined]
                return None
            body = options.json_data  # type: ignore[attr-defined]
            streaming = kwargs.get("stream") is True
            current = self._tracer.begin(body if isinstance(body, dict) else {}, streaming=streaming)
            current.options = options
            parser = getattr(options, "post_parser", None)
            if callable(parser):
                options.post_parser = remembered(current, parser)  # type: ignore[attr-defined]
            if self._tracer.telemetry is not None:
                native = getattr(kwargs.get("call"), "span", None)
                self._choose_span(self._tracer.telemetry, current, client, native, silenced)
        except Exception:  # noqa: BLE001 - whatever goes wrong here must not reach the caller
            faults.note("request")
            return None
        return current

    def _choose_span(
        self, telemetry: Telemetry, current: Turn, client: object, native: Span | None, silenced: Span | None
    ) -> None:
        """`silenced` is the span of another emitter that keeps the SDK's own, `native`, from recording."""
        if silenced is not None and native is not None and not native.is_recording():
            native = None
        current.native = native is not None
        try:
            telemetry.adopt(current, native, silenced)
            if current.span is None and telemetry.has_backend():
                telemetry.start(current, request_attributes(current, client), beside=self._others_active())
        except Exception:  # noqa: BLE001 - the turn is counted and stored all the same
            faults.note("span")

    def _around(self, current: Turn) -> AbstractContextManager[object]:
        """Make a `chat` span of our own current while the request is under way, and no longer."""
        telemetry = self._tracer.telemetry
        return contextlib.nullcontext() if telemetry is None else telemetry.current(current)

    def _failed(self, current: Turn, error: BaseException) -> None:
        try:
            self._tracer.failed(current, error_type(error), current.parsed)
            current.parsed = None
        except Exception:  # noqa: BLE001 - whatever goes wrong here must not reach the caller
            faults.note("failed request")

    def _returned(self, current: Turn, result: object) -> None:
        try:
            current.parsed = None
            if not current.done or self._reads is not None or "stop_reason" not in getattr(result, "__dict__", ()):
                self._take(current, result)
        except Exception:  # noqa: BLE001 - whatever goes wrong here must not reach the caller
            faults.note("response")

    def _take(self, current: Turn, result: object) -> None:
        # Messages first: asking a pydantic model for an attribute that it lacks is slow.
        if isinstance(result, dict) or "stop_reason" in getattr(result, "__dict__", ()):
            self._take_message(current, result)
        elif hasattr(type(result), "__stream__"):
            self._tracer.start_stream(current)
            self._watcher.follow(result, result.response, current)  # type: ignore[attr-defined]
        elif not hasattr(result, "http_response"):
            self._tracer.unknown(current)
        else:
            if not current.done and not self._take_read(current, result):
                self._watcher.follow(result, result.http_response, current)
            result.__dict__[TAG] = current
            self._after.follow_raw(result)
            if self._reads is not None:
                self._reads.raw(result, current)

    def _take_read(self, current: Turn, raw: object) -> bool:
        """Take a raw response whose body is there already; False where it is still to be read."""
        message = json_of(raw.http_response)  # type: ignore[attr-defined]  # told from others by having one
        if message is None:
            return False
        self._tracer.answered(current, message)
        return True

    def _take_message(self, current: Turn, message: object) -> None:
        self._tracer.answered(current, message)
        if self._reads is not None and not isinstance(message, dict):
            self._reads.message(message, current)

    def _start_span(self, original: Function) -> Function:
        @functools.wraps(original)
        def start_api_call_span(*args: object, **kwargs: object) -> object:
            span = original(*args, **kwargs)
            telemetry = self._tracer.telemetry
            if span is not None and telemetry is not None and not span.is_recording():  # type: ignore[attr-defined]
                # Another emitter may have silenced the SDK while its own span stands for the request.
                _outer.set(telemetry.llm_span())
            return span

        return start_api_call_span

    def _finish_span(self, original: Function) -> Function:
        @functools.wraps(original)
        def finish_api_call_span(
            client: object, span: object, result: object, *args: object, **kwargs: object
        ) -> object:
            current = _current.get()
            if current is not None and current.span is span and not current.done:
                try:
                    self._before_span_ends(current, result.data)  # type: ignore[attr-defined]
                except Exception:  # noqa: BLE001
                    faults.note("span")
            return original(client, span, result, *args, **kwargs)

        return finish_api_call_span

    def _before_span_ends(self, current: Turn, data: object) -> None:
        if "stop_reason" in getattr(data, "__dict__", ()):
            self._tracer.answered(current, data)
        elif not hasattr(type(data), "__stream__") and hasattr(data, "http_response"):
            self._take_read(current, data)

    def _retry(self, original: Function) -> Function:
        @functools.wraps(original)
        def _sleep_for_retry(client: object, *args: object, **kwargs: object) -> object:
            current = _current.get()
            if current is not None:
                current.retries += 1
            return original(client, *args, **kwargs)

        return _sleep_for_retry


def _prepares(client: type) -> bool:
    """Whether `_request` is called once a logical call (1.14 and later); before, it was called for each attempt."""
    method = vars(client).get("_request")
    return method is not None and "call" in inspect.signature(method).parameters
