"""The whole way, with the real tracer: an application, its store, the line at its end, the report."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from store_samples import rows, turn_ids

from stoplint.testing import FakeMessages, empty, pause, text, truncated

PROMPT = "quokkaprompt"
ANSWER = "numbatanswer"

HEAD = f"""
import os, sys
import anthropic
client = anthropic.Anthropic(http_client=anthropic.DefaultHttpxClient(trust_env=False))

def ask(*messages, **options):
    return client.messages.create(model="claude-opus-5-5", max_tokens=64, messages=list(messages), **options)

def user(content="{PROMPT}"):
    return {{"role": "user", "content": content}}
"""

posix = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")


def environment(fake: FakeMessages, **added: str) -> dict[str, str]:
    left_out = ("STOPLINT_", "OTEL_", "PYTHON", "ANTHROPIC_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    return {**kept, **fake.environ, **added}


def application(folder: Path, body: str, *, auto: bool = False) -> None:
    start = "import stoplint.auto\n" if auto else ""
    (folder / "app.py").write_text(start + HEAD + textwrap.dedent(body), encoding="utf-8")


def run(folder: Path, fake: FakeMessages, *command: str, **added: str) -> subprocess.CompletedProcess[str]:
    arguments = [sys.executable, *(command or ("app.py",))]
    return subprocess.run(
        arguments, cwd=folder, env=environment(fake, **added), capture_output=True, text=True, check=False
    )


def reported(folder: Path) -> dict[str, list[dict[str, object]]]:
    command = [sys.executable, "-m", "stoplint", "report", "--output-format", "json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    found: dict[str, list[dict[str, object]]] = json.loads(done.stdout)
    return found


FLAWED = """
    question = user()
    ask(question)
    ask(question)
    with client.messages.stream(model="claude-opus-5-5", max_tokens=64, messages=[user("another")]) as stream:
        "".join(stream.text_stream)
    print(ask(user("a third")).content[0].text)
    sys.exit(7)
