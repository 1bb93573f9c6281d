"""What `stoplint calls` does."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from stoplint.cli import EXIT_CLEAN
from stoplint.cli.analysis import Request, requests
from stoplint.cli.console import open_console
from stoplint.cli.options import CACHE_FOLDER
from stoplint.cli.progress import progress_for
from stoplint.cli.requests import verbosity
from stoplint.report._terminal import paint, plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stoplint.check.inventory import Call, Handling
    from stoplint.cli.calls import CallsOptions
    from stoplint.report import Style
    from stoplint.report._data import Json

_LABEL = 12
_WIDTH = 80
_WORDS: dict[Handling, str] = {
    "named": "named",
    "exposed": "exposed",
    "looked_at": "looked at",
    "ignored": "ignored",
    "unused": "unused",
}
_RELATIONS = {"here": "here", "helper": "in a helper", "caller": "in a caller"}


def run_calls(options: CallsOptions) -> int:
    """List requests.  Raises UserError, NothingToCheckError."""
    console = open_console(options["color"], verbosity(options))
    progress = progress_for(console)
    request = Request(
        paths=options["paths"] or (".",),
        isolated=options["isolated"],
        markdown=options["markdown"],
        jobs=options["jobs"],
        cache_dir=None if options["no_cache"] else options["cache_dir"] or Path(CACHE_FOLDER),
        progress=progress,
    )
    try:
        found = requests(request)
    finally:
        if progress is not None:
            progress.clear()
    if options["output_format"] == "json":
        console.write([json.dumps([_data(call) for call in found], indent=2), "\n"])
        return EXIT_CLEAN
    console.write(f"{line}\n" for line in table(found, console.style))
    if console.verbosity >= 0:
        console.write([f"{_summary(found)}\n"])
    return EXIT_CLEAN


def table(found: Sequence[Call], style: Style) -> Iterator[str]:
    """The requests, each as a heading and labelled lines of at most 80 characters, with an empty line behind."""
    for call in found:
        place = call.place
        cell = f":cell {place.cell}" if place.cell is not None else ""
        yield f"{paint(f'{printable(place.path)}{cell}:{place.line}', 'path', style)} {printable(call.function)}"
        for label, text in _rows(call):
            lines = textwrap.wrap(text, _WIDTH - 2 - _LABEL, break_long_words=False) or [""]
            yield f"  {paint(label.ljust(_LABEL), 'dim', style)}{lines[0]}"
            yield from (" " * (2 + _LABEL) + line for line in lines[1:])
        yield ""


def _rows(call: Call) -> Iterator[tuple[str, str]]:
    given = (("tools", call.tools), ("server tools", call.server_tools))
    with_tools = [f"{name}{'?' if value is None else ''}" for name, value in given if value is not False]
    limit = [f"max_tokens {call.max_tokens}"] if call.max_tokens is not None else []
    kind = call.surface.replace("_", " ")
    yield "request", ", ".join([kind, printable(call.model or "model?"), *limit, *with_tools])
    for handling, word in _WORDS.items():
        values = [one.value + ("" if one.certain else "?") for one in call.reasons if one.handling == handling]
        if values:
            yield word, ", ".join(values)
    readers = [
        _RELATIONS[one.relation] + ("" if one.relation == "here" else f" {printable(one.function)}")
        for one in call.readers
    ]
    if readers:
        yield "asked", ", ".join(readers)
    if call.ignored_by:
        yield "ignored by", ", ".join(printable(name) for name in call.ignored_by)


def _summary(found: Sequence[Call]) -> str:
    if not found:
        return "No requests"
    counts = Counter(call.handling for call in found)
    parts = [f"{word} by {counts[handling]}" for handling, word in _WORDS.items() if counts[handling]]
    return f"{plural(len(found), 'request')}; stop reason {', '.join(parts)}"


def _data(call: Call) -> dict[str, Json]:
    place = call.place
    return {
        "path": place.path,
        "cell": place.cell,
        "line": place.line,
        "column": place.column,
        "end_line": place.end_line,
        "end_column": place.end_column,
        "function": call.function,
        "surface": call.surface,
        "stream": call.stream,
        "model": call.model,
        "max_tokens": call.max_tokens,
        "tools": call.tools,
        "server_tools": call.server_tools,
        "reasons": [{"reason": one.value, "certain": one.certain, "handling": one.handling} for one in call.reasons],
        "handling": call.handling,
        "readers": [
            {
                "function": one.function,
                "relation": one.relation,
                "path": one.place.path,
                "cell": one.place.cell,
                "line": one.place.line,
            }
            for one in call.readers
        ],
        "ignored_by": list(call.ignored_by),
    }
