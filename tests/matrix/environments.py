"""Environments with other versions of the `anthropic` package, and running scripts inside them.

An environment is built once, under `.cache/matrix/` of the checkout, with uv where it is installed and with venv and pip otherwise. This
checkout is installed into it as editable: its source is always the current one.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CHECKOUT = Path(__file__).resolve().parents[2]
CACHE = CHECKOUT / ".cache" / "matrix"
NEWEST = "newest"
VERSIONS = ("0.70.0", "0.125.0", "1.17.0", NEWEST)

# boto3, botocore and google-auth: the SDK's Bedrock and Vertex clients import them when they send a request.
BESIDE = (
    "boto3",
    "botocore",
    "google-auth",
    "opentelemetry-api>=1.30",
    "opentelemetry-sdk>=1.30",
    "opentelemetry-instrumentation>=0.50b0",
    "wrapt>=1.16",
)


class UnavailableError(Exception):
    """The registry does not have what an environment needs."""


class BrokenError(Exception):
    """The checkout cannot be installed, or a script failed: a defect, never a reason to skip."""


def python_of(version: str) -> Path:
    """The interpreter of the environment for `version`, built when there is none yet. Raises UnavailableError or BrokenError."""
    folder = CACHE / version
    wanted = json.dumps([f"python{sys.version_info.major}.{sys.version_info.minor}", requirement(version), *BESIDE])
    with _locked(version):
        stamp = folder / "complete.json"
        if not stamp.is_file() or stamp.read_text() != wanted:
            shutil.rmtree(folder, ignore_errors=True)
            _build(folder, version)
            stamp.write_text(wanted)
        elif version == NEWEST:
            with contextlib.suppress(UnavailableError):  # the registry cannot be reached: the last newest one will do
                _install(folder, ["--upgrade", requirement(version)])
    return _interpreter(folder)


def requirement(version: str) -> str:
    return "anthropic" if version == NEWEST else f"anthropic=={version}"


@cache
def run(version: str, script: str, *arguments: str) -> Any:
    """What `script`, a file of this folder, prints as JSON in the environment for `version`.

    Once a session for the same arguments. Raises UnavailableError or BrokenError.
    """
    python = python_of(version)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANTHROPIC_", "OTEL_", "PYTHON"))}
    path = Path(__file__).with_name(script)
    done = subprocess.run(
        [python, path, *arguments], env=kept, cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise BrokenError(f"{script} failed with anthropic {version}:\n{done.stderr[-4000:]}")
    try:
        return json.loads(done.stdout)
    except ValueError as exc:
        raise BrokenError(f"{script} printed no JSON with anthropic {version}: {done.stdout[:400]!r}") from exc


def _build(folder: Path, version: str) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    if shutil.which("uv"):
        _call(["uv", "venv", "--quiet", "--python", sys.executable, folder], BrokenError)
    else:
        _call([sys.executable, "-m", "venv", folder], BrokenError)
    _install(folder, [requirement(version), *BESIDE])
    _install(folder, ["--editable", str(CHECKOUT)], BrokenError)


def _install(folder: Path, arguments: Sequence[str], problem: type[Exception] = UnavailableError) -> None:
    python = _interpreter(folder)
    if shutil.which("uv"):
        _call(["uv", "pip", "install", "--quiet", "--python", python, *arguments], problem)
    else:
        _call([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments], problem)


def _call(command: Sequence[str | Path], problem: type[Exception]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise problem(done.stderr.strip()[-2000:])


def _interpreter(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


@contextlib.contextmanager
def _locked(version: str) -> Iterator[None]:
    """One process at a time: two test runs at once must not build the same folder."""
    if importlib.util.find_spec("fcntl") is None:
        yield
        return
    import fcntl

    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{version}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
