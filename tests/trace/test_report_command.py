"""`stoplint report` as it is used: text, JSON, HTML, and what it says when there is nothing, or nothing readable."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from store_samples import SECOND, finding, turn
from wcwidth import wcswidth

from stoplint.cli import run
from stoplint.cli.report import _HELP
from stoplint.trace.records import CallSite
from stoplint.trace.store import open_store
from stoplint.trace.store_schema import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = 1_800_000_000 * SECOND
CHAIN = "9f3c21ab00112233445566aa"


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Outcome]:
    """Runs `stoplint report` in an empty folder, 80 columns wide."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("NO_COLOR", "FORCE_COLOR", "STOPLINT_STORE"):
        monkeypatch.delenv(name, raising=False)

    def invoke(*arguments: object) -> Outcome:
        capsys.readouterr()
        code = run(["report", *map(str, arguments)])
        return Outcome(code, *capsys.readouterr())

    return invoke


def fill(path: Path | None = None) -> None:
    """A store of two chains: one with a retry, a fork and findings, one that was finished."""
    here = Path.cwd()
    sites = [
        CallSite(str(here / "src" / "agent.py"), "Agent.ask", 41),
        CallSite(str(here / "src" / "チャット" / "応答.py"), "答える", 12),
        CallSite("/elsewhere/" + "deep/" * 30 + "app.py", "a_function_with_quite_a_long_name.<locals>.step", 7),
    ]
    store = open_store(path)

    def add(number: int, index: int, relation: str, reason: str | None, parent: int | None, **changes: object) -> None:
        started = NOW + number * SECOND
        record = turn(
            f"msg_{number}",
            CHAIN,
            index=index,
            relation=relation,
            stop_reason=reason,
            parent_turn_id=None if parent is None else f"msg_{parent}",
            started_at=started,
            ended_at=started + SECOND,
            call_site=sites[number % 3],
        )
        store.turn(replace(record, **changes))  # type: ignore[arg-type]

    add(0, 0, "new", "tool_use", None)
    add(1, 1, "tool_result", "end_turn", 0, empty=True)
    add(2, 2, "retry_unchanged", "end_turn", 1, empty=True)
    add(3, 3, "fork", "max_tokens", 0, truncated_tool_use=True, stream_outcome="cut", streaming=True)
    add(4, 4, "retry_changed", None, 3, error="overloaded_error", changed=("max_tokens",), retries=2)
    add(5, 0, "new", "stop_sequence", None, chain_id="0123456789abcdef01234567", stop_sequence="</a>", beta=True)
    store.finding(
        finding(
            "msg_2",
            CHAIN,
            code="SL203",
            name="empty-turn-retried",
            severity="error",
            message="the request goes out again unchanged after an empty answer; add a `user` message",
            evidence_turn_id="msg_1",
            call_site=sites[2],
            time=NOW,
        )
    )
    store.finding(finding("msg_3", CHAIN, call_site=sites[1], time=NOW))
    store.close()


def test_the_text_says_it_all(report: Callable[..., Outcome]) -> None:
    fill()
    found = report()
    assert (found.code, found.err) == (0, "")
    assert found.out.startswith("6 turns in 2 chains, 2 findings\n.stoplint/turns.db, ")
    for piece in (
        "claude-sonnet-4-5",
        "src/agent.py:41  Agent.ask",
        "src/チャット/応答.py:12  答える",
        "9f3c21ab  failed      5 turns",
        "01234567  stopped     1 turn     stop_sequence",
        "SL203 empty-turn-retried",
        "failed 1, stopped 1",
    ):
        assert piece in found.out
    assert "after an empty answer; add a `user` message" in " ".join(found.out.split())


@pytest.mark.parametrize("columns", [80, 60, 100, 200])
@pytest.mark.parametrize("arguments", [(), ("--chain", CHAIN)])
def test_lines_fit(
    report: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch, columns: int, arguments: tuple[str, ...]
) -> None:
    fill()
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = report(*arguments).out.splitlines()
    assert max(wcswidth(line) for line in lines) <= min(columns, 100)


