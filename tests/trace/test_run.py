"""`stoplint run`: the application runs as it would without, traced, and the end says where to look."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from store_samples import turn_ids

from stoplint.trace.run import SITE, NotTraceableError, prepare

if TYPE_CHECKING:
    from collections.abc import Mapping

posix = pytest.mark.skipif(os.name != "posix", reason="signals are another matter elsewhere")

REPORTS = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from store_samples import finding, turn
from stoplint.trace.store import open_store, store_path
import os
store = open_store(store_path(os.environ.get("STOPLINT_STORE"), has_backend=False))
"""
"""An application that writes to the store as the tracer would; the real tracer has its own tests below."""


def stoplint_run(
    *arguments: str, cwd: Path, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stoplint", "run", *arguments]
    return subprocess.run(
        command, cwd=cwd, env={**clean(), **(environment or {})}, capture_output=True, text=True, check=False
    )


def clean() -> dict[str, str]:
    """The environment without what would change a run."""
    left_out = ("STOPLINT_", "OTEL_", "PYTHON")
    return {name: value for name, value in os.environ.items() if not name.startswith(left_out)}


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


TRACED = "import sys; print('stoplint.trace.runtime' in sys.modules)"


def test_arguments_output_and_exit_code_pass_through(tmp_path: Path) -> None:
    write(tmp_path, "app.py", "import sys\nprint(sys.argv)\nprint(sys.stdin.read(), file=sys.stderr)\nsys.exit(42)\n")
    command = [sys.executable, "-m", "stoplint", "run", "--", sys.executable, "app.py", "-m", "--html", "x y"]
    done = subprocess.run(
        command, cwd=tmp_path, env=clean(), input="hello", capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (42, "['app.py', '-m', '--html', 'x y']\n")
    assert done.stderr == "hello\nstoplint: no Messages request was recorded, so there is nothing to report\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["app.py"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--", sys.executable, "app.py"),
        (sys.executable, "app.py"),
        ("app.py",),
        ("-m", "package"),
        ("-m", "package", "-q"),
        ("--", "-m", "package"),
        ("-c", TRACED),
    ],
)
def test_every_way_to_name_the_application_is_traced(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    write(tmp_path, "app.py", TRACED)
    write(tmp_path, "package/__init__.py", "")
    write(tmp_path, "package/__main__.py", TRACED)
    done = stoplint_run(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "True\n")


@posix
def test_a_console_script_is_traced(tmp_path: Path) -> None:
    write(tmp_path, "bin/serve", f"#!{sys.executable}\nimport sys\n{TRACED}\nprint(sys.argv[1:])\n")
    (tmp_path / "bin/serve").chmod(0o755)
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = stoplint_run("serve", "app:app", "--workers", "2", cwd=tmp_path, environment={"PATH": path})
    assert done.stdout == "True\n['app:app', '--workers', '2']\n"


def test_python_processes_of_the_application_are_traced(tmp_path: Path) -> None:
    write(tmp_path, "child.py", TRACED)
    write(tmp_path, "app.py", "import subprocess, sys\nsubprocess.run([sys.executable, 'child.py'], check=True)\n")
    assert stoplint_run("app.py", cwd=tmp_path).stdout == "True\n"


def test_the_application_s_own_sitecustomize_still_runs(tmp_path: Path) -> None:
    write(tmp_path, "site/sitecustomize.py", "import builtins\nbuiltins.customized = __file__\n")
    write(tmp_path, "app.py", f"import sitecustomize, sys\nprint(customized == sitecustomize.__file__)\n{TRACED}")
    done = stoplint_run("app.py", cwd=tmp_path, environment={"PYTHONPATH": str(tmp_path / "site")})
    assert (done.stdout, done.returncode) == ("True\nTrue\n", 0)


def test_a_sitecustomize_that_fails_fails_as_before(tmp_path: Path) -> None:
    write(tmp_path, "site/sitecustomize.py", "raise RuntimeError('mine')\n")
    environment = {**clean(), "PYTHONPATH": str(tmp_path / "site")}
    write(tmp_path, "app.py", TRACED)
    before = subprocess.run(
        [sys.executable, "app.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    done = stoplint_run("app.py", cwd=tmp_path, environment=environment)
    assert "RuntimeError: mine" in before.stderr
    assert done.stderr.startswith(before.stderr)
    assert (before.stdout, done.stdout) == ("False\n", "True\n")


def test_the_module_path_of_the_application_is_its_own(tmp_path: Path) -> None:
    write(tmp_path, "app.py", "import sys\nprint([entry for entry in sys.path if 'run_site' in entry])\n")
    assert stoplint_run("app.py", cwd=tmp_path).stdout == "[]\n"


def test_an_interpreter_without_stoplint_is_traced_too(tmp_path: Path) -> None:
    # -S leaves out site-packages, and the import of sitecustomize with them: the test does that one itself.
    script = f"import sys; sys.path.insert(0, {str(SITE)!r}); import sitecustomize\n{TRACED}\nimport stoplint.auto"
    done = subprocess.run(
        [sys.executable, "-S", "-c", script], cwd=tmp_path, env=clean(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")


def test_a_tracer_that_cannot_start_does_not_stop_the_application(tmp_path: Path) -> None:
    write(tmp_path, "broken/stoplint/__init__.py", "raise RuntimeError('out of order')\n")
    # The command itself would meet the broken package as well, so this asks the site folder alone.
    environment = {**clean(), "PYTHONPATH": os.pathsep.join([str(SITE), str(tmp_path / "broken")])}
    done = subprocess.run(
        [sys.executable, "-c", "print('runs')"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "runs\n")
    assert done.stderr == "stoplint: this process runs untraced: RuntimeError: out of order\n"


def test_the_end_says_where_to_look(tmp_path: Path) -> None:
    write(
        tmp_path,
        "app.py",
        REPORTS
        + "store.turn(turn('a'))\nstore.turn(turn('b'))\nfor code in ('SL203', 'SL102', 'SL203'):\n"
        + "    store.finding(finding('a', code=code))\n",
    )
    done = stoplint_run("app.py", cwd=tmp_path)
    assert done.stderr == "stoplint: 2 turns, 3 findings (SL203 x2, SL102); stoplint report shows them\n"
    # Turns of an earlier run are not counted again.
    write(tmp_path, "app.py", REPORTS + "store.turn(turn('c'))\n")
    assert stoplint_run("app.py", cwd=tmp_path).stderr == "stoplint: 1 turn, no findings; stoplint report shows them\n"
    assert stoplint_run("-q", "app.py", cwd=tmp_path).stderr == ""
    assert turn_ids(tmp_path / ".stoplint" / "turns.db") == {"a", "b", "c"}


@pytest.mark.parametrize("store", [".stoplint/turns.db", "logs/t.db", "/proc/no/t.db"])
def test_a_store_that_cannot_be_written_is_said(tmp_path: Path, store: str) -> None:
    if not store.startswith("/"):
        write(tmp_path, store.partition("/")[0], "in the way")
    elif not Path("/proc").is_dir():
        pytest.skip("no such folder here")
    write(tmp_path, "app.py", REPORTS + "store.turn(turn('a'))\n")
    before = sorted(tmp_path.iterdir())
    done = stoplint_run("app.py", cwd=tmp_path, environment={"STOPLINT_STORE": store})
    assert done.stderr == f"stoplint: {Path(store)} cannot be written, so there is nothing to report\n"
    assert sorted(tmp_path.iterdir()) == before


def test_turns_go_to_the_folder_of_the_command(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    write(tmp_path, "app.py", "import os\nos.chdir('elsewhere')\n" + REPORTS + "store.turn(turn('a'))\n")
    assert "1 turn," in stoplint_run("app.py", cwd=tmp_path).stderr
    done = stoplint_run("app.py", cwd=tmp_path, environment={"STOPLINT_STORE": "logs/t.db"})
    assert done.stderr == f"stoplint: 1 turn, no findings; stoplint report {Path('logs/t.db')} shows them\n"
    assert turn_ids(tmp_path / "logs" / "t.db") == turn_ids(tmp_path / ".stoplint" / "turns.db") == {"a"}


def test_what_is_switched_off_stays_off(tmp_path: Path) -> None:
    write(tmp_path, "app.py", TRACED)
    done = stoplint_run("app.py", cwd=tmp_path, environment={"STOPLINT_STORE": "off"})
    assert "STOPLINT_STORE=off" in done.stderr
    done = stoplint_run("app.py", cwd=tmp_path, environment={"OTEL_SDK_DISABLED": "true"})
    assert done.stderr == "stoplint: the environment switches tracing off, so nothing was recorded\n"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("no-such-command-here",), 127, "no-such-command-here is no command that could be found"),
        (("./notes.txt",), 126, "./notes.txt is not executable"),
        ((), 2, "Missing argument"),
        ((sys.executable, "-I", "app.py"), 2, "ignores PYTHONPATH"),
    ],
)
def test_a_command_that_cannot_be_run(tmp_path: Path, arguments: tuple[str, ...], code: int, message: str) -> None:
    write(tmp_path, "notes.txt", "")
    done = stoplint_run(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (code, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "flags",
    [
        ["-I"],
        ["-uE"],
        ["-W", "error", "-S"],
        ["-X", "dev", "-E"],
        ["-Xdev", "-bWdefault", "-I"],
        ["-uX", "dev", "-bS"],
        ["--check-hash-based-pycs", "always", "-E"],
    ],
)
def test_flags_that_keep_the_tracer_away_are_refused(tmp_path: Path, flags: list[str]) -> None:
    with pytest.raises(NotTraceableError, match=r"import stoplint\.auto"):
        prepare(["python3", *flags, "app.py"], {}, tmp_path)


@pytest.mark.parametrize(
    "arguments",
    [
        ["python", "-u", "app.py", "-I"],
        ["python", "-m", "x", "-E"],
        ["python", "-X", "dev", "app.py", "-I"],
        ["python", "-X", "-E", "app.py"],
        ["python", "-WIgnore", "app.py"],
        ["python", "-cprint('IES')"],
        ["python", "-umSITE"],
        ["python", "-", "-E"],
        ["python", "--", "app.py", "-E"],
        ["python", "-W"],
        ["serve", "-I"],
    ],
)
def test_the_application_s_own_flags_are_its_own(tmp_path: Path, arguments: list[str]) -> None:
    assert list(prepare(arguments, {}, tmp_path).arguments) == arguments


def test_the_module_path_that_was_set_is_kept(tmp_path: Path) -> None:
    found = prepare(["x"], {"PYTHONPATH": "a:b", "OTHER": "1"}, tmp_path).environment
    assert (found["PYTHONPATH"], found["OTHER"]) == (os.pathsep.join([str(SITE), "a:b"]), "1")


WAITS = """
import os, signal, sys, time
def stop(number, frame):
    os.write(1, f"got {signal.Signals(number).name}\\n".encode())  # print could be interrupted by itself
    sys.exit(5)
for name in ("SIGTERM", "SIGHUP", "SIGINT", "SIGUSR1"):
    signal.signal(getattr(signal, name), stop)
print("ready", flush=True)
time.sleep(600)
"""


def _started(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "stoplint", "run", *arguments],
        cwd=folder,
        env=clean(),
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,  # away from the terminal of whoever runs the tests
        preexec_fn=_heeds_signals,  # noqa: PLW1509 - no threads here
    )


def _heeds_signals() -> None:
    """Tests that are run in the background are deaf to some signals, and so would be what they start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@posix
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT", "SIGUSR1"])
def test_signals_reach_the_application(tmp_path: Path, name: str) -> None:
    write(tmp_path, "app.py", WAITS)
    process = _started(tmp_path, "app.py")
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(getattr(signal, name))
    out, err = process.communicate(timeout=60)
    assert process.returncode == 5, err
    assert out == f"got {name}\n"
    assert "Traceback" not in err


@posix
@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL", "SIGSEGV"])
def test_a_signal_that_ends_the_application_ends_the_command(tmp_path: Path, name: str) -> None:
    write(tmp_path, "app.py", f"import os, signal\nos.kill(os.getpid(), signal.{name})\n")
    process = _started(tmp_path, "app.py")
    _, err = process.communicate(timeout=60)
    assert process.returncode == -getattr(signal, name)
    assert "stoplint: no Messages request" in err


@posix
def test_a_terminal_s_interrupt_comes_once(tmp_path: Path) -> None:
    import pty

    write(
        tmp_path,
        "app.py",
        "import signal, time\ncount = 0\ndef stop(*_):\n    global count\n    count += 1\n"
        "signal.signal(signal.SIGINT, stop)\nprint('ready', flush=True)\n"
        "end = time.monotonic() + 1.5\nwhile time.monotonic() < end:\n    time.sleep(0.1)\nprint('count', count, flush=True)\n",
    )
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(tmp_path)
        os.execve(sys.executable, [sys.executable, "-m", "stoplint", "run", "-q", "app.py"], clean())
    seen = b""
    while b"ready" not in seen:
        seen += os.read(terminal, 1000)
    os.write(terminal, b"\x03")
    while b"count " not in seen:
        seen += os.read(terminal, 1000)
        time.sleep(0.01)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    os.close(terminal)
    assert b"count 1" in seen


@posix
def test_what_is_ignored_stays_ignored(tmp_path: Path) -> None:
    write(tmp_path, "app.py", "import signal\nprint(signal.getsignal(signal.SIGHUP) is signal.SIG_IGN)\n")
    command = f"trap '' HUP; exec {sys.executable} -m stoplint run -q app.py"
    done = subprocess.run(
        ["/bin/sh", "-c", command], cwd=tmp_path, env=clean(), capture_output=True, text=True, check=True
    )
    assert done.stdout == "True\n"


@posix
def test_open_descriptors_are_inherited(tmp_path: Path) -> None:
    write(tmp_path, "app.py", "import os\nos.write(7, b'through')\n")
    command = f"exec {sys.executable} -m stoplint run -q app.py 7>out.txt"
    subprocess.run(["/bin/sh", "-c", command], cwd=tmp_path, env=clean(), check=True)
    assert (tmp_path / "out.txt").read_text(encoding="utf-8") == "through"
