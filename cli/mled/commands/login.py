"""login, logout, whoami: who one is, and where."""

from __future__ import annotations

import os
import sys

import click

from mled.connection import Connection
from mled.here import Here, command
from mled.places import Place, address, config_file, forget, keep, read_config
from mled.problems import NotFound, Usage


@command("login")
@click.argument("server", default="", metavar="[ADDRESS]")
@click.option("--token-stdin", is_flag=True, help="Read the token from stdin.")
def login(here: Here, server: str, token_stdin: bool) -> None:
    """Keep a server's address and your token for it.

    A token is made on the Tokens page of the server. It goes into the system's keyring where there is one (the extra
    `mled[keyring]`), else into a file that only you can read; never onto the command line, where others may see it.
    """
    place = Place(
        url=_server(here, server), insecure_http=here.insecure_http or os.environ.get("MLED_INSECURE_HTTP") == "1"
    )
    Connection(place).close()
    token = _token(place, token_stdin)
    signed = Place(url=place.url, token=token, insecure_http=place.insecure_http, token_from="typed")  # noqa: S106  # in words
    connection = Connection(signed, told=here.show.note)
    me = connection.get("me/")
    project = here.project_option or str((me.get("token") or {}).get("default_project") or "")
    known = [one["slug"] for one in me["projects"]]
    if project and project not in known:
        raise NotFound(
            f"There is no project '{project[:80]}' for you there.", hint=f"Yours: {', '.join(known) or 'none'}."
        )
    where = keep(place.url, token=token, project=project)
    if here.show.as_json:
        here.show.json({"url": place.url, "user": me["email"], "project": project, "kept_in": where})
    else:
        in_project = f", project {project}" if project else ""
        here.show.note(
            f"Signed in to {place.url} as {me['name']} <{me['email']}>{in_project}. The token is in {where}."
        )


def _server(here: Here, said: str) -> str:
    said = said or here.url_option or os.environ.get("MLED_URL", "")
    if not said and sys.stdin.isatty():
        said = click.prompt("Address of the server", default=str(read_config().get("current") or "") or None, err=True)
    if not said:
        raise Usage("Which server?", hint="Say its address: mled login https://mled.example.org", field="ADDRESS")
    return address(said)


def _token(place: Place, from_stdin: bool) -> str:
    if from_stdin:
        token = sys.stdin.readline().strip()
    elif os.environ.get("MLED_TOKEN"):
        token = os.environ["MLED_TOKEN"].strip()
    elif sys.stdin.isatty():
        click.echo(f"Make a token at {place.url}/me/tokens/ and paste it here.", err=True)
        token = str(click.prompt("Token", hide_input=True, err=True)).strip()
    else:
        raise Usage(
            "There is no terminal to ask for the token.", hint="Pipe it in: … | mled login --token-stdin ADDRESS"
        )
    if not token:
        raise Usage("The token is empty.", hint="Copy it from the Tokens page.")
    return token


@command("logout")
def logout(here: Here) -> None:
    """Forget the server's token on this machine. The token itself stays good until you revoke it on the Tokens page."""
    url = here.place.url
    if not forget(url):
        raise NotFound(f"Nobody is signed in to {url} here.", hint=f"Settings are in {config_file()}.")
    here.show.note(f"Forgot the token for {url}. To end it everywhere, revoke it at {url}/me/tokens/.")


@command("whoami")
def whoami(here: Here) -> None:
    """Who you are there, with which token, and your projects."""
    me = here.connection.get("me/")
    token = me.get("token") or {}
    roles = {project["slug"]: project["my_roles"] for project in me["projects"]}
    known = {
        "server": here.place.url,
        "name": me["name"],
        "email": me["email"],
        "project": here.place.project or None,
        "token": token.get("name"),
        "token_from": here.place.token_from,
        "scopes": token.get("scopes") or [],
        "expires_at": token.get("expires_at"),
        "site_roles": me["site_roles"],
    }
    if here.show.as_json:
        here.show.json(known | {"projects": roles})
        return
    here.show.record(known | {f"in {slug}": names for slug, names in roles.items()})
