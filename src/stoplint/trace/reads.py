"""SL101 seen live: did the application read `content` and never `stop_reason`?  Opt-in.

The class of a response is swapped for a twin whose `stop_reason` and `content` note the application's first read.  A
read of `stop_reason`, a dump, a copy or a comparison ends the watch and gives the response its class back: what came
out that way may be looked at anywhere, so it counts as unknown, never as ignored.

Whatever takes a response as a whole (a dump, also one inside another model, `repr`, `vars`, a log line) asks it for its
`__dict__`, pydantic's core included; so the twin's `__dict__` is where that is noticed.
"""

from __future__ import annotations

import functools
import sys
import weakref
from typing import TYPE_CHECKING, Final

from stoplint.trace import faults, mistakes
from stoplint.trace.watch import turn_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import GetSetDescriptorType, ModuleType

    from stoplint.trace.chains import TurnState
    from stoplint.trace.patch import Patches
    from stoplint.trace.tracer import Tracer
    from stoplint.trace.turn import Turn

_KEY: Final = "_stoplint_read"
_SDK: Final = ("anthropic.", "stoplint.trace.")
_BETWEEN: Final = frozenset({"anthropic._models", "copy", "copyreg"})
"""Beside pydantic: modules that read for whoever called them."""
_FOR_THE_APPLICATION: Final = frozenset({"__stream_text__", "get_final_text"})
"""Functions of the SDK that give what they read to the application."""
_SHARED: Final = (
    "__pydantic_core_schema__",
    "__pydantic_serializer__",
    "__pydantic_validator__",
    "__pydantic_complete__",
    "__signature__",
)
_REASON: Final = "stop_reason"
_FIELDS: Final = (_REASON, "content", "text", "thinking", "partial_json", "citation", "content_block", "snapshot")
"""The fields that tell the reason or the content: of messages, of the events of a stream and of their deltas."""
_LEAVING: Final = ("__copy__", "__deepcopy__", "__eq__", "__reduce__", "__reduce_ex__", "copy", "model_copy")
"""Ways for all of a response to leave it that look at its class first."""
_BODY: Final = frozenset(
    {
        "content",
        "http_response",
        "iter_bytes",
        "iter_lines",
        "iter_raw",
        "iter_text",
        "json",
        "read",
        "stream_to_file",
        "text",
        "write_to_file",
    }
)
"""What gives the body of a raw response."""
_BUILT: Final = frozenset({"text", "thinking", "input_json", "citation", "content_block_stop"})
"""The events that a stream helper makes of the content that has come."""


class Reading:
    """What the application has read of one answer.  Shared by the objects that hold the same answer; `holders` has an
    entry for each of them that lives (a list, as adding to it and taking from it is one step for every thread).
    """

    __slots__ = ("content", "holders", "reason", "state")

    def __init__(self, state: TurnState) -> None:
        self.state = state
        self.content = False
        self.reason = False
        self.holders: list[None] = []


def _by_sdk(callers: int) -> bool:
    """Whether the SDK, or this module, asks on its own account.  `callers` counts the frames to leave out."""
    frame = sys._getframe(callers + 1)  # noqa: SLF001 - who reads is the question
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if name not in _BETWEEN and not name.startswith("pydantic."):
            return name.startswith(_SDK) and frame.f_code.co_name not in _FOR_THE_APPLICATION
        frame = frame.f_back  # type: ignore[assignment]  # the outermost frame has none
    return False


class _Noted:
    """A field of a twin class: the value lives in the instance's `__dict__`, as with the class itself."""

    __slots__ = ("_fields_of", "_name")

    def __init__(self, name: str, fields_of: Callable[[object], dict[str, object]]) -> None:
        self._name = name
        self._fields_of = fields_of

    def __get__(self, holder: object, owner: type | None = None) -> object:
        if holder is None:
            raise AttributeError(self._name)
        fields = self._fields_of(holder)
        if not _by_sdk(1):
            _note(holder, fields, self._name)
        try:
            return fields[self._name]
        except KeyError:
            raise AttributeError(self._name) from None

    def __set__(self, holder: object, value: object) -> None:
        self._fields_of(holder)[self._name] = value


