"""The `mled` command: finds its commands, and turns whatever goes wrong into words and an exit code."""

from __future__ import annotations

import difflib
import importlib
import io
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from mled.commands import COMMANDS
from mled.printing import Show
from mled.problems import Problem
from mled.version import __version__

INTERRUPTED = 130


class Commands(click.Group):
    """Commands that are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All of them, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        where = COMMANDS.get(cmd_name)
        if where is None:
            return None
        module, _, attribute = where.partition(":")
        found: click.Command = getattr(importlib.import_module(module), attribute)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Raises UsageError with the nearest names."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in COMMANDS:
            near = difflib.get_close_matches(name, COMMANDS, n=2, cutoff=0.5)
            meant = f" Did you mean {' or '.join(near)}?" if near else " `mled --help` lists them."
            raise click.UsageError(f"There is no command '{name[:40]}'.{meant}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="mled")
def cli() -> None:
    """Record, find, compare and fetch machine-learning experiments that MLED keeps.

    Begin with `mled login`. In scripts set MLED_URL, MLED_TOKEN and MLED_PROJECT. Exit codes: 0 done, 1 refused or
    failed, 2 called wrongly, 3 not found, 4 not signed in or not allowed, 5 server away.
    """


def answer(args: Sequence[str] | None = None, *, command: click.Command = cli, name: str = "mled") -> int:
    """Run a command line and give its exit code; never a traceback (MLED_DEBUG=1 shows one for a bug)."""
    _write_any_sign()
    try:
        code: Any = command.main(args=None if args is None else list(args), prog_name=name, standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except Problem as problem:
        Show().problem(problem)
        return problem.exit_code
    except (click.Abort, KeyboardInterrupt):
        print("Stopped.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        return _bug(error)


def _write_any_sign() -> None:
    """Where a terminal or pipe cannot have a sign, its number stands for it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _bug(error: Exception) -> int:
    if os.environ.get("MLED_DEBUG") == "1":
        import traceback

        traceback.print_exc()
    print(
        f"Error: mled {__version__} made a mistake ({type(error).__name__}).\n"
        "  What next: run it again with MLED_DEBUG=1 and send what it prints to those who run your MLED.",
        file=sys.stderr,
    )
    return 1


def run() -> None:
    """The console script."""
    sys.exit(answer())
