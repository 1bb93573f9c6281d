"""The canonical form of message content: what two requests must share to be the same conversation.

Equal for the forms an application may echo a turn in: SDK models, `model_dump()`, `to_dict()`, a plain string for one
text block, other `cache_control` marks, one message or several of one role.  Long strings count by length, head and
tail only, so that the cost of a digest does not follow the size of a document or an image in it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_CLIP: Final = 2048
_EDGE: Final = 1024
_MAX_BLOCKS: Final = 256
_LOOSE_PIECES: Final = 16
_LOOSE_LOOK: Final = 256
_LOOSE_KEEP: Final = 64
SEPARATOR: Final = b"\x1e"

_DROPPED: Final = frozenset({"cache_control", "parsed_output"})
_DIRECT_CALLER: Final = {"type": "direct"}


class Scan(NamedTuple):
    """What one look at a few messages of one role finds.

    `blocks` are canonical, one for each content block.  `kinds` holds the block types of each message.  `results` are
    the answered tool_use ids with whether each is marked as an error; `tool_ids` the ids of client tool_use blocks;
    `null_keys` whether a block has a top-level key with the value None; `texts` the text of the text blocks.
    """

    blocks: list[bytes]
    kinds: list[tuple[str, ...]]
    results: list[tuple[str, bool]]
    tool_ids: list[str]
    null_keys: bool
    texts: list[str]


def scan(messages: Sequence[object]) -> Scan:
    """Look at `messages`, dicts as the SDK sends them.  Content of another kind (an iterator) is never consumed."""
    found = Scan([], [], [], [], False, [])
    null_keys = False
    for message in messages:
        content = message.get("content") if isinstance(message, dict) else getattr(message, "content", None)
        if type(content) is str:
            found.blocks.append(_text(content))
            found.texts.append(content)
            found.kinds.append(("text",))
        elif isinstance(content, (list, tuple)):
            null_keys = _scan_blocks(content[-_MAX_BLOCKS:], found) or null_keys
        else:
            found.kinds.append(())
    return found._replace(null_keys=True) if null_keys else found


def _scan_blocks(blocks: Sequence[object], found: Scan) -> bool:
    kinds = []
    null_keys = False
    for block in blocks:
        data = plain(block)
        kind = data.get("type")
        kinds.append(kind if type(kind) is str else "unknown")
        if kind == "text":
            text = data.get("text")
            if type(text) is str:
                found.texts.append(text)
        elif kind == "tool_use":
            found.tool_ids.append(str(data.get("id")))
        elif kind == "tool_result":
            found.results.append((str(data.get("tool_use_id")), data.get("is_error") is True))
        # A model's unset fields are None too, but are not sent.
        if not null_keys and type(block) is dict and None in block.values():
            null_keys = True
        found.blocks.append(block_bytes(data))
    found.kinds.append(tuple(kinds))
    return null_keys


def plain(block: object) -> dict[str, object]:
    """A content block as the dict the SDK would send for it."""
    if type(block) is dict:
        return block
    if isinstance(block, str):
        return {"type": "text", "text": block}
    return dict(block) if isinstance(block, dict) else _plain_model(block)


def _plain_model(block: object) -> dict[str, object]:
    fields = getattr(block, "__dict__", {})
    if not getattr(block, "__pydantic_extra__", None) and all(
        value is None or type(value) in _ATOMS for value in fields.values()
    ):
        return dict(fields)
    dump = getattr(block, "model_dump", None)
    # `exclude_unset` and `by_alias` are what the SDK itself encodes request bodies with.
    dumped = dump(mode="json", exclude_unset=True, by_alias=True, warnings=False) if dump is not None else None
    return dumped if isinstance(dumped, dict) else {"type": type(block).__name__}


_ATOMS: Final = frozenset({str, int, float, bool})


def block_bytes(block: dict[str, object]) -> bytes:
    """The canonical bytes of one block."""
    if block.get("type") == "text":
        text = block.get("text")
        if type(text) is str and _only_text(block):
            return _text(text)
    return json.dumps(_normal(block), sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=opaque).encode(
        "utf-8", "surrogatepass"
    )


def _only_text(block: dict[str, object]) -> bool:
    for key, value in block.items():
        if (
            key not in _TEXT_KEYS
            and value is not None
            and key not in _DROPPED
            and not (key == "citations" and not value)
        ):
            return False
    return True


_TEXT_KEYS: Final = frozenset({"type", "text"})


def _text(text: str) -> bytes:
    return b"t" + clip(text).encode("utf-8", "surrogatepass")


def clip(text: str) -> str:
    """A long string by its length, head and tail; a short one as it is."""
    if len(text) <= _CLIP:
        return text
    return f"{text[:_EDGE]}\0{len(text)}\0{text[-_EDGE:]}"


def opaque(value: object) -> str:
    """What stands for a value that JSON cannot hold."""
    # Files, iterators, sentinels: their contents are the application's, their kind is enough here.
    return f"<{type(value).__name__}>"


def _normal(value: object) -> object:
    if isinstance(value, str):
        return clip(value)
    if isinstance(value, dict):
        return _normal_dict(value)
    if isinstance(value, (list, tuple)):
        return [_normal(item) for item in value]
    if hasattr(value, "model_dump"):
        return _normal(plain(value))
    return value


def _normal_dict(data: dict[str, object]) -> dict[str, object]:
    kind = data.get("type")
    out: dict[str, object] = {}
    for key, value in data.items():
        if value is None or key in _DROPPED:
            continue
        if key == "citations" and not value:
            continue
        if key == "is_error" and value is False:
            continue
        if key == "caller" and (value == _DIRECT_CALLER or getattr(value, "type", None) == "direct"):
            continue
        if key == "content" and kind == "tool_result" and isinstance(value, str):
            value = [{"type": "text", "text": value}]  # noqa: PLW2901 - both forms are the same to the API
        out[str(key)] = _normal(value)
    return out


def loose(found: Scan) -> int | None:
    """A key that survives an edited echo: thinking dropped, blocks joined, text stripped.  None where nothing is left.

    Only the ends of the text and the ids count.  Valid in this process only.
    """
    texts = [text for text in found.texts if text]
    if not texts and not found.tool_ids and not found.results:
        return None
    head = "".join("".join(text[:_LOOSE_LOOK].split()) for text in texts[:_LOOSE_PIECES])[:_LOOSE_KEEP]
    tail = "".join("".join(text[-_LOOSE_LOOK:].split()) for text in texts[-_LOOSE_PIECES:])[-_LOOSE_KEEP:]
    return hash((head, tail, tuple(found.tool_ids), tuple(identity for identity, _ in found.results)))
