"""What the `anthropic` package hands out, as one table of steps, and the other facts about it that rules rest on.

`STEPS[kind, step]` is the kind that a step leads to.  Steps: ".name" (an attribute, a constant subscript, `.get("name")`
or `getattr(x, "name")`), "()" a call, "[]" any other subscript, "iter", "with", "await".  A step that has no row leads
nowhere: unknown, hence quiet.  Checked against anthropic 2.13.0; `tests/test_sdk.py` walks the installed package and
fails on a row that is wrong or a method that hands out a Message and has none.  No import of the package itself.
"""

from __future__ import annotations

import re

CLIENT_CLASSES: frozenset[str] = frozenset(
    prefix + name
    for name in (
        "Anthropic",
        "AnthropicAWS",
        "AnthropicBedrock",
        "AnthropicBedrockMantle",
        "AnthropicFoundry",
        "AnthropicGoogleCloud",
        "AnthropicVertex",
    )
    for prefix in ("", "Async")
) | {"Client", "AsyncClient"}
"""Classes whose instances have `.messages`; `Client` is another name of `Anthropic`."""

BETA_WITHOUT_STREAM: frozenset[str] = frozenset()

MESSAGE_CLASSES: frozenset[str] = frozenset({"Message", "BetaMessage", "ParsedMessage", "ParsedBetaMessage"})

