"""How places in the code are shown."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=4096)
def shown_path(path: str) -> str:
    """A path as people type it: posix, relative to the working folder where it lies below it."""
    if "\\" in path and "/" not in path:
        return path.replace("\\", "/")
    try:
        return Path(path).relative_to(Path.cwd()).as_posix()
    except (ValueError, OSError):
        return path
