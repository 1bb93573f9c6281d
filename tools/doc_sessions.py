"""Runs what the documentation shows: every page is a session in a scratch folder of its own.

    python tools/doc_sessions.py README.md docs/guides/*.md             # say what differs
    python tools/doc_sessions.py --write README.md docs/guides/*.md     # put the real output into the pages

In a page, from top to bottom:

* a fence below a line with a file's name (`` `app.py`: ``) writes that file; fences with the same `.ipynb` name are its cells;
* a `console` fence runs each line that starts with "$ " and shows what a terminal would; a line "..." stands for any lines;
* `sh` fences are run and must succeed; `python` fences without a name are one program, run at the end against a fake API;
* `toml` fences without a name are configurations and must be valid; `json` and `yaml` must parse, the commands of `yaml`
  (`run`, `script`) are run;
* `<!-- not run: reason -->` before a fence leaves it out.

A command may exit with 0 or 1 (findings); any other code must be asked for, with `$ echo $?` right after it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from stoplint.testing import FakeMessages, text

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]

ADDRESS = "https://git.example.com/stoplint"
"""Stands in the pages for the address that stoplint is cloned from."""

REVISION = "v0.1.0"

_FENCE = re.compile(r"^(?P<ticks>`{3,})(?P<language>[\w-]*)\n(?P<text>.*?)^(?P=ticks)$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_NAME = re.compile(r"^`(?P<name>[\w./-]+)`:\s*\Z", re.MULTILINE)
_SKIP = re.compile(r"<!-- not run: (?P<reason>[^\n]+?) -->\s*\Z")
_VARYING = (
    (re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?( to \d\d:\d\d:\d\d)?"), "DATE"),
    (re.compile(r"\b\d+(\.\d+)? ?(ms|s)\b"), "DURATION"),
    (re.compile(r"\b([0-9a-f]{8}|[0-9a-f]{24}|[0-9a-f]{32})\b"), "ID"),
)
_PRIVATE = ("ANTHROPIC_", "OTEL_", "STOPLINT_", "GITHUB_", "PYTEST_", "PYTHON", "PRE_COMMIT")


@dataclass(frozen=True, slots=True)
class Block:
    """A fence: `start` and `end` delimit its text in the page, `line` is the first line of it (from 1)."""

    language: str
    text: str
    line: int
    start: int
    end: int
    name: str | None = None
    not_run: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A command of a `console` fence and the output shown below it."""

    command: str
    shown: str


@dataclass(slots=True)
class Outcome:
    """`problems` say what differs; `page` is the page with the real output."""

    problems: list[str] = field(default_factory=list)
    page: str = ""


def blocks(page: str) -> Iterator[Block]:
    """The fences of a page, in order."""
    for match in _FENCE.finditer(page):
        before = page[: match.start()]
        name, skip = _NAME.search(before.rstrip()), _SKIP.search(before)
        line = page.count("\n", 0, match.start("text")) + 1
        start, end = match.span("text")
        block = Block(match["language"], match["text"], line, start, end)
        yield replace(block, name=name and name["name"], not_run=skip and skip["reason"])


def links(page: str) -> list[str]:
    """The targets of the links outside of fences."""
    return _LINK.findall(_FENCE.sub("", page))


def steps(shown: str) -> Iterator[Step]:
    """The commands of a `console` fence."""
    command: list[str] = []
    output: list[str] = []
    for line in shown.splitlines():
        if line.startswith("$ ") and not (command and command[-1].endswith("\\")):
            if command:
                yield Step("\n".join(command), "\n".join(output))
            command, output = [line[2:]], []
        elif command and command[-1].endswith("\\") and not output:
            command.append(line)
        else:
            output.append(line)
    if command:
        yield Step("\n".join(command), "\n".join(output))


