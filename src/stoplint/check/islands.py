"""Parts of a program that have nothing to do with each other: no module of one imports a module of another.

Each is analysed by itself.  So what is found in one depends on nothing but its own files, and is found again in the cache
while these stay the same.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from stoplint.check import outcomes
from stoplint.check.names import absolute
from stoplint.check.runcache import version
from stoplint.check.screen import imports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from stoplint.check import ir
    from stoplint.check.cache import Cache
    from stoplint.check.facts import Facts
    from stoplint.check.program import ModuleInfo, Program
    from stoplint.findings import Finding

T = TypeVar("T")

KIND = "island"


def islands(program: Program) -> list[tuple[ir.Module, ...]]:
    """The modules of a program in groups that lead to each other by imports, each sorted as the program's are."""
    root = {name: name for name in program.modules}

    def top(name: str) -> str:
        while root[name] != name:
            root[name] = root[root[name]]
            name = root[name]
        return name

    for name, module in program.modules.items():
        for other in _imported(program, module):
            root[top(other)] = top(name)
    groups: dict[str, list[ir.Module]] = {}
    for name, module in program.modules.items():
        groups.setdefault(top(name), []).append(module.ir)
    return [tuple(group) for group in groups.values()]


def _imported(program: Program, module: ModuleInfo) -> Iterator[str]:
    """The modules of the program that one imports anywhere in its text."""
    for written in imports(module.ir.text.encode("utf-8", "surrogatepass")):
        name = written.lstrip(".")
        whole = absolute(name, len(written) - len(name), module.name, is_package=module.ir.is_package)
        found = program.find_module(whole, module.name)
        if found is not None:
            yield found.name


class Wants(NamedTuple):
    """What a survey asks for beyond its modules; all are dotted names: of what gets a response, of decorators, of modules
    that hand responses out, of packages that hand such modules on, of modules that hand tool calls out; and the names of
    the functions by which responses are handed out; and, as `class:method`, methods that get one and the classes that may
    have them.
    """

    wanted: tuple[str, ...]
    helping: tuple[str, ...]
    handing_out: tuple[str, ...]
    handing_on: tuple[str, ...]
    handing_tools: tuple[str, ...]
    givers: tuple[str, ...]
    methods: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shelf:
    """What is kept of islands between runs.  Never raises for what it finds there."""

    cache: Cache

    def wants(self, key: str) -> Wants | None:
        return self._load(key + "w", lambda data: Wants(*(tuple(map(str, part)) for part in cast("list[Any]", data))))

    def findings(self, key: str) -> list[Finding] | None:
        return self._load(key + "f", lambda data: [outcomes.decode_finding(one) for one in cast("list[Any]", data)])

    def keep_wants(self, key: str, wants: Wants) -> None:
        self._save(key + "w", list(wants))

    def keep_findings(self, key: str, found: Sequence[Finding]) -> None:
        self._save(key + "f", [outcomes.encode_finding(one) for one in found])

    def _load(self, name: str, decode: Callable[[object], T]) -> T | None:
        body = self.cache.load(KIND, name)
        try:
            return None if body is None else decode(json.loads(body))
        except (ValueError, TypeError, LookupError):
            return None

    def _save(self, name: str, data: object) -> None:
        self.cache.save(KIND, name, json.dumps(data, separators=(",", ":")).encode())


@cache
def _salt() -> bytes:
    """The program that judges; asking the file system for it takes milliseconds, and there are many islands."""
    return version().encode("utf-8", "surrogateescape")


def key_of(modules: Sequence[ir.Module], facts: Callable[[str], Facts]) -> str:
    """Stands for everything that is found in an island depends on."""
    digest = hashlib.blake2b(_salt(), digest_size=16)
    for module in modules:
        about = (module.path, module.name, module.is_package, module.cells, facts(module.path))
        for part in (repr(about), module.text):
            data = part.encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()
