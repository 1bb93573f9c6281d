"""SL101 seen live: did the application read `content` and never `stop_reason`?  Opt-in.

The class of a response is swapped for a twin whose `stop_reason` and `content` note the application's first read.  A
read of `stop_reason`, a dump, a copy or a comparison ends the watch and gives the response its class back: what came
out that way may be looked at anywhere, so it counts as unknown, never as ignored.
"""

from __future__ import annotations

import functools
import sys
import weakref
from typing import TYPE_CHECKING, Final

from stoplint.trace import faults, mistakes

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from stoplint.trace.chains import TurnState
    from stoplint.trace.patch import Patches
    from stoplint.trace.tracer import Tracer
    from stoplint.trace.turn import Turn

_KEY: Final = "_stoplint_read"
_SDK: Final = ("anthropic.", "pydantic.", "stoplint.trace.")
_SHARED: Final = (
    "__pydantic_core_schema__",
    "__pydantic_serializer__",
    "__pydantic_validator__",
    "__pydantic_complete__",
    "__signature__",
)
_LEAVING: Final = (
    "__copy__",
    "__deepcopy__",
    "__eq__",
    "__iter__",
    "__reduce__",
    "__reduce_ex__",
    "copy",
    "dict",
    "json",
    "model_copy",
    "model_dump",
    "model_dump_json",
    "to_dict",
    "to_json",
    "to_param",
)
"""Ways for all of a response to leave it."""


class Reading:
    """What the application has read of one answer.  Shared by the objects that hold the same answer."""

    __slots__ = ("content", "dead", "reason", "state")

    def __init__(self, state: TurnState) -> None:
        self.state = state
        self.content = False
        self.reason = False
        self.dead = False


class _Noted:
    """A field of a twin class: the value lives in the instance's `__dict__`, as with the class itself."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, holder: object, owner: type | None = None) -> object:
        if holder is None:
            raise AttributeError(self._name)
        fields = holder.__dict__
        caller = sys._getframe(1).f_globals.get("__name__", "")  # noqa: SLF001 - who reads is the question
        if not caller.startswith(_SDK):
            _note(holder, self._name)
        try:
            return fields[self._name]
        except KeyError:
            raise AttributeError(self._name) from None

    def __set__(self, holder: object, value: object) -> None:
        holder.__dict__[self._name] = value


def _note(holder: object, name: str) -> None:
    reading: Reading | None = holder.__dict__.get(_KEY)
    if reading is None:
        return
    if name == "content":
        reading.content = True
    else:
        reading.reason = True
        _restore(holder)


def _restore(holder: object) -> None:
    """Give a response its own class back."""
    holder.__dict__.pop(_KEY, None)
    kind = type(holder)
    original = _originals.get(kind)
    if original is not None:
        object.__setattr__(holder, "__class__", original)


def _leaves(name: str) -> Callable[..., object]:
    def leave(holder: object, *args: object, **kwargs: object) -> object:
        reading: Reading | None = holder.__dict__.get(_KEY)
        if reading is not None:
            caller = sys._getframe(1).f_globals.get("__name__", "")  # noqa: SLF001
            # The SDK copies and dumps responses for its own ends; the answer it goes on with is watched still.
            reading.reason = reading.reason or not caller.startswith(_SDK)
        _restore(holder)
        method: Callable[..., object] = getattr(type(holder), name)
        return method(holder, *args, **kwargs)

    return leave


_twins: dict[type, type] = {}
_originals: dict[type, type] = {}


def _twin(kind: type) -> type:
    """The twin of a response class: same names, same pydantic schema (building one costs milliseconds)."""
    found = _twins.get(kind)
    if found is None:
        space = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": kind.__doc__}
        found = type(kind)(kind.__name__, (kind,), space)
        for name in _SHARED:
            if name in kind.__dict__:
                setattr(found, name, kind.__dict__[name])
        for name in ("stop_reason", "content"):
            if name in kind.model_fields:  # type: ignore[attr-defined]  # an object of the SDK, whose classes are not imported here
                setattr(found, name, _Noted(name))
        for name in _LEAVING:
            if hasattr(kind, name):
                setattr(found, name, _leaves(name))
        found.__hash__ = kind.__hash__  # type: ignore[method-assign]  # made anew for each class
        _twins[kind] = found
        _originals[found] = kind
    return found


class ReadTracking:
    """Watches the answers of one tracer."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def message(self, message: object, state: TurnState) -> None:
        """Watch a whole answer."""
        self._watch(message, Reading(state))

    def event(self, event: object, turn: Turn) -> None:
        """Watch a stream: passing text on is reading it, and the reason stands in `message_delta`."""
        kind = event.__dict__.get("type")
        if kind == "content_block_delta" and turn.reading_of is None:
            turn.reading_of = Reading(turn.state)
            turn.reading_of.content = True
        elif kind == "message_delta":
            reading = turn.reading_of or Reading(turn.state)
            turn.reading_of = reading
            self._watch(event.__dict__["delta"], reading)

    def _watch(self, holder: object, reading: Reading) -> None:
        fields = holder.__dict__
        if _KEY in fields or type(holder) in _originals:
            return
        twin = _twin(type(holder))
        fields[_KEY] = reading
        object.__setattr__(holder, "__class__", twin)
        # A finalizer may run in the middle of anything: it leaves its finding for the next quiet moment.
        weakref.finalize(holder, self._died, reading)

    def _died(self, reading: Reading) -> None:
        if reading.content and not reading.reason and not reading.dead:
            reading.dead = True
            self._tracer.pending.append(functools.partial(self._report, reading))

    def _report(self, reading: Reading) -> None:
        if not reading.reason:
            state = reading.state
            self._tracer.finding(state, "SL101", mistakes.ignored(state.stop_reason))

    def install_snapshots(self, patches: Patches, module: ModuleType) -> None:
        """H5: the message a stream helper puts together is the one the application looks at."""
        patches.replace(module, "accumulate_event", self._accumulate)

    def install_replies(self, patches: Patches, module: ModuleType) -> None:
        """H6: a message thread makes its parsed reply from a dump of the answer."""
        patches.replace(module.BaseMessageThread, "_parse_reply", self._reply)

    def _accumulate(self, original: Callable[..., object]) -> Callable[..., object]:
        @functools.wraps(original)
        def accumulate_event(*args: object, **kwargs: object) -> object:
            snapshot = original(*args, **kwargs)
            try:
                delta = getattr(kwargs.get("event"), "__dict__", {}).get("delta")
                reading = getattr(delta, "__dict__", {}).get(_KEY)
                if reading is not None:
                    self._watch(snapshot, reading)
            except Exception:  # noqa: BLE001 - whatever goes wrong here must not reach the caller
                faults.note("snapshot")
            return snapshot

        return accumulate_event

    def _reply(self, original: Callable[..., object]) -> Callable[..., object]:
        @functools.wraps(original)
        def _parse_reply(*args: object, **kwargs: object) -> object:
            source = args[1] if len(args) > 1 else kwargs.get("reply")
            reading = getattr(source, "__dict__", {}).get(_KEY)
            reply = original(*args, **kwargs)
            try:
                if reading is not None and reply is not source:
                    self._watch(reply, reading)
            except Exception:  # noqa: BLE001 - whatever goes wrong here must not reach the caller
                faults.note("reply")
            return reply

        return _parse_reply
