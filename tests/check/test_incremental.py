"""After any edit, the cached answer is the one that a fresh run gives, byte for byte; and an unchanged project is
answered without the engine.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from stoplint.check import engine, runcache, statindex
from stoplint.check.load import Options as LoadOptions
from stoplint.cli import run

CLIENT = "import anthropic\n\nclient = anthropic.Anthropic()\n\n\n"
ASK = 'client.messages.create(model="m", max_tokens=9, messages=messages)'
MODULES: dict[str, tuple[str, ...]] = {
    "pkg/llm.py": (
        CLIENT + f"def ask(messages):\n    return {ASK}\n",
        CLIENT + f"def ask(messages):\n    reply = {ASK}\n    return reply.content[0].text\n",
        CLIENT + f"def ask(messages):\n    reply = {ASK}\n    if reply.stop_reason != 'end_turn':\n"
        "        raise ValueError(reply.stop_reason)\n    return reply\n",
        CLIENT
        + f"def ask(messages, tools=()):\n    # stoplint: ignore[SL101] known\n    return {ASK}.content[0].text\n",
        "def ask(messages):\n    return None\n",
    ),
    "pkg/read.py": (
        "def first_text(reply):\n    return reply.content[0].text\n",
        "def first_text(reply):\n    if reply.stop_reason == 'max_tokens':\n        raise ValueError\n    return reply.content[0].text\n",
        "def first_text(reply):\n    log(reply)\n    return 1\n",
    ),
    "pkg/use.py": (
        "from .llm import ask\nfrom .read import first_text\n\n\ndef main(messages):\n    return first_text(ask(messages))\n",
        "from pkg.llm import ask as question\n\n\ndef main(messages):\n    reply = question(messages)\n    return reply.content[0].text\n",
        "from pkg import llm\n\n\ndef main(messages):\n    reply = llm.ask(messages)\n    print(reply.stop_reason == 'end-turn')\n",
    ),
    "pkg/idle.py": (
        "WIDTH = 80\n",
        "def shorten(text):\n    return text[:40]\n",
        "from .llm import ask\n\n\ndef again(messages):\n    return ask(messages).content[0].text\n",
        "from . import llm as content\n\nprint(content.ask([]).content)\n",
        "WIDTH = 80  # stoplint: ignore[SL101] no more\n",
        "# what claude answered\ndef show(reply):\n    print(reply.content, reply.stop_reason)\n",
        "import pkg.use\n\nprint(pkg.use.main([]).text)\n",
        CLIENT + f"messages = []\nprint({ASK}.content[0].text)\n",
        "def broken(:\n",
        "",
    ),
    "app/main.py": (
        "from pkg.use import main\n\nmain([])\n",
        CLIENT + f"messages = []\nreply = {ASK}\nprint(reply.content[0].text)\n",
        "def broken(:\n",
    ),
}
CELLS = (
    ["from pkg.llm import ask\n", "reply = ask([])\nprint(reply.content[0].text)\n"],
    [
        "%pip install anthropic\nimport anthropic\nclient = anthropic.Anthropic()\nmessages = []\n",
        f"{ASK}.content[0].text\n",
    ],
    ["1 +\n", "x = 1\n"],
)
BESIDE: dict[str, tuple[str, ...]] = {
    "stoplint.toml": (
        "",
        'ignore = ["SL101"]\n',
        "strict = true\n",
        'exclude = ["app"]\n',
        '[wrappers]\nreturns-response = ["pkg.llm.ask"]\n',
        '[per-file-ignores]\n"pkg/*" = ["SL1"]\n',
    ),
    "pkg/pyproject.toml": ('[tool.stoplint]\nrequired-reasons = ["refusal"]\n', "[project]\nname = 'x'\n"),
    "requirements.txt": ("anthropic==0.30\n", "anthropic\n", "anthropic<1\n"),
    "pkg/uv.lock": ('name = "anthropic"\nversion = "0.40.0"\n',),
    ".gitignore": ("app/\n", "*.ipynb\n", ""),
    "pkg/__init__.py": ("", "from .llm import ask\n"),
    "app/pyvenv.cfg": ("",),
}


def notebook(cells: list[str]) -> str:
    made = [{"cell_type": "code", "metadata": {}, "source": cell.splitlines(keepends=True)} for cell in cells]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made})


def put(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")


class Edits:
    """Random edits of the project in the working folder."""

    def __init__(self, seed: int) -> None:
        self.choose = random.Random(seed)
        for path, texts in MODULES.items():
            put(path, texts[path == "app/main.py"])
        put("nb.ipynb", notebook(CELLS[0]))

    def step(self) -> str:
        kinds = [self.change, self.change, self.beside, self.beside, self.remove, self.rename, self.touch, self.damage]
        return self.choose.choice([*kinds, self.baseline, lambda: "nothing"])()

    def change(self) -> str:
        path = self.choose.choice([*MODULES, "nb.ipynb"])
        put(path, notebook(self.choose.choice(CELLS)) if path == "nb.ipynb" else self.choose.choice(MODULES[path]))
        return f"change {path}"

    def beside(self) -> str:
        path = self.choose.choice([*BESIDE])
        if Path(path).exists() and self.choose.random() < 0.4:
            Path(path).unlink()
            return f"delete {path}"
        put(path, self.choose.choice(BESIDE[path]))
        return f"change {path}"

    def remove(self) -> str:
        path = self.choose.choice([*MODULES, "nb.ipynb"])
        Path(path).unlink(missing_ok=True)
        return f"delete {path}"

    def rename(self) -> str:
        path = Path(self.choose.choice([*MODULES]))
        if path.exists():
            path.rename(path.with_name(f"{path.stem}{self.choose.randrange(3)}.py"))
        return f"rename {path}"

    def touch(self) -> str:
        for path in MODULES:
            if Path(path).exists() and self.choose.random() < 0.5:
                os.utime(path, (1e9, 1e9 + self.choose.random()))
        return "touch"

    def baseline(self) -> str:
        if Path(runcache_baseline := "stoplint-baseline.json").exists():
            Path(runcache_baseline).unlink()
            return "drop the baseline"
        run(["baseline", "--no-cache", "-q", "."])
        return "write a baseline"

    def damage(self) -> str:
        files = sorted(path for path in Path(".stoplint_cache").rglob("*") if path.is_file())
        if not files:
            return "nothing to damage"
        path = self.choose.choice(files)
        data = bytearray(path.read_bytes())
        kind = self.choose.choice(["cut", "flip", "foreign", "empty", "gone", "folder"])
        if kind == "cut":
            del data[self.choose.randrange(len(data) + 1) :]
        elif kind == "flip" and data:
            data[self.choose.randrange(len(data))] ^= 1 << self.choose.randrange(8)
        elif kind == "foreign":
            data[:] = b"stoplint-run 2\nnothing that this version knows"
        elif kind == "empty":
            data.clear()
        path.unlink()
        if kind == "folder":
            path.mkdir()
        elif kind != "gone":
            path.write_bytes(data)
        return f"damage {path.parent.name}: {kind}"


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    """Runs `stoplint check` in a folder of its own: exit code and JSON."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    # The steps of a test follow each other faster than anybody edits; 20 ms is several ticks of the clock.
    monkeypatch.setattr(statindex, "GRANULARITY_NS", 20_000_000)

    def call(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = run(["check", "--output-format", "json", *arguments])
        told = capfd.readouterr()
        return code, told.out, told.err

    return call


@pytest.fixture
def engine_runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one with each run of the engine."""
    runs: list[int] = []
    real = engine.run

    def counted(files, **options):
        runs.append(len(files))
        return real(files, **options)

    monkeypatch.setattr(engine, "run", counted)
    return runs


@pytest.mark.parametrize("about", [1_000_000, 0], ids=["small", "large"])
@pytest.mark.parametrize("seed", range(8))
def test_any_edit_gives_what_a_fresh_run_gives(
    seed: int, about: int, check, engine_runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "LoadOptions", lambda **options: LoadOptions(max_about=about, **options))
    edits = Edits(seed)
    log: list[str] = []
    seen: set[tuple[int, str]] = set()
    for _ in range(30):
        log.append(edits.step())
        if edits.choose.random() < 0.5:
            time.sleep(0.03)
        paths = edits.choose.choice([(), (), ("pkg",), ("pkg", "app"), ("app", "pkg")])
        paths = tuple(path for path in paths if Path(path).exists())
        fresh = check("--no-cache", *paths)[:2]
        for again in range(3):
            assert check(*paths)[:2] == fresh, (log, paths, again)
        seen.add(fresh)
    assert len(seen) > 1 or "write a baseline" in log, ("the edits change nothing", log)
    if "damage run: folder" not in log:  # where an entry cannot be written, every run is a fresh one
        assert len(engine_runs) <= 60 + log.count("write a baseline"), "the cache never answers"


@pytest.mark.parametrize("jobs", ["1", "2", "3"])
def test_any_number_of_workers(jobs: str, check, monkeypatch: pytest.MonkeyPatch) -> None:
    Edits(0)
    put("app/more.py", MODULES["app/main.py"][1])
    expected = check("--no-cache", "-j", "1")
    assert "SL101" in expected[1]
    monkeypatch.setattr(engine, "LoadOptions", lambda **options: LoadOptions(workers_from=0, **options))
    assert check("--no-cache", "-j", jobs) == expected
    assert check("-j", jobs) == expected
    assert check("-j", "1") == expected


def test_any_order_of_paths(check) -> None:
    Edits(1)
    put("app/main.py", MODULES["app/main.py"][1])
    files = [*MODULES, "nb.ipynb"]
    expected = check("--no-cache", *files)
    for seed in range(4):
        random.Random(seed).shuffle(files)
        assert check(*files) == expected


# ------------------------------------------------------------------ what is kept, and how long


@pytest.mark.parametrize("about", [1_000_000, 0], ids=["small", "large"])
@pytest.mark.parametrize(
    ("text", "concerned"),
    [
        ("WIDTH = 80\n", False),
        ("", False),
        ("def broken(:\n", False),
        ("import os\nprint(os.content)\n", False),
        ("from .llm import ask\nprint(ask([]).content)\n", True),
        ("import pkg.llm\nprint(pkg.llm.ask([]).content)\n", True),
        ("WIDTH = 80  # stoplint: ignore[SL101]\n", True),
        ("client.messages.create(**asked)\n", True),
        ("import anthropic\n", True),
    ],
)
def test_a_change_of_no_concern_is_told(
    text: str, concerned: bool, about: int, check, engine_runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "LoadOptions", lambda **options: LoadOptions(max_about=about, **options))
    put("pkg/llm.py", MODULES["pkg/llm.py"][0])
    put("pkg/idle.py", "x = 1\n")
    put("pkg/speaks.py", "# claude\ntext = reply.content\n")
    before = check()
    put("pkg/idle.py", text)
    after = check()
    assert len(engine_runs) == 1 + concerned
    assert after == check("--no-cache")
    assert concerned or after == before
    put("pkg/idle.py", "y = 1\n")
    check()
    assert len(engine_runs) == 2 + 2 * concerned, "what was of concern is, when it goes"


def test_a_class_that_gets_a_method_is_of_concern(check, engine_runs, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer is handed to a method of a class that is not loaded: it matters whether the class has it."""
    monkeypatch.setattr(engine, "LoadOptions", lambda **options: LoadOptions(max_about=0, **options))
    put(
        "pkg/app.py",
        f"{CLIENT}from pkg.costs import Costs\n\ncosts = Costs()\n\n\ndef ask(messages):\n    reply = {ASK}\n"
        "    costs.note(reply)\n    return reply.content[0].text\n",
    )
    put("pkg/costs.py", "class Costs:\n    pass\n")
    silent = check()
    put("pkg/costs.py", "class Costs:\n    def note(self, reply):\n        print(reply.usage)\n")
    told = check()
    assert len(engine_runs) == 2
    assert told == check("--no-cache") != silent


def test_talk_of_the_api_concerns_a_small_project(check, engine_runs, monkeypatch: pytest.MonkeyPatch) -> None:
    put("pkg/llm.py", MODULES["pkg/llm.py"][0])
    put("pkg/about.py", "# claude\ntext = reply.content\n")
    put("pkg/idle.py", "x = 1\n")
    check()
    put("pkg/idle.py", "# claude\ntext = reply.content\n")
    check()
    assert len(engine_runs) == 2
    monkeypatch.setattr(engine, "LoadOptions", lambda **options: LoadOptions(max_about=0, **options))
    check("--strict")
    put("pkg/idle.py", "# claude\ntext = reply.contents + reply.content\n")
    check("--strict")
    assert len(engine_runs) == 3


def test_the_engine_runs_once(check, engine_runs) -> None:
    Edits(0)
    first = check()
    for _ in range(3):
        time.sleep(0.03)
        assert check() == first
    assert len(engine_runs) == 1


def test_the_same_content_at_another_time_is_the_same(check, engine_runs) -> None:
    Edits(0)
    first = check()
    for path in MODULES:
        text = Path(path).read_text()
        Path(path).unlink()
        put(path, text)
    assert check() == first
    assert len(engine_runs) == 1


def test_an_edit_right_after_a_run_is_seen(check, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same size within the same tick of the clock."""
    Edits(0)
    put("app/main.py", MODULES["app/main.py"][1])
    before = check()
    old = Path("app/main.py").stat()
    real = os.stat

    def coarse(path, *more, **options):
        found = real(path, *more, **options)
        if not str(path).endswith("main.py"):
            return found
        return os.stat_result(found, {"st_mtime_ns": old.st_mtime_ns, "st_ctime_ns": old.st_ctime_ns})

    put("app/main.py", MODULES["app/main.py"][1].replace("content[0].text", "stop_reason    "))
    monkeypatch.setattr(statindex.os, "stat", coarse)
    monkeypatch.setattr(statindex, "GRANULARITY_NS", 2_000_000_000)
    assert check() != before
    assert check() == check("--no-cache")


def test_why_a_run_was_not_warm(check, monkeypatch: pytest.MonkeyPatch) -> None:
    Edits(0)

    def why() -> str:
        told = [line for line in check("-v")[2].splitlines() if "not from the cache" in line]
        assert len(told) < 2
        return told[0].partition("cache: ")[2] if told else ""

    assert why() == "nothing is kept of an earlier run"
    assert why() == ""
    put("pkg/llm.py", MODULES["pkg/llm.py"][1])
    assert why() == "pkg/llm.py changed"
    put("pkg/new.py", "")
    assert why() == "pkg/new.py is new"
    Path("pkg/new.py").unlink()
    assert why() == "pkg/new.py is gone"
    put("stoplint.toml", 'ignore = ["SL105"]\n')
    assert why() == "stoplint.toml is new"
    put("stoplint.toml", 'ignore = ["SL106"]\n')
    assert why() == "stoplint.toml changed"
    put("../pyproject.toml", "[tool.stoplint]\n")
    assert why() == "../pyproject.toml is new"
    monkeypatch.setattr(runcache.stoplint, "__version__", "99")
    assert why() == "another version of stoplint, of its rules or of Python wrote it"
    assert why() == ""


def test_a_changed_rule_page_or_module_is_another_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "src" / "stoplint"
    for path in ("check/solve.py", "check/rules/one.py", "__init__.py", "sdk.py", "../../rules/SL101-x.md"):
        put(str(package / path), "")
    monkeypatch.setattr(runcache.stoplint, "__file__", str(package / "__init__.py"))
    seen = {runcache.version()}
    for number, path in enumerate(("check/solve.py", "check/rules/one.py", "sdk.py", "../../rules/SL101-x.md"), 2):
        put(str(package / path), "x")
        assert runcache.version() == runcache.version()
        seen.add(runcache.version())
        assert len(seen) == number, path


def test_what_changes_during_a_run_is_not_kept(check, monkeypatch: pytest.MonkeyPatch) -> None:
    Edits(0)
    real = engine.run

    def changing(files, **options):
        result = real(files, **options)
        put("pkg/llm.py", MODULES["pkg/llm.py"][1])
        return result

    monkeypatch.setattr(engine, "run", changing)
    check()
    monkeypatch.setattr(engine, "run", real)
    assert check() == check("--no-cache")


def test_a_failure_that_may_pass_is_not_kept(check, engine_runs, monkeypatch: pytest.MonkeyPatch) -> None:
    Edits(0)
    real = engine.run
    monkeypatch.setattr(engine, "run", lambda files, **options: replace(real(files, **options), passing=True))
    check()
    check()
    assert len(engine_runs) == 2


def test_entries_are_few(check) -> None:
    Edits(0)
    for number in range(runcache.MAX_ENTRIES + 4):
        check("--ignore", f"SL{number % 9 + 101}", "--strict" if number > 9 else "--no-strict")
    assert len(list(Path(".stoplint_cache/run").iterdir())) == runcache.MAX_ENTRIES


def test_a_folder_that_cannot_be_written_is_done_without(check) -> None:
    Edits(0)
    put("cache", "a file in the way")
    assert check("--cache-dir", "cache/x") == check("--no-cache")
    assert Path("cache").read_text() == "a file in the way"


def test_two_runs_at_once(check) -> None:
    Edits(2)
    command = [sys.executable, "-m", "stoplint", "check", "--output-format", "json"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    outputs = [each.communicate()[0].decode() for each in both]
    assert outputs == [check("--no-cache")[1]] * 2
    assert check()[1] == outputs[0]
    assert not list(Path(".stoplint_cache").rglob(".*-*"))


def test_names_beside_files_are_all_known() -> None:
    """Whatever the discovery, the configuration, the pins and the baseline look for is asked about."""
    from stoplint.check import baseline, pins
    from stoplint.config import finder

    names = {*pins.LOCKS, *pins.RANGES, *pins.ROOT_MARKS, *finder.PROJECT_MARKS, baseline.FILE, ".gitignore"}
    assert names <= runcache.BESIDE


# ------------------------------------------------------------------ what is imported

HEAVY = (
    "libcst",
    "stoplint.check.engine",
    "stoplint.check.solve",
    "stoplint.check.flow",
    "stoplint.check.ir",
    "stoplint.check.load",
)
DUMP = "import sys; from stoplint.cli import run; code = run(sys.argv[1:]); sys.stderr.write(' '.join(sys.modules)); sys.exit(code)"


def imported(*arguments: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", DUMP, *arguments], capture_output=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return set(done.stderr.decode().split())


def test_a_warm_run_needs_no_engine(check) -> None:
    Edits(0)
    put("app/main.py", MODULES["app/main.py"][1])
    assert set(HEAVY) <= imported("check", "--output-format", "json")
    # Right after the edits the files are read again, and still nothing is parsed.
    for output in ("json", "full"):
        warm = imported("check", "--output-format", output)
        assert not warm.intersection(HEAVY)


def test_an_unchanged_project_needs_not_even_discovery(check, engine_runs, monkeypatch: pytest.MonkeyPatch) -> None:
    Edits(0)
    first = check()
    time.sleep(0.03)
    check()
    from stoplint.check import discover

    monkeypatch.setattr(discover, "_Search", None)
    assert check() == first


def test_help_needs_no_engine() -> None:
    for arguments in (["--help"], ["check", "--help"]):
        assert not imported(*arguments).intersection(HEAVY)


# ------------------------------------------------------------------ a rough world


def test_a_file_without_permission_costs_itself(check, tmp_path: Path) -> None:
    """As a user who is not root: root may read everything."""
    if os.geteuid() != 0:
        drop = ""
    else:
        drop = "import os; os.setgid(65534); os.setuid(65534);"
        for folder in (tmp_path, *tmp_path.parents):
            if not os.access(folder, os.R_OK) or not folder.stat().st_mode & 0o001:
                pytest.skip("another user cannot reach the folder of this test")
    Edits(0)
    put("app/main.py", MODULES["app/main.py"][1])
    put("shut/inner.py", MODULES["app/main.py"][1])
    put("app/shut.py", MODULES["app/main.py"][1])
    Path("shut").chmod(0)
    Path("app/shut.py").chmod(0)
    program = f"{drop} from stoplint.cli import run; import sys; sys.exit(run(sys.argv[1:]))"
    command = [sys.executable, "-c", program, "check", "-v", "--output-format", "concise"]
    try:
        done = subprocess.run(command, capture_output=True, check=False, text=True)
    finally:
        Path("shut").chmod(0o700)
    if drop and "Permission denied" in done.stderr and "stoplint" in done.stderr and "import" in done.stderr:
        pytest.skip("another user cannot import stoplint here")
    told = done.stdout + done.stderr
    assert done.returncode == 1, told
    assert "app/main.py:8:7: SL101" in told
    assert "app/shut.py:1:1: SL900" in told
    assert "skipped shut/: cannot be listed: Permission denied" in told
    assert "Traceback" not in told


def test_a_file_that_is_gone_when_it_is_read_costs_itself(check, monkeypatch: pytest.MonkeyPatch) -> None:
    Edits(0)
    put("app/main.py", MODULES["app/main.py"][1])
    from stoplint.check.source import SourceFile

    real = SourceFile.read

    def gone(self):
        if self.path == "pkg/use.py":
            Path("pkg/use.py").unlink(missing_ok=True)
        return real(self)

    monkeypatch.setattr(SourceFile, "read", gone)
    found = [(one["code"], one["path"]) for one in json.loads(check()[1])]
    assert ("SL900", "pkg/use.py") in found
    assert ("SL101", "app/main.py") in found
    monkeypatch.undo()


def test_a_worker_that_is_killed_costs_one_file(check, monkeypatch: pytest.MonkeyPatch) -> None:
    from stoplint.check import pool

    Edits(0)
    put("app/main.py", MODULES["app/main.py"][1])
    expected = check("--no-cache")
    monkeypatch.setattr(engine, "LoadOptions", lambda **options: LoadOptions(workers_from=0, **options))
    real = pool._Worker.ask

    def killed(self, task, seconds):
        if task.path == "pkg/llm.py":
            process = self._process or self._start()
            process.kill()
        return real(self, task, seconds)

    monkeypatch.setattr(pool._Worker, "ask", killed)
    found = [(one["code"], one["path"]) for one in json.loads(check("-j", "2")[1])]
    assert ("SL900", "pkg/llm.py") in found
    assert ("SL101", "app/main.py") in found
    monkeypatch.setattr(pool._Worker, "ask", real)
    assert check("-j", "2") == expected
    shutil.rmtree(".stoplint_cache")
