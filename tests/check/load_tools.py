"""Helpers of the loading tests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from stoplint.check.load import Loaded, Options, load
from stoplint.check.source import SourceFile, kind_of

if TYPE_CHECKING:
    from pathlib import Path

GOOD = "import anthropic\nanswer = anthropic.Anthropic().messages.create()\n"


def source(path: str, content: str | bytes) -> SourceFile:
    """A file that exists in memory only."""
    data = content.encode() if isinstance(content, str) else content
    return SourceFile(path, None, kind_of(path), data)


def on_disk(root: Path, path: str) -> SourceFile:
    return SourceFile(path, root / path, kind_of(path))


def notebook(*cells: str | tuple[str, str], language: str = "python") -> bytes:
    """A notebook of code cells; a pair is (cell type, source)."""
    found: list[dict[str, Any]] = []
    for cell in cells:
        kind, text = ("code", cell) if isinstance(cell, str) else cell
        found.append({"cell_type": kind, "metadata": {}, "source": text.splitlines(keepends=True)})
    metadata = {"language_info": {"name": language}}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": found}).encode()


def load_all(*files: SourceFile, seconds: float = 60.0, **options: Any) -> Loaded:
    """Load without a screen; a time limit only where a test is about it."""
    return load(files, options=Options(screen=False, seconds=seconds, **options))