STEPS: dict[tuple[str, str], str] = {
    # --- from the package to a client
    **{("anthropic", "." + name): "client_class" for name in sorted(CLIENT_CLASSES)},
    ("client_class", "()"): "client",
    ("client", "with"): "client",
    ("client", ".with_options"): "client_class",
    ("client", ".copy"): "client_class",
    ("client", ".with_middleware"): "client_class",
    ("client", ".beta"): "beta",
    ("client", ".messages"): "messages",
    ("client", ".with_raw_response"): "raw_client",
    ("client", ".with_streaming_response"): "raw_client",
    ("client", ".post"): "post",
    ("beta", ".messages"): "messages",
    ("beta", ".with_raw_response"): "raw_client",
    ("beta", ".with_streaming_response"): "raw_client",
    ("beta", ".prompt_caching"): "beta",  # until 0.42
    ("raw_client", ".beta"): "raw_client",
    ("raw_client", ".messages"): "raw_messages",
    # --- from a resource to a request
    ("messages", ".create"): "create",
    ("messages", ".parse"): "parse",
    ("messages", ".stream"): "open_stream",
    ("messages", ".tool_runner"): "tool_runner",
    ("messages", ".thread"): "open_thread",
    ("messages", ".batches"): "batches",
    ("messages", ".with_raw_response"): "raw_messages",
    ("messages", ".with_streaming_response"): "raw_messages",
    ("raw_messages", ".create"): "raw_create",
    ("raw_messages", ".parse"): "raw_create",
    ("batches", ".results"): "results",
    ("open_thread", "()"): "thread",
    ("thread", ".send"): "create",
    ("thread", ".parse"): "parse",
    ("thread", ".stream"): "open_stream",
    ("thread", ".tool_runner"): "tool_runner",
    ("thread", ".fork"): "open_thread",
    ("thread", "with"): "thread",
    # --- what a request hands out (these calls make a response: see REQUESTS)
    ("create", "()"): "message",
    ("parse", "()"): "message",
    ("post", "()"): "message",
    ("raw_create", "()"): "raw_response",
    ("open_stream", "()"): "stream_manager",
    ("tool_runner", "()"): "runner",
    ("results", "()"): "batch_results",
    # --- raw responses
    ("raw_response", "with"): "raw_response",
    ("raw_response", ".parse"): "final_message",
    ("raw_response", ".json"): "final_message",
    ("raw_response", ".text"): "dump_call",
    ("raw_response", ".content"): "dump",
    ("raw_response", ".http_response"): "raw_response",
    ("raw_response", ".read"): "dump_call",
    ("raw_response", ".iter_lines"): "dump_call",
    ("raw_response", ".iter_bytes"): "dump_call",
    ("raw_response", ".iter_text"): "dump_call",
    # --- messages
    ("final_message", "()"): "message",
    ("message", ".content"): "content",
    ("message", ".stop_reason"): "reason",
    ("message", ".stop_sequence"): "stop_sequence",
    ("message", ".stop_details"): "stop_details",
    ("message", ".parsed_output"): "text",
    ("message", ".to_dict"): "final_message",
    ("message", ".model_dump"): "final_message",
    ("message", ".dict"): "final_message",
    ("message", ".model_copy"): "final_message",
    ("message", ".copy"): "final_message",
    ("message", ".to_json"): "dump_call",
    ("message", ".model_dump_json"): "dump_call",
    ("message", ".json"): "dump_call",
    ("message", ".to_param"): "turn_call",
    ("message", ".finish_reason"): "foreign_reason",
    ("dump_call", "()"): "dump",
    ("turn_call", "()"): "assistant_turn",
    ("content", "[]"): "block",
    ("content", "iter"): "block",
    ("content", ".copy"): "content_call",
    ("content_call", "()"): "content",
    ("block", ".text"): "text",
    ("block", ".parsed_output"): "text",
    ("block", ".input"): "tool_input",
    ("block", ".type"): "block_type",
    ("block", ".id"): "block_id",
    ("block", ".name"): "block_name",
    ("block", ".model_dump"): "block_call",
    ("block", ".to_dict"): "block_call",
    ("block", ".dict"): "block_call",
    ("block", ".copy"): "block_call",
    **{("block", "." + name): "block_call" for name in ("model_copy", "model_dump_json", "to_json", "json")},
    ("block_call", "()"): "block",
    ("tool_input", "[]"): "tool_input",
    ("tool_input", "iter"): "tool_input",
    # --- streams
    ("stream_manager", "with"): "stream",
    ("stream", "iter"): "event",
    ("stream", "with"): "stream",
    ("stream", ".text_stream"): "text_stream",
    ("stream", ".get_final_message"): "final_message",
    ("stream", ".get_final_text"): "final_text",
    ("stream", ".current_message_snapshot"): "snapshot",
    ("final_text", "()"): "text",
    ("text_stream", "iter"): "text",
    ("raw_stream", "iter"): "event",
    ("raw_stream", "with"): "raw_stream",
    ("snapshot", ".content"): "content",
    **{("snapshot", "." + name): "final_message" for name in ("to_dict", "model_dump", "dict", "model_copy", "copy")},
    **{("snapshot", "." + name): "dump_call" for name in ("to_json", "model_dump_json", "json")},
    ("snapshot", ".to_param"): "turn_call",
    ("snapshot", ".parsed_output"): "text",
    ("snapshot", ".stop_reason"): "reason",
    ("snapshot", ".stop_sequence"): "stop_sequence",
    ("snapshot", ".stop_details"): "stop_details",
    ("event", ".type"): "event_type",
    ("event", ".delta"): "delta",
    ("event", ".message"): "event_message",
    ("event", ".content_block"): "event_block",
    ("event", ".text"): "text",
    ("event", ".partial_json"): "tool_input",
    ("event", ".snapshot"): "text",
    ("event", ".stop_reason"): "early_reason",
    ("event", ".model_dump"): "event_call",
    ("event", ".to_dict"): "event_call",
    **{("event", "." + name): "event_call" for name in ("dict", "copy", "model_copy")},
    ("event", ".model_dump_json"): "event_dump",
    ("event", ".to_json"): "event_dump",
    ("event", ".json"): "event_dump",
    ("event_call", "()"): "event",
    ("event_dump", "()"): "event",
    ("event_block", ".text"): "text",
    ("event_block", ".input"): "tool_input",
    ("event_block", ".id"): "block_id",
    ("event_block", ".name"): "block_name",
    ("event_block", ".type"): "block_type",
    ("event_message", ".content"): "content",
    **{("event_message", "." + name): "event_message_call" for name in ("model_dump", "to_dict", "dict", "model_copy")},
    **{("event_message", "." + name): "event_dump" for name in ("model_dump_json", "to_json", "json")},
    ("event_message_call", "()"): "event_message",
    ("event_message", ".stop_reason"): "event_reason",
    ("event_message", ".stop_sequence"): "stop_sequence",
    ("delta", ".text"): "text",
    ("delta", ".partial_json"): "tool_input",
    ("delta", ".stop_reason"): "delta_reason",
    ("delta", ".stop_sequence"): "stop_sequence",
    ("delta", ".stop_details"): "stop_details",
    # --- tool runner
    ("runner", "iter"): "runner_item",
    ("runner", "with"): "runner",
    ("runner", ".until_done"): "final_message",
    # --- batches
    ("batch_results", "iter"): "batch_item",
    ("batch_item", ".result"): "batch_result",
    ("batch_result", ".message"): "message",
    **{
        (kind, "." + name): "dump_call"
        for kind in ("batch_item", "batch_result")
        for name in ("to_dict", "to_json", "model_dump", "model_dump_json", "dict", "json")
    },
}

