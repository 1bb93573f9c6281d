"""What an annotation says of a value: a client, an object of a project class, a class of the SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint import sdk
from stoplint.check import ir
from stoplint.check.facts import leads_to_declared
from stoplint.check.index import dotted_name
from stoplint.check.values import UNKNOWN, Atom, Value, ordered

if TYPE_CHECKING:
    from stoplint.check.program import ModuleInfo, Program


def annotated(program: Program, module: ModuleInfo, note: ir.Expr | None) -> Value:
    """What a value is, by its annotation: a client, a stream, an object of a project class; else nothing."""
    found: set[Atom] = set()
    for name in _noted_names(note):
        head, *rest = name.split(".")
        val = program.lookup_global(module, head)
        last = name.rsplit(".", 1)[-1]
        dotted = {str(a.ref) for a in val or ()} if val else {head}
        ours = any(d.split(".")[0] in sdk.OWN_MODULES for d in dotted) or (
            val and any(a.kind == "client_class" for a in val)
        )
        if ours and last in sdk.ANNOTATIONS and sdk.ANNOTATIONS[last] in ("client", "messages"):
            found.add(Atom(sdk.ANNOTATIONS[last]))
        elif val and not rest:
            found |= {
                Atom("object", ("instance", a.ref), a.ref)
                for a in val
                if a.kind == "class" and not program.is_enum(str(a.ref))
            }
            found |= {a for a in val if a.kind == "external" and leads_to_declared(module.facts, str(a.ref))}
    return frozenset(found)


def noted_class(program: Program, module: ModuleInfo, note: ir.Expr | None) -> str | None:
    """The class of the SDK that an annotation names, under whatever local name, without its beta prefix."""
    for name in _noted_names(note):
        head, *rest = name.split(".")
        for atom in ordered(program.lookup_global(module, head) or UNKNOWN):
            dotted = ".".join([str(atom.ref), *rest])
            if atom.kind == "external" and dotted.split(".")[0] in sdk.OWN_MODULES:
                return sdk.unprefixed(dotted.rsplit(".", 1)[-1])
    return None


def _noted_names(note: ir.Expr | None) -> list[str]:
    """The class names in an annotation: through Optional, Union, `|` and Annotated."""
    if note is None:
        return []
    if isinstance(note, ir.BinOp):
        return [name for part in note.parts for name in _noted_names(part)]
    if isinstance(note, ir.Index):
        outer = (dotted_name(note.obj) or "").rsplit(".", 1)[-1]
        if outer in ("Optional", "Union", "Annotated"):
            inner = note.key.items if isinstance(note.key, ir.Seq) else (note.key,)
            return [name for part in inner for name in _noted_names(part)]
        name = dotted_name(note.obj)
        return [name] if name else []
    name = dotted_name(note)
    return [name] if name else []
