"""Does text read as Python?  Asked of notebook cells and Markdown blocks, never of whole modules."""

from __future__ import annotations

import warnings


def compiles(source: str) -> bool:
    """Whether this interpreter's grammar accepts the text, `await` at its top included (notebooks have it)."""
    import ast  # noqa: PLC0415 - only notebooks and Markdown pay for it

    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(source, "<code>", "exec", flags, dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return True
