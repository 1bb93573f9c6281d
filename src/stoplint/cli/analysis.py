"""From paths to a report: discovery, the engine, fingerprints, selection, suppressions, baselines.

Everything that decides is elsewhere; this module reads the files and puts the steps in their order.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from stoplint.check import baseline, suppress
from stoplint.check.discover import EXCLUDED, Discovered, discover, shown
from stoplint.check.fingerprint import statement_text, with_fingerprints
from stoplint.check.outcomes import Skipped
from stoplint.check.runcache import Dependencies
from stoplint.check.source import MAX_BYTES, SourceFile, kind_of
from stoplint.cli import unchanged
from stoplint.cli.errors import NothingToCheckError, UserError
from stoplint.cli.parts import baseline_groups
from stoplint.cli.sources import Sources
from stoplint.config import ConfigError, Configs, Overrides, Selection
from stoplint.config.finder import project_folder, project_root
from stoplint.report import Report, sort_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from stoplint.check.engine import Options as EngineOptions
    from stoplint.check.engine import Result
    from stoplint.check.inventory import Call
    from stoplint.check.runcache import RunCache
    from stoplint.check.trail import Trail
    from stoplint.config import Settings
    from stoplint.findings import Finding

STDIN = "<stdin>"
UNREADABLE = "SL900"


@dataclass(frozen=True, slots=True)
class Request:
    """What a run is asked to do.  `stdin_filename` is the name for standard input where "-" is among the paths; with
    `fixes` findings come with their fixes, which takes a parse of each file that has one; `found` are the files, where
    they have been looked for already.
    """

    paths: tuple[str, ...]
    overrides: Overrides = field(default_factory=Overrides)
    isolated: bool = False
    force_exclude: bool = True
    markdown: bool = False
    stdin_filename: str | None = None
    use_baseline: bool = True
    fixes: bool = True
    found: Discovered | None = None
    jobs: int | None = None
    cache_dir: Path | None = None
    progress: Callable[[int, int], None] | None = None


@dataclass(frozen=True, slots=True)
class Analysis:
    """A run's outcome: the report, and what the verbs that write files need besides.

    `files` are the checked ones, `texts` the normalised statement of each finding, `judged` the codes looked for,
    `unfixable` the files that have findings and can have no fix, with the reasons, `found` what the paths led to.
    """

    report: Report
    configs: Configs
    files: tuple[SourceFile, ...]
    sources: Sources
    texts: dict[Finding, str]
    judged: frozenset[str]
    unfixable: dict[str, str]
    found: Discovered


def analyse(request: Request) -> Analysis:
    """Run everything.  Raises UserError, NothingToCheckError."""
    configs = Configs(request.overrides, request.isolated)
    try:
        found = request.found or _files(request, configs)
        if not found.files:
            _nothing(request, found.skipped)
        return _Run(request, configs, found).analysis()
    except ConfigError as error:
        raise UserError(str(error)) from None


def checked(request: Request, cache: RunCache) -> Report:
    """The report of `analyse`; that of an earlier run where nothing has changed that it depends on."""
    configs = Configs(request.overrides, request.isolated)
    try:
        found = _files(request, configs)
        if not found.files:
            _nothing(request, found.skipped)
        run = _Run(request, configs, found)
        known = cache.recall(run.dependencies()) or cache.carry_over(run.held)
        if known is not None:
            return unchanged.report(known)
        analysis = run.analysis()
    except ConfigError as error:
        raise UserError(str(error)) from None
    if not run.passing:
        cache.keep(unchanged.outcome(analysis.report), run.trail())
    return analysis.report


def requests(request: Request) -> tuple[Call, ...]:
    """Every request made in the files.  Raises UserError, NothingToCheckError."""
    from stoplint.check import engine  # noqa: PLC0415 - loaded where it is needed: start-up stays quick

    configs = Configs(request.overrides, request.isolated)
    try:
        found = request.found or _files(request, configs)
        if not found.files:
            _nothing(request, found.skipped)
            return ()
        run = _Run(request, configs, found)
        run.sources.add(found.files)
        calls = engine.requests(found.files, project=run.project(), settings_of=run.settings, options=run.options())
    except ConfigError as error:
        raise UserError(str(error)) from None
    sources = ((call, run.sources.source(call.place.path)) for call in calls)
    return tuple(replace(call, place=source.shifted(call.place)) if source else call for call, source in sources)


def _files(request: Request, configs: Configs) -> Discovered:
    if "-" in request.paths:
        return _stdin(request, configs)
    if request.stdin_filename is not None:
        raise UserError('--stdin-filename names standard input; give "-" as the path')
    for path in request.paths:
        if not os.path.lexists(path):
            raise UserError(f"{path}: there is no such file or folder")
    try:
        return discover(
            [Path(path) for path in request.paths],
            configs,
            force_exclude=request.force_exclude,
            markdown=request.markdown,
        )
    except OSError as error:
        raise UserError(f"{error.filename}: {error.strerror}") from None


def _stdin(request: Request, configs: Configs) -> Discovered:
    if len(request.paths) > 1:
        raise UserError('"-" stands for standard input and goes with no other path')
    name = request.stdin_filename
    path = shown(name) if name is not None else STDIN
    if name is not None and request.force_exclude and configs.excluded(os.path.abspath(name), folder=False):  # noqa: PTH100 - os.path costs a fraction of pathlib over thousands of files
        return Discovered((), (Skipped(path, EXCLUDED),))
    data = sys.stdin.buffer.read()
    return Discovered((SourceFile(path, None, kind_of(name or STDIN), data),), ())


def _nothing(request: Request, skipped: Sequence[Skipped]) -> None:
    """Nothing to check: an error, unless the configuration says so of every path that was named.

    A pre-commit hook is given the changed files, which may be excluded ones only.
    """
    excluded = {one.path for one in skipped if one.reason == EXCLUDED}
    named = {shown(path) for path in request.paths if path != "-"}
    if request.stdin_filename is not None:
        named.add(shown(request.stdin_filename))
    if named <= excluded:
        return
    where = ", ".join(request.paths)
    why = Counter(one.reason for one in skipped)
    left_out = "; ".join(f"{count} times {reason}" if count > 1 else reason for reason, count in sorted(why.items()))
    hint = f" (left out: {left_out})" if left_out else ""
    raise NothingToCheckError(f"no Python files or notebooks under {where}{hint}")


@dataclass(slots=True)
class _Run:
    request: Request
    configs: Configs
    found: Discovered
    sources: Sources = field(default_factory=Sources)
    texts: dict[Finding, str] = field(default_factory=dict)
    unfixable: dict[str, str] = field(default_factory=dict)
    passing: bool = False
    _others: Discovered | None = None
    _trail: Trail | None = None

    @property
    def files(self) -> tuple[SourceFile, ...]:
        return self.found.files

    def analysis(self) -> Analysis:
        self.sources.add(self.files)
        result = self._result()
        self.passing = result.passing
        self._trail = result.trail
        findings = self._fingerprinted(result.findings)
        kept, suppressed = self._unsuppressed(findings, result.marked)
        shown_findings = [one for one in kept if self._wanted(one)]
        unseen = [
            Skipped(one.place.path, one.message) for one in kept if one.code == UNREADABLE and not self._wanted(one)
        ]
        new, known, stale = self._against_baseline(shown_findings)
        report = Report(
            findings=tuple(sorted(self._with_fixes(new), key=sort_key)),
            files_checked=result.files_checked,
            source=self.sources.source,
            file_line=self.sources.file_line,
            skipped=tuple(sorted((*self.found.skipped, *result.skipped, *unseen))),
            suppressed=sum(self._wanted(one) for one in suppressed),
            in_baseline=known,
            stale=stale,
        )
        return Analysis(
            report, self.configs, self.files, self.sources, self.texts, self._all_judged(), self.unfixable, self.found
        )

    def _result(self) -> Result:
        from stoplint.check import engine  # noqa: PLC0415 - a run without files needs none

        if not self.files:
            return engine.Result((), 0)
        return engine.run(self.files, project=self.project(), settings_of=self.settings, options=self.options())

    def options(self) -> EngineOptions:
        from stoplint.check import engine  # noqa: PLC0415

        return engine.Options(self.request.jobs, self.request.cache_dir, self.request.progress)

    def settings(self, file: SourceFile) -> Settings:
        return self.configs.for_path(file.path).settings

    def project(self) -> tuple[SourceFile, ...]:
        """The other files of the projects that the given paths lie in: what a helper there does is known then."""
        given = {file.path for file in self.files}
        return tuple(file for file in self._beyond().files if file.path not in given)

    def held(self, path: str) -> bytes | None:
        """What the analysed file at an absolute path holds; None where the run would not take it as it is."""
        file = next((one for one in (*self.files, *self.project()) if str(one.file) == path), None)
        if file is None or file.kind != "python":
            return None
        try:
            data = file.read()
        except OSError:
            return None
        return data if len(data) <= MAX_BYTES else None

    def trail(self) -> Trail | None:
        """What the run looked at, by absolute paths."""
        if self._trail is None:
            return None
        absolute = {one.path: str(one.file) for one in (*self.files, *self.project())}
        return self._trail.renamed(absolute)

    def dependencies(self) -> Dependencies:
        """What the findings depend on."""
        beyond = self._beyond()
        return Dependencies(
            tuple(str(file.file) for file in self.files),
            tuple(str(file.file) for file in self.project()),
            (*self.found.beside, *beyond.beside),
            (*self.found.folders, *beyond.folders),
            tuple((os.path.abspath(one.path), one.reason) for one in (*self.found.skipped, *beyond.skipped)),  # noqa: PTH100
            tuple(os.path.abspath(path) for path in self._anchors()),  # noqa: PTH100
        )

    def _beyond(self) -> Discovered:
        """What lies in the projects of the given paths, where not all of it was named."""
        if self._others is not None:
            return self._others
        named = {Path(os.path.abspath(path)) for path in self._anchors()}  # noqa: PTH100 - links are not resolved
        roots = {root for path in named if (root := project_folder(path)) is not None}
        # A project of which every file was named has no others; listing it again would take as long as the first time.
        beyond = sorted(root for root in roots if named.isdisjoint((root, *root.parents)))
        self._others = discover(beyond, self.configs) if beyond else Discovered((), ())
        return self._others

    def _anchors(self) -> list[str]:
        if "-" in self.request.paths:
            return [self.request.stdin_filename] if self.request.stdin_filename is not None else []
        return list(self.request.paths)

    def _fingerprinted(self, findings: Iterable[Finding]) -> list[Finding]:
        placed = list(dict.fromkeys(self._shifted(finding) for finding in findings))
        texts = {finding: self._text(finding) for finding in placed}
        roots: dict[str, str] = {}

        def stable(path: str) -> str:
            if path not in roots:
                root = project_root(path, self.configs)
                roots[path] = os.path.relpath(path, root).replace(os.sep, "/") if path != STDIN else path
            return roots[path]

        made = with_fingerprints(placed, texts, stable)
        self.texts |= {new: texts[old] for old, new in zip(placed, made, strict=True)}
        return made

    def _shifted(self, finding: Finding) -> Finding:
        source = self.sources.source(finding.place.path)
        if source is None or not any(source.shifts):
            return finding
        related = tuple(
            replace(one, place=source.shifted(one.place)) if one.place.path == source.path else one
            for one in finding.related
        )
        origin = finding.origin
        if origin is not None and origin.path == source.path:
            origin = source.shifted(origin)
        return replace(finding, place=source.shifted(finding.place), related=related, origin=origin)

    def _text(self, finding: Finding) -> str:
        source, layout = self.sources.source(finding.place.path), self.sources.layout(finding.place.path)
        return statement_text(finding, source, layout) if source is not None and layout is not None else ""

    def _unsuppressed(
        self, findings: Sequence[Finding], marked: Sequence[str]
    ) -> tuple[list[Finding], list[Finding]]:  # fmt: skip
        by_path: dict[str, list[Finding]] = {path: [] for path in marked}
        kept: list[Finding] = []
        suppressed: list[Finding] = []
        for finding in findings:
            by_path.get(finding.place.path, kept).append(finding)
        files = {file.path: file for file in self.files}
        for path, found in by_path.items():
            source, layout = self.sources.source(path), self.sources.layout(path)
            if source is None or layout is None or path not in files:
                kept += found
                continue
            outcome = suppress.apply(source, layout, found, self._judged(files[path]))
            kept += [*outcome.kept, *self._fingerprinted(outcome.unused)]
            suppressed += outcome.suppressed
        return kept, suppressed

    def _judged(self, file: SourceFile) -> frozenset[str]:
        selection = Selection.of(self.configs.for_path(file.path).settings)
        return selection.looked_for - self.configs.ignored_codes(file.path)

    def _all_judged(self) -> frozenset[str]:
        """Each configuration is asked once where it makes no difference between its files."""
        files: dict[object, SourceFile] = {}
        for file in self.files:
            config = self.configs.for_path(file.path)
            files.setdefault(file.path if config.settings.per_file_ignores else id(config), file)
        return frozenset(code for file in files.values() for code in self._judged(file))

    def _wanted(self, finding: Finding) -> bool:
        path = finding.place.path
        selection = Selection.of(self.configs.for_path(path).settings)
        ignored = self.configs.ignored_codes(path)
        if finding.beside in selection.enabled and finding.beside not in ignored:
            return False
        return selection.shows(finding) and finding.code not in ignored

    def _with_fixes(self, findings: Sequence[Finding]) -> list[Finding]:
        """The findings to be shown with the fixes there are; only their files are parsed for it."""
        if not self.request.fixes or not findings:
            return list(findings)
        from stoplint.check.fix import with_fixes  # noqa: PLC0415 - a clean run needs none

        by_path: dict[str, list[Finding]] = {}
        for finding in findings:
            by_path.setdefault(finding.place.path, []).append(finding)
        made: list[Finding] = []
        for path, found in by_path.items():
            source, data = self.sources.source(path), self.sources.data(path)
            if source is None or data is None:
                made += found
                continue
            outcome = with_fixes(source, data, found)
            if outcome.refused is not None:
                self.unfixable[path] = outcome.refused
            self.texts |= {new: self.texts[old] for old, new in zip(found, outcome.findings, strict=True)}
            made += outcome.findings
        return made

    def _against_baseline(self, findings: Sequence[Finding]) -> tuple[list[Finding], int, int]:
        if self.request.isolated or not self.request.use_baseline:
            return list(findings), 0, 0
        new: list[Finding] = []
        known, stale = 0, 0
        for found, part in baseline_groups(self.files, findings):
            split = baseline.split(found, part.findings, self.texts, part.paths, self._all_judged())
            new += split.new
            known += len(split.known)
            stale += split.stale.total()
        return new, known, stale
