"""The baseline: findings that were there before stoplint was, kept out of reports until they are gone.

An entry is keyed by what `fingerprint` says of the code, with the path relative to the baseline's own folder: moved and
reformatted code keeps its entry, whatever folder the program is run from.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from stoplint.check.discover import shown
from stoplint.check.edits import replace_file
from stoplint.check.fingerprint import digest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from stoplint.findings import Finding

FILE = "stoplint-baseline.json"
VERSION = 1
_ABOUT = "Findings that stoplint keeps quiet about; `stoplint baseline --update` drops those that are gone."
_FIELDS = ("path", "code", "function", "key")


class BaselineError(Exception):
    """A baseline that cannot be read; the message names the file and what to do."""


class Key(NamedTuple):
    """What a finding is recognised by; `path` is relative to the baseline's folder, `key` stands for the code's text."""

    path: str
    code: str
    function: str
    key: str


@dataclass(frozen=True, slots=True)
class Baseline:
    """The entries of one file with their counts."""

    file: Path
    entries: Counter[Key] = field(default_factory=Counter)

    def key_of(self, finding: Finding, text: str) -> Key:
        """The key of a finding whose statement has this normalised text."""
        return Key(self.relative(finding.place.path), finding.code, finding.function, digest(text)[:16])

    def relative(self, path: str) -> str:
        """A reported path as this baseline writes it."""
        return os.path.relpath(path, self.file.parent).replace(os.sep, "/")


@dataclass(frozen=True, slots=True)
class Split:
    """What is new, what the baseline knew, and which of its entries for the checked files match nothing any more."""

    new: tuple[Finding, ...]
    known: tuple[Finding, ...]
    stale: Counter[Key]


def split(
    baseline: Baseline,
    findings: Sequence[Finding],
    texts: Mapping[Finding, str],
    checked: Collection[str],
    judged: frozenset[str],
) -> Split:
    """Apply a baseline.  Of equal findings the first ones, in order of their places, are the known ones.

    `checked` are the reported paths of all checked files, `judged` the codes that the run looked for: nothing else can
    be called stale.
    """
    left = Counter(baseline.entries)
    new: list[Finding] = []
    known: list[Finding] = []
    for finding in sorted(findings, key=lambda one: one.place):
        key = baseline.key_of(finding, texts.get(finding, ""))
        if left[key] > 0:
            left[key] -= 1
            known.append(finding)
        else:
            new.append(finding)
    paths = {baseline.relative(path) for path in checked}
    stale = {key: count for key, count in left.items() if count > 0 and _judgeable(key, paths, judged, baseline)}
    return Split(tuple(new), tuple(known), Counter(stale))


def find(path: str | Path) -> Path:
    """The baseline that counts for a linted file: the nearest one above it, else that of the working folder, which need
    not exist.
    """
    start = Path(os.path.abspath(path))  # noqa: PTH100 - links are not resolved
    return next((one / FILE for one in start.parents if (one / FILE).is_file()), Path.cwd() / FILE)


def read(file: Path) -> Baseline:
    """The baseline in a file; an empty one where there is no file.  Raises BaselineError."""
    try:
        content = json.loads(file.read_bytes())
    except FileNotFoundError:
        return Baseline(file)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "is no valid JSON"
        raise BaselineError(f"{shown(file)}: {why}; mend or delete it, `stoplint baseline` writes it anew") from None
    if not isinstance(content, dict) or content.get("version") != VERSION:
        raise BaselineError(
            f"{shown(file)}: is no baseline of this version; delete it if it is one of another, `stoplint baseline` writes it anew"
        )
    entries: Counter[Key] = Counter()
    for number, entry in enumerate(content.get("findings") or (), 1):
        if not isinstance(entry, dict) or not all(isinstance(entry.get(one), str) for one in _FIELDS):
            raise BaselineError(f"{shown(file)}: entry {number} lacks one of {', '.join(_FIELDS)}")
        count = entry.get("count", 1)
        entries[Key(*(entry[one] for one in _FIELDS))] += count if isinstance(count, int) and count > 0 else 1
    return Baseline(file, entries)


def write(baseline: Baseline) -> None:
    """Write a baseline, sorted, so that its diffs are small.  Raises OSError."""
    replace_file(baseline.file, text(baseline).encode())


def text(baseline: Baseline) -> str:
    """The content of a baseline's file."""
    entries = [
        {**key._asdict(), **({"count": count} if count > 1 else {})}
        for key, count in sorted(baseline.entries.items())
        if count > 0
    ]
    lines = ",\n".join(f"    {json.dumps(entry)}" for entry in entries)
    findings = f"[\n{lines}\n  ]" if entries else "[]"
    return f'{{\n  "version": {VERSION},\n  "about": {json.dumps(_ABOUT)},\n  "findings": {findings}\n}}\n'


def _judgeable(key: Key, checked: Collection[str], judged: frozenset[str], baseline: Baseline) -> bool:
    gone = not (baseline.file.parent / key.path).exists()
    return key.code in judged and (key.path in checked or gone)
