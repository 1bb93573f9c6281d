"""Run a program against a scripted Messages API: `python -m stoplint.testing ANSWERS.py COMMAND...`.

ANSWERS.py is a Python file with a variable `ANSWERS`: a list of answers, or one function of the request. The command runs with
`ANTHROPIC_BASE_URL` and `ANTHROPIC_API_KEY` pointing at the fake, whatever they were before: nothing reaches the real API.
Exits as the command does, or with 2 when the script cannot be read.
"""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from typing import TYPE_CHECKING, cast

from stoplint.testing.fake import FakeMessages

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stoplint.testing.answers import Scripted

_USAGE = "usage: python -m stoplint.testing ANSWERS.py COMMAND [ARGUMENT ...]"


class _MistakeError(Exception):
    """What the user has to change, in one line."""


def main(arguments: Sequence[str]) -> int:
    """The exit code for `arguments`: the answers' file, then the command."""
    if arguments and arguments[0] in ("-h", "--help"):
        sys.stdout.write(f"{__doc__}\n{_USAGE}\n")
        return 0
    if len(arguments) < 2 or arguments[0].startswith("-"):
        sys.stderr.write(f"{_USAGE}\n")
        return 2
    try:
        return _run(_answers(arguments[0]), arguments[1:])
    except _MistakeError as exc:
        sys.stderr.write(f"{exc}\n")
        return 2


def _answers(path: str) -> Iterable[Scripted]:
    try:
        answers = runpy.run_path(path).get("ANSWERS")
    except OSError as exc:
        raise _MistakeError(f"{path}: {exc.strerror}") from exc
    except Exception as exc:
        raise _MistakeError(f"{path}: cannot be read: {type(exc).__name__}: {exc}") from exc
    if not callable(answers) and not isinstance(answers, (list, tuple)):
        raise _MistakeError(f"{path}: set ANSWERS to a list of answers or to a function of the request")
    return cast("Iterable[Scripted]", answers)


def _run(answers: Iterable[Scripted], command: Sequence[str]) -> int:
    with FakeMessages(answers) as fake:
        try:
            code = subprocess.run(command, env=_environment(fake), check=False).returncode  # noqa: S603 - the user gave the command
        except OSError as exc:
            raise _MistakeError(f"{command[0]}: {exc.strerror}") from exc
    fake.allow_unused = True
    try:
        fake.verify()
    except AssertionError as exc:
        sys.stderr.write(f"{exc}\n")
    return code


def _environment(fake: FakeMessages) -> dict[str, str]:
    environment = {**os.environ, **fake.environ}
    environment.pop("ANTHROPIC_AUTH_TOKEN", None)  # a real one would be sent along with the fake key
    return environment


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
