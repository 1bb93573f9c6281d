"""Finds and reads the configuration that applies to a path."""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from stoplint.check.discover import shown
from stoplint.check.ignorefiles import Patterns, compile_patterns
from stoplint.config.options import ConfigError, Settings, field_names, read_options
from stoplint.config.selection import codes_of, selector_problem

if TYPE_CHECKING:
    from collections.abc import Mapping

OWN_FILE = "stoplint.toml"
SHARED_FILE = "pyproject.toml"
PROJECT_MARKS = (OWN_FILE, SHARED_FILE, "setup.py", "setup.cfg", ".git")
COMMAND_LINE = "command line"
DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the command line says: `select` replaces, `ignore` is added, `strict` switches on; None says nothing."""

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    strict: bool | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """A configuration and where it came from.

    `file` is None where there is none; `folder` is then None too.  `origins` says for each field of `Settings` who set
    it: the file as it is shown, "command line" or "default".
    """

    settings: Settings
    origins: Mapping[str, str]
    file: Path | None = None
    folder: Path | None = None


@dataclass(slots=True)
class Configs:
    """Configurations by folder, each file read once.  `isolated`: there is none."""

    overrides: Overrides = field(default_factory=Overrides)
    isolated: bool = False
    _by_folder: dict[str, Config] = field(default_factory=dict)
    _excludes: dict[str, Patterns | None] = field(default_factory=dict)
    _ignores: dict[str, list[tuple[Patterns, frozenset[str]]]] = field(default_factory=dict)

    def for_path(self, path: str | Path) -> Config:
        """The configuration for a file or folder, from the nearest file above it.  Raises ConfigError."""
        return self._for_folder(os.path.dirname(os.path.abspath(path)))  # noqa: PTH100, PTH120 - links are not resolved

    def for_folder(self, folder: str | Path) -> Config:
        """The configuration for what lies in a folder.  Raises ConfigError."""
        return self._for_folder(os.path.abspath(folder))  # noqa: PTH100 - os.path costs a fraction of pathlib over thousands of files

    def excluded(self, path: str, *, folder: bool) -> bool:
        """See `discover.Excludes`."""
        config = self._for_folder(os.path.dirname(path))  # noqa: PTH120 - os.path costs a fraction of pathlib over thousands of files
        if not config.settings.exclude or config.folder is None:
            return False
        base = str(config.folder)
        if base not in self._excludes:
            self._excludes[base] = compile_patterns(base, list(config.settings.exclude))
        patterns = self._excludes[base]
        return patterns is not None and patterns.verdict(path, folder=folder) is True

    def ignored_codes(self, path: str | Path) -> frozenset[str]:
        """The codes that `per-file-ignores` switches off in a file."""
        absolute = os.path.abspath(path)  # noqa: PTH100
        config = self.for_path(absolute)
        if not config.settings.per_file_ignores or config.folder is None:
            return frozenset()
        base = str(config.folder)
        if base not in self._ignores:
            compiled = [
                (compile_patterns(base, [glob]), codes_of(codes)) for glob, codes in config.settings.per_file_ignores
            ]
            self._ignores[base] = [(patterns, codes) for patterns, codes in compiled if patterns is not None]
        hits = [codes for patterns, codes in self._ignores[base] if patterns.verdict(absolute, folder=False)]
        return frozenset().union(*hits)

    def _for_folder(self, folder: str) -> Config:
        known = self._by_folder.get(folder)
        if known is None:
            known = None if self.isolated else _read_folder(folder)
            if known is not None:
                known = _overridden(known, self.overrides)
            else:
                parent = os.path.dirname(folder)  # noqa: PTH120
                top = self.isolated or parent == folder
                known = _overridden(_default(), self.overrides) if top else self._for_folder(parent)
            self._by_folder[folder] = known
        return known


def project_root(path: str | Path, configs: Configs) -> Path:
    """The folder that a path's reports are relative to over time: of the repository, else of the configuration, else
    the working folder.
    """
    start = Path(os.path.abspath(path))  # noqa: PTH100
    for folder in (start, *start.parents):
        if (folder / ".git").exists():
            return folder
    config = configs.for_path(start)
    return config.folder if config.folder is not None else Path.cwd()


def project_folder(path: Path) -> Path | None:
    """The project that a path lies in: the nearest folder that looks like one; None for a file on its own."""
    for folder in (path, *path.parents):
        if folder.is_dir() and any((folder / mark).exists() for mark in PROJECT_MARKS):
            return folder
    return None


def _default() -> Config:
    return Config(Settings(), dict.fromkeys(field_names(), DEFAULT))


def _overridden(config: Config, overrides: Overrides) -> Config:
    settings, origins = config.settings, dict(config.origins)
    if overrides.select is not None:
        settings = replace(settings, select=overrides.select, extend_select=())
        origins |= {"select": COMMAND_LINE, "extend_select": COMMAND_LINE}
    if overrides.ignore:
        settings = replace(settings, ignore=(*settings.ignore, *overrides.ignore))
        before = origins["ignore"]
        origins["ignore"] = COMMAND_LINE if before == DEFAULT else f"{before} and {COMMAND_LINE}"
    if overrides.strict is not None:
        settings = replace(settings, strict=overrides.strict)
        origins["strict"] = COMMAND_LINE
    return replace(config, settings=settings, origins=origins)


def _read_folder(folder: str) -> Config | None:
    """The configuration that lies in a folder itself; stoplint.toml goes before pyproject.toml."""
    own = os.path.join(folder, OWN_FILE)  # noqa: PTH118 - os.path costs a fraction of pathlib over thousands of files
    if os.path.isfile(own):  # noqa: PTH113 - os.path costs a fraction of pathlib over thousands of files
        return _config(Path(own), _toml(Path(own)), name=shown(own))
    shared = os.path.join(folder, SHARED_FILE)  # noqa: PTH118
    if not os.path.isfile(shared):  # noqa: PTH113
        return None
    # Most projects have a pyproject.toml without our section: those need not be parsed, and need not be sound.
    if b"stoplint" not in _bytes(Path(shared)):
        return None
    tool = _toml(Path(shared)).get("tool")
    section = tool.get("stoplint") if isinstance(tool, dict) else None
    if section is None:
        return None
    if not isinstance(section, dict):
        raise ConfigError(f"{shown(shared)}: tool.stoplint must be a table")
    return _config(Path(shared), section, name=f"{shown(shared)} [tool.stoplint]")


def _config(file: Path, table: Mapping[str, object], *, name: str) -> Config:
    values, problems = read_options(table, selector_problem)
    if problems:
        raise ConfigError("\n".join(f"{name}: {problem}" for problem in problems))
    origins = {one: name if one in values else DEFAULT for one in field_names()}
    # The values were checked against the table of options, whose fields these are.
    return Config(replace(Settings(), **values), origins, file, file.parent)  # type: ignore[arg-type]  # read from a table that was checked


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{shown(file)}: cannot be read: {error.strerror}") from None


def _toml(file: Path) -> Mapping[str, object]:
    # tomllib costs 7 ms that runs without configuration need not pay; before 3.11 it is tomli, of the same interface.
    parser = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        table: dict[str, object] = parser.loads(_bytes(file).decode("utf-8-sig"))
    except ValueError as error:
        raise ConfigError(f"{shown(file)}: is no valid TOML: {error}") from None
    return table
