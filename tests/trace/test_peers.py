"""Beside every other instrumentation of the SDK: one set of facts a request, and no second span of a request from us."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
CACHE = CHECKOUT / ".cache" / "peers"
PEERS = {
    "official": "opentelemetry-instrumentation-genai-anthropic",
    "openllmetry": "opentelemetry-instrumentation-anthropic",
    "openinference": "openinference-instrumentation-anthropic",
    "logfire": "logfire",
}


@cache
def python_of(peer):
    """The interpreter of an environment with one peer, built once; skips where the registry does not have it."""
    folder = CACHE / peer
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not (folder / "complete").exists():
        uv = shutil.which("uv")
        shutil.rmtree(folder, ignore_errors=True)
        make = [uv, "venv", "--quiet", "--python", sys.executable] if uv else [sys.executable, "-m", "venv"]
        subprocess.run([*make, str(folder)], check=True)
        install = (
            [uv, "pip", "install", "--quiet", "--python", str(python)] if uv else [str(python), "-m", "pip", "install"]
        )
        wanted = [PEERS[peer], "anthropic>=2.12", "opentelemetry-sdk", "opentelemetry-instrumentation"]
        done = subprocess.run([*install, *wanted], capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"{PEERS[peer]} cannot be installed here: {done.stderr.strip().splitlines()[-1]}")
        subprocess.run([*install, "-e", str(CHECKOUT)], check=True)
        (folder / "complete").touch()
    return python


def play(peer, native):
    done = subprocess.run(
        [str(python_of(peer)), str(Path(__file__).with_name("peers.py")), peer, native],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TRACELOOP_TRACE_CONTENT": "false", "STOPLINT_STORE": "off"},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


REASONS = {
    "create": "max_tokens",
    "raw stream": "pause_turn",
    "helper stream": "refusal",
    "left stream": None,
    "raw response": "end_turn",
    "beta": "max_tokens",
}


@pytest.mark.parametrize("native", ["on", "off"])
@pytest.mark.parametrize("peer", PEERS)
def test_beside(peer, native):
    printed = play(peer, native)
    assert printed["faults"] == {}
    for surface, spans in printed["spans"].items():
        facts = [span["ours"] for span in spans if "stoplint.relation" in span["ours"]]
        assert [one.get("stoplint.stop_reason") for one in facts] == [REASONS[surface]], (surface, spans)
        # Ours, where the facts cannot reach the peer's span, is none of a request to a model.
        assert [
            span for span in spans if span["scope"] == "stoplint" and (span["llm"] or span["kind"] == "CLIENT")
        ] == []
