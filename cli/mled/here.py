"""One call of the command line: its options, its server, and how it speaks. How commands are made."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from mled.client import Client
from mled.connection import Connection
from mled.places import Place, find_place
from mled.printing import Show
from mled.problems import Problem, Usage


class Here:
    """What every command starts from."""

    def __init__(self, *, url: str, project: str, insecure_http: bool, as_json: bool, quiet: bool) -> None:
        self.url_option, self.project_option, self.insecure_http = url, project, insecure_http
        self.show = Show(as_json=as_json, quiet=quiet)

    @functools.cached_property
    def place(self) -> Place:
        """The server that is meant. Raises NotSignedIn."""
        return find_place(url=self.url_option, project=self.project_option, insecure_http=self.insecure_http)

    @functools.cached_property
    def connection(self) -> Connection:
        """To that server."""
        return Connection(self.place, told=self.show.note)

    @functools.cached_property
    def client(self) -> Client:
        """The Python client on that connection."""
        return Client(connection=self.connection)

    @property
    def asked_project(self) -> str:
        """The project that was named by option or environment: what reading keeps to; '' for all of one's own."""
        return self.place.asked_project

    @functools.cached_property
    def project(self) -> str:
        """The project that is meant: the one that was named, or the only one there is. Raises Usage."""
        if self.place.project:
            return self.place.project
        slugs = [project["slug"] for project in self.client.projects()]
        if len(slugs) == 1:
            return str(slugs[0])
        known = f"Yours are {', '.join(slugs[:12])}." if slugs else "You are in none yet; ask a project's manager."
        raise Usage("Which project?", hint=f"Say --project, or set MLED_PROJECT. {known}", field="--project")


def _common() -> list[click.Parameter]:
    """The options of every command."""
    return [
        click.Option(["-p", "--project"], default="", metavar="SLUG", help="The project (MLED_PROJECT)."),
        click.Option(["--url"], default="", metavar="ADDRESS", help="The server (MLED_URL)."),
        click.Option(["--json", "as_json"], is_flag=True, help="Answer as JSON."),
        click.Option(["-q", "--quiet"], is_flag=True, help="Say nothing but the result and problems."),
        click.Option(["--insecure-http"], is_flag=True, help="Send the token over plain http to another machine."),
    ]


def command(name: str) -> Callable[[Callable[..., None]], click.Command]:
    """Make a function a command. Its first argument is Here; its docstring is its help; it may raise Problem."""

    def made(function: Callable[..., None]) -> click.Command:
        @functools.wraps(function)
        def called(*, url: str, project: str, insecure_http: bool, as_json: bool, quiet: bool, **options: Any) -> None:
            here = Here(url=url, project=project, insecure_http=insecure_http, as_json=as_json, quiet=quiet)
            try:
                function(here, **options)
            except Problem as problem:
                here.show.problem(problem)
                click.get_current_context().exit(problem.exit_code)

        ready = click.command(name)(called)
        ready.params += _common()
        return ready

    return made
