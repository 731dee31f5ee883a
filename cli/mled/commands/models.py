"""models: registered models, their versions and files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import click

from mled.here import Here, command
from mled.printing import moment, size
from mled.problems import NotFound, Usage
from mled.trees import pull

Json = dict[str, Any]
_VERSION: Final = re.compile(r"(?P<name>.+?)(?:@(?P<alias>[^@/]+)|/(?P<number>[1-9][0-9]{0,8}))?")


@click.group("models")
def models() -> None:
    """Registered models of a project: list, show, versions, download.

    A version is meant by NAME (the newest), NAME/3 or NAME@champion.
    """


@command("list")
@click.argument("query", default="")
def listed(here: Here, query: str) -> None:
    """List the registered models of --project, by name.

    QUERY: only those that a line finds, such as "name LIKE 'ward%'" or "tags.team = 'icu'".
    """
    rows: list[Json] = []
    asked: dict[str, str | int] = {"q": query, "limit": 200}
    while True:
        page = here.connection.get(f"projects/{here.project}/model-search/", asked)
        rows += page["results"]
        if not page["next"]:
            break
        asked["after"] = page["next"]
    if here.show.as_json:
        here.show.json(rows)
        return
    told = [{"name": row["name"], "aliases": _pairs(row["aliases"]), "latest": _pairs(row["latest"]),
             "changed": moment(row["updated_ms"]), "description": row["description"]} for row in rows]  # fmt: skip
    here.show.table(told, ["name", "aliases", "latest", "changed", "description"], empty="There is no model yet.")


@command("show")
@click.argument("model")
def show(here: Here, model: str) -> None:
    """Show a model, or one version of it with its files."""
    name, word = _parts(model)
    found = here.connection.get(_where(here, name))
    if not word:
        here.show.record({key: _pairs(value) if isinstance(value, dict) and not here.show.as_json else value
                          for key, value in found.items()})  # fmt: skip
        return
    version = _version(here, name, word)
    files = here.connection.get(f"{_where(here, name)}versions/{version['number']}/files/")
    if here.show.as_json:
        here.show.json({**version, "files": files})
        return
    here.show.record({key: _pairs(value) if isinstance(value, dict) else value for key, value in version.items()})
    here.show.table([_file(one) for one in files], ["path", "size", "sha256"])


@command("versions")
@click.argument("name")
def versions(here: Here, name: str) -> None:
    """List the versions of model NAME, newest first."""
    rows = list(here.connection.pages(f"{_where(here, name)}versions/", {"limit": 1000}))
    if here.show.as_json:
        here.show.json(rows)
        return
    told = [{"number": row["number"], "stage": row["stage"], "aliases": ", ".join(row["aliases"]), "run": row["run"],
             "made": moment(row["created_ms"]), "by": row["created_by"]} for row in rows]  # fmt: skip
    here.show.table(told, ["number", "stage", "aliases", "run", "made", "by"], empty=f"{name} has no version yet.")


@command("download")
@click.argument("model")
@click.option("-o", "--output", default="", metavar="FOLDER", help="Where to; NAME-3 without it.")
def download(here: Here, model: str, output: str) -> None:
    """Fetch the files of a version, each checked against the SHA-256 that the server recorded.

    Called again, it goes on: files that are there and right are left alone.
    """
    name, word = _parts(model)
    version = _version(here, name, word)
    if version["is_outside"]:
        raise NotFound(f"Its files lie outside MLED: {version['source']}", hint="Fetch them from there.")
    where = f"{_where(here, name)}versions/{version['number']}/files/"
    files = here.connection.get(where)
    plain = re.sub(r"[^\w.-]+", "-", name).strip("-.") or "model"
    folder = Path(output or f"{plain}-{version['number']}")
    with here.show.progress(f"Fetching {name}/{version['number']}", sum(one["size_bytes"] for one in files)) as ticks:
        done = pull(here.connection, where, files, folder, ticks=ticks, told=here.show.note)
    if here.show.as_json:
        here.show.json({"folder": str(folder), "version": version["number"], **vars(done)})
        return
    here.show.line(str(folder))
    here.show.note(
        f"{done.fetched} files fetched, {done.there_before} were there; {size(done.size_bytes)}, all checked."
    )


def _where(here: Here, name: str) -> str:
    return f"projects/{here.project}/models/{quote(name, safe='')}/"


def _parts(said: str) -> tuple[str, str]:
    found = _VERSION.fullmatch(said)
    if found is None:
        raise Usage("Which model?", hint="Write NAME, NAME/3 or NAME@champion.", field="MODEL")
    return found["name"], found["number"] or (f"@{found['alias']}" if found["alias"] else "")


def _version(here: Here, name: str, word: str) -> Json:
    """The version of that number or '@alias'; the newest for ''. Raises NotFound."""
    where = _where(here, name)
    if not word:
        newest = here.connection.get(f"{where}versions/", {"limit": 1})["results"]
        if not newest:
            raise NotFound(f"{name} has no version yet.", hint="A version is made of a run's model.")
        return dict(newest[0])
    number = word
    if word.startswith("@"):
        number = here.connection.get(f"{where}aliases/{quote(word[1:], safe='')}/")["version"]
    return dict(here.connection.get(f"{where}versions/{number}/"))


def _pairs(of: Json) -> str:
    return ", ".join(f"{name}: {value}" for name, value in of.items())


def _file(file: Json) -> Json:
    return {"path": file["path"], "size": size(file["size_bytes"]), "sha256": file["digest"]}


for one in (listed, show, versions, download):
    models.add_command(one)
