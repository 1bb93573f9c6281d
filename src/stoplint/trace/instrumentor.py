"""The entry point `stoplint` of the group `opentelemetry_instrumentor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint.trace import runtime

if TYPE_CHECKING:
    from collections.abc import Collection

    from opentelemetry._logs import LoggerProvider
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

_DEPENDENCIES = ("anthropic >= 0.70, < 3",)

if TYPE_CHECKING:

    class _Base:
        """What both bases below offer."""

        def instrument(self, **kwargs: object) -> None: ...

        def uninstrument(self, **kwargs: object) -> None: ...

        @property
        def is_instrumented_by_opentelemetry(self) -> bool: ...

else:
    try:
        from opentelemetry.instrumentation.instrumentor import BaseInstrumentor as _Base
    except ImportError:

        class _Base:
            """Where opentelemetry-instrumentation is not installed: the same calls, one instance a process."""

            _instance = None
            is_instrumented_by_opentelemetry = False

            def __new__(cls) -> object:
                if cls._instance is None:
                    cls._instance = super().__new__(cls)
                return cls._instance

            def instrument(self, **kwargs: object) -> None:
                if not self.is_instrumented_by_opentelemetry:
                    self._instrument(**kwargs)
                    self.is_instrumented_by_opentelemetry = True

            def uninstrument(self, **kwargs: object) -> None:
                if self.is_instrumented_by_opentelemetry:
                    self._uninstrument(**kwargs)
                    self.is_instrumented_by_opentelemetry = False


class StopReasonInstrumentor(_Base):
    """Traces what becomes of stop reasons.

    `instrument(tracer_provider=, meter_provider=, logger_provider=)` starts, with the global providers where none are
    given; `uninstrument()` stops and puts every attribute of the SDK back.
    """

    def instrumentation_dependencies(self) -> Collection[str]:
        """The SDK versions supported."""
        return _DEPENDENCIES

    def _instrument(
        self,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        logger_provider: LoggerProvider | None = None,
        **_: object,
    ) -> None:
        runtime.start(runtime.Providers(tracer_provider, meter_provider, logger_provider))

    def _uninstrument(self, **_: object) -> None:
        runtime.stop()
