"""`stoplint rule`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal

import click

from stoplint import catalog
from stoplint.cli.console import ColorChoice, open_console
from stoplint.cli.errors import UserError
from stoplint.cli.page import render_page
from stoplint.config import selector_problem
from stoplint.report._terminal import paint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stoplint.catalog import Rule
    from stoplint.report import Style


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001 - click passes it
    words = [word for rule in catalog.rules().values() for word in (rule.code, rule.name)]
    return [word for word in words if word.lower().startswith(incomplete.lower())]


@click.command("rule")
@click.argument("rule", required=False, metavar="[CODE|NAME]", shell_complete=_complete)
@click.option("--all", "every", is_flag=True, help="All rules, one line each; as JSON whole pages.")
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", help="How the page is printed.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="When to use colours.")
def command(rule: str | None, *, every: bool, output_format: Literal["text", "json"], color: ColorChoice) -> None:
    """Explain a rule, or list them all.

    A rule is named by its code (SL101) or its name (stop-reason-ignored).
    """
    if every == (rule is not None):
        raise click.UsageError("name one rule, or give --all")
    found = list(catalog.rules().values()) if rule is None else [_find(rule)]
    console = open_console(color)
    if output_format == "json":
        data = [_data(one) for one in found]
        console.write([json.dumps(data if every else data[0], indent=2) + "\n"])
    else:
        lines = _list(found, console.style) if every else _page(found[0], console.style)
        console.write(line + "\n" for line in lines)


def _find(name: str) -> Rule:
    rule = catalog.find(name)
    if rule is None:
        raise UserError(selector_problem(name) or f'"{name}" means several rules; name one, or give --all')
    return rule


def _data(rule: Rule) -> dict[str, str]:
    return {
        "code": rule.code,
        "name": rule.name,
        "severity": rule.severity,
        "profile": rule.profile,
        "fix": rule.fix,
        "since": rule.since,
        "summary": rule.summary,
        "text": rule.text,
    }


def _list(rules: list[Rule], style: Style) -> Iterator[str]:
    width = max(len(rule.name) for rule in rules)
    for rule in rules:
        code = paint(rule.code, rule.severity, style)
        strict = ", strict" if rule.profile == "strict" else ""
        yield f"{code}  {rule.name:<{width}}  {rule.severity}{strict}"


def _page(rule: Rule, style: Style) -> Iterator[str]:
    fixes = {"safe": "has a safe fix", "unsafe": "has an unsafe fix", "none": "has no automatic fix"}
    profile = "on by default" if rule.profile == "default" else "in the strict profile"
    title = f"{paint(rule.code, rule.severity, style)} {paint(rule.name, 'strong', style)}"
    yield title
    yield paint(f"{rule.severity}, {profile}, {fixes[rule.fix]}, since {rule.since}", "dim", style)
    yield ""
    body = rule.text.lstrip()
    # The page's own title says what the line above already does.
    if body.startswith("# "):
        body = body.partition("\n")[2]
    yield from render_page(body.strip() + "\n", style)