REQUESTS: frozenset[str] = frozenset({"create", "parse", "post", "raw_create", "open_stream", "tool_runner", "results"})
"""Kinds whose call makes a response: its result carries an identity of its own."""

EVENT_TYPES: tuple[str, ...] = (
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
    "ping",
    "error",
    "text",
    "citation",
    "thinking",
    "signature",
    "input_json",
    "compaction",
)
"""Types of the events that a stream yields; those from "text" on come from the streaming helper only."""

LATE_EVENTS: frozenset[str] = frozenset({"message_delta", "message_stop"})
"""Events on which the reason is known: on `delta` of the first, on `message` of the helper's second."""

EVENT_CLASSES: dict[str, str] = {
    "RawMessageStartEvent": "message_start",
    "RawMessageDeltaEvent": "message_delta",
    "RawMessageStopEvent": "message_stop",
    "RawContentBlockStartEvent": "content_block_start",
    "RawContentBlockDeltaEvent": "content_block_delta",
    "RawContentBlockStopEvent": "content_block_stop",
    "MessageStartEvent": "message_start",
    "MessageDeltaEvent": "message_delta",
    "MessageStopEvent": "message_stop",
    "ParsedMessageStopEvent": "message_stop",
    "ContentBlockStartEvent": "content_block_start",
    "ContentBlockDeltaEvent": "content_block_delta",
    "ContentBlockStopEvent": "content_block_stop",
    "ParsedContentBlockStopEvent": "content_block_stop",
    "TextEvent": "text",
    "CitationEvent": "citation",
    "ThinkingEvent": "thinking",
    "SignatureEvent": "signature",
    "InputJsonEvent": "input_json",
    "CompactionEvent": "compaction",
    "ParsedTextEvent": "text",
}
"""Event classes of `anthropic.types` and `anthropic.lib.streaming` (a prefix `Beta` or `RawBeta` is dropped first)."""

MESSAGE_ATTRIBUTES: frozenset[str] = frozenset(
    {"id", "content", "role", "model", "type", "usage", "stop_reason", "stop_sequence", "stop_details", "container"}
    | {"context_management", "diagnostics", "parsed_output", "to_dict", "to_json", "to_param", "json", "dict", "copy"}
    | {"model_dump", "model_dump_json", "model_copy", "model_fields_set", "model_extra", "_request_id"}
)
"""Attributes that a Message has, or may have: one that is read off something else tells that it is no Message."""

EVENT_UNIONS: frozenset[str] = frozenset({"RawMessageStreamEvent", "MessageStreamEvent", "ParsedMessageStreamEvent"})
"""Names of the unions of event classes (a prefix `Beta` is dropped first)."""

BLOCK_CLASSES: dict[str, str] = {
    "TextBlock": "text",
    "ParsedTextBlock": "text",
    "ThinkingBlock": "thinking",
    "RedactedThinkingBlock": "redacted_thinking",
    "ToolUseBlock": "tool_use",
    "ServerToolUseBlock": "server_tool_use",
    "WebSearchToolResultBlock": "web_search_tool_result",
    "WebFetchToolResultBlock": "web_fetch_tool_result",
    "CodeExecutionToolResultBlock": "code_execution_tool_result",
    "BashCodeExecutionToolResultBlock": "bash_code_execution_tool_result",
    "TextEditorCodeExecutionToolResultBlock": "text_editor_code_execution_tool_result",
    "ToolSearchToolResultBlock": "tool_search_tool_result",
    "ContainerUploadBlock": "container_upload",
    "CompactionBlock": "compaction",
    "FallbackBlock": "fallback",
    "MCPToolUseBlock": "mcp_tool_use",
    "MCPToolResultBlock": "mcp_tool_result",
    "MCPToolListingBlock": "mcp_tool_listing",
    "AdvisorToolResultBlock": "advisor_tool_result",
}
"""Content block classes (a prefix `Beta` is dropped first)."""

