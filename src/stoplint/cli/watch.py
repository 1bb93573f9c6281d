"""`stoplint check --watch`: checks again whenever a file changes."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from stoplint.check.discover import discover
from stoplint.cli.errors import NothingToCheckError, UserError
from stoplint.config import ConfigError, Configs
from stoplint.config.finder import OWN_FILE, SHARED_FILE

if TYPE_CHECKING:
    from collections.abc import Callable

    from stoplint.cli.analysis import Request
    from stoplint.cli.console import Console

Snapshot: TypeAlias = dict[str, tuple[int, int]]

POLL_SECONDS = 0.5
_CLEAR = "\x1b[2J\x1b[3J\x1b[H"


def watch(
    request: Request, check: Callable[[], object], console: Console, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Call `check` now and after every change to what it reads, until interrupted.

    What a user can get wrong while editing (configuration, an empty folder) is told and waited out.
    """
    seen: Snapshot | None = None
    try:
        while True:
            now = snapshot(request)
            if now != seen:
                seen = now
                _once(check, console)
            sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        return


def _once(check: Callable[[], object], console: Console) -> None:
    if console.out.isatty():
        console.write([_CLEAR])
    try:
        check()
    except (UserError, NothingToCheckError) as error:
        console.note(str(error))
    if console.verbosity >= 0:
        console.note("watching for changes, Ctrl+C ends")


def snapshot(request: Request) -> Snapshot:
    """Size and time of change of every file that a run would read, configuration included."""
    paths = [Path(path) for path in request.paths if os.path.lexists(path)]
    try:
        files = discover(paths, Configs(isolated=request.isolated), markdown=request.markdown).files
    except (ConfigError, OSError):
        files = ()
    watched = {str(file.file) for file in files if file.file is not None}
    folders = {folder for path in (*watched, *map(os.path.abspath, paths)) for folder in Path(path).parents}
    folders |= {Path(os.path.abspath(path)) for path in paths}  # noqa: PTH100 - links are not resolved
    watched |= {str(folder / name) for folder in folders for name in (OWN_FILE, SHARED_FILE)}
    found: Snapshot = {}
    for path in watched:
        try:
            status = os.stat(path)  # noqa: PTH116 - os.path costs a fraction of pathlib over thousands of files
        except OSError:
            continue
        found[path] = (status.st_mtime_ns, status.st_size)
    return found
