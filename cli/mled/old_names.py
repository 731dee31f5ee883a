"""The four scripts of the sharing tool under their old names, with their old arguments; each is a command of mled."""

from __future__ import annotations

import sys

import click

from mled.main import answer


def _called(program: click.Command) -> None:
    sys.exit(answer(command=program, name=program.name or "mled"))


def upload_experiment() -> None:
    """`upload_experiment --email … --json FILE` is `mled submit FILE --email …`."""
    from mled.commands.submit import submit

    _called(_with_record_option(submit))


def download_experiment() -> None:
    """`download_experiment --output FILE.csv` is `mled download --output FILE.csv`."""
    from mled.commands.download import download

    _called(_renamed(download, "download_experiment"))


def get_submissions_from_user() -> None:
    """`get_submissions_from_user --email …` is `mled submissions --email …`."""
    from mled.commands.submit import submissions

    _called(_renamed(submissions, "get_submissions_from_user"))


def submit_test_entry() -> None:
    """`submit_test_entry [--remove]` is `mled submit-test [--remove]`."""
    from mled.commands.submit import submit_test

    _called(_renamed(submit_test, "submit_test_entry"))


def _renamed(program: click.Command, name: str) -> click.Command:
    return click.Command(name, callback=program.callback, params=program.params, help=program.help)


def _with_record_option(submit: click.Command) -> click.Command:
    """The command with `--json FILE` as the old script has it; its own --json is --as-json there."""
    params: list[click.Parameter] = []
    for one in submit.params:
        if one.name == "record":
            params.append(
                click.Option(["--json", "record"], default="", metavar="FILE", help="The record; - for stdin.")
            )
        elif one.name == "as_json":
            params.append(click.Option(["--as-json", "as_json"], is_flag=True, help="Answer as JSON."))
        else:
            params.append(one)
    return click.Command("upload_experiment", callback=submit.callback, params=params, help=submit.help)
