"""The `stoplint` command."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence

ISSUES = "https://github.com/stoplint/stoplint/issues"

EXIT_CLEAN, EXIT_FINDINGS, EXIT_ERROR, EXIT_NOTHING = 0, 1, 2, 3
_INTERRUPTED = 130


def main() -> NoReturn:
    """Run the command line of this process and exit with its code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run a command line.

    Returns 0 when there is nothing to report, 1 for findings, 2 when the run itself failed, 3 when there was nothing to
    check at the given paths.
    """
    import click  # noqa: PLC0415 - so that importing the package costs nothing

    from stoplint.cli.errors import NothingToCheckError, UserError  # noqa: PLC0415

    try:
        return _invoke(arguments)
    except click.ClickException as error:
        error.show()
    except UserError as error:
        _complain("error", str(error))
    except NothingToCheckError as error:
        _complain("nothing to check", str(error))
        return EXIT_NOTHING
    except BrokenPipeError:
        # The reader went away (`| head`): not an error, but the interpreter would complain when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_CLEAN
    except (KeyboardInterrupt, click.Abort):
        sys.stderr.write("stoplint: interrupted\n")
        return _INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last resort: no traceback ever reaches a user unasked
        _report_bug(error, arguments)
    return EXIT_ERROR


def _invoke(arguments: Sequence[str]) -> int:
    from stoplint.cli.app import app  # noqa: PLC0415

    code = app.main(args=list(arguments), prog_name="stoplint", standalone_mode=False)
    return code if isinstance(code, int) else EXIT_CLEAN


def _complain(kind: str, message: str) -> None:
    for number, line in enumerate(message.splitlines()):
        sys.stderr.write(f"stoplint: {kind}: {line}\n" if number == 0 else f"  {line}\n")


def _report_bug(error: Exception, arguments: Sequence[str]) -> None:
    what = " ".join(f"{type(error).__name__}: {error}".split())
    sys.stderr.write(f"stoplint: internal error: {what}; please report it at {ISSUES} with what `-vv` adds\n")
    if any(one == "-vv" or one.startswith("-vvv") for one in arguments) or list(arguments).count("-v") > 1:
        import traceback  # noqa: PLC0415

        traceback.print_exception(error)
