"""Consoles: encodings, closed pipes, progress."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stoplint.cli.console import Console, can_encode, wants_color
from stoplint.cli.progress import Progress, progress_for
from stoplint.report import Style

TESTS = Path(__file__).parents[1]
PROGRAM = (
    f"import sys; sys.path.insert(0, {str(TESTS)!r}); import fake_engine; from stoplint.check import engine;"
    "engine.run = fake_engine.run; from stoplint.cli import main; main()"
)


def run(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=folder, env={**os.environ, "PYTHONUTF8": "0", **environment}, capture_output=True, check=False,
    )  # fmt: skip


class TestEncoding:
    TEXT = "x = '日本', reply.content[0].text\n"

    @pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437"])
    def test_a_console_without_the_characters_gets_escapes(self, tmp_path, encoding):
        (tmp_path / "a.py").write_text(self.TEXT, encoding="utf-8")
        done = run("check", folder=tmp_path, PYTHONIOENCODING=encoding)
        assert (done.returncode, done.stderr) == (1, b"")
        text = done.stdout.decode(encoding)
        assert "\\u65e5\\u672c" in text
        assert "1 | x = " in text or "1 │ x = " in text

    def test_utf8(self, tmp_path):
        (tmp_path / "a.py").write_text(self.TEXT, encoding="utf-8")
        done = run("check", folder=tmp_path, PYTHONIOENCODING="utf-8")
        assert " 1 │ x = '日本'" in done.stdout.decode("utf-8")

    def test_names_that_are_no_text(self, tmp_path):
        try:
            (tmp_path / "a\udcff.py").write_text(self.TEXT, encoding="utf-8")
        except OSError:
            pytest.skip("this file system takes text only")
        for name in ("full", "json", "sarif", "junit", "github", "gitlab", "rdjson"):
            done = run("check", "--output-format", name, folder=tmp_path, PYTHONIOENCODING="utf-8")
            assert (done.returncode, done.stderr) == (1, b"")

    def test_what_a_stream_can_encode(self):
        assert can_encode(io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), "│")
        assert not can_encode(io.TextIOWrapper(io.BytesIO(), encoding="cp1252"), "│")


@pytest.mark.skipif(os.name == "nt", reason="no such pipes there")
def test_a_reader_that_goes_away_is_no_error(tmp_path):
    (tmp_path / "a.py").write_text("x = reply.content[0].text\n" * 3000, encoding="utf-8")
    program = f"{sys.executable} -c {PROGRAM!r} check | head -n 1"
    done = subprocess.run(["bash", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("a.py:1:5: error[SL101]")
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("choice", "terminal", "environment", "wanted"),
    [
        ("auto", True, {}, True),
        ("auto", False, {}, False),
        ("auto", True, {"NO_COLOR": "1"}, False),
        ("auto", True, {"NO_COLOR": ""}, True),
        ("auto", False, {"FORCE_COLOR": "1"}, True),
        ("auto", False, {"FORCE_COLOR": "0"}, False),
        ("auto", True, {"TERM": "dumb"}, False),
        ("auto", False, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ("always", False, {"NO_COLOR": "1"}, True),
        ("never", True, {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colours(choice, terminal, environment, wanted):
    assert wants_color(choice, terminal=terminal, environment=environment) is wanted


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class TestProgress:
    def console(self, err: io.StringIO, verbosity: int = 0) -> Console:
        return Console(io.StringIO(), err, Style(), Style(), verbosity)

    def test_it_shows_after_a_second_and_is_taken_away(self):
        err, now = Terminal(), [0.0]
        progress = Progress(self.console(err), clock=lambda: now[0])
        for moment, done in ((0.5, 10), (0.99, 20), (1.2, 30), (1.21, 31), (2.0, 1000)):
            now[0] = moment
            progress(done, 2000)
        assert err.getvalue().split("\r")[1:] == ["checking: 30 of 2,000 files", "checking: 1,000 of 2,000 files"]
        progress.clear()
        assert err.getvalue().endswith("\r" + " " * 30 + "\r")

    def test_a_quick_run_shows_nothing(self):
        err = Terminal()
        progress = Progress(self.console(err), clock=lambda: 0.0)
        progress(1, 2)
        progress.clear()
        assert err.getvalue() == ""

    def test_only_where_somebody_sees_it(self):
        assert progress_for(self.console(io.StringIO())) is None
        assert progress_for(self.console(Terminal(), verbosity=-1)) is None
        assert progress_for(self.console(Terminal())) is not None