def test_a_chain_is_drawn_as_a_tree(report: Callable[..., Outcome]) -> None:
    fill()
    lines = report("--chain", "9f3c").out.splitlines()
    assert lines[0] == f"chain {CHAIN}: failed, 5 turns"
    rows = [re.sub(r" {2,}[\d.]+ s$", "", line) for line in lines if "●" in line]
    assert rows == [
        "●  0  new             → tool_use",
        "├─●  1  tool_result     → end_turn (empty)",
        "│ ●  2  retry_unchanged → end_turn (empty)",
        "●  3  fork            → max_tokens (tool_use cut off, stream cut)",
        "●  4  retry_changed (max_tokens) → error (overloaded_error)",
    ]
    assert "(seen in turn 1)" in " ".join(line.strip(" │") for line in lines)


def test_colours_are_for_terminals(report: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch) -> None:
    fill()
    plain = report().out
    assert "\x1b" not in plain
    colored = report("--color", "always").out
    assert "\x1b[" in colored
    assert re.sub(r"\x1b\[[\d;]*m", "", colored) == plain
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert report().out == colored
    monkeypatch.setenv("NO_COLOR", "1")
    assert report().out == plain


@pytest.mark.parametrize("arguments", [(), ("--chain", "9f3c")])
def test_an_ascii_terminal_gets_ascii(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    monkeypatch.chdir(tmp_path)
    fill()
    command = [sys.executable, "-m", "stoplint", "report", *arguments]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "COLUMNS": "80"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=True)
    text = done.stdout.decode("ascii")
    assert "\\u25cf" not in text
    assert "\\u2588" not in text
    assert "src/\\u30c1" in text  # a path is shown as it is


def test_names_from_files_do_not_steer_the_terminal(report: Callable[..., Outcome], tmp_path: Path) -> None:
    evil = "\x1b]0;owned\x07\u202eevil"
    store = open_store(tmp_path / "evil.db")
    store.turn(
        turn(
            evil,
            evil,
            request_model=evil,
            stop_reason=evil,
            error=evil,
            stop_sequence=evil,
            refusal_category=evil,
            changed=(evil,),
            call_site=CallSite(evil, evil, 1),
        )
    )
    store.finding(finding(evil, evil, code=evil, name=evil, message=evil, call_site=CallSite(evil, evil, 1)))
    store.close()
    for arguments in ((), ("--chain", evil[:4])):
        out = report("evil.db", *arguments).out
        assert "evil" in out
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", out)


def test_the_json_has_the_keys_that_the_help_names(report: Callable[..., Outcome]) -> None:
    fill()
    found = json.loads(report("--output-format", "json").out)
    documented = re.findall(r"^  (\w+)  ", _HELP, re.MULTILINE)
    assert list(found) == documented
    words = set(re.findall(r"\w+", _HELP))
    for part in (found["sources"][0], found["totals"], found["models"][0], found["call_sites"][0]):
        assert set(part) <= words
    assert {*found["chains"][0], *found["findings"][0], *found["findings"][0]["occurrences"][0]} <= words
    assert [chain["chain_id"] for chain in found["chains"]] == ["0123456789abcdef01234567", CHAIN]
    assert found["totals"]["findings"] == 2
    assert found["findings"][0]["path"].startswith("/elsewhere/deep/")
    assert found["findings"][1]["path"] == "src/チャット/応答.py"
    assert found["chains"][1]["stop_reasons"] == ["tool_use", "end_turn", "end_turn", "max_tokens", "error"]
    assert found["totals"]["first_at"] == "2027-01-15T08:00:00.000000+00:00"


def test_a_chain_as_json_has_every_turn(report: Callable[..., Outcome]) -> None:
    fill()
    found = json.loads(report("--output-format", "json", "--chain", CHAIN).out)
    assert list(found) == ["version", "sources", "chain", "turns", "findings"]
    assert [one["turn_id"] for one in found["turns"]] == [f"msg_{number}" for number in range(5)]
    assert (found["turns"][4]["changed"], found["turns"][4]["duration_ms"]) == (["max_tokens"], 1000)
    assert [one["code"] for one in found["findings"]] == ["SL203", "SL102"]


