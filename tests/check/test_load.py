"""Loading gives the same modules for any order of files, any number of workers, cold or warm."""

from __future__ import annotations

import gc
import random
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from load_tools import GOOD, load_all, notebook, on_disk, source
from lower_tools import lower

from stoplint.check import ir, lower_stmt, positions, worker
from stoplint.check.cache import Cache
from stoplint.check.load import Options, load
from stoplint.check.names import module_names

if TYPE_CHECKING:
    from pathlib import Path


def project() -> list:
    """A little of everything, bad files among it."""
    modules = [lower_stmt, positions, worker, ir]
    texts = [open(each.__file__, encoding="utf-8").read() for each in modules]  # noqa: PTH123, SIM115
    return [
        *(source(f"pkg/m{number}.py", text) for number, text in enumerate(texts)),
        source("pkg/bad.py", "a = (\n"),
        source("pkg/nul.py", b"\0"),
        source("nb/x.ipynb", notebook("a", "print 'x'", "b.c")),
        source("nb/r.ipynb", notebook("x <- 1", language="R")),
        source("README.md", "```python\na.b\n```\n"),
        source("pkg/deep.py", "x = " + "[" * 100 + "]" * 100),
    ]


def test_same_for_any_order_and_number_of_workers(tmp_path: Path) -> None:
    files = project()
    first = load_all(*files)
    assert len(first.modules) == 7
    assert [each.path for each in first.unreadable] == ["nb/x.ipynb", "pkg/bad.py", "pkg/nul.py"]
    assert [each.path for each in first.skipped] == ["nb/r.ipynb"]
    random.Random(3).shuffle(files)
    assert load_all(*files, jobs=1) == first
    assert load_all(*files, jobs=2, workers_from=0) == first
    assert load_all(*files, jobs=5, workers_from=0) == first
    options = Options(screen=False, jobs=2, workers_from=0)
    for hits in (0, 7, 7):
        cache = Cache(tmp_path / "cache")
        assert load(files, options=options, cache=cache) == first
        assert cache.hits == hits


def test_as_lowered_directly() -> None:
    text = "from . import x\nx.y('é')  # stoplint: ignore\n"
    for options in ({}, {"jobs": 2, "workers_from": 0}):
        loaded = load_all(source("mod.py", text), source("other.py", GOOD), **options)
        assert loaded.modules[0] == lower(text, "mod")


def test_what_cannot_matter_is_left_out() -> None:
    files = [
        source("a.py", GOOD),
        source("b.py", "def read(message): return message.content[0].text"),
        source("c.py", "ask()"),
    ]
    loaded = load(files)
    assert [module.path for module in loaded.modules] == ["a.py"]
    assert [file.path for file in loaded.left] == ["b.py", "c.py"]
    assert [module.path for module in load(files, options=Options(words=frozenset({"ask"}))).modules] == [
        "a.py",
        "c.py",
    ]
    assert [module.path for module in load(loaded.left, options=Options(screen=False)).modules] == ["b.py", "c.py"]


def test_names_of_more_files_than_are_loaded(tmp_path: Path) -> None:
    for path in ("a/app/__init__.py", "b/app/__init__.py"):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text("from . import x\n")
    files = [on_disk(tmp_path, path) for path in ("a/app/__init__.py", "b/app/__init__.py")]
    loaded = load(files[1:], names=module_names(files), options=Options(screen=False))
    assert loaded.modules[0].name == "b.app"
    assert loaded.modules[0].is_package
    assert loaded.modules[0].body == (ir.Import((ir.Alias("x", "b.app", "x"),), 1),)
    assert load(files[1:], options=Options(screen=False)).modules[0].name == "app"


@pytest.mark.parametrize("options", [{}, {"jobs": 2, "workers_from": 0}])
def test_progress(options: dict) -> None:
    seen: list[tuple[int, int]] = []
    files = [source(f"{number}.py", "a") for number in range(4)]
    load(files, options=Options(screen=False, **options), progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_garbage_collection_is_left_as_it_was() -> None:
    assert gc.isenabled()
    load_all(source("a.py", "a"))
    assert gc.isenabled()
    gc.disable()
    try:
        load_all(source("a.py", "a"))
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_limits_are_left_as_they_were() -> None:
    before = sys.getrecursionlimit()
    load_all(source("a.py", "x = " + "[" * 50 + "]" * 50))
    assert sys.getrecursionlimit() == before


def test_a_worker_imports_nothing_from_the_working_folder(tmp_path: Path) -> None:
    """The linted project may have a `json.py` or a `libcst.py`; opening it must not run it."""
    for name in ("json", "marshal", "libcst", "stoplint", "ast", "typing", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text("import pathlib\npathlib.Path('RAN').touch()\nraise SystemExit\n")
    program = (
        "import sys; sys.path.remove('')\n"
        "from stoplint.check.load import Options, load\n"
        "from stoplint.check.source import SourceFile\n"
        "sys.path.insert(0, '')\n"
        "files = [SourceFile(f'{n}.py', None, 'python', b'a.b') for n in range(3)]\n"
        "loaded = load(files, options=Options(screen=False, jobs=2, workers_from=0))\n"
        "print(len(loaded.modules), loaded.unreadable)\n"
    )
    found = subprocess.run(
        [sys.executable, "-s", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert found.stdout == "3 ()\n", found.stderr
    assert not (tmp_path / "RAN").exists()


def test_from_the_cache_nothing_heavy_is_imported(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    load([source("a.py", GOOD)], cache=cache)
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from stoplint.check.cache import Cache\n"
        "from stoplint.check.load import load\n"
        "from stoplint.check.source import SourceFile\n"
        f"cache = Cache(Path({str(tmp_path / 'cache')!r}))\n"
        f"loaded = load([SourceFile('a.py', None, 'python', {GOOD.encode()!r})], cache=cache)\n"
        "print(len(loaded.modules), cache.hits, [name for name in ('libcst', 'subprocess') if name in sys.modules])\n"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert found.stdout == "1 1 []\n", found.stderr


def test_a_file_loaded_on_demand_may_be_broken_too(tmp_path: Path) -> None:
    """What was screened out, then asked for by the analysis, is reported like any other file that cannot be parsed."""
    from stoplint.cli.analysis import Request, analyse

    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\nversion = '1'\n", encoding="utf-8")
    (tmp_path / "helper.py").write_text("def first(reply):\n    return reply.content[0].text\n)\n", encoding="utf-8")
    (tmp_path / "app.py").write_text(
        "import anthropic\nfrom helper import first\n\nclient = anthropic.Anthropic()\n"
        "reply = client.messages.create(model='m', max_tokens=9, messages=[])\nprint(first(reply))\n",
        encoding="utf-8",
    )
    found = analyse(Request((str(tmp_path),), jobs=1)).report.findings
    assert [(finding.code, finding.place.path.rsplit("/", 1)[-1]) for finding in found] == [("SL900", "helper.py")]


def test_a_run_leaves_no_more_in_the_cache_than_it_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound on the cache holds after a whole run, not only where the cache is closed by hand."""
    from stoplint.check import cache
    from stoplint.cli.analysis import Request, analyse

    closed: list[bool] = []
    monkeypatch.setattr(cache.Cache, "close", lambda self: closed.append(True))
    (tmp_path / "app.py").write_text("import anthropic\nclient = anthropic.Anthropic()\n", encoding="utf-8")
    analyse(Request((str(tmp_path / "app.py"),), jobs=1, cache_dir=tmp_path / "cache"))
    assert closed == [True]
