"""The configuration: `[tool.stoplint]` in pyproject.toml, or stoplint.toml; the nearest one counts for each linted file."""

from __future__ import annotations

from stoplint.config.finder import Config, Configs, Overrides
from stoplint.config.options import ConfigError, Settings
from stoplint.config.selection import Selection, selector_problem

__all__ = ["Config", "ConfigError", "Configs", "Overrides", "Selection", "Settings", "selector_problem"]
