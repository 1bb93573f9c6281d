"""One tracer a process: started by `stoplint.auto`, an instrumentor or `stoplint run`; stopped by `uninstrument()`.

Importing this imports neither `anthropic` nor OpenTelemetry: both are looked for once the application has imported
`anthropic`.
"""

from __future__ import annotations

import atexit
import importlib
import os
import sys
import threading
from typing import TYPE_CHECKING, Final, NamedTuple

from stoplint.trace import settings
from stoplint.trace.importhook import when_imported

if TYPE_CHECKING:
    from opentelemetry._logs import LoggerProvider
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from stoplint.trace.emit import Telemetry
    from stoplint.trace.hooks import Hooks
    from stoplint.trace.reads import ReadTracking
    from stoplint.trace.records import Sink
    from stoplint.trace.tracer import Tracer

_HELPERS: Final = ("anthropic.lib.streaming._messages", "anthropic.lib.streaming._beta_messages")
_THREADS: Final = "anthropic.lib.threads._beta_threads"


class Providers(NamedTuple):
    """The OpenTelemetry providers to emit through; None for the global one."""

    tracer: TracerProvider | None = None
    meter: MeterProvider | None = None
    logger: LoggerProvider | None = None


class _Running(NamedTuple):
    tracer: Tracer
    hooks: Hooks


class _Process:
    """What is started in this process.  `wanted` outlives the wait for `anthropic` to be imported."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.wanted: tuple[settings.Settings, Providers] | None = None
        self.waiting = False
        self.running: _Running | None = None
        self.at_fork = False


_process = _Process()


def start(providers: Providers | None = None) -> bool:
    """Start tracing as soon as the application has imported `anthropic`.  Starting twice is starting once; providers
    given the second time (an instrumentor after `import stoplint.auto`) take over from the global ones.

    False where the environment switches tracing off.
    """
    found = settings.read(os.environ)
    if found.disabled:
        return False
    with _process.lock:
        if _process.wanted is not None and providers is not None and any(providers) and providers != _process.wanted[1]:
            stop()
        if _process.wanted is None:
            _process.wanted = (found, providers or Providers())
        if not _process.waiting and _process.running is None:
            _process.waiting = True
            when_imported("anthropic", _install)
    return True


def stop() -> None:
    """Stop tracing: end what is open, flush, and put the SDK's attributes back."""
    with _process.lock:
        _process.wanted = None
        running, _process.running = _process.running, None
    if running is not None:
        running.hooks.remove()
        finish(running.tracer)
        if running.tracer.telemetry is not None:
            running.tracer.telemetry.close()
        atexit.unregister(_at_exit)


def tracer() -> Tracer | None:
    """The tracer at work, None before `anthropic` was imported."""
    running = _process.running
    return running.tracer if running is not None else None


def finish(at_work: Tracer, timeout_s: float = 2.0) -> None:
    """All chains are over; write what is left."""
    from stoplint.trace import faults  # noqa: PLC0415 - not on the way of the plain import

    try:
        at_work.end_all()
    except Exception:  # noqa: BLE001 - whatever goes wrong here must not reach the caller
        faults.note("exit")
    try:
        for sink in at_work.sinks():
            sink.flush(timeout_s)
    except Exception:  # noqa: BLE001 - the same
        faults.note("exit")


def _install() -> None:
    """The application has imported `anthropic`: put the hooks in.  Never raises into that import."""
    from stoplint.trace import faults  # noqa: PLC0415

    with _process.lock:
        _process.waiting = False
        if _process.wanted is None or _process.running is not None:
            return
        try:
            _process.running = _start(*_process.wanted)
        except Exception:  # noqa: BLE001 - whatever goes wrong here must not reach the caller
            faults.note("install")


def _start(found: settings.Settings, providers: Providers) -> _Running:
    from stoplint.trace import neighbours  # noqa: PLC0415
    from stoplint.trace.hooks import Hooks  # noqa: PLC0415
    from stoplint.trace.reads import ReadTracking  # noqa: PLC0415
    from stoplint.trace.tracer import Tracer  # noqa: PLC0415

    telemetry = _telemetry(providers)
    at_work = Tracer(
        telemetry,
        lambda has_backend: _open_sink(found.store, has_backend=has_backend),
        capture_content=found.capture_content,
        on_first=_last_at_exit,
    )
    reads = ReadTracking(at_work) if found.track_reads else None
    hooks = Hooks(at_work, reads, neighbours.active)
    hooks.install(
        importlib.import_module("anthropic._base_client"),
        importlib.import_module("anthropic._streaming"),
        importlib.import_module("anthropic._decoders.jsonl"),
    )
    if reads is not None:
        _track(reads, hooks)
    if telemetry is not None:
        telemetry.listen()
    atexit.register(_at_exit)
    if not _process.at_fork and hasattr(os, "register_at_fork"):
        _process.at_fork = True
        os.register_at_fork(after_in_child=_after_fork)
    return _Running(at_work, hooks)


def _track(reads: ReadTracking, hooks: Hooks) -> None:
    for name in _HELPERS:
        reads.install_snapshots(hooks.patches, importlib.import_module(name))
    try:
        reads.install_replies(hooks.patches, importlib.import_module(_THREADS))
    except ModuleNotFoundError:
        # Message threads are new in 2.2.
        return


def _telemetry(providers: Providers) -> Telemetry | None:
    try:
        from opentelemetry.trace import Span  # noqa: PLC0415

        from stoplint.trace.emit import Telemetry  # noqa: PLC0415
    except ImportError:
        # OpenTelemetry is not installed, or too old to speak to: the local store is what is left.
        return None
    if not hasattr(Span, "add_link"):
        # The SDK is content with any version of the API since 1.1; links to be added later came with 1.23.
        return None
    return Telemetry(providers.tracer, providers.meter, providers.logger)


def _open_sink(setting: str | None, *, has_backend: bool) -> Sink | None:
    from stoplint.trace.exitline import watched  # noqa: PLC0415
    from stoplint.trace.store import open_store, store_path  # noqa: PLC0415

    path = store_path(setting, has_backend=has_backend)
    return None if path is None else watched(open_store(path))


def _last_at_exit() -> None:
    """Move our turn at exit before that of the providers: what was registered last runs first, and the application
    sets its providers after the import but before its first request.
    """
    atexit.unregister(_at_exit)
    atexit.register(_at_exit)


def _at_exit() -> None:
    running = _process.running
    if running is not None:
        from stoplint.trace import exitline  # noqa: PLC0415 - loaded with the store, if any

        finish(running.tracer)
        exitline.show()


def _after_fork() -> None:
    from stoplint.trace import faults  # noqa: PLC0415

    _process.lock = threading.RLock()
    faults.after_fork()
    running = _process.running
    if running is not None:
        running.tracer.after_fork()
        util = sys.modules.get("multiprocessing.util")
        if util is not None:
            # A worker of `multiprocessing` leaves without its exit handlers, but not without its finalizers.
            util.register_after_fork(_process, lambda _: util.Finalize(None, _at_exit, exitpriority=-90))
