"""Starting: by import, by the environment, without OpenTelemetry; what is imported, and when."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import textwrap
from importlib.metadata import entry_points

import pytest

from stoplint.trace import settings


def run(code, tmp_path, **environ):
    """A program in an interpreter of its own, in a folder of its own; what it printed."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("STOPLINT_", "OTEL_"))}
    made = subprocess.run(
        [sys.executable, "-c", filled(code)],
        env={**env, **environ},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    return made.stdout.split()


def filled(code):
    """The program with the pieces that several share."""
    return textwrap.dedent(code).replace("#ASK", textwrap.dedent(ASK)).replace("#PROVIDER", textwrap.dedent(PROVIDER))


ASK = """
    from stoplint.testing import FakeMessages, truncated, text
    def ask(fake, **more):
        return fake.client().messages.create(
            model="m", max_tokens=9, messages=[{"role": "user", "content": "Hello"}], **more)
"""


def test_the_import_brings_nothing_heavy(tmp_path):
    code = """
        import sys, stoplint.auto
        heavy = ("anthropic", "opentelemetry", "libcst", "wrapt", "pydantic", "httpx", "httpx2", "sqlite3", "asyncio")
        print(*[name for name in heavy if name in sys.modules], len(sys.modules) > 10)
    """
    assert run(code, tmp_path) == ["True"]


def test_the_trace_package_imports_no_libcst(tmp_path):
    code = """
        import sys, stoplint.auto, anthropic
        from stoplint.trace import runtime
        print(runtime.tracer() is not None, "libcst" in sys.modules)
    """
    assert run(code, tmp_path) == ["True", "False"]


@pytest.mark.parametrize("first", ["import stoplint.auto, anthropic", "import anthropic, stoplint.auto"])
def test_either_order_of_imports(tmp_path, first):
    code = f"""
        {first}
        from stoplint.trace import runtime
        print(runtime.tracer() is not None)
        import inspect
        print(type(anthropic.__spec__.loader).__name__, type(anthropic.__loader__).__name__)
        print(bool(inspect.getsource(anthropic)))
    """
    assert run(code, tmp_path) == ["True", "SourceFileLoader", "SourceFileLoader", "True"]


def test_anthropic_that_is_not_there_stays_not_there(tmp_path):
    code = """
        import sys, stoplint.auto
        import importlib.util
        sys.path[:] = [entry for entry in sys.path if "site-packages" not in entry]
        try:
            import anthropic
        except ModuleNotFoundError as error:
            print(error.name)
    """
    assert run(code, tmp_path) == ["anthropic"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STOPLINT_DISABLED", "on"),
        ("OTEL_SDK_DISABLED", "True"),
        ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "flask, stoplint"),
    ],
)
def test_the_environment_switches_it_off(tmp_path, name, value):
    code = """
        #ASK
        import stoplint.auto, anthropic
        from stoplint.trace import StopReasonInstrumentor, runtime
        StopReasonInstrumentor().instrument()
        with FakeMessages([truncated("Once")]) as fake:
            ask(fake)
        print(runtime.tracer())
    """
    assert run(code, tmp_path, **{name: value}) == ["None"]
    assert list(tmp_path.iterdir()) == []


