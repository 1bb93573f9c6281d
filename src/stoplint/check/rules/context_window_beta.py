from __future__ import annotations

from stoplint import sdk
from stoplint.check.events import ReasonCompared, Report
from stoplint.reasons import CONTEXT_WINDOW

VALUE = "model_context_window_exceeded"


def context_window_beta(event: ReasonCompared) -> Report | None:
    """A test for a full context window that the model of the request never reports."""
    request = event.request
    version = sdk.model_version(request.model or "")
    if (
        event.values != (VALUE,)
        or event.how not in ("==", "in")
        or version is None
        or version >= sdk.CONTEXT_WINDOW_MODEL
    ):
        return None
    if any(beta.startswith("model-context-window-exceeded") or beta == sdk.UNREADABLE for beta in request.betas):
        return None
    message = (
        f"`{request.model}` answers with `{VALUE}` only when the request carries the beta header {sdk.CONTEXT_WINDOW_BETA}, "
        "which is missing: this branch never runs. Send the header, or use Claude Sonnet 4.5 or newer"
    )
    return Report(event.where, message, "never sent without the beta header", CONTEXT_WINDOW, request)
