"""Other instrumentations of the same SDK that are at work in this process."""

from __future__ import annotations

import sys
from typing import Final

_INSTRUMENTORS: Final = (
    ("opentelemetry.instrumentation.genai.anthropic", "AnthropicInstrumentor"),
    ("opentelemetry.instrumentation.anthropic", "AnthropicInstrumentor"),
    ("openinference.instrumentation.anthropic", "AnthropicInstrumentor"),
)
"""The official package, OpenLLMetry and OpenInference (names of 2026-11): each a `BaseInstrumentor`."""


def active() -> bool:
    """Whether one of them is instrumenting.  Looks at what is imported; imports nothing."""
    return any(_instruments(sys.modules.get(module), name) for module, name in _INSTRUMENTORS if module in sys.modules)


def _instruments(module: object, name: str) -> bool:
    kind = getattr(module, name, None)
    if not isinstance(kind, type):
        return False
    # The class is a singleton: asking it for an instance would make one, so its own note of it is read.
    instance = vars(kind).get("_instance")
    return bool(getattr(instance, "is_instrumented_by_opentelemetry", False))