"""


def flawed_answers() -> list[object]:
    return [empty(), empty(), truncated(ANSWER), text(ANSWER)]


def test_an_unchanged_application_is_watched(tmp_path: Path) -> None:
    application(tmp_path, FLAWED)
    with FakeMessages(flawed_answers()) as fake:
        done = run(tmp_path, fake, "-m", "stoplint", "run", "app.py")
    assert (done.returncode, done.stdout) == (7, f"{ANSWER}\n")
    assert done.stderr == "stoplint: 4 turns, 2 findings (SL102, SL203); stoplint report shows them\n"
    found = reported(tmp_path)
    assert sorted(str(chain["outcome"]) for chain in found["chains"]) == ["empty", "finished", "truncated"]
    places = {str(one["code"]): (one["path"], one["function"]) for one in found["findings"]}
    assert places == {"SL203": ("app.py", "ask"), "SL102": ("app.py", "<module>")}


def test_one_import_says_at_the_end_what_was_found(tmp_path: Path) -> None:
    application(tmp_path, FLAWED, auto=True)
    with FakeMessages(flawed_answers()) as fake:
        done = run(tmp_path, fake)
    assert (done.returncode, done.stdout) == (7, f"{ANSWER}\n")
    assert done.stderr == "stoplint: 4 turns, 2 findings (SL102, SL203); stoplint report shows them\n"
    assert not list((tmp_path / ".stoplint").glob("*-wal"))


def test_the_line_names_a_store_that_the_report_would_not_find(tmp_path: Path) -> None:
    application(tmp_path, "ask(user())\n", auto=True)
    with FakeMessages([truncated(ANSWER)]) as fake:
        done = run(tmp_path, fake, STOPLINT_STORE="logs/t.db")
    assert done.stderr == "stoplint: 1 turn, 1 finding (SL102); stoplint report logs/t.db shows them\n"


@pytest.mark.parametrize("store", [".stoplint/turns.db", "logs/t.db"])
def test_the_line_does_not_promise_what_could_not_be_written(tmp_path: Path, store: str) -> None:
    application(tmp_path, "ask(user())\n", auto=True)
    (tmp_path / store).parent.write_text("in the way", encoding="utf-8")
    with FakeMessages([truncated(ANSWER)]) as fake:
        done = run(tmp_path, fake, STOPLINT_STORE=store)
    assert done.returncode == 0
    assert done.stderr == (
        f"stoplint: 1 turn, 1 finding (SL102); {Path(store)} could not be written, so there is nothing to report\n"
    )


def test_the_line_counts_what_was_lost_on_the_way(tmp_path: Path) -> None:
    lose = """
    ask(user())
    from stoplint.trace import exitline
    (sink,) = exitline._watched
    sink.flush(5)
    sink._sink._writer.lost += 2
    """
    application(tmp_path, lose, auto=True)
    with FakeMessages([truncated(ANSWER)]) as fake:
        done = run(tmp_path, fake)
    assert done.stderr == (
        "stoplint: 1 turn, 1 finding (SL102); stoplint report shows them, but for 2 records that could not be written\n"
    )


def test_an_application_without_fault_ends_quietly(tmp_path: Path) -> None:
    application(tmp_path, "ask(user())\n", auto=True)
    with FakeMessages([text(ANSWER)]) as fake:
        done = run(tmp_path, fake)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(turn_ids(tmp_path / ".stoplint" / "turns.db")) == 1


def test_a_crash_says_it_too(tmp_path: Path) -> None:
    application(tmp_path, "ask(user())\nraise SystemError('of the application')\n", auto=True)
    with FakeMessages([truncated(ANSWER)]) as fake:
        done = run(tmp_path, fake)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("stoplint: 1 turn, 1 finding (SL102)")


def test_a_closed_standard_error_is_no_fault(tmp_path: Path) -> None:
    application(tmp_path, "ask(user())\nsys.stderr.close()\n", auto=True)
    with FakeMessages([truncated(ANSWER)]) as fake:
        assert run(tmp_path, fake).returncode == 0


@posix
def test_forked_children_are_recorded_and_stay_quiet(tmp_path: Path) -> None:
    body = """
    ask(user("first"))
    pid = os.fork()
    if pid == 0:
        ask(user("second"))
        sys.exit(0)
    os.waitpid(pid, 0)
    """
    application(tmp_path, body, auto=True)
    with FakeMessages([truncated("a"), truncated("b")]) as fake:
        done = run(tmp_path, fake)
    assert done.stderr == "stoplint: 1 turn, 1 finding (SL102); stoplint report shows them\n"
    found = reported(tmp_path)
    assert [(chain["outcome"], chain["turns"]) for chain in found["chains"]] == [("truncated", 1)] * 2
    assert [one["count"] for one in found["findings"]] == [2]


@pytest.mark.parametrize("method", ["spawn", pytest.param("fork", marks=posix)])
def test_worker_processes_are_recorded_and_stay_quiet(tmp_path: Path, method: str) -> None:
    body = f"""
    import multiprocessing

    def work(number):
        ask(user(f"number {{number}}"))

    if __name__ == "__main__":
        context = multiprocessing.get_context("{method}")
        workers = [context.Process(target=work, args=(number,)) for number in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    """
    application(tmp_path, body)
    with FakeMessages(lambda request: truncated("cut")) as fake:
        done = run(tmp_path, fake, "-m", "stoplint", "run", "app.py")
    assert done.stderr == "stoplint: 2 turns, 2 findings (SL102 x2); stoplint report shows them\n"


@posix
def test_what_was_committed_outlives_kill_9(tmp_path: Path) -> None:
    body = """
    number = 0
    while True:
        ask(user(f"number {number}"))
        number += 1
    """
    application(tmp_path, body, auto=True)
    path = tmp_path / ".stoplint" / "turns.db"
    with FakeMessages(lambda request: text("fine")) as fake:
        process = subprocess.Popen([sys.executable, "app.py"], cwd=tmp_path, env=environment(fake))
        while not path.exists() or not _count(path) > 20:
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        asked = len(fake.requests)
    committed = _count(path)
    assert 20 < committed <= asked
    found = reported(tmp_path)
    assert found["totals"]["turns"] == committed  # type: ignore[call-overload]
    assert {chain["outcome"] for chain in found["chains"]} == {"finished"}, "the process is known to be gone"


def _count(path: Path) -> int:
    try:
        return len(turn_ids(path))
    except Exception:  # noqa: BLE001 - it is being made
        return 0


def test_a_conversation_that_changes_process_is_one_chain(tmp_path: Path) -> None:
    body = """
    import json
    from pathlib import Path
    saved = Path("conversation.json")
    messages = json.loads(saved.read_text()) if saved.exists() else [user()]
    reply = ask(*messages, tools=[{"type": "web_search_20250305", "name": "web_search"}])
    messages.append({"role": "assistant", "content": [block.to_dict() for block in reply.content]})
    saved.write_text(json.dumps(messages))
    """
    application(tmp_path, body)
    with FakeMessages([pause(value="searching"), pause(value="still"), text("found")]) as fake:
        for _ in range(3):
            assert run(tmp_path, fake, "-m", "stoplint", "run", "-q", "app.py").returncode == 0
    found = reported(tmp_path)
    (chain,) = found["chains"]
    assert (chain["outcome"], chain["stop_reasons"]) == ("finished", ["pause_turn", "pause_turn", "end_turn"])
    assert found["findings"] == []
    assert found["totals"]["processes"] == 3  # type: ignore[call-overload]


def _everything(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted((folder / ".stoplint").iterdir()))


def _shown(folder: Path) -> str:
    shown = ""
    for arguments in ([], ["--output-format", "json"], ["--html", "page.html"]):
        command = [sys.executable, "-m", "stoplint", "report", *arguments]
        shown += subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
    return shown + (folder / "page.html").read_text(encoding="utf-8")


def test_no_word_of_the_conversation_is_stored(tmp_path: Path) -> None:
    application(tmp_path, FLAWED, auto=True)
    with FakeMessages(flawed_answers()) as fake:
        done = run(tmp_path, fake)
        assert PROMPT in str(fake.requests[0].body)
    assert ANSWER in done.stdout
    for word in (PROMPT, ANSWER, "another", "third"):
        assert word.encode() not in _everything(tmp_path)
        assert word not in _shown(tmp_path)
        assert word not in done.stderr


def test_content_is_stored_where_it_is_asked_for_and_never_shown(tmp_path: Path) -> None:
    application(tmp_path, FLAWED, auto=True)
    with FakeMessages(flawed_answers()) as fake:
        run(tmp_path, fake, STOPLINT_CAPTURE_CONTENT="true")
    stored = rows(tmp_path / ".stoplint" / "turns.db", "SELECT request_content, response_content FROM turns")
    assert PROMPT in str(stored)
    assert ANSWER in str(stored)
    assert PROMPT not in _shown(tmp_path)
    assert ANSWER not in _shown(tmp_path)


def test_an_unwritable_folder_costs_the_application_nothing(tmp_path: Path) -> None:
    (tmp_path / ".stoplint").write_text("in the way", encoding="utf-8")
    application(tmp_path, "print(ask(user()).stop_reason)\n", auto=True)
    with FakeMessages([text(ANSWER)]) as fake:
        done = run(tmp_path, fake)
    assert (done.returncode, done.stdout, done.stderr) == (0, "end_turn\n", "")


def test_a_store_that_is_off_is_not_made(tmp_path: Path) -> None:
    application(tmp_path, "ask(user())\n", auto=True)
    with FakeMessages([truncated(ANSWER)]) as fake:
        done = run(tmp_path, fake, STOPLINT_STORE="off")
    assert done.stderr == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["app.py"]


EXPORTS = """
import stoplint.auto
from opentelemetry import _logs, trace
from opentelemetry.exporter.otlp.json.file._log_exporter import FileLogExporter
from opentelemetry.exporter.otlp.json.file.trace_exporter import FileSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

spans, logs = TracerProvider(), LoggerProvider()
spans.add_span_processor(BatchSpanProcessor(FileSpanExporter("spans.jsonl")))
logs.add_log_record_processor(BatchLogRecordProcessor(FileLogExporter("logs.jsonl")))
trace.set_tracer_provider(spans)
_logs.set_logger_provider(logs)
"""


def test_what_a_collector_writes_reports_the_same_as_the_store(tmp_path: Path) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.json.file", reason="opentelemetry-exporter-otlp-json-file")
    application(tmp_path, FLAWED)
    written = (tmp_path / "app.py").read_text(encoding="utf-8")
    (tmp_path / "app.py").write_text(EXPORTS + written, encoding="utf-8")
    with FakeMessages(flawed_answers()) as fake:
        assert run(tmp_path, fake, STOPLINT_STORE="turns.db").returncode == 7
    found = []
    for files in (["turns.db"], ["spans.jsonl", "logs.jsonl"]):
        command = [sys.executable, "-m", "stoplint", "report", *files, "--output-format", "json"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        report = json.loads(done.stdout)
        assert all(source["broken_lines"] == 0 for source in report["sources"])
        found.append(
            {
                "models": report["models"],
                "sites": report["call_sites"],
                "chains": [(one["chain_id"], one["relations"], one["stop_reasons"]) for one in report["chains"]],
                "findings": [
                    (one["code"], one["severity"], one["path"], one["line"], one["occurrences"][0]["evidence_turn_id"])
                    for one in report["findings"]
                ],
                "tokens": [report["totals"][name] for name in ("input_tokens", "output_tokens")],
            }
        )
    assert found[0] == found[1]
    assert len(found[0]["chains"]) == 3
