"""What runs the command elsewhere: the pre-commit hook and the GitHub action."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from stoplint.cli.check import command

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parents[2]


def test_the_hook_gives_every_file_to_one_run_and_honours_excludes():
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    program, verb, *options = hook["entry"].split()
    assert (program, verb) == ("stoplint", "check")
    known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
    assert set(options) <= known
    assert "--force-exclude" in options
    assert hook["require_serial"] is True
    assert hook["types_or"] == ["python", "pyi", "jupyter"]


class TestAction:
    def steps(self) -> dict[str, dict]:
        action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
        return {step.get("name", step.get("uses")): step for step in action["runs"]["steps"]}

    def test_inputs_reach_scripts_through_the_environment_only(self):
        for step in self.steps().values():
            assert "${{" not in step.get("run", "")

    def check(self, folder: Path, paths: str, arguments: str = "") -> tuple[int, str, dict[str, str]]:
        tools = folder / "tools"
        tools.mkdir()
        program = tools / "stoplint"
        tests = str(Path(__file__).parents[1])
        program.write_text(
            f"#!{sys.executable}\nimport sys; sys.path.insert(0, {tests!r}); import fake_engine\n"
            "from stoplint.check import engine; engine.run = fake_engine.run\nfrom stoplint.cli import main; main()\n",
            encoding="utf-8",
        )
        program.chmod(0o755)
        output = folder / "output"
        environment = {
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "RUNNER_TEMP": str(folder), "GITHUB_OUTPUT": str(output),
            "STOPLINT_PATHS": paths, "STOPLINT_ARGS": arguments,
        }  # fmt: skip
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", self.steps()["Check"]["run"]],
            cwd=folder, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        written = dict(line.split("=", 1) for line in output.read_text(encoding="utf-8").splitlines())
        return done.returncode, done.stdout, written

    @pytest.mark.skipif(os.name == "nt", reason="needs bash and a script on the path")
    @pytest.mark.parametrize(
        ("paths", "arguments", "code", "sarif"),
        [
            ("with blank.py\nsrc\n", "--strict --select SL1", "1", True),
            ("clean.py", "", "0", True),
            ("none.py", "", "2", False),
        ],
    )
    def test_its_check_step(self, tmp_path, paths, arguments, code, sarif):
        (tmp_path / "src").mkdir()
        for name in ("with blank.py", "src/b.py"):
            (tmp_path / name).write_text("x = reply.content[0].text\n", encoding="utf-8")
        (tmp_path / "clean.py").write_text("x = 1\n", encoding="utf-8")
        status, out, written = self.check(tmp_path, paths, arguments)
        assert status == 0
        assert written["exit-code"] == code
        assert Path(written["sarif-file"]).is_file() is sarif
        assert out.count("::error file=") == (2 if code == "1" else 0)
