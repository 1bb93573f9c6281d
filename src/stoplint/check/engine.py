"""Files in, findings out.

A first version: it says what cannot be read or parsed (SL900) and which files hold suppression comments.
"""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stoplint import catalog
from stoplint.check import directives
from stoplint.check.discover import Skipped
from stoplint.check.source import SourceError, parse
from stoplint.findings import Finding, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from stoplint.check.source import SourceFile
    from stoplint.config import Settings


@dataclass(frozen=True, slots=True)
class Options:
    """How a run is done; none of it changes what is found.

    `jobs`: worker processes, None for as many as are worth it.  `cache_dir`: None for no cache.  `progress` is told how
    many of how many files are done.
    """

    jobs: int | None = None
    cache_dir: Path | None = None
    progress: Callable[[int, int], None] | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """`findings` of all profiles, in any order, without fingerprints, places of Markdown as in `Source.text`;
    `marked`: the paths of files that hold suppression comments; `files_checked` counts the given files that were read.
    """

    findings: tuple[Finding, ...]
    files_checked: int
    skipped: tuple[Skipped, ...] = ()
    marked: tuple[str, ...] = ()


def run(
    files: Sequence[SourceFile],
    *,
    project: Sequence[SourceFile],
    settings_of: Callable[[SourceFile], Settings],
    options: Options,
) -> Result:
    """The findings in `files`; `project` are further files that may say what a name in them means.

    Never raises for what a file holds: what cannot be read, decoded or parsed is a finding of code SL900.
    """
    del project, settings_of
    findings: list[Finding] = []
    skipped: list[Skipped] = []
    marked: list[str] = []
    for number, file in enumerate(files, 1):
        try:
            data = file.read()
            if directives.mentions(data):
                marked.append(file.path)
            source = parse(file.path, file.kind, data)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                ast.parse(source.text)
        except OSError as error:
            findings.append(_unreadable(file.path, f"cannot be read: {error.strerror}", 1))
        except SourceError as error:
            if error.skip:
                skipped.append(Skipped(file.path, str(error)))
            else:
                findings.append(_unreadable(file.path, str(error), error.line))
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            line = error.lineno if isinstance(error, SyntaxError) and error.lineno else 1
            findings.append(_unreadable(file.path, f"cannot be parsed: {getattr(error, 'msg', error)}", line))
        if options.progress is not None:
            options.progress(number, len(files))
    return Result(tuple(findings), len(files) - len(skipped), tuple(skipped), tuple(marked))


def _unreadable(path: str, why: str, line: int) -> Finding:
    rule = catalog.rules()["SL900"]
    place = Place(path, None, line, 1, line, 1)
    return Finding(rule.code, rule.name, rule.severity, rule.profile, place, "<module>", f"The file {why}.")
