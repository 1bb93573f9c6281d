"""`python -m stoplint.testing ANSWERS.py COMMAND...`."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

ANSWERS = "from stoplint.testing import text, truncated\nANSWERS = [truncated('Once'), text('upon')]\n"
PROGRAM = """
import os, sys, anthropic
assert "ANTHROPIC_AUTH_TOKEN" not in os.environ
client = anthropic.Anthropic()
for _ in range(int(sys.argv[1])):
    message = client.messages.create(model="claude-opus-5-5", max_tokens=9, messages=[{"role": "user", "content": "Hi"}])
    print(message.stop_reason, os.environ["ANTHROPIC_API_KEY"])
sys.exit(7)
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "answers.py").write_text(ANSWERS)
    (tmp_path / "program.py").write_text(PROGRAM)
    secrets = {
        "ANTHROPIC_API_KEY": "sk-real",
        "ANTHROPIC_AUTH_TOKEN": "real",
        "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",
    }

    def call(*arguments):
        command = [sys.executable, "-m", "stoplint.testing", *arguments]
        return subprocess.run(command, env={**os.environ, **secrets}, capture_output=True, text=True, check=False)

    return call


def test_the_program_sees_the_script_and_no_real_key(run):
    done = run("answers.py", sys.executable, "program.py", "1")
    assert (done.returncode, done.stdout) == (7, "max_tokens sk-ant-fake\n")
    assert done.stderr == ""


def test_a_request_too_many_is_said(run):
    done = run("answers.py", sys.executable, "program.py", "3")
    assert done.returncode == 1  # the program's own traceback
    assert "fake Messages API: the script is used up" in done.stderr.splitlines()[-1]


def test_help(run):
    done = run("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "usage: python -m stoplint.testing" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "usage: python -m stoplint.testing"),
        (["answers.py"], "usage: python -m stoplint.testing"),
        (["--port", "1"], "usage: python -m stoplint.testing"),
        (["missing.py", "true"], "missing.py: No such file"),
        (["empty.py", "true"], "empty.py: set ANSWERS to a list"),
        (["broken.py", "true"], "broken.py: cannot be read: ZeroDivisionError"),
        (["answers.py", "no-such-command"], "no-such-command: No such file"),
    ],
)
def test_mistakes_are_said_in_one_line(run, tmp_path, arguments, complaint):
    (tmp_path / "empty.py").write_text("")
    (tmp_path / "broken.py").write_text("1 / 0")
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith(complaint)
    assert len(done.stderr.splitlines()) == 1
