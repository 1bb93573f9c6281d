"""Parses and lowers one text after another, in this process or as the process at the other end of two pipes."""

from __future__ import annotations

import gc
import marshal
import math
import sys
from functools import partial
from typing import IO, TYPE_CHECKING, Final, NamedTuple

from stoplint.check import deep

if TYPE_CHECKING:
    from stoplint.check import ir


class Task(NamedTuple):
    """A text to lower, with what `lower_module` asks for."""

    path: str
    text: str
    name: str
    is_package: bool
    cells: tuple[tuple[int, int], ...] = ()


class Refusal(NamedTuple):
    """Why a text cannot be lowered, and in which line and column, where that is known.  `passing`: another time it may go well."""

    reason: str
    line: int | None = None
    passing: bool = False
    column: int | None = None


_TOO_DEEP: Final = "nests too deeply to be analysed"
_NO_TEXT: Final = "holds characters that are no text (lone surrogates)"


def attempt(task: Task) -> tuple[ir.Module, bytes] | Refusal:
    """Lower and pack `task`; whatever goes wrong is the text's fault, and said.

    The module is packed even where nobody needs that: what nests too deeply for it is refused in one process as in many.
    """
    return deep.call(partial(_attempt, task))


def _attempt(task: Task) -> tuple[ir.Module, bytes] | Refusal:
    # Not for what the cache has.
    from stoplint.check.lower import SYNTAX_ERRORS, lower_module  # noqa: PLC0415 - loaded where it is needed: start-up stays quick
    from stoplint.check.pack import pack  # noqa: PLC0415

    try:
        module = lower_module(task.text, name=task.name, path=task.path, is_package=task.is_package, cells=task.cells)
        return module, pack(module)
    except SYNTAX_ERRORS as error:
        return _syntax_refusal(task.text, error)
    except RecursionError:
        return Refusal(_TOO_DEEP)
    except UnicodeError:
        return Refusal(_NO_TEXT)
    except MemoryError:
        return Refusal("needs more memory than there is", passing=True)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 - a panic of the parser is no Exception
        return Refusal(f"cannot be analysed: {type(error).__name__}: {_first_line(str(error))}")


def _syntax_refusal(text: str, error: Exception) -> Refusal:
    """Python's own words for what is wrong; where Python sees nothing wrong, what the parser is."""
    from stoplint.check.lower import PARSER  # noqa: PLC0415

    wrong = complaint(text)
    if wrong is not None:
        return wrong
    line = getattr(error, "raw_line", None)
    reason = f"is valid Python, but {PARSER} cannot parse it"
    return Refusal(reason, line if isinstance(line, int) else None)


def complaint(text: str) -> Refusal | None:
    """What this interpreter's grammar has against `text`."""
    import ast  # noqa: PLC0415
    import warnings  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(text)
        except SyntaxError as wrong:
            return Refusal(f"is not valid Python: {wrong.msg}", wrong.lineno, column=wrong.offset)
        except UnicodeError:
            return Refusal(_NO_TEXT)
        except (ValueError, MemoryError, RecursionError) as wrong:
            return Refusal(f"is not valid Python: {_first_line(str(wrong)) or 'too complex'}")
    return None


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0][:200]


# ------------------------------------------------------------------ the process at the other end

READY: Final = b"ready"


def read_frame(stream: IO[bytes]) -> bytes | None:
    """One message; None at the end of the stream."""
    size = stream.read(8)
    if len(size) < 8:
        return None
    data = stream.read(int.from_bytes(size, "little"))
    return data if len(data) == int.from_bytes(size, "little") else None


def write_frame(stream: IO[bytes], data: bytes) -> None:
    stream.write(len(data).to_bytes(8, "little"))
    stream.write(data)
    stream.flush()


def serve(requests: IO[bytes], replies: IO[bytes]) -> None:
    """Answer each request, a marshalled pair of seconds and a task, until there are no more: by the packed module or by a
    marshalled `Refusal`, told apart by the first byte.
    """
    from stoplint.check import lower  # noqa: F401, PLC0415 - the time it takes is not the first file's

    gc.disable()
    write_frame(replies, READY)
    while (request := read_frame(requests)) is not None:
        seconds, task = marshal.loads(request)  # noqa: S302 - from the process that started this one
        limit_time(seconds)
        write_frame(replies, deep.call(partial(_answer, Task(*task))))


def limit_time(seconds: float) -> bool:
    """Let the system end this process after so much more work; False where it has no such limit.

    The time worked is what counts: on a busy machine a file may take longer than that and still be no burden.
    """
    try:
        import resource  # noqa: PLC0415 - Unix has it
    except ImportError:
        return False
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    usage = resource.getrusage(resource.RUSAGE_SELF)
    soft = math.ceil(usage.ru_utime + usage.ru_stime + seconds)
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
        resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))
    except (OSError, ValueError):
        return False
    return True


def _answer(task: Task) -> bytes:
    result = _attempt(task)
    return b"\0" + marshal.dumps(tuple(result)) if isinstance(result, Refusal) else b"\1" + result[1]


def main() -> None:
    """Serve on standard input and output."""
    serve(sys.stdin.buffer, sys.stdout.buffer)
