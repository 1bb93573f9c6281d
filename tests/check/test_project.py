"""A project is loaded as far as the analysis asks, and no file twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from load_tools import GOOD, on_disk

from stoplint.check.load import Loaded, Options
from stoplint.check.project import Project

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "src/app/__init__.py": "",
    "src/app/ask.py": GOOD + "from app.read import first_text\nfrom .deep import more\n",
    "src/app/read.py": "def first_text(reply):\n    return reply.content[0].text\n",
    "src/app/deep/__init__.py": "from ..ask import answer\nprint(answer.content)\n",
    "src/app/deep/more.py": "x = 1\n",
    "src/app/web.py": "from . import ask\n\ndef view(): return ask.answer.content\n",
    "src/app/cli.py": "import app.ask as a\nprint(a.answer)\n",
    "scripts/run.py": "from app.ask import answer\nprint(answer.content)\n",
    "scripts/other.py": "import asking\nprint(asking.content)\n",
    "scripts/bad.py": "import app.ask\nprint answer.content\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return Project.of([on_disk(tmp_path, path) for path in FILES])


def paths(loaded: Loaded) -> list[str]:
    return [module.path for module in loaded.modules]


def test_first_what_matters_by_itself(project: Project) -> None:
    loaded = project.start()
    assert paths(loaded) == ["src/app/ask.py"]
    assert loaded.modules[0].name == "app.ask"
    assert set(project.left) == set(FILES) - {"src/app/ask.py"}


def test_what_is_about_the_api_where_it_is_little(tmp_path: Path) -> None:
    texts = {"a.py": "# claude\nx = reply.content\n", "b.py": "# claude\ny = reply.content + more\n", "c.py": "z = 1\n"}
    for path, text in texts.items():
        (tmp_path / path).write_text(text)

    def started(limit: int) -> Loaded:
        return Project.of([on_disk(tmp_path, path) for path in texts], Options(max_about=limit)).start()

    whole = sum(len(text) for path, text in texts.items() if path != "c.py")
    assert paths(started(whole)) == ["a.py", "b.py"]
    assert started(whole).about == ()
    assert paths(started(whole - 1)) == []
    assert started(whole - 1).about == tuple((path, len(texts[path])) for path in ("a.py", "b.py"))


def test_then_what_a_name_leads_to(project: Project) -> None:
    project.start()
    assert paths(project.defining(["app.read", "app.missing", "os"])) == ["src/app/read.py"]
    assert paths(project.defining(["app.read"])) == []
    assert paths(project.defining(["deep.more", "app"])) == ["src/app/__init__.py", "src/app/deep/more.py"]


def test_and_who_imports_a_module(project: Project) -> None:
    project.start()
    loaded = project.importing(["app.ask"], [b".content"])
    assert paths(loaded) == ["scripts/run.py", "src/app/deep/__init__.py", "src/app/web.py"]
    assert [each.path for each in loaded.unreadable] == ["scripts/bad.py"]
    assert paths(project.importing(["app.ask"], [b".content"])) == []
    assert paths(project.importing(["app.ask"])) == ["src/app/cli.py"]


def test_importers_are_asked_once_for_each_module(project: Project) -> None:
    project.start()
    project.importing(["app.ask"], [b".content"])
    asked = list(project.trail.imports)
    project.importing(["app.ask"], [b".content"])
    assert project.trail.imports == asked == [(("ask",), False, (".content",))]
    project.importing(["app.deep"], [b".content"])
    assert project.trail.imports[1:] == [(("deep",), True, (".content",))]


def test_files_that_vanish_meanwhile(project: Project, tmp_path: Path) -> None:
    project.start()
    (tmp_path / "scripts/run.py").unlink()
    (tmp_path / "src/app/read.py").unlink()
    assert "scripts/run.py" not in paths(project.importing(["app.ask"], [b".content"]))
    assert [each.reason for each in project.defining(["app.read"]).unreadable] == [
        "cannot be read: No such file or directory"
    ]


def test_files_with_suppressions_are_named_even_if_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1  # stoplint: ignore[SL101]\n")
    (tmp_path / "b.py").write_text("x = 1\n")
    loaded = Project.of([on_disk(tmp_path, "a.py"), on_disk(tmp_path, "b.py")], Options()).start()
    assert loaded.modules == ()
    assert loaded.marked == ("a.py",)
