"""`stoplint check --fix` and `--diff`: fixes made in passes, in memory, each pass checked before it counts."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from stoplint.check.edits import by_cell, edit_bytes, replace_file
from stoplint.check.fix import choose
from stoplint.cli.analysis import analyse
from stoplint.cli.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stoplint.check.source import SourceFile
    from stoplint.cli.analysis import Analysis, Request
    from stoplint.findings import Finding

MAX_ROUNDS = 10
"""One fix may uncover the next, or be taken back; more passes than this would mean that two fixes undo each other."""


@dataclass(frozen=True, slots=True)
class Change:
    """A file before and after."""

    file: SourceFile
    before: bytes
    after: bytes


@dataclass(frozen=True, slots=True)
class Fixed:
    """What is left, how many findings were fixed, the changed files, and files that were left alone, with the reason."""

    analysis: Analysis
    count: int
    changes: tuple[Change, ...]
    refused: tuple[tuple[str, str], ...]


def fix(request: Request, *, unsafe: bool, run: Callable[[Request], Analysis] = analyse) -> Fixed:
    """Fix what can be fixed, in memory.  Raises UserError, NothingToCheckError."""
    first = run(request)
    work = _Work(replace(request, found=first.found), first, unsafe, run)
    for _ in range(MAX_ROUNDS):
        if not work.another_pass():
            break
    now = {file.path: file for file in work.analysis.files}
    changes = [
        Change(file, old, new)
        for file in first.files
        if (old := _bytes(file)) != (new := _bytes(now.get(file.path, file)))
    ]
    refused = {**work.analysis.unfixable, **work.refused}
    report = replace(work.analysis.report, fixed=work.count)
    return Fixed(replace(work.analysis, report=report), work.count, tuple(changes), tuple(sorted(refused.items())))


def write(changes: Sequence[Change]) -> None:
    """Write the changed files, each whole or not at all.  Raises UserError."""
    for change in changes:
        if change.file.file is None:
            continue
        try:
            replace_file(change.file.file, change.after)
        except OSError as error:
            raise UserError(f"{change.file.path}: cannot be written: {error.strerror}") from None


@dataclass(slots=True)
class _Work:
    request: Request
    analysis: Analysis
    unsafe: bool
    run: Callable[[Request], Analysis]
    count: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    bad: set[tuple[str, str]] = field(default_factory=set)
    """Fixes that did not keep what they promise, as path and fingerprint."""

    def another_pass(self) -> bool:
        """Make all fixes that go together; False when there was none to make."""
        chosen = {path: found for path, here in self._by_path().items() if (found := self._chosen(path, here))}
        if not chosen:
            return False
        files = {file.path: file for file in self.analysis.files}
        edited = {
            path: edited for path, here in chosen.items() if (edited := self._edited(files[path], here)) is not None
        }
        after = self._with(edited)
        good = {path: data for path, data in edited.items() if not self._is_wrong(path, after, chosen[path])}
        if len(good) < len(edited):
            after = self._with(good) if good else self.analysis
        self.count += sum(len(chosen[path]) for path in good)
        self.analysis = after
        return True

    def _by_path(self) -> dict[str, list[Finding]]:
        found: dict[str, list[Finding]] = defaultdict(list)
        for finding in self.analysis.report.findings:
            found[finding.place.path].append(finding)
        return found

    def _chosen(self, path: str, findings: Sequence[Finding]) -> list[Finding]:
        allowed = [one for one in findings if (path, one.fingerprint) not in self.bad]
        return choose.chosen(allowed, unsafe=self.unsafe)

    def _edited(self, file: SourceFile, findings: Sequence[Finding]) -> bytes | None:
        edits = by_cell(
            (finding.place.cell, edit) for finding in findings if finding.fix is not None for edit in finding.fix.edits
        )
        try:
            return edit_bytes(_bytes(file), file.kind, edits)
        except (ValueError, UnicodeError) as error:
            self._blame(file.path, str(error), findings)
            return None

    def _with(self, edited: dict[str, bytes]) -> Analysis:
        files = tuple(
            replace(file, data=edited[file.path]) if file.path in edited else file for file in self.analysis.files
        )
        found = replace(self.analysis.found, files=files)
        return self.run(replace(self.request, found=found, progress=None))

    def _is_wrong(self, path: str, after: Analysis, fixed: Sequence[Finding]) -> bool:
        why = choose.complaint(_texts(self.analysis, path), _texts(after, path), fixed)
        if why is not None:
            self._blame(path, why.reason, why.fixes)
        return why is not None

    def _blame(self, path: str, reason: str, findings: Sequence[Finding]) -> None:
        self.bad |= {(path, finding.fingerprint) for finding in findings}
        lines = ", ".join(str(finding.place.line) for finding in findings)
        self.refused[path] = f"line {lines}: {reason}"


def _texts(analysis: Analysis, path: str) -> dict[Finding, str]:
    here = (finding for finding in analysis.report.findings if finding.place.path == path)
    return {finding: analysis.texts.get(finding, "") for finding in here}


def _bytes(file: SourceFile) -> bytes:
    try:
        return file.read()
    except OSError as error:
        raise UserError(f"{file.path}: {error.strerror}") from None
