"""Run a function once a package has been imported, without importing it.  Standard library only, as it is on the way
of `import stoplint.auto`.
"""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType


def when_imported(name: str, then: Callable[[], None]) -> None:
    """Call `then` after the top-level package or module `name` has been executed: now, if it was already."""
    module = sys.modules.get(name)
    if module is not None and not getattr(getattr(module, "__spec__", None), "_initializing", False):
        then()
    else:
        sys.meta_path.insert(0, _Finder(name, then))


class _Finder:
    """Finds `name` the way everyone else would, and adds to its loader what is to be done afterwards."""

    def __init__(self, name: str, then: Callable[[], None]) -> None:
        self._name = name
        self._then = then
        self._looking = False

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 - part of the protocol
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        if name != self._name or self._looking:
            return None
        self._looking = True
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self._looking = False
        if spec is None or spec.loader is None:
            return None
        spec.loader = _Loader(spec.loader, self)  # type: ignore[assignment]  # the caller knows its exact type
        return spec

    def done(self) -> None:
        """The package is there: step aside, and do it."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
            self._then()


class _Loader:
    """A loader that is the original one in all but the end of `exec_module`."""

    def __init__(self, loader: object, finder: _Finder) -> None:
        self._loader = loader
        self._finder = finder

    def __getattr__(self, name: str) -> object:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        created: ModuleType | None = self._loader.create_module(spec)  # type: ignore[attr-defined]  # an object of the SDK, whose classes are not imported here
        return created

    def exec_module(self, module: ModuleType) -> None:
        # The module keeps its own loader: resources and `inspect` look there.
        spec = module.__spec__
        if spec is not None:
            spec.loader = self._loader  # type: ignore[assignment]  # the caller knows its exact type
        module.__loader__ = self._loader  # type: ignore[assignment]
        self._loader.exec_module(module)  # type: ignore[attr-defined]
        self._finder.done()