class Session:
    """One page in one folder, which holds a copy of `examples/` and the page itself."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.path, self.folder = path, folder
        self.page = path.read_text(encoding="utf-8")
        self.outcome = Outcome()
        self.status = 0
        self.cells: dict[str, list[str]] = {}
        self.program: list[str] = []
        if "examples" in self.page:
            shutil.copytree(ROOT / "examples", folder / "examples", ignore=shutil.ignore_patterns("__pycache__", ".*"))
        (folder / path.name).write_text(self.page, encoding="utf-8")
        self.tools = folder / ".tools"
        self.environment = self._environment()

    def run(self) -> Outcome:
        """Everything, top to bottom."""
        pieces, at = [], 0
        for block in blocks(self.page):
            pieces += [self.page[at : block.start], self._block(block)]
            at = block.end
        self.outcome.page = "".join([*pieces, self.page[at:]])
        if self.program:
            self._run_program()
        return self.outcome

    def _block(self, block: Block) -> str:
        """The text of the fence as it should be."""
        if block.not_run is not None:
            return block.text
        if block.name is not None:
            self._write(block.name, block.text)
        elif block.language == "console":
            return self._console(block)
        elif block.language == "sh":
            self._must(block, block.text)
        elif block.language == "python":
            self.program += ["\n" * max(0, block.line - 1 - "".join(self.program).count("\n")), block.text]
        elif block.language == "toml":
            self._configuration(block)
        elif block.language == "json":
            json.loads(block.text)
        elif block.language not in ("yaml", "text"):
            self._problem(block, f"nothing checks a fence of the language {block.language!r}")
        if block.language == "yaml":
            self._yaml(block)
        return block.text

    def _console(self, block: Block) -> str:
        real: list[str] = []
        for step in steps(block.text):
            before = self.status
            output = self._shell(step.command)
            real.append("$ " + step.command)
            if "..." in step.shown.splitlines():
                real.append(step.shown)
            elif output:
                real.append(output)
            if not _same(step.shown, output):
                self._problem(block, f"$ {step.command}\n--- shown\n{step.shown}\n--- printed\n{output}")
            if before > 1 and step.command != "echo $?":
                self._problem(block, f"the command before {step.command!r} exited with {before}")
        text_now = "\n".join(real) + "\n"
        return block.text if _same(block.text, text_now) else text_now

    def _shell(self, command: str) -> str:
        """What a terminal would show."""
        command = command.replace(f"{ADDRESS}@{REVISION}", f"file://localhost{ROOT.as_posix()}@{_head()}").replace(
            ADDRESS, str(ROOT)
        )
        done = subprocess.run(
            ["bash", "-c", f"(exit {self.status}); {command}"],
            cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8", check=False,
        )  # fmt: skip
        self.status = done.returncode
        output = done.stdout.replace(str(self.folder), "/srv/app")
        return "\n".join(line.rstrip() for line in output.rstrip().splitlines())

    def _must(self, block: Block, command: str) -> None:
        output = self._shell(f"set -e\n{command}")
        if self.status:
            self._problem(block, f"{command}exited with {self.status}:\n{output}")
        self.status = 0

    def _write(self, name: str, content: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = content.replace(ADDRESS, str(ROOT)).replace(f"rev: {REVISION}", f"rev: {_head()}")
        if name.endswith(".ipynb"):
            self.cells.setdefault(name, []).append(content.rstrip("\n"))
            content = _notebook(self.cells[name])
        path.write_text(content, encoding="utf-8")

    def _configuration(self, block: Block) -> None:
        with tempfile.TemporaryDirectory(dir=self.folder) as scratch:
            own = "pyproject.toml" if "[tool.stoplint" in block.text else "stoplint.toml"
            Path(scratch, own).write_text(block.text, encoding="utf-8")
            self._must(block, f"stoplint config {scratch}\n")

    def _yaml(self, block: Block) -> None:
        for command in _commands(yaml.safe_load(block.text)):
            output = self._shell(f"set -e\n{command}")
            if self.status > 1:
                self._problem(block, f"{command}\nexited with {self.status}:\n{output}")
            self.status = 0

    def _run_program(self) -> None:
        path = self.folder / "_page.py"
        path.write_text("".join(self.program), encoding="utf-8")
        with FakeMessages([text("Hello.")], repeat_last=True) as fake:
            done = subprocess.run(
                [sys.executable, path.name], cwd=self.folder, env={**self.environment, **fake.environ},
                capture_output=True, text=True, check=False,
            )  # fmt: skip
        if done.returncode:
            self.outcome.problems.append(f"{self.path.name}: the page's Python fails:\n{done.stderr}")

    def _problem(self, block: Block, what: str) -> None:
        self.outcome.problems.append(f"{self.path.name}:{block.line}: {what}")

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_PRIVATE)}
        programs = str(Path(sys.executable).parent)
        if any("pip install" in block.text for block in blocks(self.page) if block.not_run is None):
            subprocess.run([sys.executable, "-m", "venv", self.folder / ".venv"], check=True)
            programs = f"{self.folder / '.venv' / 'bin'}{os.pathsep}{programs}"
        return kept | {
            "PATH": f"{programs}{os.pathsep}{kept['PATH']}",
            "COLUMNS": "80",
            "NO_COLOR": "1",
            "PRE_COMMIT_HOME": str(self.folder / ".pre-commit"),
            "PRE_COMMIT_COLOR": "never",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com",
            "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.com",
            # git trusts a checkout of another user only when told to.
            "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*",
        }  # fmt: skip


def _same(shown: str, printed: str) -> bool:
    """Whether the words are the same.  Where lines break depends on things that vary, such as the length of a date."""
    parts = [re.escape(_steady(part)) for part in re.split(r"^\.\.\.$", shown, flags=re.MULTILINE)]
    return re.fullmatch(".*".join(parts), _steady(printed)) is not None


def _steady(output: str) -> str:
    words = " ".join(output.split())
    for pattern, word in _VARYING:
        words = pattern.sub(word, words)
    return words


def _commands(node: object) -> Iterator[str]:
    """The commands of a CI file: `run:` and `script:` values."""
    if isinstance(node, list):
        for one in node:
            yield from _commands(one)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in ("run", "script", "before_script"):
                yield "\n".join(value) if isinstance(value, list) else str(value)
            else:
                yield from _commands(value)


def _notebook(cells: list[str]) -> str:
    made = [
        {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": cell.splitlines(True)}
        for cell in cells
    ]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1) + "\n"


def _head() -> str:
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def run(path: Path) -> Outcome:
    """Run one page."""
    with tempfile.TemporaryDirectory(prefix="stoplint-docs-") as folder:
        return Session(path, Path(folder)).run()


def main(arguments: list[str]) -> int:
    """The exit code: 1 when something differs."""
    write = "--write" in arguments
    problems = []
    for name in arguments:
        if name.startswith("-"):
            continue
        outcome = run(Path(name))
        problems += outcome.problems
        if write and outcome.page != Path(name).read_text(encoding="utf-8"):
            Path(name).write_text(outcome.page, encoding="utf-8")
            print(f"{name}: written anew")
    print("\n\n".join(problems) or "all as shown")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
