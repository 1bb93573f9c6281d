"""Runs an application with the tracer on, without a change to its code.

The application is a child process whose PYTHONPATH begins with a folder that starts the tracer (`run_site`).  Its exit
code is ours, signals sent to us reach it, and when a signal ends it, the same signal ends us.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stoplint.trace.exitline import EXIT_LINE_VARIABLE
from stoplint.trace.store import store_path
from stoplint.trace.store_file import DEFAULT_STORE
from stoplint.trace.store_writer import RUN_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import FrameType

SITE: Final = Path(__file__).with_name("run_site")

NOT_FOUND, NOT_EXECUTABLE = 127, 126
"""Exit codes of a command that could not be started, as shells use them."""

_PASSED_ON: Final = ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGINT", "SIGQUIT")
_FROM_KEYBOARD: Final = ("SIGINT", "SIGQUIT")


class NotTraceableError(Exception):
    """The command would not load the tracer.  The message says why and what to do."""


class NotStartedError(Exception):
    """The command could not be started; `code` is what a shell would exit with."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Launch:
    """A command ready to start.  `store` is where its turns will be, None where STOPLINT_STORE forbids it; `run` the
    key that its processes leave there.
    """

    arguments: tuple[str, ...]
    environment: dict[str, str]
    store: Path | None
    run: str


def prepare(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> Launch:
    """The command as it is to be started.  `folder` is the working folder, which the store's path is relative to.

    `-m package`, `-c code` and a path to a `.py` file are run by this interpreter.  Raises NotTraceableError.
    """
    arguments = list(command)
    if arguments[0].startswith("-") or (arguments[0].endswith(".py") and not os.access(arguments[0], os.X_OK)):
        arguments.insert(0, sys.executable)
    _refuse_isolated(arguments)
    setting = environment.get("STOPLINT_STORE")
    # Spans may go to a backend as well, but whoever asks for this run wants to see it here.
    store = store_path(setting, has_backend=False)
    run = secrets.token_hex(8)
    before = environment.get("PYTHONPATH")
    added = {
        "PYTHONPATH": os.pathsep.join([str(SITE), before] if before else [str(SITE)]),
        RUN_VARIABLE: run,
        EXIT_LINE_VARIABLE: "off",
    }
    if store is not None:
        store = folder / store  # the application may change its working folder
        added["STOPLINT_STORE"] = str(store)
    return Launch(tuple(arguments), {**environment, **added}, store, run)


def is_default(store: Path, folder: Path) -> bool:
    """Whether `stoplint report` finds the store by itself."""
    return store == folder / DEFAULT_STORE


def execute(launch: Launch) -> int:
    """Run the command to its end: its exit code, or minus the number of the signal that ended it.

    Raises NotStartedError.
    """
    name = launch.arguments[0]
    found = shutil.which(name, path=launch.environment.get("PATH"))
    if found is None:
        exists = os.sep in name and Path(name).exists()
        code = NOT_EXECUTABLE if exists else NOT_FOUND
        raise NotStartedError(f"{name} {'is not executable' if exists else 'is no command that could be found'}", code)
    with _signals_passed_on() as children:
        try:
            process = subprocess.Popen(  # noqa: S603 - running what the user names is the point
                [name, *launch.arguments[1:]], executable=found, env=launch.environment, close_fds=False
            )
        except OSError as error:
            raise NotStartedError(f"{name} could not be started: {error.strerror or error}", NOT_EXECUTABLE) from error
        children.append(process)
        return process.wait()


def end_like(code: int) -> int:
    """Die of the signal that ended the application, so that our caller sees the same; else the exit code."""
    if code >= 0:
        return code
    number = -code
    with suppress(ImportError, OSError, ValueError):
        import resource  # noqa: PLC0415 - not on Windows

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # one core file is enough
    with suppress(OSError, ValueError):
        signal.signal(number, signal.SIG_DFL)
    with suppress(OSError):
        os.kill(os.getpid(), number)
    return 128 + number


@contextmanager
def _signals_passed_on() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Pass signals on to the processes put into the list, those that came before it was there too."""
    children: list[subprocess.Popen[bytes]] = []

    def handler(number: int, _: FrameType | None) -> None:
        if signal.Signals(number).name in _FROM_KEYBOARD and _is_foreground():
            return  # the terminal has sent it to the child as well
        for child in children:
            with suppress(OSError):
                child.send_signal(number)

    before = {}
    for name in _PASSED_ON:
        number = getattr(signal, name, None)
        # What is ignored, as under nohup, the child is to ignore as well.
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, handler)
    try:
        yield children
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


def _is_foreground() -> bool:
    """Whether keys typed at the terminal reach our process group."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | getattr(os, "O_NOCTTY", 0))
    except OSError:
        return os.name == "nt"  # a console sends Ctrl-C to all its processes
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


def _refuse_isolated(arguments: Sequence[str]) -> None:
    if not Path(arguments[0]).name.lower().startswith(("python", "pypy")):
        return
    for argument, flag in _flags(arguments[1:]):
        if flag in "IES":
            raise NotTraceableError(
                f"{arguments[0]} {argument} ignores PYTHONPATH, and with it the tracer: leave {argument} out,"
                " or put `import stoplint.auto` at the top of the application"
            )


def _flags(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The one-letter flags of the interpreter, each with the argument it stands in, up to the name of the program."""
    rest = iter(arguments)
    for argument in rest:
        if not argument.startswith("-") or argument in ("-", "--"):
            return
        if argument == "--check-hash-based-pycs":
            next(rest, None)
        letters = "" if argument.startswith("--") else argument[1:]
        for number, letter in enumerate(letters, 1):
            if letter in "cm":
                return
            if letter in "WX":
                # Its value: what is left of the argument, else the next one.
                if number == len(letters):
                    next(rest, None)
                break
            yield argument, letter