ANNOTATIONS: dict[str, str] = {
    **dict.fromkeys(CLIENT_CLASSES, "client"),
    **dict.fromkeys(MESSAGE_CLASSES, "message"),
    "Messages": "messages",
    "AsyncMessages": "messages",
    "MessageStream": "stream",
    "AsyncMessageStream": "stream",
    "BetaMessageStream": "stream",
    "BetaAsyncMessageStream": "stream",
    "MessageStreamManager": "stream_manager",
    "AsyncMessageStreamManager": "stream_manager",
    "BetaMessageStreamManager": "stream_manager",
    "BetaAsyncMessageStreamManager": "stream_manager",
    "BetaMessageThread": "thread",
    "BetaAsyncMessageThread": "thread",
    "BetaToolRunner": "runner",
    "BetaAsyncToolRunner": "runner",
    "BetaStreamingToolRunner": "runner",
    "BetaAsyncStreamingToolRunner": "runner",
}
"""Classes of the package that an annotation may name, and the kind of a value so annotated."""

SERVER_TOOL_PREFIXES: tuple[str, ...] = (
    "web_search_",
    "web_fetch_",
    "code_execution_",
    "tool_search_tool_",
    "mcp_toolset",
    "advisor_",
)
"""`type` of tools that the server runs by itself; the API pauses turns only for these."""

CLIENT_TOOL_TYPES: tuple[str, ...] = ("custom", "bash_", "text_editor_", "computer_", "memory_", "browser_toolset_")

PAUSING_OPTIONS: frozenset[str] = frozenset({"mcp_servers"})
"""Request options that bring in server tools."""

RUNNER_FIX = (1, 1)
"""The first SDK version whose tool_runner leaves the tools of a truncated turn alone (facts of 1.1.0's change log)."""

CONTEXT_WINDOW_MODEL = (4, 5)
"""From this version of a model on the API says by itself that the context window is full; before, with a beta header."""

CONTEXT_WINDOW_BETA = "model-context-window-exceeded-2025-08-26"

UNREADABLE = "?"
"""Stands among the beta features of a request for what cannot be read."""

ERROR_TYPES: frozenset[str] = frozenset(
    {
        "api_error",
        "authentication_error",
        "billing_error",
        "invalid_request_error",
        "not_found_error",
        "overloaded_error",
        "permission_error",
        "rate_limit_error",
        "request_too_large",
        "timeout_error",
    }
)
"""`type` of the errors with which the API rejects a request."""

OWN_MODULES: tuple[str, ...] = ("anthropic",)

DROP_IN_MODULES: tuple[str, ...] = ("posthog.ai.anthropic",)
"""Modules of other packages with client classes of the same names that derive from the SDK's."""

PATCHED_CLIENTS: tuple[str, ...] = ("instructor",)
"""Packages whose client looks the same but returns models of the caller's own."""


_MODEL = re.compile(
    r"claude-(?:(?P<old>\d)(?:[-.](?P<old_minor>\d))?(?:-(?:opus|sonnet|haiku)|[.@:]|$)"
    r"|(?:opus|sonnet|haiku)-(?P<major>\d)(?:-(?P<minor>\d{1,2})(?!\d))?|instant)"
)


def model_version(model: str) -> tuple[int, int] | None:
    """The version in the name of a Claude model, of any platform: "us.anthropic.claude-3-5-haiku-20241022-v1:0" is
    (3, 5); None for a name that says none.
    """
    found = _MODEL.search(model)
    if found is None:
        return None
    major, minor = found["major"] or found["old"] or "1", found["minor"] or found["old_minor"] or "0"
    return int(major), int(minor)


def is_client_class(module: str, name: str) -> bool:
    """Whether `module.name` is a client of the SDK, or one that another package derives from it."""
    ours = module.split(".", maxsplit=1)[0] in OWN_MODULES or module in DROP_IN_MODULES
    return ours and name in CLIENT_CLASSES


def unprefixed(name: str) -> str:
    """A class name without the beta prefix: `BetaRawMessageDeltaEvent` -> `RawMessageDeltaEvent`."""
    return name.replace("Beta", "", 1) if name.startswith(("Beta", "RawBeta", "ParsedBeta")) else name