class _Whole:
    """The `__dict__` of a twin class: who asks for it takes all of the response."""

    __slots__ = ("_set", "fields_of")

    def __init__(self, original: GetSetDescriptorType) -> None:
        self.fields_of: Callable[[object], dict[str, object]] = original.__get__
        self._set = original.__set__

    def __get__(self, holder: object, owner: type | None = None) -> object:
        if holder is None:
            return self
        fields = self.fields_of(holder)
        if _KEY in fields and not _by_sdk(1):
            _left(holder, fields)
        return fields

    def __set__(self, holder: object, value: object) -> None:
        self._set(holder, value)


def _note(holder: object, fields: dict[str, object], name: str) -> None:
    reading = fields.get(_KEY)
    if not isinstance(reading, Reading):
        return
    if name == _REASON:
        reading.reason = True
    else:
        reading.content = True
    if name == _REASON or _REASON not in fields:
        _restore(holder, fields)


def _left(holder: object, fields: dict[str, object]) -> None:
    reading = fields.get(_KEY)
    if isinstance(reading, Reading) and _REASON in fields:
        reading.reason = True
    _restore(holder, fields)


def _restore(holder: object, fields: dict[str, object]) -> None:
    """Give a response its own class back."""
    fields.pop(_KEY, None)
    original = _originals.get(type(holder))
    if original is not None:
        object.__setattr__(holder, "__class__", original)


def _reading_of(holder: object) -> Reading | None:
    found = getattr(holder, "__dict__", {}).get(_KEY)
    return found if isinstance(found, Reading) else None


def _leaves(name: str, fields_of: Callable[[object], dict[str, object]]) -> Callable[..., object]:
    def leave(holder: object, *args: object, **kwargs: object) -> object:
        fields = fields_of(holder)
        if _by_sdk(1):
            # The SDK copies responses for its own ends; the answer it goes on with is watched still.
            _restore(holder, fields)
        else:
            _left(holder, fields)
        method: Callable[..., object] = getattr(type(holder), name)
        return method(holder, *args, **kwargs)

    return leave


_twins: dict[type, type] = {}
_originals: dict[type, type] = {}


def _twin(kind: type) -> type:
    """The twin of a response class: same names, same pydantic schema (building one costs milliseconds)."""
    found = _twins.get(kind)
    if found is None:
        whole = _Whole(next(vars(base)["__dict__"] for base in kind.__mro__ if "__dict__" in vars(base)))
        space = _names(kind)
        space["__dict__"] = whole
        found = type(kind)(kind.__name__, (kind,), space)
        for name in _SHARED:
            if name in kind.__dict__:
                setattr(found, name, kind.__dict__[name])
        for name in _FIELDS:
            if name in kind.model_fields:  # type: ignore[attr-defined]  # an object of the SDK, whose classes are not imported here
                setattr(found, name, _Noted(name, whole.fields_of))
        for name in _LEAVING:
            if hasattr(kind, name):
                setattr(found, name, _leaves(name, whole.fields_of))
        found.__hash__ = kind.__hash__  # type: ignore[method-assign]  # made anew for each class
        _twins[kind] = found
        _originals[found] = kind
    return found


def _raw_twin(kind: type) -> type:
    """The twin of a raw response's class."""
    found = _twins.get(kind)
    if found is None:

        def __getattribute__(raw: object, name: str) -> object:  # noqa: N807 - the name that the interpreter looks for
            if name in _BODY and not _by_sdk(1):
                object.__setattr__(raw, "__class__", kind)
                current = turn_of(raw)
                if current is not None and current.reading_of is not None:
                    current.reading_of.reason = True
            return object.__getattribute__(raw, name)

        found = type(kind)(kind.__name__, (kind,), {**_names(kind), "__getattribute__": __getattribute__})
        _twins[kind] = found
        _originals[found] = kind
    return found