class Page(HTMLParser):
    """The tags of a page, with what they load from elsewhere and whether they are balanced."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loaded: list[str | None] = []
        self.tags: set[str] = set()
        self.ids: set[str | None] = set()
        self.links: set[str | None] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.loaded += [value for name, value in attrs if name in ("src", "srcset", "action", "data")]
        self.ids |= {value for name, value in attrs if name == "id"}
        self.links |= {value for name, value in attrs if name == "href"}
        if tag not in ("meta", "br", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_stands_alone(report: Callable[..., Outcome], tmp_path: Path) -> None:
    fill()
    found = report("--html", "report.html")
    assert (found.code, found.out, found.err) == (0, "", "stoplint: wrote report.html\n")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    assert page.open == []
    assert page.loaded == []
    assert not page.tags & {"script", "link", "iframe", "img", "object"}
    assert "http" not in text
    assert "@import" not in text
    assert "url(" not in text
    assert "prefers-color-scheme: dark" in text
    assert {f"#{anchor}" for anchor in page.ids} >= page.links > set()
    for piece in ("6 turns in 2 chains, 2 findings", "SL203", "応答.py:12", "retry_unchanged", CHAIN, "&lt;/a&gt;"):
        assert piece in text


def test_the_page_holds_one_chain_where_one_is_asked_for(report: Callable[..., Outcome], tmp_path: Path) -> None:
    fill()
    assert report("--html", "report.html", "--chain", "0123").code == 0
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert '<details id="c-0123456789abcdef01234567"' in text
    assert f'<details id="c-{CHAIN}"' not in text


def test_markup_in_names_stays_text(report: Callable[..., Outcome], tmp_path: Path) -> None:
    evil = "\"><script>alert('x')</script>"
    store = open_store(tmp_path / "evil.db")
    store.turn(turn(evil, evil, request_model=evil, stop_reason=evil, error=evil, call_site=CallSite(evil, evil, 1)))
    store.finding(finding(evil, evil, code=evil, name=evil, message=evil, call_site=CallSite(evil, evil, 1)))
    store.close()
    report("evil.db", "--html", "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "script" not in Page(text).tags
    assert "&lt;script&gt;" in text


def test_a_page_that_cannot_be_written(report: Callable[..., Outcome], tmp_path: Path) -> None:
    fill()
    found = report("--html", "nowhere/report.html")
    assert found.code == 2
    assert "nowhere/report.html cannot be written" in found.err
    assert sorted(path.name for path in tmp_path.iterdir()) == [".stoplint"]


def test_without_a_store_it_says_how_to_make_one(report: Callable[..., Outcome]) -> None:
    found = report()
    assert (found.code, found.out) == (3, "")
    assert found.err == (
        "stoplint: nothing to report: no store found at .stoplint/turns.db: run the application with"
        " `stoplint run -- python app.py`, or put `import stoplint.auto` at its top\n"
    )


def test_an_empty_store_is_nothing_to_report(report: Callable[..., Outcome], tmp_path: Path) -> None:
    store = open_store(tmp_path / "turns.db")
    store.finding(finding())
    store.close()
    found = report("turns.db")
    assert found.code == 3
    assert "no turn in turns.db yet" in found.err


def test_the_setting_names_the_store(report: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch) -> None:
    fill(Path("logs/t.db"))
    assert report().code == 3
    monkeypatch.setenv("STOPLINT_STORE", "logs/t.db")
    assert report().out.startswith("6 turns")
    monkeypatch.delenv("STOPLINT_STORE")
    assert report("logs/t.db").out.startswith("6 turns")


def test_a_folder_stands_for_its_store(report: Callable[..., Outcome], tmp_path: Path) -> None:
    fill()
    (tmp_path / "empty").mkdir()
    assert report(".").code == report(".stoplint").code == 0
    found = report("empty")
    assert found.code == 2
    assert "empty is a folder without a store" in found.err


def _foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE customers (name TEXT)")


def _newer(path: Path) -> None:
    fill(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")


def _damaged(path: Path) -> None:
    fill(path)
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.write_text("# Notes\n", encoding="utf-8"), "neither a store nor OTLP-JSON lines"),
        (lambda path: None, "cannot be read: No such file"),
        (_foreign, "is a database of another program"),
        (_newer, "was written by a newer stoplint"),
        (_damaged, "is damaged"),
        (lambda path: path.write_bytes(b"SQLite format 3\x00" + b"x" * 5000), "is damaged"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error(
    report: Callable[..., Outcome], tmp_path: Path, make: Callable[[Path], object], message: str
) -> None:
    make(tmp_path / "what.db")
    found = report("what.db")
    assert (found.code, found.out) == (2, "")
    assert found.err.startswith("stoplint: error: what.db ")
    assert message in found.err
    assert len(found.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--since", "yesterday"], "'yesterday' is no time: write 10m"),
        (["--last", "0"], "--last"),
        (["--chain", "f00"], "no chain begins with 'f00'"),
        (["--output-format", "xml"], "xml"),
    ],
)
def test_a_wrong_option_is_an_error(report: Callable[..., Outcome], arguments: list[str], message: str) -> None:
    fill()
    found = report(*arguments)
    assert (found.code, found.out) == (2, "")
    assert message in found.err


def test_times_select(report: Callable[..., Outcome]) -> None:
    fill()
    assert report("--since", "2027-01-15T08:00:03+00:00").out.startswith("3 turns")
    assert report("--last", "2").out.startswith("2 turns")
    assert report("--since", "2027-01-15T08:00:03+00:00", "--last", "1").out.startswith("1 turn in 1 chain")


def test_times_ago_select(report: Callable[..., Outcome], tmp_path: Path) -> None:
    store = open_store(tmp_path / "turns.db")
    recent = turn("new")
    store.turn(recent)
    store.turn(turn("old", started_at=recent.started_at - 3 * 3600 * SECOND))
    store.close()
    assert report("turns.db", "--since", "2h").out.startswith("1 turn ")
    assert report("turns.db", "--since", "1d").out.startswith("2 turns ")


def test_findings_can_fail_a_build(report: Callable[..., Outcome], tmp_path: Path) -> None:
    fill()
    assert report("--fail-on-finding").code == 1
    store = open_store(tmp_path / "clean.db")
    store.turn(turn())
    store.close()
    found = report("clean.db", "--fail-on-finding")
    assert found.code == 0
    assert "No findings." in found.out


def test_broken_lines_are_told(report: Callable[..., Outcome], tmp_path: Path) -> None:
    fill()
    (tmp_path / "spans.jsonl").write_bytes(b'{"resourceSpans": []}\nnonsense\n{"resourceSpans": [3]}\n')
    found = report(".stoplint/turns.db", "spans.jsonl")
    assert found.code == 0
    note = " ".join(found.out.split())
    assert "Note: 2 lines of spans.jsonl left out (line 2: not JSON: Expecting value; line 3: malformed OTLP" in note
    facts = json.loads(report(".stoplint/turns.db", "spans.jsonl", "--output-format", "json").out)["sources"][1]
    assert (facts["kind"], facts["broken_lines"], facts["first_broken_lines"][0]["line"]) == ("otlp", 2, 2)


def test_a_store_in_a_folder_that_may_not_be_written_to_is_read(report: Callable[..., Outcome], tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    fill(folder / "turns.db")
    folder.chmod(0o555)
    try:
        assert report(folder / "turns.db").out.startswith("6 turns")
    finally:
        folder.chmod(0o755)


def test_the_report_needs_neither_sdk_nor_parser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    fill()
    script = (
        "import sys\nfrom stoplint.cli import run\nrun(['report'])\n"
        "sys.exit(sorted({'anthropic', 'libcst', 'opentelemetry', 'pydantic'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(sys.platform == "win32", reason="no resource module")
def test_a_hundred_thousand_turns_take_little_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = open_store(None)
    base = turn()
    for number in range(100_000):
        chain, index = divmod(number, 4)
        store.turn(
            replace(
                base,
                turn_id=f"msg_{number:024}",
                chain_id=f"{chain:024x}",
                index=index,
                relation="reply" if index else "new",
                parent_turn_id=f"msg_{number - 1:024}" if index else None,
                digest=f"{number:032x}",
                started_at=base.started_at + number,
            )
        )
        if number % 2000 == 0:
            store.flush(60)
    store.close()
    assert store.lost == 0
    script = (
        # VmHWM, not ru_maxrss: the latter is inherited from whoever forked the process
        "import re, sys\nfrom stoplint.cli import run\nrun(['report'])\n"
        "sys.stderr.write(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("100,000 turns in 25,000 chains")
    assert int(done.stderr) // 1024 < 160  # MiB; records kept whole would take more than that alone