def test_values_and_their_meaning():
    assert settings.read({}) == settings.Settings(disabled=False, store=None, track_reads=False, capture_content=False)
    assert all(settings.is_true(value) for value in ("true", "TRUE", "1", "On", " on "))
    assert not any(settings.is_true(value) for value in (None, "", "0", "false", "yes"))
    assert settings.read({"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "*"}).disabled


def stored(tmp_path, where=".stoplint/turns.db"):
    with sqlite3.connect(tmp_path / where) as store:
        return store.execute("select * from turns").fetchall()


def test_without_a_backend_the_local_store_is_written_at_exit(tmp_path):
    code = """
        import stoplint.auto
        #ASK
        with FakeMessages([truncated("Once"), text("x")]) as fake:
            ask(fake)
            ask(fake)
    """
    run(code, tmp_path)
    assert len(stored(tmp_path)) == 2


def test_without_opentelemetry_the_local_store_is_what_is_left(tmp_path):
    code = """
        import sys
        class Hide:
            # The SDK needs the API itself: only our own use of it finds nothing.
            def find_spec(self, name, path=None, target=None):
                if name == "stoplint.trace.emit":
                    raise ImportError(name)
        sys.meta_path.insert(0, Hide())
        import stoplint.auto
        #ASK
        with FakeMessages([truncated("Once")]) as fake:
            ask(fake)
        from stoplint.trace import fault_counts, runtime
        print(runtime.tracer().telemetry, fault_counts())
    """
    assert run(code, tmp_path) == ["None", "{}"]
    assert len(stored(tmp_path)) == 1


PROVIDER = """
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    trace.set_tracer_provider(TracerProvider())
"""


def test_with_a_backend_there_is_no_store_unless_one_is_asked_for(tmp_path):
    code = """
        import stoplint.auto
        #ASK
        #PROVIDER
        with FakeMessages([truncated("Once")]) as fake:
            ask(fake)
    """
    run(code, tmp_path)
    assert list(tmp_path.iterdir()) == []
    run(code, tmp_path, STOPLINT_STORE="here.db")
    assert len(stored(tmp_path, "here.db")) == 1


def test_off_forbids_the_store(tmp_path):
    code = """
        import stoplint.auto
        #ASK
        with FakeMessages([truncated("Once")]) as fake:
            ask(fake)
    """
    run(code, tmp_path, STOPLINT_STORE="off")
    assert list(tmp_path.iterdir()) == []


def test_what_is_found_at_exit_still_reaches_the_providers(tmp_path):
    code = """
        import stoplint.auto
        #ASK
        #PROVIDER
        import sys
        from opentelemetry import _logs, metrics
        from opentelemetry.sdk._logs import LoggerProvider
        from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter, LogRecordExportResult
        class Print(LogRecordExporter):
            def export(self, batch):
                print(*[one.log_record.attributes["stoplint.rule.id"] for one in batch], flush=True)
                return LogRecordExportResult.SUCCESS
            def shutdown(self):
                pass
            def force_flush(self, timeout_millis=0):
                return True
        provider = LoggerProvider()
        provider.add_log_record_processor(BatchLogRecordProcessor(Print()))
        _logs.set_logger_provider(provider)
        with FakeMessages([truncated("Once")]) as fake:
            ask(fake)
    """
    assert run(code, tmp_path) == ["SL102"]


def test_providers_given_later_take_over(tmp_path):
    code = """
        import stoplint.auto
        #ASK
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
        from stoplint.trace import StopReasonInstrumentor
        with FakeMessages([truncated("Once"), text("x")]) as fake:
            ask(fake)
            spans = InMemorySpanExporter()
            provider = TracerProvider()
            provider.add_span_processor(SimpleSpanProcessor(spans))
            StopReasonInstrumentor().instrument(tracer_provider=provider)
            ask(fake)
        print(*[span.attributes["stoplint.stop_reason"] for span in spans.get_finished_spans()])
    """
    assert run(code, tmp_path) == ["end_turn"]
    assert len(stored(tmp_path)) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")
def test_a_forked_child_traces_on(tmp_path):
    code = """
        import stoplint.auto
        #ASK
        import os
        from stoplint.trace import runtime
        with FakeMessages([truncated("Once")], repeat_last=True) as fake:
            ask(fake)
            child = os.fork()
            if child == 0:
                ask(fake)
                runtime.finish(runtime.tracer())
                os._exit(0)
            os.waitpid(child, 0)
    """
    run(code, tmp_path)
    with sqlite3.connect(tmp_path / ".stoplint/turns.db") as store:
        assert store.execute("select count(*), count(distinct pid) from turns").fetchone() == (2, 2)


def test_the_entry_point_is_ours_alone():
    (found,) = [one for one in entry_points(group="opentelemetry_instrumentor") if one.name == "stoplint"]
    assert found.value == "stoplint.trace:StopReasonInstrumentor"
    assert found.load().__name__ == "StopReasonInstrumentor"


def test_the_instrumentor_works_without_its_base_package(tmp_path):
    code = """
        import sys
        sys.modules["opentelemetry.instrumentation"] = None
        import anthropic
        from stoplint.trace import StopReasonInstrumentor, runtime
        one = StopReasonInstrumentor()
        one.instrument()
        one.instrument()
        print(one is StopReasonInstrumentor(), one.is_instrumented_by_opentelemetry, runtime.tracer() is not None)
        one.uninstrument()
        print(one.is_instrumented_by_opentelemetry, runtime.tracer())
    """
    assert run(code, tmp_path) == ["True", "True", "True", "False", "None"]
