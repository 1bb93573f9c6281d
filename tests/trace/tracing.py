"""What the tests of the tracer share: a tracer at work for one test, and what it told."""

from __future__ import annotations

import contextlib
import gc
from dataclasses import dataclass, field

import anthropic  # noqa: F401 - the hooks go in when the SDK is imported
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from stoplint.testing import FakeMessages
from stoplint.trace import StopReasonInstrumentor, faults, runtime

MODEL = "claude-opus-5-5"
PARAMS = {"model": MODEL, "max_tokens": 64}
TOOL = {"name": "look", "description": "Look.", "input_schema": {"type": "object"}}
SEARCH = {"type": "web_search_20250305", "name": "web_search"}


def user(content):
    return {"role": "user", "content": content}


def assistant(content):
    return {"role": "assistant", "content": content}


def result(identity, content="seen", **more):
    return {"type": "tool_result", "tool_use_id": identity, "content": content, **more}


@dataclass
class MemorySink:
    """A sink that keeps everything."""

    turns: list = field(default_factory=list)
    findings: list = field(default_factory=list)
    chains: list = field(default_factory=list)

    def turn(self, record):
        self.turns.append(record)

    def finding(self, record):
        self.findings.append(record)

    def chain(self, record):
        self.chains.append(record)

    def flush(self, timeout_s):
        pass

    def close(self):
        pass


class Traced:
    """A tracer at work, with in-memory providers of its own and a sink beside them."""

    def __init__(self, *, native=True):
        self.native = native
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.reader = InMemoryMetricReader()
        self.meter_provider = MeterProvider(metric_readers=[self.reader])
        self.log_exporter = InMemoryLogRecordExporter()
        self.logger_provider = LoggerProvider()
        self.logger_provider.add_log_record_processor(SimpleLogRecordProcessor(self.log_exporter))
        self.sink = MemorySink()

    @contextlib.contextmanager
    def at_work(self):
        before = faults.counts()
        StopReasonInstrumentor().instrument(
            tracer_provider=self.provider, meter_provider=self.meter_provider, logger_provider=self.logger_provider
        )
        self.tracer = runtime.tracer()
        self.tracer._open_sink = lambda _has_backend: self.sink
        self.allow_faults = False
        try:
            yield self
        finally:
            StopReasonInstrumentor().uninstrument()
        assert self.allow_faults or faults.counts() == before

    def options(self):
        """Options for a client of the SDK: its own tracing to our provider, or off."""
        tracing = {"tracer_provider": self.provider} if self.native else {"traces": False}
        return {"open_telemetry": tracing, "max_retries": 2}

    def client(self, fake, **options):
        return fake.client(**{**self.options(), **options})

    def async_client(self, fake, **options):
        return fake.async_client(**{**self.options(), **options})

    @property
    def spans(self):
        return list(self.exporter.get_finished_spans())

    @property
    def turns(self):
        """The attributes of the spans of turns, ours without their prefix."""
        return [
            {name.removeprefix("stoplint."): value for name, value in span.attributes.items()}
            for span in self.spans
            if "stoplint.relation" in span.attributes
        ]

    @property
    def relations(self):
        return [turn["relation"] for turn in self.turns]

    @property
    def codes(self):
        """The findings so far, one list a turn."""
        return [list(turn.get("findings", ())) for turn in self.turns]

    def metrics(self):
        """Metric name -> {sorted attributes: value}."""
        found = {}
        data = self.reader.get_metrics_data()
        for resource in data.resource_metrics if data else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    for point in metric.data.data_points:
                        value = getattr(point, "value", None)
                        key = tuple(sorted(point.attributes.items()))
                        found.setdefault(metric.name, {})[key] = point.sum if value is None else value
        return found

    def logs(self):
        return [one.log_record for one in self.log_exporter.get_finished_logs()]


def fake(*script, **options):
    made = FakeMessages(script, **{"strict": False, **options})
    made.allow_unused = True
    return made


def collect():
    for _ in range(3):
        gc.collect()
