"""The stop reasons of the Messages API: what each means, what it asks of the application, which requests can produce it.

Source: the `StopReason` and `BetaStopReason` literals of the `anthropic` package (checked against 2.13.0; a test compares
them with the installed one) and the API's documentation on handling stop reasons.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StopReason:
    """One stop reason.  `needs` names the request option without which the API cannot answer with it: "tools"
    (client tools), "server_tools", "stop_sequences", "compaction", or None when any request can.  `complete`: the
    content is whatever the model meant to say.  `beta`: only the beta client's type has it.
    """

    value: str
    meaning: str
    todo: str
    needs: str | None = None
    complete: bool = False
    beta: bool = False


STOP_REASONS: tuple[StopReason, ...] = (
    StopReason("end_turn", "the model finished", "use the answer, after looking whether it is empty", complete=True),
    StopReason("max_tokens", "the request's max_tokens ran out", "raise the limit, continue, or say that it is cut"),
    StopReason(
        "stop_sequence",
        "one of the request's stop_sequences appeared",
        "read stop_sequence to learn which",
        needs="stop_sequences",
        complete=True,
    ),
    StopReason(
        "tool_use", "the model waits for tool results", "run every tool_use block and answer all", needs="tools"
    ),
    StopReason(
        "pause_turn",
        "the server's own tool loop paused",
        "send the turn back unchanged, with the same tools, a bounded number of times",
        needs="server_tools",
    ),
    StopReason("refusal", "the model declined", "drop the partial answer; change the conversation or the model"),
    StopReason("model_context_window_exceeded", "the context window is full", "treat the answer as cut"),
    StopReason(
        "compaction",
        "the server summed the conversation up and handed the turn back",
        "put the summary in place of the history and ask again",
        needs="compaction",
        beta=True,
    ),
)

VALUES: tuple[str, ...] = tuple(reason.value for reason in STOP_REASONS)
BY_VALUE: dict[str, StopReason] = {reason.value: reason for reason in STOP_REASONS}
BIT: dict[str, int] = {value: 1 << index for index, value in enumerate(VALUES)}

OTHER = 1 << len(VALUES)
"""Stands for every value that this version does not know: the API may add members."""

EVERY = (OTHER << 1) - 1
ALWAYS = sum(BIT[reason.value] for reason in STOP_REASONS if reason.needs is None)
END_TURN, MAX_TOKENS, STOP_SEQUENCE, TOOL_USE = (BIT[v] for v in VALUES[:4])
PAUSE_TURN, REFUSAL, CONTEXT_WINDOW, COMPACTION = (BIT[v] for v in VALUES[4:])
COMPLETE = sum(BIT[reason.value] for reason in STOP_REASONS if reason.complete)
"""Reasons of a finished answer."""

WITH_CONTENT = TOOL_USE | PAUSE_TURN | COMPACTION
"""Reasons that say that there is something in the content."""

FOREIGN: dict[str, str] = {
    "length": "max_tokens",
    "stop": "end_turn",
    "complete": "end_turn",
    "completed": "end_turn",
    "finished": "end_turn",
    "end": "end_turn",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
    "content_filtered": "refusal",
    "guardrail_intervened": "refusal",
    "refused": "refusal",
    "pause": "pause_turn",
    "context_length_exceeded": "model_context_window_exceeded",
    "context_window_exceeded": "model_context_window_exceeded",
}
"""Values that other APIs use for the same event, and what the Messages API says instead."""


def mask_of(values: object) -> int:
    """The bit mask of an iterable of stop reason values; unknown strings set no bit."""
    return sum({BIT.get(value, 0) for value in values if isinstance(value, str)}) if isinstance(values, (list, tuple, set, frozenset)) else 0  # fmt: skip


def names(mask: int) -> tuple[str, ...]:
    """The values in a mask, in the order of `STOP_REASONS`; the bit of unknown values is left out."""
    return tuple(value for value in VALUES if mask & BIT[value])


def tells_the_end(mask: int) -> bool:
    """Whether reasons keep a finished answer and a cut one apart: they hold one of the two."""
    return (mask & (END_TURN | MAX_TOKENS)) in (END_TURN, MAX_TOKENS)


def nearest(value: str) -> str | None:
    """The stop reason that `value` most likely was meant to be, or None when nothing is near."""
    lowered = value.strip().lower().replace("-", "_").replace(" ", "_")
    if lowered in BIT:
        return lowered
    if lowered in FOREIGN:
        return FOREIGN[lowered]
    close = difflib.get_close_matches(lowered, VALUES, n=1, cutoff=0.6)
    return close[0] if close else None
