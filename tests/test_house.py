"""The house rules: lint, format, types, sizes, who imports what, and nothing of anybody's machine in the files."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "stoplint"
MODULES = sorted(PACKAGE.rglob("*.py"))

LONGEST_MODULE = 399
LONGEST_FUNCTION = 49
LONGEST_RULE = 39

# libcst costs a quarter of a second: only what turns source into the IR, or writes source, may load it.
KNOWS_LIBCST = re.compile(r"check/(lower\w*|positions|worker)\.py|fix(es)?(/.*|_\w+)?\.py|check/fix\w*(/.*)?\.py")
FAR_FROM_THE_SDK = ("anthropic", "opentelemetry", "wrapt")

# Folders of somebody's own machine.
MACHINE_PATH = re.compile(
    r"(?<![\w.~$}])/(home|Users)/[a-z]\w*|(?<![\w.])/(root|work|opt|mnt)/\w|/tmp/(venv|bash)|[A-Z]:\\Users"
)
SUPPRESSION = re.compile(r"#\s*(?:ruff:\s*)?(noqa|type:\s*ignore|pragma)\b(?P<rest>.*)")


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def tool(*command: str) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"


def tracked() -> list[Path]:
    """The files that git knows, those not yet committed included."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for name in done.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def imported(path: Path) -> set[str]:
    """The top-level packages that a module imports at run time, wherever in it, `import_module("name")` included."""
    found: set[str] = set()
    waiting: list[ast.AST] = [tree(path)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}:
            waiting.extend(node.orelse)
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            found |= {one.value.partition(".")[0] for one in node.args[:1] if isinstance(one, ast.Constant)}
        waiting.extend(ast.iter_child_nodes(node))
    return found


def loaded_by(statement: str) -> set[str]:
    """The top-level packages in memory after a statement in a new interpreter."""
    code = f"import sys\n{statement}\nprint('\\n'.join({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_lint() -> None:
    tool("ruff", "check", "--no-fix", ".")


def test_format() -> None:
    tool("ruff", "format", "--check", ".")


def test_types() -> None:
    tool("mypy", "--strict")


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_module_and_its_functions_are_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_MODULE
    most = LONGEST_RULE if path.parent.name == "rules" else LONGEST_FUNCTION
    functions = [node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = {one.name: size for one in functions if (size := (one.end_lineno or one.lineno) - one.lineno + 1) > most}
    assert not long


def test_only_those_who_read_or_write_source_import_libcst() -> None:
    users = [path.relative_to(PACKAGE).as_posix() for path in MODULES if "libcst" in imported(path)]
    assert users
    assert [path for path in users if not KNOWS_LIBCST.fullmatch(path)] == []


@pytest.mark.parametrize("part", ["check", "report", "cli", "config"])
def test_the_linter_imports_no_sdk(part: str) -> None:
    wrong = {named(path): imported(path) & set(FAR_FROM_THE_SDK) for path in (PACKAGE / part).rglob("*.py")}
    assert {name: packages for name, packages in wrong.items() if packages} == {}


def test_the_tracer_imports_no_parser() -> None:
    assert [named(path) for path in (PACKAGE / "trace").rglob("*.py") if "libcst" in imported(path)] == []


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import stoplint", {"anthropic", "opentelemetry", "wrapt", "libcst", "click"}),
        ("import stoplint.check.engine", {"anthropic", "opentelemetry", "wrapt"}),
        ("import stoplint.trace", {"anthropic", "libcst", "click"}),
        ("import stoplint.auto", {"anthropic", "libcst", "click"}),
        ("import stoplint.testing.plugin", {"anthropic", "opentelemetry", "libcst", "click", "http.server"}),
        ("from stoplint.cli import run; run(['--help'])", {"anthropic", "opentelemetry", "libcst"}),
    ],
)
def test_an_import_brings_in_no_more_than_it_needs(statement: str, absent: set[str]) -> None:
    assert loaded_by(statement) & absent == set()


def test_no_file_knows_a_machine() -> None:
    found = []
    for path in tracked():
        if path == Path(__file__).resolve():
            continue
        text = path.read_bytes().decode("utf-8", errors="replace")
        found += [f"{named(path)}: {match[0]}" for match in MACHINE_PATH.finditer(text)]
    assert found == []


def test_suppressions_say_why() -> None:
    """`# noqa: X - reason` and `# type: ignore[x]  # reason`; one reason serves the lines under it for the same code."""
    silent: list[str] = []
    for path in MODULES:
        reasoned: set[str] = set()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            match = SUPPRESSION.search(line)
            if match is None or any(mark in match["rest"] for mark in "\"`'"):
                continue
            codes, *reason = re.split(r"\s-\s|\s#\s", match["rest"], maxsplit=1)
            if reason:
                reasoned.add(codes.strip())
            elif codes.strip() not in reasoned:
                silent.append(f"{named(path)}:{number}: {line.strip()}")
    assert silent == []
