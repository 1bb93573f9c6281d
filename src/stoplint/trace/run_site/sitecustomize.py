"""Starts the tracer in a process of `stoplint run`; the interpreter imports this before the application.

It may be an interpreter that has no stoplint of its own, or another `sitecustomize` that this one hides.
"""

import os
import sys
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec, spec_from_file_location

_HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib is slow to import
_PACKAGE = os.path.dirname(os.path.dirname(_HERE))  # noqa: PTH120 - os.path costs a fraction of pathlib over thousands of files


def _hand_over() -> None:
    """Run the `sitecustomize` that would have been found without this one.  Raises what that raises."""
    # PYTHONPATH keeps the folder: Python processes that the application starts are traced as well.
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != _HERE]  # noqa: PTH100 - os.path costs a fraction of pathlib over thousands of files
    spec = PathFinder.find_spec("sitecustomize")
    if spec is None or spec.loader is None:
        return
    module = module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


def _start() -> None:
    """Start the tracer, from the folder of `stoplint run` where the interpreter has no stoplint."""
    if find_spec("stoplint") is None:
        file = os.path.join(_PACKAGE, "__init__.py")  # noqa: PTH118 - os.path costs a fraction of pathlib over thousands of files
        spec = spec_from_file_location("stoplint", file, submodule_search_locations=[_PACKAGE])
        if spec is None or spec.loader is None:
            raise ImportError(f"{file} cannot be loaded")
        module = module_from_spec(spec)
        sys.modules["stoplint"] = module
        spec.loader.exec_module(module)
    import stoplint.auto  # noqa: F401, PLC0415 - only now can it be found


try:
    _hand_over()
finally:
    try:
        _start()
    except Exception as error:  # noqa: BLE001 - the application must start, traced or not
        sys.stderr.write(f"stoplint: this process runs untraced: {type(error).__name__}: {error}\n")
