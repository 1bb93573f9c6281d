"""What the environment says about tracing.  Read once, when tracing starts; no import beyond the standard library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME: Final = "stoplint"
"""The entry point's name in the group `opentelemetry_instrumentor`."""

_TRUE: Final = frozenset({"true", "1", "on"})


class Settings(NamedTuple):
    """`store` is the raw value of `STOPLINT_STORE`, read by `stoplint.trace.store.store_path`."""

    disabled: bool
    store: str | None
    track_reads: bool
    capture_content: bool


def is_true(value: str | None) -> bool:
    """Whether the value of a variable switches something on: `true`, `1` or `on`, in any case."""
    return value is not None and value.strip().lower() in _TRUE


def read(environ: Mapping[str, str]) -> Settings:
    """The settings in `environ`.

    `OTEL_SDK_DISABLED` switches off everything, the store included.  `OTEL_PYTHON_DISABLED_INSTRUMENTATIONS` is read
    by `opentelemetry-instrument` only, so a plain import has to honour it here; `*` there names all of them.
    """
    names = {name.strip().lower() for name in environ.get("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "").split(",")}
    disabled = (
        is_true(environ.get("STOPLINT_DISABLED"))
        or is_true(environ.get("OTEL_SDK_DISABLED"))
        or not names.isdisjoint({NAME, "*"})
    )
    return Settings(
        disabled=disabled,
        store=environ.get("STOPLINT_STORE"),
        track_reads=is_true(environ.get("STOPLINT_TRACK_READS")),
        capture_content=is_true(environ.get("STOPLINT_CAPTURE_CONTENT")),
    )
