"""Adds to the site what lies elsewhere in the repository: the rule pages, the changelog, the guide for contributors."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import doc_tables
from mkdocs.structure.files import File

from stoplint import catalog

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]

RULES = """# Rules

Codes are permanent; names are what people type: both work everywhere. **error** and **warning** say how bad it is. Rules marked *strict* are for
careful teams: `--strict`, or `strict = true` in the configuration.

"""

_CODE = re.compile(r"\bSL\d{3}\b")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """The rules' part of the navigation."""
    pages = [f"rules/{rule.path.name}" for rule in catalog.rules().values()]
    for entry in config.nav or []:
        if "Rules" in entry:
            entry["Rules"] = ["rules/index.md", *pages]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The pages that are made, not kept."""
    made = {f"rules/{rule.path.name}": rule_page(rule) for rule in catalog.rules().values()}
    made["rules/index.md"] = RULES + doc_tables.rules_table("")
    made["changelog.md"] = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    made["contributing.md"] = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for name, content in made.items():
        files.append(File.generated(config, name, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Pages link to rules as they lie in the repository; in the site they lie beside the guides."""
    markdown = markdown.replace("](../../rules/", "](../rules/")
    return markdown.replace("](../rules/", "](rules/") if page.file.src_uri == "index.md" else markdown


def rule_page(rule: catalog.Rule) -> str:
    """The page with what its front matter says, and with links to the other rules that its prose names."""
    title, rest = rule.text.split("\n", 1)
    profile = "on by default" if rule.profile == "default" else "strict profile"
    fix = {"none": "no fix", "safe": "safe fix", "unsafe": "unsafe fix"}[rule.fix]
    facts = f"*{rule.severity}* · {profile} · {fix} · since {rule.since}"
    parts = re.split(r"(^```.*?^```$|`[^`\n]*`|\[[^]\n]*\]\([^)\n]*\))", rest, flags=re.MULTILINE | re.DOTALL)
    linked = [_linked(part, rule.code) if at % 2 == 0 else part for at, part in enumerate(parts)]
    front = f"---\ntitle: {rule.code} {rule.name}\ndescription: {rule.summary!r}\n---\n\n"
    return f"{front}{title}\n\n{facts}\n{''.join(linked)}"


def _linked(text: str, own: str) -> str:
    def link(match: re.Match[str]) -> str:
        rule = catalog.rules().get(match[0])
        return f"[{match[0]}]({rule.path.name})" if rule and match[0] != own else match[0]

    lines = text.split("\n")
    return "\n".join(line if line.startswith("#") else _CODE.sub(link, line) for line in lines)
