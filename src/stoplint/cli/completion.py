"""`stoplint completion`."""

from __future__ import annotations

import click


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    r"""Print the completion script of a shell.

    \b
    bash: echo 'eval "$(stoplint completion bash)"' >> ~/.bashrc
    zsh:  echo 'eval "$(stoplint completion zsh)"' >> ~/.zshrc
    fish: stoplint completion fish > ~/.config/fish/completions/stoplint.fish
    """
    from click.shell_completion import get_completion_class  # noqa: PLC0415 - only this command needs it

    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"there is no completion for {shell}")
    click.echo(found(ctx.find_root().command, {}, "stoplint", "_STOPLINT_COMPLETE").source())
