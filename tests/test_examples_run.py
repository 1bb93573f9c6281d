"""The examples do what their READMEs say, and `expected.json` covers all of them."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections import defaultdict
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
EXPECTED = json.loads((EXAMPLES / "expected.json").read_text(encoding="utf-8"))
CONSOLE = re.compile(r"^```console\n\$ (.+)\n((?:.*\n)*?)```$", re.MULTILINE)
NEEDS = {"fastapi_service": ("fastapi", "httpx")}
FOLDERS = sorted(path.parent.name for path in EXAMPLES.glob("*/flawed.py"))


def readme(folder):
    return (EXAMPLES / folder / "README.md").read_text(encoding="utf-8")


SESSIONS = [(folder, command, output) for folder in FOLDERS for command, output in CONSOLE.findall(readme(folder))]


@pytest.mark.parametrize(
    ("folder", "command", "output"), SESSIONS, ids=[command.split("examples/")[-1] for _, command, _ in SESSIONS]
)
def test_program_prints_what_its_readme_shows(folder, command, output):
    missing = [module for module in NEEDS.get(folder, ()) if find_spec(module) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed")
    words = [sys.executable if word == "python" else word for word in shlex.split(command)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.rstrip() == output.rstrip()
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("folder", FOLDERS)
def test_readme_shows_both_forms_and_the_expected_codes(folder):
    commands = " ".join(command for where, command, _ in SESSIONS if where == folder)
    assert re.findall(r"\b(flawed|sound)\b", commands) == ["flawed", "sound"]
    codes = re.search(r"^Expected: (.+)$", readme(folder), re.MULTILINE)
    assert codes is not None
    assert codes[1].split(", ") == EXPECTED[f"examples/{folder}/flawed.py"]


def test_expected_json_names_every_program():
    assert sorted(EXPECTED) == sorted(path.relative_to(ROOT).as_posix() for path in EXAMPLES.glob("*/*.py"))
    assert all(bool(codes) == path.endswith("/flawed.py") for path, codes in EXPECTED.items())


def test_index_names_every_example():
    index = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"\]\((\w+)/README\.md\)", index)) == FOLDERS


@pytest.mark.skipif(find_spec("stoplint.cli.check") is None, reason="the linter's command is not there yet")
def test_linter_reports_the_expected_codes():
    start = "from stoplint.cli import main; raise SystemExit(main())"
    command = [sys.executable, "-c", start, "check", "--output-format", "json", "--isolated", "examples"]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "NO_COLOR": "1"}, capture_output=True, text=True, check=False
    )
    reported = defaultdict(list)
    for finding in json.loads(done.stdout):
        reported[finding["path"]].append(finding["code"])
    assert {path: sorted(codes) for path, codes in reported.items()} == {
        path: codes for path, codes in EXPECTED.items() if codes
    }
