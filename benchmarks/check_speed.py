"""How long a check takes, side by side with other linters on the same tree in the same run.

    python benchmarks/check_speed.py --tree DIR                   # stoplint, ruff and the floor
    python benchmarks/check_speed.py --tree DIR --peers all       # every peer; some take minutes
    python benchmarks/check_speed.py --tree DIR --growth          # the tree once, twice, four times

Each tool looks for one thing: it is asked for one rule and may leave the rest.  Peers are taken from the folder of
--bin (a virtual environment's `bin` with ruff, semgrep, pylint, ast-grep-cli, fixit and agentguard-linter installed);
what is not there is skipped and said.  Nothing is written into the tree: the runs work on a copy.

What counts is CPU time, of all processes of a tool together: on a machine that does other things the clock says little.
Each figure is the smallest of --rounds; the ratios compare within one round of runs.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SEMGREP_RULE = """
rules:
  - id: unread-stop-reason
    languages: [python]
    severity: WARNING
    message: The content of an answer is used
    pattern: $CLIENT.messages.create(...)
"""
FLOOR = """
import os, sys
total = hits = 0
for folder, _, files in os.walk(sys.argv[1]):
    for name in files:
        if name.endswith((".py", ".pyi", ".ipynb")):
            with open(os.path.join(folder, name), "rb") as file:
                data = file.read()
            total += len(data)
            hits += data.find(b"anthropic") >= 0
print(total, hits)
"""


@dataclass(frozen=True)
class Cost:
    """Seconds of the clock and of the processors, and the largest process's peak in MB; `note`: why there is no figure."""

    wall: float = 0.0
    cpu: float = 0.0
    peak: float = 0.0
    note: str = ""


def measure(command: list[str], folder: Path, limit: float, *, good: tuple[int, ...] = (0, 1)) -> Cost:
    """Run a command in a process of its own that does nothing else, so that its children's use can be told apart."""
    program = [sys.executable, __file__, "--child", str(limit), str(folder), *command]
    told = json.loads(subprocess.run(program, capture_output=True, check=True).stdout)
    if told["code"] not in good:
        return Cost(note=told.get("note") or f"exit code {told['code']}: {told['error']}")
    return Cost(told["wall"], told["cpu"], told["peak"])


def child(limit: float, folder: str, command: list[str]) -> None:
    """Run the command and print what it took as JSON."""
    started = time.perf_counter()
    try:
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=limit, check=False
        )
    except subprocess.TimeoutExpired:
        print(json.dumps({"code": None, "note": f"not done in {limit:g} s"}))
        return
    use = resource.getrusage(resource.RUSAGE_CHILDREN)
    error = done.stderr.decode("utf-8", "replace").strip().splitlines()
    print(
        json.dumps(
            {
                "code": done.returncode,
                "error": error[-1][:200] if error else "",
                "wall": time.perf_counter() - started,
                "cpu": use.ru_utime + use.ru_stime,
                "peak": use.ru_maxrss / 1024,
            }
        )
    )


# --- the tools -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tool:
    """`prepare` is called before each run, uncounted."""

    name: str
    command: list[str]
    prepare: Callable[[], object] = lambda: None
    good: tuple[int, ...] = (0, 1)
    rounds: int | None = None


def basics(tree: Path, cache: Path, ruff: Path | None) -> list[Tool]:
    """The floor, ruff and stoplint."""
    stoplint = [sys.executable, "-m", "stoplint", "check", "--output-format", "json", "--cache-dir", str(cache / "s")]
    tools = [Tool("floor: read and search", [sys.executable, "-c", FLOOR, "."])]
    if ruff is not None:
        one = [str(ruff), "check", "--isolated", "--select", "F401", "--exit-zero"]
        tools += [
            Tool("ruff, one rule, cold", [*one, "--no-cache", "."]),
            Tool("ruff, one rule, warm", [*one, "--cache-dir", str(cache / "r"), "."]),
        ]
    requesting, other = edit_targets(tree)
    return [
        *tools,
        Tool("stoplint, cold", [*stoplint, "."], lambda: shutil.rmtree(cache / "s", ignore_errors=True), rounds=1),
        Tool("stoplint, warm", [*stoplint, "."], lambda: settle(stoplint, tree)),
        Tool("stoplint, a caller changed", [*stoplint, "."], lambda: edit(requesting)),
        Tool("stoplint, another file changed", [*stoplint, "."], lambda: edit(other)),
    ]


def settle(stoplint: list[str], tree: Path) -> None:
    """Right after a change, files are read again; that is not what a warm run means."""
    time.sleep(2.5)
    subprocess.run([*stoplint, "."], cwd=tree, capture_output=True, check=False)


