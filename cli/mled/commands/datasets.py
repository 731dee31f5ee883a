"""datasets: what there is, and versions on their way up and down."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click

from mled.here import Here, command
from mled.printing import size
from mled.problems import NotFound, Usage
from mled.trees import digest_of, files_below, pull
from mled.uploads import size_of

Json = dict[str, Any]
_VERSION: Final = re.compile(r"(?P<name>.+?)(?:@(?P<alias>[^@\s]+)|[ :]v?(?P<number>[1-9][0-9]{0,8}))?")


@click.group("datasets")
def datasets() -> None:
    """Datasets of a project: list, show, push, pull, diff.

    A version is meant by NAME (the newest), 'NAME v3' or NAME@alias.
    """


@command("list")
@click.option("--name", default="", metavar="PART", help="With this in the name.")
def listed(here: Here, name: str) -> None:
    """List the datasets of --project with their newest versions."""
    rows = []
    for dataset in here.connection.pages(f"projects/{here.project}/datasets/", {"name": name, "limit": 1000}):
        newest = next(iter(_versions(here, dataset, limit=1)), None)
        rows.append({**dataset, "newest": newest})
    if here.show.as_json:
        here.show.json(rows)
        return
    empty = "There is no dataset yet. `mled datasets push NAME PATH` makes one."
    here.show.table([_line(row) for row in rows], ["name", "version", "files", "size", "rows", "made"], empty=empty)


def _line(row: Json) -> Json:
    newest = row["newest"] or {}
    return {
        "name": row["name"],
        "version": newest.get("number"),
        "files": newest.get("file_count"),
        "size": size(newest["size_bytes"]) if newest.get("size_bytes") is not None else None,
        "rows": newest.get("row_count"),
        "made": newest.get("created_at"),
    }


@command("show")
@click.argument("dataset")
def show(here: Here, dataset: str) -> None:
    """Show a version of a dataset: what it holds, and what people wrote about it."""
    found, version = _meant(here, dataset)
    files = here.connection.get(f"{_where(here, found)}versions/{version['number']}/files/")
    listed_files = files["results"] if isinstance(files, dict) else files
    if here.show.as_json:
        here.show.json({"dataset": found, "version": version, "files": listed_files})
        return
    names = ("number", "digest", "file_count", "size_bytes", "row_count", "source", "created_by", "created_at")
    told = {"name": found["name"], "description": found["description"], **{name: version[name] for name in names}}
    told |= {"aliases": ", ".join(version["aliases"]), "recalled": version["is_recalled"] or None}
    told |= {name: text for name, text in version["record"].items() if text}
    here.show.record({name: value for name, value in told.items() if value not in (None, "")})
    here.show.table([_file(one) for one in listed_files], ["path", "size", "sha256"])


@command("push")
@click.argument("name")
@click.argument("path", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--note", default="", metavar="TEXT", help="What is new in it.")
@click.option("--record", multiple=True, metavar="FIELD=TEXT", help="Such as licence=CC-BY-4.0; several times.")
@click.option("--alias", default="", metavar="ALIAS", help="Let this alias name the version.")
@click.option("--again", is_flag=True, help="Make a version even where nothing changed.")
def push(
    here: Here, name: str, path: Sequence[Path], note: str, record: Sequence[str], alias: str, again: bool
) -> None:
    """Send files, or a folder with all in it, as the next version of dataset NAME, which is made where it is missing.

    A file that was broken off goes on where it stopped. Where the newest version holds the same content, none is made.
    """
    files, said = files_below(path), _record(record)
    found = _named(here, name) or here.connection.post(f"projects/{here.project}/datasets/", {"name": name})
    where = _where(here, found)
    version = None if again else _same(here, found, files)
    repeated = version is not None
    if version is None:
        sent = _sent(here, files)
        version = here.connection.post(f"{where}versions/", {"files": sent, "note": note, "record": said})
    if alias:
        here.connection.put(f"{where}aliases/{alias}/", {"version": version["number"]})
    if here.show.as_json:
        here.show.json({"dataset": found, "version": version, "repeated": repeated})
        return
    here.show.line(f"{found['name']} v{version['number']}")
    here.show.note("Nothing changed since this version." if repeated else f"SHA-256 of its files: {version['digest']}")


@command("pull")
@click.argument("dataset")
@click.option("-o", "--output", default="", metavar="FOLDER", help="Where to; a folder of its name, without it.")
def pulled(here: Here, dataset: str, output: str) -> None:
    """Fetch the files of a version into a folder, each checked against the SHA-256 that the server recorded.

    Called again, it goes on: files that are there and right are left alone.
    """
    found, version = _meant(here, dataset)
    if version["file_count"] in (None, 0) and version["source"]:
        raise NotFound(f"Its files lie outside MLED: {version['source']}", hint="Fetch them from there.")
    where = f"{_where(here, found)}versions/{version['number']}/files/"
    files = list(here.connection.pages(where, {"limit": 1000}))
    folder = Path(output) if output else Path(re.sub(r"[^\w.-]+", "-", found["name"]).strip("-.") or "dataset")
    total = sum(int(file["size_bytes"]) for file in files)
    with here.show.progress(f"Fetching {found['name']} v{version['number']}", total) as ticks:
        done = pull(here.connection, where, files, folder, ticks=ticks, told=here.show.note)
    if here.show.as_json:
        here.show.json({"folder": str(folder), "version": version["number"], "digest": version["digest"], **vars(done)})
        return
    here.show.line(str(folder))
    here.show.note(
        f"{done.fetched} files fetched, {done.there_before} were there; {size(done.size_bytes)}, all checked."
    )
    if version["is_recalled"]:
        here.show.note(f"Beware: this version is recalled. {version['recall_reason']}")


@command("diff")
@click.argument("name")
@click.argument("old")
@click.argument("new")
def diff(here: Here, name: str, old: str, new: str) -> None:
    """Show what differs between two versions of dataset NAME: files, rows, columns. OLD and NEW: 1, v1 or an alias."""
    found = _existing(here, name)
    numbers = [_number(here, found, word) for word in (old, new)]
    told = here.connection.get(f"{_where(here, found)}diff/", {"old": numbers[0], "new": numbers[1]})
    if here.show.as_json:
        here.show.json(told)
        return
    files = told["files"]
    counts = {name: files[name] for name in ("added", "removed", "changed", "renamed", "same")}
    here.show.record(
        {"old": numbers[0], "new": numbers[1], **counts, "rows": _both(told["old_rows"], told["new_rows"])}
    )
    here.show.table(files["changes"], ["change", "path", "old_path", "old_size", "new_size"])
    columns = [one for one in told["columns"] if one["change"] != "same"]
    if columns:
        here.show.table(columns, ["change", "name", "old_kind", "new_kind"])
    for note in told["notes"]:
        here.show.note(note)


def _both(old: int | None, new: int | None) -> str | None:
    return None if old is None and new is None else f"{old} → {new}"


def _where(here: Here, dataset: Json) -> str:
    return f"projects/{dataset['project']}/datasets/{dataset['id']}/"


def _named(here: Here, name: str) -> Json | None:
    rows = here.connection.pages(f"projects/{here.project}/datasets/", {"name": name, "limit": 1000})
    return next((row for row in rows if row["name"] == name), None)


def _existing(here: Here, name: str) -> Json:
    found = _named(here, name)
    if found is None:
        raise NotFound(f"There is no dataset '{name}' in {here.project}.", hint="`mled datasets list` shows them.")
    return found


def _meant(here: Here, said: str) -> tuple[Json, Json]:
    """The dataset and the version that somebody means; a name that looks like a version is tried as a name first."""
    whole = _named(here, said)
    parts = _VERSION.fullmatch(said)
    if whole is not None or parts is None:
        return _of(here, whole or _existing(here, said), "")
    return _of(here, _existing(here, parts["name"]), parts["alias"] or parts["number"] or "")


def _of(here: Here, dataset: Json, word: str) -> tuple[Json, Json]:
    if word:
        number = _number(here, dataset, word)
        return dataset, here.connection.get(f"{_where(here, dataset)}versions/{number}/")
    newest = next(iter(_versions(here, dataset, limit=1)), None)
    if newest is None:
        raise NotFound(f"{dataset['name']} has no version yet.", hint="`mled datasets push` makes one.")
    return dataset, newest


def _number(here: Here, dataset: Json, word: str) -> int:
    plain = word.removeprefix("v")
    if plain.isascii() and plain.isdigit() and len(plain) < 10:
        return int(plain)
    for alias in here.connection.pages(f"{_where(here, dataset)}aliases/", {"limit": 1000}):
        if alias["name"].lower() == word.lower():
            return int(alias["version"])
    raise NotFound(f"{dataset['name']} has no version '{word}'.", hint="Give a number, or one of its aliases.")


def _versions(here: Here, dataset: Json, *, limit: int) -> list[Json]:
    return list(here.connection.get(f"{_where(here, dataset)}versions/", {"limit": limit})["results"])


def _same(here: Here, dataset: Json, files: Sequence[tuple[str, Path]]) -> Json | None:
    """The newest version, where it holds just these files."""
    newest = next(iter(_versions(here, dataset, limit=1)), None)
    if newest is None or newest["file_count"] != len(files):
        return None
    held = here.connection.pages(f"{_where(here, dataset)}versions/{newest['number']}/files/", {"limit": 1000})
    there = {file["path"]: file["digest"] for file in held}
    return newest if all(name in there and there[name] == digest_of(path) for name, path in files) else None


def _sent(here: Here, files: Sequence[tuple[str, Path]]) -> list[Json]:
    with here.show.progress("Sending", sum(size_of(path) for _, path in files)) as ticks:
        return [
            {"path": name, "upload": here.client.upload(path, name=name, project=here.project, ticks=ticks)}
            for name, path in files
        ]


def _record(pairs: Sequence[str]) -> dict[str, str]:
    said = {}
    for pair in pairs:
        field, equals, text = pair.partition("=")
        if not equals or not field.strip():
            raise Usage(f"'{pair[:60]}' names no field.", hint="Write it as licence=CC-BY-4.0.", field="--record")
        said[field.strip()] = text.strip()
    return said


def _file(file: Json) -> Json:
    return {"path": file["path"], "size": size(file["size_bytes"]), "sha256": file["digest"]}


for one in (listed, show, push, pulled, diff):
    datasets.add_command(one)
