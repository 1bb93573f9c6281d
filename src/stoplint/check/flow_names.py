"""Names and members: what a global, an import, an attribute of an object or of an unknown value may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint import sdk
from stoplint.check import ir
from stoplint.check.flow_convert import note_probed
from stoplint.check.flow_core import Arguments, call
from stoplint.check.index import is_declared_only
from stoplint.check.knowledge import DictObj, State
from stoplint.check.values import STEADY, UNKNOWN, Atom, Token, Value, Where, ordered, union, value

if TYPE_CHECKING:
    from stoplint.check.program import ModuleInfo
    from stoplint.check.run import Run

MAX_CHAIN = 8
"""Attributes of attributes of an unknown value are told apart to this depth."""


def global_value(run: Run, module: ModuleInfo, name: str) -> Value:
    """A module's global, or a builtin."""
    run.reads.add((module.name, name))
    found = run.program.lookup_global(module, name)
    return found if found is not None else value(Atom("external", "builtins." + name))


def closure(run: Run, func: ir.Function, state: State) -> Value:
    """A nested function or lambda, with the variables around it as they are now."""
    key = run.program.add_function(run.frame, func)
    run.enclose(key, {**run.frame.closure, **state.env})
    return value(Atom("func", key))


def symbol_attribute(run: Run, atom: Atom, name: str, state: State) -> Value:
    if name == "type":
        note_probed(run, value(atom), name)
    obj = run.obj(state, atom.ref)
    known = obj.get(name) if isinstance(obj, DictObj) else None
    if known is not None:
        return known
    if chain_length(atom.ref) > MAX_CHAIN:
        return UNKNOWN
    return value(Atom("symbol", ("attr", atom.ref, name)))


def chain_length(ref: object) -> int:
    length = 0
    while isinstance(ref, tuple) and len(ref) == 3 and ref[0] in ("attr", "item"):
        length, ref = length + 1, ref[1]
    return length


def attribute_chain(ref: object) -> tuple[str, ...]:
    """The attribute names by which a symbol was reached, outermost first: `x.beta.messages.create`."""
    names: list[str] = []
    while isinstance(ref, tuple) and len(ref) == 3 and ref[0] in ("attr", "item"):
        names.append(str(ref[2]))
        ref = ref[1]
    return tuple(reversed(names))


def read_off(run: Run, val: Value, at: int) -> Value:
    """Text that a callee put into a result object is taken where the caller reads it off the object; a reason that was
    kept in a field may have been joined there by words of the program's own.
    """
    return frozenset(
        Atom("reason", atom.ref, "kept")
        if atom.kind == "reason"
        else Atom("text", atom.ref, run.where(at))
        if atom.kind == "text" and isinstance(atom.info, Where) and len(atom.info.path) > len(run.frame.path)
        else atom
        for atom in val
    )


def object_attribute(run: Run, atom: Atom, name: str, state: State, at: int) -> Value:
    """An attribute of an object of the project: what this path stored, else what any method stores, else a method."""
    obj = run.obj(state, atom.ref)
    known = obj.get(name) if isinstance(obj, DictObj) else None
    if known is not None:
        return read_off(run, known, at)
    cls = str(atom.info)
    run.reads.add((cls, name))
    found = run.program.class_member(cls, name)
    if found is None:
        return symbol_attribute(run, atom, name, state)
    methods = [a for a in found if a.kind == "func"]
    if not methods:
        if name in run.program.field_names(cls) and all(one.kind == "const" for one in found):
            found |= symbol_attribute(run, atom, name, state)  # a field's default is one value of many
        if len(found) > 1 and {one.kind for one in found} <= STEADY:  # whichever it is, it is the same one again
            return found | {Atom("choice", (Atom("symbol", ("attr", atom.ref, name)),))}
        return _own(run, atom, name, found, state)
    if not isinstance(atom.ref, Token) and all(
        is_declared_only(run.program.functions[str(a.ref)].func) for a in methods
    ):
        heirs = run.program.overrides(cls, name)
        if heirs:  # each with an object of its own class, whose other methods it may call
            owners = ((a, atom._replace(info=run.program.functions[str(a.ref)].cls)) for a in ordered(heirs))
            return union(_bound(run, method, owner, state, at) for method, owner in owners)
    return frozenset().union(*(_bound(run, method, atom, state, at) for method in methods)) | (found - set(methods))


def _own(run: Run, owner: Atom, name: str, found: Value, state: State) -> Value:
    """An object that was made here has lists and dicts of its own, which start as those of its class do."""
    if not isinstance(owner.ref, Token):
        return found
    own = set(found)
    for kind in ("list", "dict"):
        shared = [atom for atom in ordered(found) if atom.kind == kind and atom.ref in run.program.heap]
        if shared:
            ref = ("own", owner.ref, name, kind)
            state.heap[ref] = run.program.heap[shared[0].ref]
            own = own.difference(shared) | {Atom(kind, ref)}
    if own != found:
        obj = run.obj(state, owner.ref)
        known = obj if isinstance(obj, DictObj) else DictObj(open=True)
        state.heap[owner.ref] = known.having(name, frozenset(own))
    return frozenset(own)


def _bound(run: Run, method: Atom, owner: Atom, state: State, at: int) -> Value:
    info = run.program.functions[str(method.ref)]
    kinds = run.program.decorator_names(info)
    if "staticmethod" in kinds:
        return value(method)
    if "classmethod" in kinds:
        return value(Atom("func", method.ref, Atom("class", owner.info)))
    bound = value(Atom("func", method.ref, owner))
    if kinds & {"property", "cached_property"}:
        return call(run, bound, Arguments(), state, at)
    return bound


def member(run: Run, atom: Atom, name: str, state: State) -> Value:
    """`module.name`, `package.name`, `Class.name`."""
    if atom.kind == "module":
        run.reads.add((str(atom.ref), name))
        return run.program.lookup(str(atom.ref), name)
    if atom.kind == "external":
        return external_member(str(atom.ref), name)
    obj = run.obj(state, atom.ref)
    known = obj.get(name) if isinstance(obj, DictObj) else None
    if known is not None:
        return known
    run.reads.add((str(atom.ref), name))
    found = run.program.class_member(str(atom.ref), name)
    if found is None:
        return enum_member(run, str(atom.ref), name)
    return frozenset(
        Atom("func", a.ref, atom)
        if a.kind == "func" and "classmethod" in run.program.decorator_names(run.program.functions[str(a.ref)])
        else a
        for a in found
    )


def enum_member(run: Run, key: str, name: str) -> Value:
    """A member of an Enum that has no value of its own: `auto()`."""
    cls = run.program.classes.get(key)
    if cls is None or not run.program.is_enum(key):
        return UNKNOWN
    assigned = (target for one in cls.node.body if isinstance(one, ir.Assign) for target in one.targets)
    there = any(isinstance(target, ir.Name) and target.id == name for target in assigned)
    return value(Atom("const", (key, name), "enum")) if there else UNKNOWN


def external_member(dotted: str, name: str) -> Value:
    if sdk.is_client_class(dotted, name):
        return value(Atom("client_class"))
    return value(Atom("external", f"{dotted}.{name}"))