def edit_targets(tree: Path) -> tuple[Path, Path]:
    """A file that the check has to look into, the first that makes a request, and one that says nothing of the API."""
    held = {path: path.read_bytes() for path in sorted(tree.rglob("*.py"))}
    requesting = [path for path, data in held.items() if b"messages.create(" in data]
    others = [path for path, data in held.items() if b"messages" not in data and b"anthropic" not in data.lower()]
    if not requesting or not others:
        raise SystemExit(f"{tree}: no file makes a request, or every file does")
    return requesting[0], others[len(others) // 2]


def edit(path: Path) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(f"\nedited_at = {time.time_ns()}\n")


def peers(folder: Path, scratch: Path) -> dict[str, Tool | str]:
    """Other linters by name; a reason where one cannot run."""
    rule = scratch / "rule.yml"
    rule.write_text(SEMGREP_RULE)
    commands = {
        "semgrep": [
            *("semgrep", "scan", "--metrics=off", "--disable-version-check", "--quiet", "--no-git-ignore"),
            *("--config", str(rule), "."),
        ],
        "ast-grep": ["ast-grep", "run", "--lang", "python", "--pattern", "$C.messages.create($$$)", "."],
        "fixit": ["fixit", "--rules", "fixit.rules:NoStaticIfCondition", "lint", "."],
        "agentguard-linter": ["agentguard", "scan", "--select", "AG001", "--fail-on", "never", "."],
        "pylint": ["pylint", "--recursive=y", "--disable=all", "--enable=unused-import", "-j", "2", "."],
    }
    found: dict[str, Tool | str] = {}
    for name, (program, *arguments) in commands.items():
        path = folder / program
        if not path.exists():
            found[name] = f"{program} is not in {folder}"
        else:
            found[name] = Tool(name, [str(path), *arguments], good=tuple(range(33)), rounds=1)
    return found


# --- reports ---------------------------------------------------------------------------------------------------------


def run_all(tools: list[Tool], tree: Path, rounds: int, limit: float) -> dict[str, Cost]:
    costs: dict[str, Cost] = {}
    for tool in tools:
        taken: list[Cost] = []
        for _ in range(tool.rounds or rounds):
            tool.prepare()
            taken.append(measure(tool.command, tree, limit, good=tool.good))
            if not taken[-1].cpu:
                break
        costs[tool.name] = min(taken, key=lambda one: one.cpu)
        show(tool.name, costs[tool.name])
    return costs


def show(name: str, cost: Cost) -> None:
    if cost.cpu:
        print(f"{name:<28} {cost.cpu:8.2f} CPU s {cost.wall:8.2f} s {cost.peak:7.0f} MB", flush=True)
    else:
        print(f"{name:<28} {cost.note}", flush=True)


def ratios(costs: dict[str, Cost]) -> None:
    for ours, theirs in (
        ("stoplint, cold", "ruff, one rule, cold"),
        ("stoplint, warm", "ruff, one rule, warm"),
        ("stoplint, cold", "floor: read and search"),
        *((name, "stoplint, cold") for name in ("semgrep", "agentguard-linter", "pylint", "fixit", "ast-grep")),
    ):
        if ours in costs and theirs in costs and costs[ours].cpu and costs[theirs].cpu:
            print(f"{ours} / {theirs}: {costs[ours].cpu / costs[theirs].cpu:.2f} (CPU)")


def growth(source: Path, scratch: Path, limit: float) -> None:
    """The same tree once, twice and four times, as folders side by side."""
    before = None
    for times in (1, 2, 4):
        tree = scratch / f"x{times}"
        for number in range(times):
            copy(source, tree / f"part{number}")
        command = [sys.executable, "-m", "stoplint", "check", "--no-cache", "--output-format", "json", "."]
        cost = measure(command, tree, limit)
        more = f"  {cost.cpu / before:.2f} times the one before" if before and cost.cpu else ""
        show(f"stoplint, tree x{times}", cost)
        print(more)
        before = cost.cpu
        shutil.rmtree(tree)


def copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(".git", ".*_cache"), symlinks=True)


def main() -> None:
    if sys.argv[1:2] == ["--child"]:
        child(float(sys.argv[2]), sys.argv[3], sys.argv[4:])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tree", type=Path, required=True, help="the code to check")
    parser.add_argument("--bin", type=Path, default=Path(sys.executable).parent, help="where the other tools lie")
    parser.add_argument("--peers", default="", help='names by commas, or "all"')
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=900.0, help="seconds for one run")
    parser.add_argument("--growth", action="store_true", help="only how the time grows with the tree")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        if options.growth:
            growth(options.tree, scratch, options.limit)
            return
        tree = scratch / "tree"
        copy(options.tree, tree)
        files = [path for path in tree.rglob("*") if path.suffix in (".py", ".pyi", ".ipynb")]
        print(
            f"{len(files)} files, {sum(path.stat().st_size for path in files) / 1e6:.1f} MB; load {os.getloadavg()[0]:.1f}"
        )
        others = peers(options.bin, scratch)
        wanted = [*others] if options.peers == "all" else [one for one in options.peers.split(",") if one]
        if unknown := [one for one in wanted if one not in others]:
            parser.error(f"--peers: there is no {', '.join(unknown)}; there are {', '.join(others)}")
        ruff = options.bin / "ruff"
        costs = run_all(basics(tree, scratch, ruff if ruff.exists() else None), tree, options.rounds, options.limit)
        for peer in wanted:
            tool = others[peer]
            if isinstance(tool, str):
                print(f"{peer:<28} skipped: {tool}")
            else:
                costs |= run_all([tool], tree, 1, options.limit)
        ratios(costs)


if __name__ == "__main__":
    main()
