"""The canonical form of message content: what two requests must share to be the same conversation.

Equal for the forms an application may echo a turn in: SDK models, `model_dump()`, `to_dict()`, a plain string for one
text block, other `cache_control` marks, one message or several of one role.  Long strings count by a hash of all of them: two
prompts made of one template differ in a few characters in the middle.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_CLIP: Final = 2048
_CLIPPED_LIMIT: Final = 256
_MAX_BLOCKS: Final = 256
OTHER: Final = "\x1d"
"""What the canonical form of a block starts with that is no text: the rest is a literal, its keys sorted."""

_DROPPED: Final = frozenset({"cache_control", "parsed_output"})
_SPECIAL: Final = _DROPPED | {"citations", "is_error", "caller", "content"}
_DIRECT_CALLER: Final = {"type": "direct"}


class Scan(NamedTuple):
    """What one look at a few messages of one role finds.

    `blocks` are canonical, one for each content block; that of a text block is its text, empty where that is.  `kinds` holds the block types of each message.  `results` are
    the answered tool_use ids with whether each is marked as an error; `tool_ids` the ids of client tool_use blocks;
    `texts` the text of the text blocks; `nulls` how many top-level keys of blocks have the value None.
    """

    blocks: tuple[str, ...]
    kinds: tuple[tuple[str, ...], ...]
    texts: tuple[str, ...]
    results: tuple[tuple[str, bool], ...] = ()
    tool_ids: tuple[str, ...] = ()
    nulls: int = 0


made: Final = tuple.__new__
"""Makes a named tuple from all of its fields without the call of its Python constructor, where every request does."""
NOTHING: Final = Scan((), (), ())
_TEXT_FIELDS: Final = 4
"""A text block has `type`, `text`, `citations` and, where it was parsed, `parsed_output`."""
_ONE_TEXT: Final = (("text",),)


def scan(messages: Sequence[object], start: int, end: int) -> Scan:
    """Look at `messages[start:end]`, dicts as the SDK sends them.  Content of another kind (an iterator) is never
    consumed.
    """
    if end - start == 1:
        # Nearly every group is one message with one text: the way that has to be short.
        message = messages[start]
        content = message.get("content") if type(message) is dict else None
        if type(content) is list and len(content) == 1:
            block = content[0]
            if type(block) is dict and len(block) == 2 and block.get("type") == "text":
                content = block.get("text")
        if type(content) is str and len(content) <= _CLIP:
            texts = (content,)
            return made(Scan, (texts, _ONE_TEXT, texts, (), (), 0))
    return _scan_all(messages[start:end])


def _scan_all(messages: Sequence[object]) -> Scan:
    blocks: list[str] = []
    kinds: list[tuple[str, ...]] = []
    texts: list[str] = []
    results: list[tuple[str, bool]] = []
    tool_ids: list[str] = []
    nulls = 0
    for message in messages:
        content = message.get("content") if isinstance(message, dict) else getattr(message, "content", None)
        if type(content) is str:
            content = ({"type": "text", "text": content},)
        elif not isinstance(content, (list, tuple)):
            content = ()
        of_message = []
        for block in content[-_MAX_BLOCKS:]:
            data = block if type(block) is dict else plain(block)
            kind = data.get("type")
            of_message.append(kind if type(kind) is str else "unknown")
            if kind == "text":
                text = data.get("text")
                if type(text) is str:
                    texts.append(text)
            elif kind == "tool_use":
                tool_ids.append(str(data.get("id")))
            elif kind == "tool_result":
                results.append((str(data.get("tool_use_id")), data.get("is_error") is True))
            if None in data.values():
                nulls += sum(value is None for value in data.values())
            blocks.append(block_form(data))
        kinds.append(tuple(of_message))
    return made(Scan, (tuple(blocks), tuple(kinds), tuple(texts), tuple(results), tuple(tool_ids), nulls))


def scan_content(blocks: Sequence[object]) -> Scan:
    """Look at the content of one message."""
    if len(blocks) == 1:
        block = blocks[0]
        fields = getattr(block, "__dict__", None)
        if fields and fields.get("type") == "text" and not fields.get("citations") and len(fields) <= _TEXT_FIELDS:
            text = fields.get("text")
            if type(text) is str and len(text) <= _CLIP and not getattr(block, "__pydantic_extra__", None):
                nulls = 1 if "citations" in getattr(block, "__pydantic_fields_set__", ()) else 0
                texts = (text,)
                return made(Scan, (texts, _ONE_TEXT, texts, (), (), nulls))
    return scan(({"content": blocks},), 0, 1)


def plain(block: object) -> dict[str, object]:
    """A content block as the dict the SDK would send for it."""
    if type(block) is dict:
        return block
    if isinstance(block, str):
        return {"type": "text", "text": block}
    return dict(block) if isinstance(block, dict) else _plain_model(block)


def _plain_model(block: object) -> dict[str, object]:
    fields = getattr(block, "__dict__", {})
    # Fields that were not given are not sent either.
    given = getattr(block, "__pydantic_fields_set__", fields)
    found: dict[str, object] = {}
    for name, value in () if getattr(block, "__pydantic_extra__", None) else fields.items():
        if name not in given:
            continue
        if value is None or type(value) in _ATOMS or (name == "input" and type(value) is dict):
            found[name] = value
        elif name == "caller":
            found[name] = plain(value)
        else:
            break
    else:
        if found:
            return found
    dump = getattr(block, "model_dump", None)
    # `exclude_unset` and `by_alias` are what the SDK itself encodes request bodies with.
    dumped = dump(mode="json", exclude_unset=True, by_alias=True, warnings=False) if dump is not None else None
    return dumped if isinstance(dumped, dict) else {"type": type(block).__name__}


_ATOMS: Final = frozenset({str, int, float, bool})


def block_form(block: dict[str, object]) -> str:
    """The canonical form of one block."""
    if block.get("type") == "text":
        text = block.get("text")
        if type(text) is str and _only_text(block):
            return clip(text)
    return f"{OTHER}{_normal_dict(block)!r}"


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


def clip(text: str) -> str:
    """A long string by its length and a hash, the same in every process; a short one as it is."""
    size = len(text)
    if size <= _CLIP:
        return text
    # Python keeps the hash of a string with the string: the document that every request of a conversation holds is
    # gone through once.
    key = (hash(text), size)
    short = _clipped.get(key)
    if short is None:
        short = f"\0{size}\0{blake2b(text.encode('utf-8', 'surrogatepass'), digest_size=16).hexdigest()}"
        if len(_clipped) >= _CLIPPED_LIMIT:
            _clipped.clear()
        _clipped[key] = short
    return short


_clipped: Final[dict[tuple[int, int], str]] = {}
"""The long strings met last, by their hash: it has no text in it, and so keeps none alive."""


def opaque(value: object) -> str:
    """What stands for a value that JSON cannot hold."""
    # Files, iterators, sentinels: their contents are the application's, their kind is enough here.
    return f"<{type(value).__name__}>"


def _normal(value: object) -> object:
    kind = type(value)
    if kind is str:
        return clip(value)  # type: ignore[arg-type]  # its type was just asked for
    if value is None or kind in _ATOMS:
        return value
    if isinstance(value, dict):
        return _normal_dict(value)
    if isinstance(value, (list, tuple)):
        return [_normal(item) for item in value]
    if hasattr(value, "model_dump"):
        return _normal_dict(plain(value))
    # An enumeration counts as what it is sent as.
    return clip(str.__str__(value)) if isinstance(value, str) else opaque(value)


def _normal_dict(data: dict[str, object]) -> dict[str, object]:
    out: dict[str, object] = {}
    try:
        keys = sorted(data)
    except TypeError:
        # JSON knows strings only, and makes them of other keys.
        keys = sorted(data, key=str)
    for key in keys:
        value = data[key]
        if key in _SPECIAL:
            if key in _DROPPED or _says_nothing(key, value):
                continue
            if key == "content" and type(value) is str and data.get("type") == "tool_result":
                value = [{"type": "text", "text": value}]  # both forms are the same to the API
        if type(value) is str:
            out[key] = value if len(value) <= _CLIP else clip(value)
        elif value is not None:
            out[str(key)] = _normal(value)
    return out


def _says_nothing(key: str, value: object) -> bool:
    """Whether a field is as good as absent."""
    if key == "caller":
        return value == _DIRECT_CALLER or getattr(value, "type", None) == "direct"
    return (key == "citations" and not value) or (key == "is_error" and value is False)
