"""What happens to an answer after the request returned: streams, bodies read later, things dropped."""

from __future__ import annotations

import sys
import weakref
from typing import TYPE_CHECKING, Final, TypeVar

from stoplint.trace import faults
from stoplint.trace.forwarded import EventBody, JsonBody, TooLongError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator

    from stoplint.trace.forwarded import Body
    from stoplint.trace.records import StreamOutcome
    from stoplint.trace.tracer import Tracer
    from stoplint.trace.turn import Turn

    _Piece = TypeVar("_Piece", bytes, str)

TAG: Final = "_stoplint_turn"
"""The key under which a stream or a raw response carries its turn in its `__dict__`; copies of it carry it too."""


def turn_of(holder: object) -> Turn | None:
    """The turn that a stream or raw response was tagged with."""
    found: Turn | None = holder.__dict__.get(TAG)
    return found


def error_type(error: BaseException) -> str:
    """The `error.type` of a failed request: the API's own where it gave one, the class otherwise.  Never its text."""
    names = {kind.__name__ for kind in type(error).__mro__}
    if names & {"CancelledError", "GeneratorExit", "KeyboardInterrupt", "SystemExit"}:
        return "cancelled"
    if names & {"APITimeoutError", "TimeoutException"}:
        return "client_timeout_error"
    if names & {"APIConnectionError", "TransportError"}:
        return "connection_error"
    if "APIStatusError" in names:
        body = getattr(error, "body", None)
        inner = body.get("error") if isinstance(body, dict) else None
        kind = inner.get("type") if isinstance(inner, dict) else None
        return kind if isinstance(kind, str) else str(getattr(error, "status_code", "")) or "api_error"
    return type(error).__qualname__


def _stream_failure(error: BaseException) -> tuple[StreamOutcome, str | None]:
    kind = error_type(error)
    if kind == "cancelled":
        return ("abandoned", None)
    # The API's own word in the stream is an error; a connection that breaks has cut it.
    is_status = any(base.__name__ == "APIStatusError" for base in type(error).__mro__)
    return ("error" if is_status else "cut", kind)


def _ignore(_event: object) -> bool:
    return False