def _names(kind: type) -> dict[str, object]:
    return {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": kind.__doc__}


def _swap(holder: object, reading: Reading) -> bool:
    """Give a holder of content or of the reason its twin's class; False where it has one already."""
    fields = holder.__dict__
    if _KEY in fields or type(holder) in _originals:
        return False
    twin = _twin(type(holder))
    fields[_KEY] = reading
    object.__setattr__(holder, "__class__", twin)
    return True


class ReadTracking:
    """Watches the answers of one tracer."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def message(self, message: object, turn: Turn) -> None:
        """Watch a whole answer."""
        self._watch(message, self._reading(turn))

    def raw(self, raw: object, turn: Turn) -> None:
        """Watch a raw response: whoever has read its body may have found the reason there."""
        self._reading(turn)
        if type(raw) not in _originals:
            object.__setattr__(raw, "__class__", _raw_twin(type(raw)))

    def event(self, event: object, turn: Turn) -> None:
        """Watch a stream: the content stands in the deltas, the reason in `message_delta`."""
        kind = event.__dict__.get("type")
        if kind == "message_delta":
            self._watch(event.__dict__["delta"], self._reading(turn))
        elif kind in ("content_block_delta", "content_block_stop"):
            reading = self._reading(turn)
            if not reading.content:
                _swap(event if kind == "content_block_stop" else event.__dict__["delta"], reading)

    def _reading(self, turn: Turn) -> Reading:
        if turn.reading_of is None:
            turn.reading_of = Reading(turn.state)
        return turn.reading_of

    def _watch(self, holder: object, reading: Reading) -> None:
        if _swap(holder, reading):
            reading.holders.append(None)
            # A finalizer may run in the middle of anything: it leaves its finding for the next quiet moment.
            weakref.finalize(holder, self._died, reading)

    def _died(self, reading: Reading) -> None:
        reading.holders.pop()
        if reading.content and not reading.reason and not reading.holders:
            self._tracer.pending.append(functools.partial(self._report, reading))

    def _report(self, reading: Reading) -> None:
        if not reading.reason and not reading.holders:
            reading.reason = True  # said once
            state = reading.state
            self._tracer.finding(state, "SL101", mistakes.ignored(state.stop_reason))

    def install_snapshots(self, patches: Patches, module: ModuleType) -> None:
        """H5: the message a stream helper puts together is the one the application looks at, and so are its events."""
        patches.replace(module, "accumulate_event", self._accumulate)
        patches.replace(module, "build_events", self._build)

    def install_replies(self, patches: Patches, module: ModuleType) -> None:
        """H6: a message thread makes its parsed reply from a dump of the answer."""
        patches.replace(module.BaseMessageThread, "_parse_reply", self._reply)

    def _accumulate(self, original: Callable[..., object]) -> Callable[..., object]:
        @functools.wraps(original)
        def accumulate_event(*args: object, **kwargs: object) -> object:
            snapshot = original(*args, **kwargs)
            try:
                event = getattr(kwargs.get("event"), "__dict__", {})
                reading = _reading_of(event.get("delta")) if event.get("type") == "message_delta" else None
                if reading is not None:
                    self._watch(snapshot, reading)
            except Exception:  # noqa: BLE001 - whatever goes wrong here must not reach the caller
                faults.note("snapshot")
            return snapshot

        return accumulate_event

    def _build(self, original: Callable[..., object]) -> Callable[..., object]:
        make: Callable[..., list[object]] = original  # type: ignore[assignment]  # what the SDK's function returns

        @functools.wraps(original)
        def build_events(*args: object, **kwargs: object) -> list[object]:
            events = make(*args, **kwargs)
            try:
                event = kwargs.get("event")
                reading = _reading_of(event) or _reading_of(getattr(event, "__dict__", {}).get("delta"))
                if reading is not None:
                    for built in events:
                        if built.__dict__.get("type") in _BUILT:
                            _swap(built, reading)
            except Exception:  # noqa: BLE001 - whatever goes wrong here must not reach the caller
                faults.note("event")
            return events

        return build_events

    def _reply(self, original: Callable[..., object]) -> Callable[..., object]:
        @functools.wraps(original)
        def _parse_reply(*args: object, **kwargs: object) -> object:
            source = args[1] if len(args) > 1 else kwargs.get("reply")
            reading = _reading_of(source)
            reply = original(*args, **kwargs)
            try:
                if reading is not None and reply is not source:
                    self._watch(reply, reading)
            except Exception:  # noqa: BLE001 - whatever goes wrong here must not reach the caller
                faults.note("reply")
            return reply

        return _parse_reply
