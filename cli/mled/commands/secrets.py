"""secret: values that jobs are given by their names, and that nobody reads again."""

from __future__ import annotations

import sys
from typing import Final
from urllib.parse import quote

import click

from mled.here import Here, command
from mled.printing import moment_of
from mled.problems import Usage

VALUE_MAX: Final = 1024 * 1024  # signs that are read; the server says how many it takes


@click.group("secret")
def secret() -> None:
    """Keep secrets of the project that jobs are given by `mled launch --secret NAME`."""


@command("set")
@click.argument("name")
def put(here: Here, name: str) -> None:
    """Set NAME, or put another value in its place. The value is asked for, or read from stdin; never an argument.

    \b
    mled secret set HF_TOKEN < token.txt
    """
    kept = here.connection.put(_where(here, name), {"value": _value()})
    if here.show.as_json:
        here.show.json(kept)
    else:
        here.show.line(f"{kept['name']} is kept. Nobody reads it again; jobs that begin from now on get it.")


def _value() -> str:
    """Raises Usage where there is none."""
    if sys.stdin.isatty():
        value = str(click.prompt("Value", hide_input=True, confirmation_prompt=True, err=True))
    else:
        value = sys.stdin.read(VALUE_MAX)
        value = value[:-1] if value.endswith("\n") else value
    if not value:
        raise Usage("There is no value.", hint="Type it, or give it on stdin: mled secret set NAME < file")
    return value


@command("list")
def listed(here: Here) -> None:
    """List the names of the project's secrets, who set them and when."""
    rows = list(here.connection.pages(f"projects/{here.project}/secrets/"))
    if here.show.as_json:
        here.show.json(rows)
        return
    told = [{"name": one["name"], "set": moment_of(one["set_at"]), "by": one["set_by"]} for one in rows]
    here.show.table(told, ("name", "set", "by"), empty="No secret. `mled secret set NAME` keeps one.")


@command("remove")
@click.argument("name")
def remove(here: Here, name: str) -> None:
    """Remove NAME: jobs that need it and have not begun fail, and say so."""
    here.connection.delete(_where(here, name))
    here.show.note(f"{name} is removed.")


def _where(here: Here, name: str) -> str:
    return f"projects/{here.project}/secrets/{quote(name, safe='')}/"


for _one in (put, listed, remove):
    secret.add_command(_one)
