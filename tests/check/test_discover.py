"""Discovery: what is linted below a path, what is not, and that the reason is told."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from stoplint.check.discover import NoExcludes, Skipped, discover
from stoplint.config import Configs


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def tree(*names: str, **texts: str) -> None:
    for name in names:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(texts.get(name, ""), encoding="utf-8")


def write(name: str, text: str) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text, encoding="utf-8")


def found(*paths: str, **options: bool) -> list[str]:
    return [file.path for file in discover([Path(p) for p in paths or ["."]], Configs(), **options).files]


def skipped(*paths: str, **options: bool) -> list[tuple[str, str]]:
    return [(one.path, one.reason) for one in discover([Path(p) for p in paths or ["."]], Configs(), **options).skipped]


class TestKinds:
    def test_python_stubs_and_notebooks_are_found_and_markdown_only_on_demand(self):
        tree("a.py", "b.pyi", "c.ipynb", "d.md", "e.txt", "f.pyc", "sub/g.py")
        assert found() == ["a.py", "b.pyi", "c.ipynb", "sub/g.py"]
        assert found(markdown=True) == ["a.py", "b.pyi", "c.ipynb", "d.md", "sub/g.py"]
        assert found("d.md") == ["d.md"]

    def test_a_named_file_is_python_whatever_its_name(self):
        tree("script", "page.markdown")
        files = discover([Path("script"), Path("page.markdown")], NoExcludes()).files
        assert [(file.path, file.kind) for file in files] == [("page.markdown", "markdown"), ("script", "python")]

    def test_tools_folders_and_environments_are_skipped_below_a_path_but_not_when_named(self):
        tree(
            ".venv/a.py", "node_modules/b.py", "__pycache__/c.py", "x/site-packages/d.py", "env/pyvenv.cfg", "env/e.py"
        )
        tree("build/f.py")
        assert found() == ["build/f.py"]
        assert skipped() == [
            (".venv", ".venv is never searched"),
            ("env", "a virtual environment"),
            ("node_modules", "node_modules is never searched"),
            ("x/site-packages", "site-packages is never searched"),
        ]
        assert found("x/site-packages", ".venv/a.py") == [".venv/a.py", "x/site-packages/d.py"]

    def test_a_file_over_two_megabytes_is_skipped_and_said(self):
        write("big.py", "#" * 2_000_001)
        write("pictures.ipynb", " " * 2_000_001)
        assert found() == ["pictures.ipynb"]
        assert skipped("big.py") == [("big.py", "larger than 2 MB")]

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
    def test_a_pipe_is_not_read(self):
        os.mkfifo("pipe.py")
        assert skipped() == skipped("pipe.py") == [("pipe.py", "not a regular file")]

    def test_a_missing_path_raises(self):
        with pytest.raises(FileNotFoundError):
            found("none.py")


class TestGit:
    def test_nested_ignore_files_and_negations(self):
        tree("a.py", "gen/b.py", "sub/c.py", "sub/keep_gen.py", "sub/deep/d_gen.py", "sub/deep/e.py")
        write(".gitignore", "*_gen.py\n/gen/\n")
        write("sub/.gitignore", "!keep_gen.py\n/deep/e.py\n")
        assert found() == ["a.py", "sub/c.py", "sub/keep_gen.py"]
        assert ("gen", "ignored by git") in skipped()
        assert ("sub/deep/d_gen.py", "ignored by git") in skipped()

    def test_parents_count_up_to_the_repository_and_not_above_it(self):
        write(".gitignore", "a.py\n")
        write("repo/.gitignore", "b.py\n")
        write("repo/.git/info/exclude", "c.py\n")
        tree("repo/sub/a.py", "repo/sub/b.py", "repo/sub/c.py", "repo/sub/d.py")
        assert found("repo/sub") == ["repo/sub/a.py", "repo/sub/d.py"]

    def test_without_a_repository_only_the_ignore_files_below_the_path_count(self):
        write(".gitignore", "a.py\n")
        tree("sub/a.py")
        assert found() == []
        assert found("sub") == ["sub/a.py"]

    def test_an_ignored_folder_or_file_that_is_named_is_meant(self):
        tree("repo/gen/a.py", "repo/gen/x_gen.py")
        Path("repo/.git").mkdir()
        write("repo/.gitignore", "gen/\n")
        assert found("repo") == []
        assert found("repo/gen") == ["repo/gen/a.py", "repo/gen/x_gen.py"]
        assert found("repo/gen/a.py") == ["repo/gen/a.py"]

    def test_the_same_files_as_git_itself(self):
        """Its own listing of files that are neither tracked nor ignored is the reference."""
        names = [
            f"{a}/{b}/{c}.py" for a in ("one", "two", "build") for b in ("x", "y", "tmp") for c in ("a", "b", "test_c")
        ]
        tree(*names, "top.py", "build.py")
        write(
            ".gitignore",
            "# comment\n\nbuild/\n**/tmp/a.py\n/two/x\n!two/x/b.py\ntest_*.py\n!one/**/test_c.py\n\\!odd\n",
        )
        write("one/.gitignore", "y/*\n!y/b.py\n")
        write("two/.gitignore", "tmp\n")
        try:
            subprocess.run(["git", "init", "-q", "."], check=True)
        except FileNotFoundError:
            pytest.skip("git is not installed")
        listed = subprocess.run(
            ["git", "ls-files", "--others", "--exclude-standard"], check=True, capture_output=True, text=True
        ).stdout.split()
        assert found() == sorted(name for name in listed if name.endswith(".py"))


class TestExcludes:
    def test_the_configuration_counts_for_named_files_unless_told_otherwise(self):
        write("stoplint.toml", 'exclude = ["gen/"]\n')
        tree("gen/a.py", "b.py")
        assert found() == ["b.py"]
        assert found("gen/a.py") == found("gen") == []
        assert skipped("gen/a.py") == [("gen/a.py", "excluded by the configuration")]
        assert found("gen/a.py", force_exclude=False) == ["gen/a.py"]
        assert found("gen", force_exclude=False) == ["gen/a.py"]
        assert found(".", force_exclude=False) == ["b.py"]


class TestLinks:
    def test_folder_links_are_not_followed_and_loops_end(self):
        tree("real/a.py")
        Path("link").symlink_to("real", target_is_directory=True)
        Path("real/up").symlink_to("..", target_is_directory=True)
        assert found() == ["real/a.py"]

    def test_a_folder_link_that_is_named_is_followed_and_reported_under_its_name(self):
        tree("real/a.py")
        Path("link").symlink_to("real", target_is_directory=True)
        assert found("link") == ["link/a.py"]
        assert found("link", "real") in (["link/a.py"], ["real/a.py"])
        assert found("link", "real") == found("real", "link")

    def test_a_file_link_is_reported_under_the_name_given_and_once(self):
        tree("a.py")
        Path("b.py").symlink_to("a.py")
        assert found("b.py") == ["b.py"]
        assert found("b.py", "a.py") == found("a.py", "b.py") == found() == ["a.py"]

    def test_a_dead_link_is_skipped_below_a_path(self):
        Path("dead.py").symlink_to("nowhere.py")
        assert skipped() == [("dead.py", "a link that leads nowhere")]

    def test_the_same_path_twice_is_one_file(self):
        tree("a.py")
        assert found("a.py", "./a.py", ".", str(Path("a.py").resolve())) == ["a.py"]


class TestNames:
    def test_paths_outside_the_working_folder_are_absolute(self, tmp_path, monkeypatch):
        tree("a.py", "sub/b.py")
        monkeypatch.chdir(tmp_path / "sub")
        assert found("../a.py", "b.py") == [(tmp_path / "a.py").as_posix(), "b.py"]

    def test_the_order_of_paths_changes_nothing(self):
        tree("a/x.py", "b/y.py", "c.py")
        assert found("a", "b", "c.py") == found("c.py", "b", "a") == ["a/x.py", "b/y.py", "c.py"]

    def test_an_unreadable_folder_is_said(self, monkeypatch):
        tree("a/x.py", "b/y.py")
        listing = os.scandir

        def refuse(path):
            if str(path).endswith("a"):
                raise PermissionError(13, "Permission denied")
            return listing(path)

        monkeypatch.setattr(os, "scandir", refuse)
        result = discover([Path()], NoExcludes())
        assert [file.path for file in result.files] == ["b/y.py"]
        assert result.skipped == (Skipped("a", "cannot be listed: Permission denied", folder=True),)
