"""What README.md shows is what the programs do."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import doc_sessions

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
PAGE = README.read_text(encoding="utf-8")


def command_with(word: str) -> str:
    (found,) = [
        block.text.strip() for block in doc_sessions.blocks(PAGE) if block.language == "sh" and word in block.text
    ]
    return found


def test_every_block_does_what_it_shows() -> None:
    assert doc_sessions.run(README).problems == []


def test_the_first_command_installs_and_finds(tmp_path: Path) -> None:
    """In a copy of what git knows, from nothing but Python: it exits with 1, since examples/ is flawed."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tmp_path / name)
    environment = {**os.environ, "COLUMNS": "80"}
    environment.pop("PYTHONPATH", None)
    command = command_with("check examples/").replace("python3 ", f"{sys.executable} ", 1)
    done = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    expected = json.loads((ROOT / "examples" / "expected.json").read_text(encoding="utf-8"))
    found = re.findall(r"^(examples/\S+\.py):\d+:\d+: \w+\[(SL\d+)\]", done.stdout, re.MULTILINE)
    assert set(found) == {(path, code) for path, codes in expected.items() for code in codes}


def test_the_second_command_is_what_ci_runs() -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert lines[-1] == command_with("pytest")


def test_relative_links_lead_to_files() -> None:
    targets = doc_sessions.links(PAGE)
    assert targets
    assert [target for target in targets if "//" not in target and not (ROOT / target.split("#")[0]).exists()] == []
