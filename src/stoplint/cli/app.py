"""The command group: what there is, without importing it."""

from __future__ import annotations

import importlib

import click

import stoplint

COMMANDS: dict[str, tuple[str, str]] = {
    "check": ("stoplint.cli.check", "Check files and folders (default: the working folder)."),
    "calls": ("stoplint.cli.calls", "List every request, what it can end with, and who asks."),
    "rule": ("stoplint.cli.rule", "Explain a rule, or all of them."),
    "baseline": ("stoplint.cli.baseline", "Put up with the findings there are; report only new ones."),
    "config": ("stoplint.cli.config", "Show which settings apply to a path, and where they come from."),
    "run": ("stoplint.cli.run", "Run an application with the tracer on."),
    "report": ("stoplint.cli.report", "Show what the tracer saw."),
    "completion": ("stoplint.cli.completion", "Print the completion script of a shell."),
}
"""Name to module and help.  A module holds a click command called `command`."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are run; the help of the group needs none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - the signature is given
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[cmd_name][0]).command
        if not isinstance(command, click.Command):
            raise TypeError(f"{COMMANDS[cmd_name][0]}.command is no click command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:  # fmt: skip
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib  # noqa: PLC0415 - only for the mistaken

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else f" To check a path: stoplint check {args[0]}"
            raise click.UsageError(f"There is no command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 clean, 1 findings, 2 the run failed, 3 nothing to check was found.",
)
@click.version_option(stoplint.__version__, "-V", "--version", prog_name="stoplint", message="%(prog)s %(version)s")
def app() -> None:
    """Find code that ignores why Claude stopped."""
