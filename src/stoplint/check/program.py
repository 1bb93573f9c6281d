"""The program: modules, functions, classes, globals and attributes, and what is known of them across functions.

Attributes and globals are flow-insensitive tables of things that outlive a call: clients, functions, classes, literals.
Knowledge of a response is never kept here.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from stoplint import sdk
from stoplint.check import ir
from stoplint.check.effects import Effects, effects
from stoplint.check.facts import NOTHING, Facts
from stoplint.check.index import ModuleIndex, dotted_name, index_module
from stoplint.check.lasting import keep
from stoplint.check.leaving import leaves
from stoplint.check.names import ends
from stoplint.check.retry import retried_after
from stoplint.check.values import UNKNOWN, Atom, Value, Where, value

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from stoplint.check.knowledge import Obj, State
    from stoplint.check.run import Frame, Run

MAX_DEPTH = 8
"""How many re-exports or base classes are followed."""

_IMPORT = re.compile(r"\b(?:import|from)\s+anthropic\b")

MAX_HEIRS = 6
"""Classes whose methods a declared one is taken to stand for; more are as good as unknown."""

ENUMS = frozenset({"Enum", "StrEnum", "IntEnum"})


@dataclass(slots=True)
class ModuleInfo:
    """One module of the program."""

    ir: ir.Module
    index: ModuleIndex
    speaks_of_anthropic: bool = False
    imports_anthropic: bool = False
    facts: Facts = NOTHING

    @property
    def name(self) -> str:
        return self.ir.name


@dataclass(slots=True)
class FunctionInfo:
    """One function: `key` is "module:qualname"; `cls` the key of its class; `parent` that of the function around it."""

    key: str
    func: ir.Function
    module: ModuleInfo
    cls: str | None = None
    parent: str | None = None


@dataclass(slots=True)
class ClassInfo:
    key: str
    node: ir.Class
    module: ModuleInfo
    methods: dict[str, str] = field(default_factory=dict)
    fields: tuple[str, ...] = ()


class Program:
    """Everything that functions share."""

    def __init__(self, modules: Iterable[ir.Module], facts_of: Callable[[str], Facts] | None = None) -> None:
        """`facts_of` gives what is known of the file at a path beside its text."""
        self._facts_of = facts_of
        self.modules: dict[str, ModuleInfo] = {}
        self.functions: dict[str, FunctionInfo] = {}
        self.classes: dict[str, ClassInfo] = {}
        self.globals: dict[tuple[str, str], Value] = {}
        self.attributes: dict[tuple[str, str], Value] = {}
        self.constants: dict[tuple[str, str], Value] = {}
        self.heap: dict[Hashable, Obj] = {}
        self.entries: dict[Hashable, dict[str, Where]] = {}
        self.closures: dict[str, dict[str, Value]] = {}
        self.interesting: set[str] | None = None
        self.inert, self.filling, self.drafting = set[str](), set[str](), set[str]()
        self.adding: set[str] = set()
        self.storing: set[str] = set()
        self.failing: set[str] = set()
        self.sending: set[str] = set()
        self.touched: set[str] = set()
        self.retrying: set[str] = set()
        self.looping: set[str] = set()
        self.wording: set[str] = set()
        self.wanted: set[str] = set()
        self.methods: set[tuple[str, str]] = set()
        self.handing_out: dict[str, set[str]] = {}
        self.giving: set[str] = set()
        self.pairing: set[str] = set()
        self.handed_out: dict[str, Value] = {}
        self.handing_tools: set[str] = set()
        self.helping: set[str] = set()
        self.changed: set[tuple[str, str]] = set()
        self._heirs: dict[str, list[str]] = {}
        self._retried: dict[str, frozenset[str] | None] = {}
        self._leaving: dict[str, str | None] = {}
        self._asked: set[str] = set()
        self._effects: dict[str, Effects] = {}
        self._bases: dict[str, list[str]] = {}
        self._suffixes: dict[str, list[str]] = {}
        for module in modules:
            self._add_module(module)

    # ------------------------------------------------------------------ what there is

    def _add_module(self, module: ir.Module) -> None:
        name = module.name
        while name in self.modules:
            name += "~"  # two files of one name in a monorepo: both are analysed, imports find the first
        if name != module.name:
            module = replace(module, name=name)
        info = ModuleInfo(
            module,
            index_module(module),
            "anthropic" in module.text.lower(),
            _IMPORT.search(module.text) is not None,
            self._facts(module.path),
        )
        self.modules[name] = info
        for end in ends(name, module.path):
            if end != name:
                self._suffixes.setdefault(end, []).append(name)
        for func in info.index.functions.values():
            self._register(info, func, None, None)
        for cls in info.index.classes.values():
            self._register_class(info, cls, None)

    def _facts(self, path: str) -> Facts:
        return NOTHING if self._facts_of is None else self._facts_of(path)

    def _register(self, info: ModuleInfo, func: ir.Function, cls: str | None, parent: str | None) -> str:
        key = f"{info.name}:{func.qualname}"
        if func.name == "<lambda>":
            key += f"@{func.at}"
        if key not in self.functions or self.functions[key].func is not func:
            if key in self.functions:
                key = f"{key}~{func.at}"  # one name defined twice: an overload, an `if` with two forms
            self.functions[key] = FunctionInfo(key, func, info, cls, parent)
        return key

    def _register_class(self, info: ModuleInfo, node: ir.Class, parent: str | None) -> str:
        key = f"{info.name}:{node.qualname}"
        if key in self.classes:
            return key
        cls = ClassInfo(key, node, info)
        self.classes[key] = cls
        fields: list[str] = []
        for statement in node.body:
            if isinstance(statement, ir.Def):
                cls.methods[statement.func.name] = self._register(info, statement.func, key, parent)
            elif isinstance(statement, ir.Class):
                self._register_class(info, statement, parent)
            elif isinstance(statement, ir.Assign) and statement.note is not None:
                fields += [target.id for target in statement.targets if isinstance(target, ir.Name)]
        cls.fields = tuple(fields)
        return key

    def add_function(self, frame: Frame, func: ir.Function) -> str:
        """Register a nested function (or a lambda, or one under an `if`) where it is met; return its key."""
        parent = frame.function.key if frame.function else None
        return self._register(frame.module, func, frame.function.cls if frame.function else None, parent)

    def add_class(self, frame: Frame, node: ir.Class) -> str:
        return self._register_class(frame.module, node, frame.function.key if frame.function else None)

    def retried_after(self, info: FunctionInfo) -> frozenset[str] | None:
        """The exceptions after which decorators call a function again; None when they do not."""
        if not info.func.decorators:
            return None
        if info.key not in self._retried:
            self._retried[info.key] = retried_after(self, info)
        return self._retried[info.key]

    def leaves(self, key: str) -> str | None:
        """The name of the exception by which a function always ends; None where it may come back."""
        if key in self._leaving or key in self._asked:  # where it calls itself, what else it does decides
            return self._leaving.get(key)
        self._asked.add(key)
        found = leaves(self, self.functions[key])
        self._asked.discard(key)
        if not self._asked:  # else it may have met a function that is asked about itself
            self._leaving[key] = found
        return found

    def effects(self, key: str) -> Effects:
        """What a function sets that others see."""
        if key not in self._effects:
            self._effects[key] = effects(self.functions[key].func)
        return self._effects[key]

    def is_interesting(self, key: str) -> bool:
        """Whether a function, or one it calls, has anything to do with the Messages API."""
        return self.interesting is None or key in self.interesting

    # ------------------------------------------------------------------ names

    def find_module(self, name: str, near: str = "") -> ModuleInfo | None:
        """A module by its dotted name as imported in the module `near`: a neighbour of it (scripts see the files beside
        them), the very name, or the only one that ends so (roots of a monorepo and src layouts differ).
        """
        first = name.split(".", maxsplit=1)[0]
        if first in sdk.OWN_MODULES:
            # a project's own `anthropic.py` is not what `import anthropic` finds; neighbours in such a folder find others
            return self.modules.get(name) if "." in name and near.startswith(f"{first}.") else None
        if first in sys.stdlib_module_names:
            return self.modules.get(name)
        parts = near.split(".")[:-1]
        for length in range(len(parts), 0, -1):
            neighbour = self.modules.get(".".join([*parts[:length], name]))
            if neighbour is not None:
                return neighbour
        found = self.modules.get(name)
        if found is not None:
            return found
        ends = self._suffixes.get(name, ())
        return self.modules[ends[0]] if len(ends) == 1 else None

    def lookup_global(self, module: ModuleInfo, name: str, depth: int = MAX_DEPTH) -> Value | None:
        """A global of a module; None when the module has none of that name."""
        found = self.globals.get((module.name, name))
        if found is not None:
            return found
        if name in module.index.functions:
            return value(Atom("func", f"{module.name}:{name}"))
        if name in module.index.classes:
            return value(Atom("class", f"{module.name}:{name}"))
        alias = module.index.imports.get(name)
        if alias is not None and depth:
            return self.imported(alias, module.name, depth - 1)
        for star in module.index.stars:
            other = self.find_module(star, module.name)
            if other is not None and depth and not name.startswith("_"):
                found = self.lookup_global(other, name, depth - 1)
                if found is not None:
                    return found
            elif sdk.is_client_class(star, name):
                return value(Atom("client_class"))
        return UNKNOWN if name in module.index.assigned or module.index.stars else None

    def imported(self, alias: ir.Alias, near: str, depth: int = MAX_DEPTH) -> Value:
        """What an import in the module `near` binds."""
        if alias.name is None:
            found = self.find_module(alias.module, near)
            return value(Atom("module", found.name) if found is not None else Atom("external", alias.module))
        return self.lookup(alias.module, alias.name, near, depth)

    def lookup(self, module: str, name: str, near: str = "", depth: int = MAX_DEPTH) -> Value:
        """`module.name`: a global of a project module, a submodule, or something outside the project."""
        info = self.find_module(module, near)
        if info is not None:
            found = self.lookup_global(info, name, depth)
            if found is not None:
                return found
        submodule = self.find_module(f"{module}.{name}", near)
        if submodule is not None:
            return value(Atom("module", submodule.name))
        if sdk.is_client_class(module, name):
            return value(Atom("client_class"))
        return value(Atom("external", f"{module}.{name}"))

    # ------------------------------------------------------------------ classes

    def bases(self, key: str) -> list[str]:
        """The project classes that a class derives from, and the dotted names of others, in order."""
        cls = self.classes[key]
        known = self._bases.get(key)
        if known is not None:
            return known
        found: list[str] = []
        for expr in cls.node.bases:
            name = dotted_name(expr.obj if isinstance(expr, ir.Index) else expr)
            if name is None:
                continue
            head, *rest = name.split(".")
            val = self.lookup_global(cls.module, head) or UNKNOWN
            for part in rest:
                val = frozenset().union(*(self._static_member(atom, part) for atom in val))
            found += [str(atom.ref) for atom in val if atom.kind in ("class", "external")] or [name]
        self.wanted |= {base for base in found if base not in self.classes}
        self._bases[key] = found
        return found

    def _static_member(self, atom: Atom, name: str) -> Value:
        if atom.kind == "module":
            return self.lookup(str(atom.ref), name)
        return value(Atom("external", f"{atom.ref}.{name}")) if atom.kind == "external" else UNKNOWN

    def lineage(self, key: str) -> list[str]:
        """A class and its bases, nearest first (depth first: near enough to the real order)."""
        seen: dict[str, None] = {}
        todo = [key]
        while todo and len(seen) < 24:
            one = todo.pop(0)
            if one in seen:
                continue
            seen[one] = None
            if one in self.classes:
                todo = [*self.bases(one), *todo]
        return list(seen)

    def class_member(self, key: str, name: str) -> Value | None:
        for one in self.lineage(key):
            cls = self.classes.get(one)
            if cls is None:
                continue
            if name in cls.methods:
                return value(Atom("func", cls.methods[name]))
            found = self.attributes.get((one, name))
            constant = self.constants.get((one, name))
            if found is not None or constant is not None:
                return (found or UNKNOWN) | (constant or UNKNOWN)
            nested = f"{one}.{name}"
            if nested in self.classes:
                return value(Atom("class", nested))
        return None

    def overrides(self, key: str, name: str) -> Value:
        """The methods of this name in the classes that derive from a class: what a method that is only declared stands for."""
        if not self._heirs:
            for one in sorted(self.classes):
                for base in self.lineage(one)[1:]:
                    self._heirs.setdefault(base, []).append(one)
        found = [self.classes[one].methods.get(name) for one in self._heirs.get(key, ())]
        return frozenset(Atom("func", method) for method in [one for one in found if one is not None][:MAX_HEIRS])

    def is_enum(self, key: str) -> bool:
        return any(base.rsplit(".", 1)[-1] in ENUMS for base in self.lineage(key))

    def field_names(self, key: str) -> tuple[str, ...]:
        fields: dict[str, None] = {}
        for one in reversed(self.lineage(key)):
            if one in self.classes:
                fields.update(dict.fromkeys(self.classes[one].fields))
        return tuple(fields)

    def is_row(self, key: str) -> bool:
        """Whether the objects of a class are tuples with names for their places."""
        return any(one.rpartition(".")[2] == "NamedTuple" for one in self.lineage(key))

    def decorator_names(self, info: FunctionInfo) -> set[str]:
        names = {dotted_name(expr.func if isinstance(expr, ir.Call) else expr) or "" for expr in info.func.decorators}
        return {name.rsplit(".", 1)[-1] for name in names}

    # ------------------------------------------------------------------ what outlives a call

    def set_global(self, run: Run, name: str, val: Value, state: State) -> None:
        keep(self, self.globals, (run.frame.module.name, name), val, state, changing=True)

    def set_attribute(self, run: Run, owner: Atom, name: str, val: Value, state: State) -> None:
        del run
        key = owner.info if owner.kind == "object" else owner.ref
        keep(self, self.attributes, (str(key), name), val, state, changing=True)

    def set_class_constant(self, key: str, name: str, val: Value, state: State) -> None:
        keep(self, self.constants, (key, name), val, state)
