"""What the configuration and the project's own files say about the file at hand, in the form that the analysis uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stoplint.check.pins import Version, parse
from stoplint.reasons import mask_of

if TYPE_CHECKING:
    from stoplint.config import Settings


@dataclass(frozen=True, slots=True)
class Facts:
    """`sdk_version`: that of the anthropic package, None where nothing says it (then it is a new one);
    `required_reasons`: a mask of the reasons that SL102 asks for besides its own; `max_continuations`: the largest bound
    on continuations that is accepted, None for any; the rest are dotted names of the project's callables.
    """

    sdk_version: Version | None = None
    required_reasons: int = 0
    max_continuations: int | None = None
    returns_response: tuple[str, ...] = ()
    checks_response: tuple[str, ...] = ()
    exposes_response: tuple[str, ...] = ()

    @staticmethod
    def of(settings: Settings, pinned: Version | None) -> Facts:
        """The configured version goes before the one that the project's files name."""
        configured = parse(settings.sdk_version) if settings.sdk_version is not None else None
        return Facts(
            configured if configured is not None else pinned,
            mask_of(settings.required_reasons),
            settings.max_continuations,
            settings.returns_response,
            settings.checks_response,
            settings.exposes_response,
        )

    @property
    def wrappers(self) -> tuple[str, ...]:
        return (*self.returns_response, *self.checks_response, *self.exposes_response)


NOTHING = Facts()


def leads_to_declared(facts: Facts, dotted: str) -> bool:
    """Whether an object of this name is one whose methods are declared."""
    return any(name.startswith(dotted + ".") for name in facts.wrappers)
