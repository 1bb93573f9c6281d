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


def main(arguments: Sequence[str]) -> int:
    """The exit code for `arguments`: the answers' file, then the command."""
    if len(arguments) < 2 or arguments[0].startswith("-"):
        return _refuse(_USAGE)
    path, *command = arguments
    try:
        answers = runpy.run_path(path).get("ANSWERS")
    except OSError as exc:
        return _refuse(f"{path}: {exc.strerror}")
    except Exception as exc:  # noqa: BLE001 - the file is the user's, and so is whatever it raises
        return _refuse(f"{path}: cannot be read: {type(exc).__name__}: {exc}")
    if not callable(answers) and not isinstance(answers, (list, tuple)):
        return _refuse(f"{path}: set ANSWERS to a list of answers or to a function of the request")
    with FakeMessages(cast("Iterable[Scripted]", answers)) as fake:
        try:
            code = subprocess.run(command, env=_environment(fake), check=False).returncode  # noqa: S603
        except OSError as exc:
            return _refuse(f"{command[0]}: {exc.strerror}")
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


def _refuse(problem: str) -> int:
    sys.stderr.write(f"{problem}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
