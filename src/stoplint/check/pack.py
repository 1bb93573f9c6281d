"""The IR as bytes, for the way between processes and into the cache.

A pickle that may hold nothing but the IR's own classes.  Each node is written as its class and a tuple of its fields,
which is half the size of what dataclasses do by themselves and loads twice as fast; strings occur once.  The text of a
module is left out: whoever asks for the IR has it.
"""

from __future__ import annotations

import dataclasses
import io
import pickle
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from stoplint.check import ir

if TYPE_CHECKING:
    from collections.abc import Callable

_CLASSES: Final[dict[str, type]] = {
    name: found for name, found in vars(ir).items() if isinstance(found, type) and dataclasses.is_dataclass(found)
}


class PackError(Exception):
    """The bytes are not a packed module."""


def pack(module: ir.Module) -> bytes:
    """`module` without its text.  Raises RecursionError where it nests too deeply."""
    out = io.BytesIO()
    pickler = pickle.Pickler(out, protocol=5)
    pickler.dispatch_table = _REDUCERS
    pickler.dump(dataclasses.replace(module, text=""))
    return out.getvalue()


def unpack(data: bytes, *, path: str, text: str) -> ir.Module:
    """The module, under its `path` and with its `text`.  Raises PackError."""
    try:
        module = _Unpickler(io.BytesIO(data)).load()
    except Exception as error:  # noqa: BLE001 - damaged pickles raise nearly anything
        raise PackError(f"{type(error).__name__}: {error}") from None
    if not isinstance(module, ir.Module):
        raise PackError("no module")
    return dataclasses.replace(module, path=path, text=text)


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> object:
        if name in _CLASSES and module == _CLASSES[name].__module__:
            return _CLASSES[name]
        if module == "builtins" and name == "Ellipsis":
            return ...
        raise pickle.UnpicklingError(f"{module}.{name} is not part of the IR")


def _reducer(cls: type) -> Callable[[object], tuple[type, tuple[object, ...]]]:
    names = [field.name for field in dataclasses.fields(cls)]
    get = attrgetter(*names)
    if len(names) == 1:
        return lambda node: (cls, (get(node),))
    return lambda node: (cls, get(node))


_REDUCERS: Final = {cls: _reducer(cls) for cls in _CLASSES.values()}