class Watcher:
    """Follows the answers of one tracer."""

    def __init__(self, tracer: Tracer, on_event: Callable[[object, Turn], None] | None) -> None:
        self._tracer = tracer
        self._on_event = on_event

    def over(self, turn: Turn, how: StreamOutcome, error: str | None = None) -> None:
        """End a turn whose answer was still to come.  Never raises."""
        if turn.done:
            return
        try:
            if turn.stream is None:
                self._tracer.unknown(turn, how, error)
            else:
                self._tracer.stream_over(turn, how, error)
        except Exception:  # noqa: BLE001 - ours, and the application's stream goes on
            faults.note("stream")

    def ended(self, turn: Turn) -> None:
        """The source of a stream has run dry."""
        stream = turn.stream
        self.over(turn, "complete" if stream is None or stream.stopped else "cut")

    def _taker(self, turn: Turn) -> Callable[[object], bool]:
        """What takes in the events of a stream, one call each, and says which was the last."""
        stream, on_event = turn.stream, self._on_event
        take = _ignore if stream is None else stream.event
        if on_event is None:
            return take

        def both(event: object) -> bool:
            last = take(event)
            on_event(event, turn)
            return last

        return both

    def events(self, source: Iterator[object], turn: Turn) -> Generator[object, None, None]:
        """Pass a stream's events on.  Closing this closes the source."""
        take = self._taker(turn)
        try:
            for event in source:
                try:
                    if take(event):
                        # Before the application, and the SDK's own span, learn that the stream is over.
                        self._tracer.stream_over(turn, "complete")
                except Exception:  # noqa: BLE001 - whatever goes wrong here must not reach the caller
                    faults.note("stream event")
                yield event
        except BaseException as error:
            self.over(turn, *_stream_failure(error))
            raise
        else:
            self.ended(turn)
        finally:
            close = getattr(source, "close", None)
            if close is not None and not sys.is_finalizing():
                close()

    async def async_events(self, source: AsyncIterator[object], turn: Turn) -> AsyncGenerator[object, None]:
        """The same for an asynchronous stream."""
        take = self._taker(turn)
        try:
            async for event in source:
                try:
                    if take(event):
                        self._tracer.stream_over(turn, "complete")
                except Exception:  # noqa: BLE001 - whatever goes wrong here must not reach the caller
                    faults.note("stream event")
                yield event
        except BaseException as error:
            self.over(turn, *_stream_failure(error))
            raise
        else:
            self.ended(turn)
        finally:
            close = getattr(source, "aclose", None)
            if close is not None and not sys.is_finalizing():
                await close()

    def let_go(self, turn: Turn, response: object) -> None:
        """The application closes an answer, or drops it: all of its body may have been read past us."""
        if turn.stream is None and getattr(response, "is_closed", False):
            self._read_whole(turn, response)
        else:
            self.over(turn, "abandoned")

    def _read_whole(self, turn: Turn, response: object) -> None:
        try:
            message = json_of(response)
            if message is not None:
                self._tracer.answered(turn, message)
        except Exception:  # noqa: BLE001 - whatever goes wrong here must not reach the caller
            faults.note("raw response")
        self.over(turn, "complete")

    def pieces(self, source: Iterator[_Piece], raw: object, turn: Turn, after: bytes) -> Generator[_Piece, None, None]:
        """Pass the pieces of a body on, and read the answer from them.  `after` is what was cut off each of them."""
        body = self._body(raw, turn)
        try:
            for piece in source:
                body = self._take(body, piece, turn, after)
                yield piece
        except BaseException as error:
            self._passed(body, turn, *_stream_failure(error))
            raise
        else:
            self._passed(body, turn, "complete")
        finally:
            self.release(turn)
            close = getattr(source, "close", None)
            if close is not None and not sys.is_finalizing():
                close()

    async def async_pieces(
        self, source: AsyncIterator[_Piece], raw: object, turn: Turn, after: bytes
    ) -> AsyncGenerator[_Piece, None]:
        """The same for an asynchronous response."""
        body = self._body(raw, turn)
        try:
            async for piece in source:
                body = self._take(body, piece, turn, after)
                yield piece
        except BaseException as error:
            self._passed(body, turn, *_stream_failure(error))
            raise
        else:
            self._passed(body, turn, "complete")
        finally:
            self.release(turn)
            close = getattr(source, "aclose", None)
            if close is not None and not sys.is_finalizing():
                await close()

    def _body(self, raw: object, turn: Turn) -> Body | None:
        # The SDK's span ends with the last piece, before that is here: it waits.
        turn.reading = True
        try:
            kind = raw.http_response.headers.get("content-type", "")  # type: ignore[attr-defined]  # an object of the SDK
            if "json" in kind:
                return JsonBody()
            return EventBody(self._tracer.start_stream(turn)) if "event-stream" in kind else None
        except Exception:  # noqa: BLE001 - whatever goes wrong here must not reach the caller
            faults.note("raw response")
            return None

    def _take(self, body: Body | None, piece: _Piece, turn: Turn, after: bytes) -> Body | None:
        if body is None or turn.done:
            return body
        try:
            if body.take((piece if isinstance(piece, bytes) else piece.encode()) + after):
                self._tracer.stream_over(turn, "complete")
        except TooLongError:
            pass
        except Exception:  # noqa: BLE001 - whatever goes wrong here must not reach the caller
            faults.note("raw response")
        else:
            return body
        # What is left of it is not read: of the answer is known that it came, and no more.
        turn.stream = None
        return None

    def _passed(self, body: Body | None, turn: Turn, how: StreamOutcome, error: str | None = None) -> None:
        try:
            message = None if body is None or turn.done else body.message()
            if message is not None:
                self._tracer.answered(turn, message)
            elif isinstance(body, EventBody) and how == "complete":
                # The last event of a message has ended the turn.
                how, error = ("cut", None) if body.error is None else ("error", body.error)
        except Exception:  # noqa: BLE001 - whatever goes wrong here must not reach the caller
            faults.note("raw response")
        self.over(turn, how, error)

    def follow(self, holder: object, response: object, turn: Turn) -> None:
        """Tag a stream or unread response, and end its turn whenever its body ends or it is dropped.

        Where the SDK has a span it watches the body itself, and its observer is told first of every end: the facts
        have to be on the span before that.  Elsewhere the garbage collector tells of a dropped one.
        """
        holder.__dict__[TAG] = turn
        observer = getattr(getattr(response, "stream", None), "stream_observer", None)
        if observer is not None and turn.native:
            self._observe(observer, turn)
        else:
            weakref.finalize(holder, self.let_go, turn, response).atexit = False

    def _observe(self, observer: object, turn: Turn) -> None:
        original = observer.end  # type: ignore[attr-defined]  # an object of the SDK, whose classes are not imported here

        def end(how: str, error: BaseException | None = None) -> None:
            if turn.reading and how == "read":
                # The whole body is being read to be parsed: the span waits until it is.
                turn.finish_body = lambda: original(how, error)
                return
            if turn.reading and turn.finish_body is not None:
                return
            if how == "read":
                self.ended(turn)
            elif error is not None:
                self.over(turn, *_stream_failure(error))
            else:
                self.over(turn, "abandoned")
            # It holds its observer in turn: without the circle both are freed at once.
            observer.__dict__.pop("end", None)
            original(how, error)

        observer.end = end  # type: ignore[attr-defined]

    def body_read(self, response: object, turn: Turn) -> None:
        """The body of a raw response is in memory.  Never raises."""
        try:
            if not turn.done and turn.stream is None:
                message = json_of(getattr(response, "http_response", None))
                if message is None:
                    self._tracer.unknown(turn)
                else:
                    self._tracer.answered(turn, message)
        except Exception:  # noqa: BLE001 - whatever goes wrong here must not reach the caller
            faults.note("raw response")

    def release(self, turn: Turn) -> None:
        """Let the SDK end the span that waited for the body."""
        turn.reading = False
        waiting, turn.finish_body = turn.finish_body, None
        if waiting is not None:
            waiting()


def json_of(response: object) -> dict[str, object] | None:
    """The decoded body of an HTTP response; None where it was not read into memory, or is no JSON object."""
    if not getattr(response, "is_closed", False) or "json" not in response.headers.get("content-type", ""):  # type: ignore[attr-defined]  # an object of httpx
        return None
    try:
        found = response.json()  # type: ignore[attr-defined]
    except (ValueError, RuntimeError):
        # No JSON, or read piece by piece and gone.
        return None
    return found if isinstance(found, dict) else None
