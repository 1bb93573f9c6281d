"""Module names are what `import` calls a file, and no two files share one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stoplint.check.names import ModuleName, ends, is_test, module_name, module_names
from stoplint.check.source import SourceFile, kind_of

if TYPE_CHECKING:
    from pathlib import Path


def make(root: Path, *paths: str) -> list[SourceFile]:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    return [SourceFile(path, root / path, kind_of(path)) for path in paths]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("app/__init__.py", ModuleName("app", is_package=True)),
        ("app/core/__init__.py", ModuleName("app.core", is_package=True)),
        ("app/core/ask.py", ModuleName("app.core.ask", is_package=False)),
        ("app/__main__.py", ModuleName("app.__main__", is_package=False)),
        ("src/lib/__init__.py", ModuleName("lib", is_package=True)),
        ("src/lib/a.pyi", ModuleName("lib.a", is_package=False)),
        ("scripts/run-all.py", ModuleName("scripts.run_all", is_package=False)),
        ("plain/inner/a.py", ModuleName("plain.inner.a", is_package=False)),
        ("top.py", ModuleName("top", is_package=False)),
        ("app/core/try.ipynb", ModuleName("app.core.try", is_package=False)),
    ],
)
def test_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, expected: ModuleName) -> None:
    make(tmp_path, "app/__init__.py", "app/core/__init__.py", "src/lib/__init__.py", path)
    monkeypatch.chdir(tmp_path)
    assert module_name(path) == expected
    assert module_name(tmp_path / path, shown=path) == expected


def test_a_script_folder_with_an_init_of_its_own_only(tmp_path: Path) -> None:
    file = make(tmp_path, "__init__.py")[0]
    assert module_name(file.file or "", shown="__init__.py") == ModuleName(tmp_path.name, is_package=True)


def test_names_are_unique_and_do_not_depend_on_the_order(tmp_path: Path) -> None:
    files = make(
        tmp_path,
        "a/app/__init__.py",
        "a/app/main.py",
        "b/app/__init__.py",
        "b/app/main.py",
        "c/only/__init__.py",
        "c/only/main.py",
        "c/only/main.pyi",
        "nb/train.py",
        "nb/train.ipynb",
        "nb/x-y.py",
        "nb/x_y.py",
    )
    names = module_names(files)
    assert module_names(reversed(files)) == names
    assert {path: name.name for path, name in names.items()} == {
        "a/app/__init__.py": "a.app",
        "a/app/main.py": "a.app.main",
        "b/app/__init__.py": "b.app",
        "b/app/main.py": "b.app.main",
        "c/only/__init__.py": "only",
        "c/only/main.py": "only.main",
        "c/only/main.pyi": "only.main-pyi",
        "nb/train.py": "nb.train",
        "nb/train.ipynb": "nb.train-ipynb",
        "nb/x-y.py": "nb.x_y",
        "nb/x_y.py": "nb.x_y-py",
    }
    assert len({name.name for name in names.values()}) == len(files)
    assert names["a/app/__init__.py"].is_package


def test_what_an_import_may_call_a_file() -> None:
    assert ends("core.ask", "services/core/ask.py") == ["services.core.ask", "core.ask", "ask"]
    assert ends("core.ask", "elsewhere/else.py") == ["core.ask", "ask"]
    assert ends("app", "app/__init__.py") == ["app"]


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("tests.test_ask", True),
        ("ask_test", True),
        ("tests.helpers", False),
        ("contest", False),
        ("attest_test.x", False),
    ],
)
def test_files_that_pytest_collects(module: str, expected: bool) -> None:
    assert is_test(module) is expected
