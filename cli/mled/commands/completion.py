"""completion: what makes a shell complete mled's commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from mled.problems import Usage

VARIABLE = "_MLED_COMPLETE"


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what makes SHELL complete commands and options.

    \b
    bash: eval "$(mled completion bash)"    in ~/.bashrc
    zsh:  eval "$(mled completion zsh)"     in ~/.zshrc
    fish: mled completion fish > ~/.config/fish/completions/mled.fish
    """
    from mled.main import cli

    kind = get_completion_class(shell)
    if kind is None:
        raise Usage(f"There is no completion for {shell}.", hint="Choose bash, zsh or fish.")
    click.echo(kind(cli, {}, "mled", VARIABLE).source())
