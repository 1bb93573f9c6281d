"""The examples as the tracer sees them: each flawed form yields its findings at run time, each sound form none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-c", "from stoplint.cli import main; raise SystemExit(main())"]
FOUND = {
    "empty_turn": {"SL203"},
    # What the linter reports as SL109 (parsed before it is looked at) shows here by its results.
    "fastapi_service": {"SL101", "SL102"},
    "paused_search": {"SL205"},
    "streaming_chat": {"SL101"},
    "summarize": {"SL101", "SL102"},
    "tool_loop": {"SL102"},
    "tool_results": {"SL201"},
    "truncated_tool_call": {"SL101", "SL103"},
}
"""With read tracking on; without it there is no SL101."""


def seen(folder, form, store):
    """The report on one run of an example, as JSON."""
    program = [f"examples/{folder}/{form}.py"]
    if folder == "fastapi_service":
        if any(find_spec(module) is None for module in ("fastapi", "httpx")):
            pytest.skip("fastapi or httpx not installed")
        program = [f"examples/{folder}/demo.py", form]
    environ = {**os.environ, "STOPLINT_STORE": str(store), "STOPLINT_TRACK_READS": "true"}
    answers = [sys.executable, "-m", "stoplint.testing", f"examples/{folder}/answers.py"]
    run = [*answers, *COMMAND, "run", "--", sys.executable, *program]
    subprocess.run(run, cwd=ROOT, env=environ, capture_output=True, check=True)
    report = [*COMMAND, "report", "--output-format", "json", str(store)]
    return json.loads(subprocess.run(report, cwd=ROOT, env=environ, capture_output=True, check=True).stdout)


@pytest.mark.parametrize("folder", FOUND)
def test_the_flawed_form_is_found(folder, tmp_path):
    report = seen(folder, "flawed", tmp_path / "turns.db")
    assert {finding["code"] for finding in report["findings"]} == FOUND[folder]
    places = {Path(finding["path"]).as_posix() for finding in report["findings"]}
    assert {place.partition("examples/")[2] for place in places} == {f"{folder}/flawed.py"}


@pytest.mark.parametrize("folder", FOUND)
def test_the_sound_form_is_not(folder, tmp_path):
    report = seen(folder, "sound", tmp_path / "turns.db")
    assert report["findings"] == []
    assert report["totals"]["turns"] > 0


def test_every_example_is_played():
    assert sorted(FOUND) == sorted(path.parent.name for path in (ROOT / "examples").glob("*/flawed.py"))
