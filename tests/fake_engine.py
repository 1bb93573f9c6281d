"""A stand-in for the engine: finds `.content[0].text` (SL101), `"end-turn"` (SL105) and a tool call (SL103 strict).

What the shell around the engine does is tested with it, whatever the rules of the day are.  It is as honest as the
real one about what it reads: places are those of `Source.text`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from stoplint import catalog
from stoplint.check import directives, engine
from stoplint.check.discover import Skipped
from stoplint.check.source import Source, SourceError, parse
from stoplint.findings import Edit, Finding, Fix, Place, Related

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from stoplint.check.source import SourceFile
    from stoplint.config import Settings

_READ = re.compile(r"(?P<name>\w+)\.content\[0\]\.text")
_MADE = re.compile(r"(?P<name>\w+) = (?P<call>\w+\.messages\.create\()")
_WRONG = re.compile(r'"end-turn"')
_FUNCTION = re.compile(r"\s*(?:async )?def (?P<name>\w+)")
_TOOL = re.compile(r"run_tool\(")


def run(
    files: Sequence[SourceFile],
    *,
    project: Sequence[SourceFile],
    settings_of: Callable[[SourceFile], Settings],
    options: engine.Options,
) -> engine.Result:
    findings: list[Finding] = []
    skipped: list[Skipped] = []
    marked: list[str] = []
    for number, file in enumerate(files, 1):
        data = file.read()
        if directives.mentions(data):
            marked.append(file.path)
        try:
            findings += _find(parse(file.path, file.kind, data))
        except SourceError as error:
            if error.skip:
                skipped.append(Skipped(file.path, str(error)))
            else:
                findings.append(_finding("SL900", Place(file.path, None, error.line, 1, error.line, 1), "", str(error)))
        if options.progress is not None:
            options.progress(number, len(files))
    findings.reverse()  # the shell sorts
    return engine.Result(tuple(findings), len(files) - len(skipped), tuple(skipped), tuple(marked))


def _find(source: Source) -> Iterator[Finding]:
    function = "<module>"
    made: dict[str, Place] = {}
    for number, line in enumerate(source.text.split("\n"), 1):
        if match := _FUNCTION.match(line):
            function = match["name"]
        if match := _MADE.search(line):
            made[match["name"]] = _place(source, number, match.start("call"), match.end("call"))
        for match in _READ.finditer(line):
            yield _read(source, number, match, function, made.get(match["name"]))
        for match in _WRONG.finditer(line):
            place = _place(source, number, match.start(), match.end())
            edit = Edit(place.line, place.column, place.end_line, place.end_column, '"end_turn"')
            yield _finding(
                "SL105", place, function, 'the API never sends "end-turn"', fix=Fix("safe", "Write `end_turn`", (edit,))
            )
        for match in _TOOL.finditer(line):
            place = _place(source, number, match.start(), match.end())
            yield _finding("SL103", place, function, "the call may be cut off", profile="strict")


def _read(source: Source, number: int, match: re.Match[str], function: str, origin: Place | None) -> Finding:
    name = match["name"]
    message = (
        f"`{name}` is read, but nothing looks at `{name}.stop_reason`: an answer that max_tokens cut off passes here as "
        f"complete. Look at `{name}.stop_reason` before you use the text."
    )
    related = (Related(origin, "created here"),) if origin is not None else ()
    place = _place(source, number, match.start(), match.end())
    return _finding("SL101", place, function, message, origin=origin, related=related, label="text read here")


def _place(source: Source, flat: int, start: int, end: int) -> Place:
    cell, line = source.cell_line(flat)
    return Place(source.path, cell, line, start + 1, line, end + 1)


def _finding(code: str, place: Place, function: str, message: str, **more: object) -> Finding:
    rule = catalog.rules()[code]
    reasons = ("max_tokens", "refusal") if code == "SL101" else ()
    given = {"profile": rule.profile, "reasons": reasons} | more
    return Finding(
        code=code,
        name=rule.name,
        severity=rule.severity,
        place=place,
        function=function or "<module>",
        message=message,
        **given,  # type: ignore[arg-type]
    )
