"""export, import-archive, transfers: a project whole, out and in."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import click

from mled.downloads import Fetched, fetch
from mled.here import Here, command
from mled.printing import moment_of, size
from mled.problems import NotFound, Problem, Usage
from mled.uploads import size_of

OPEN: Final = ("waiting", "running")
PAUSES: Final = (0.2, 0.5, 1.0, 2.0)  # seconds between looks; the last one repeats
Json = dict[str, Any]


@command("export")
@click.option("-o", "--output", default="", metavar="FILE", help="Where the archive goes; here, under its own name.")
@click.option("--no-files", is_flag=True, help="Without the content of files: records and points only.")
@click.option("--log", is_flag=True, help="With the sealed log of the project.")
@click.option("--experiment", multiple=True, metavar="NAME", help="Only these experiments; several times.")
@click.option("--no-wait", is_flag=True, help="Only ask for it; `mled transfers` tells how far it is.")
def export(here: Here, output: str, no_files: bool, log: bool, experiment: Sequence[str], no_wait: bool) -> None:
    """Export --project as an open archive.

    Parquet, JSON Lines, files by digest, all readable without MLED. It is made on the server; then it comes down,
    goes on after a broken connection, and its SHA-256 is checked.
    """
    wanted: Json = {"with_files": not no_files, "with_log": log}
    if experiment:
        wanted["experiments"] = [_experiment(here, name) for name in experiment]
    begun = here.connection.post(f"projects/{here.project}/exports/", wanted)
    if no_wait:
        _told(here, begun)
        return
    done = waited(here, begun)
    _fetched(here, done, output)


@command("import-archive")
@click.argument("archive", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only check it, and say what would be done.")
@click.option("--no-wait", is_flag=True, help="Only send it; `mled transfers` tells how far it is.")
def import_archive(here: Here, archive: Path, dry_run: bool, no_wait: bool) -> None:
    """Bring an archive of a project into --project. It is checked whole before anything is written.

    Sending the same archive again skips what is there.
    """
    project = here.project
    with here.show.progress(f"Sending {archive.name}", size_of(archive)) as ticks:
        upload = here.client.upload(archive, project=project, ticks=ticks)
    wanted = {"upload": upload, "name": archive.name[:200], "dry_run": dry_run}
    begun = here.connection.post(f"projects/{project}/archive-imports/", wanted)
    finished(here, begun if no_wait else waited(here, begun))


@command("transfers")
@click.argument("transfer", default="")
@click.option("-o", "--output", default="", metavar="FILE", help="Fetch the archive of an export to this file.")
@click.option("--fetch", "only_fetch", is_flag=True, help="Fetch it under its own name.")
@click.option("--wait", is_flag=True, help="Wait until it is over.")
@click.option("--stop", is_flag=True, help="Stop it; what is done stays.")
def transfers(here: Here, transfer: str, output: str, only_fetch: bool, wait: bool, stop: bool) -> None:
    """List exports and imports, or look at one.

    Of --project, or of all that you see; TRANSFER is the id of one.
    """
    if not transfer:
        slugs = [here.asked_project] if here.asked_project else [one["slug"] for one in here.client.projects()]
        rows = [row for slug in slugs for row in here.connection.pages(f"projects/{slug}/transfers/")]
        columns = ("id", "project", "kind", "state", "requested", "source")
        shown = rows if here.show.as_json else [_listed(row) for row in rows]
        here.show.table(
            shown, columns, whole=False, empty="Nothing was exported or imported here yet. `mled export` begins one."
        )
        return
    found = here.connection.get(f"transfers/{quote(transfer, safe='')}/")
    if stop:
        found = here.connection.post(f"transfers/{found['id']}/cancellation/")
    if wait or output or only_fetch:
        found = waited(here, found)
    if output or only_fetch:
        _fetched(here, found, output)
    else:
        finished(here, found)


def _listed(row: Json) -> Json:
    return {**row, "requested": moment_of(row["requested_at"])}


def waited(here: Here, begun: Json) -> Json:
    """The transfer once it is over. Ctrl+C leaves it to the server, and says how to come back."""
    path, found = f"transfers/{begun['id']}/", here.connection.get(f"transfers/{begun['id']}/")
    told, looks = "", 0
    try:
        while found["state"] in OPEN:
            words = found["words"] + (" (no worker is running)" if found["waits_for"] else "")
            if words != told:
                here.show.note(words)
                told = words
            time.sleep(PAUSES[min(looks, len(PAUSES) - 1)])
            looks += 1
            found = here.connection.get(path)
    except KeyboardInterrupt:
        here.show.note(f"It goes on at the server: mled transfers {begun['id']} (--stop ends it).")
        raise
    return dict(found)


def finished(here: Here, found: Json) -> None:
    """What came of it. Raises Problem where it failed."""
    if here.show.as_json:
        here.show.json(found)
    else:
        _told(here, found)
        here.show.table([_counted(kind, number) for kind, number in found["counts"].items()], _heads(found))
        if found["options"].get("dry_run"):
            here.show.note("This was a dry run: nothing was written.")
        for problem in found["problems"]:
            here.show.note("  " + " ".join(str(part) for part in problem.values() if part))
    if found["state"] == "failed":
        raise Problem(f"It failed: {found['failure']}" if found["failure"] else "It failed.")


def _told(here: Here, found: Json) -> None:
    if here.show.as_json:
        here.show.json(found)
    else:
        content = {"content": found["digest"]} if found["digest"] else {}
        here.show.record({"id": found["id"], "kind": found["kind"], "state": found["state"], **content})


def _counted(kind: str, number: Any) -> Json:
    return {"what": kind, **number} if isinstance(number, dict) else {"what": kind, "number": number}


def _heads(found: Json) -> list[str]:
    rows = [_counted(kind, number) for kind, number in found["counts"].items()]
    return list(dict.fromkeys(name for row in rows for name in row)) or ["what", "number"]


def _fetched(here: Here, done: Json, output: str) -> None:
    if done["state"] != "done" or not done["files"]:
        finished(here, done)
        raise NotFound(f"It is {done['state']} and has no file.", hint="`mled export` begins another one.")
    if output and len(done["files"]) > 1:
        raise Usage("It has several files.", hint="Say --fetch: they come under their own names.", field="--output")
    got = [_one(here, done["id"], file, output) for file in done["files"]]
    if here.show.as_json:
        files = [{"file": str(one.path), "size_bytes": one.size_bytes, "sha256": one.digest} for one in got]
        here.show.json({"id": done["id"], "counts": done["counts"], "digest": done["digest"], "files": files})
        return
    for one in got:
        here.show.line(str(one.path))
        here.show.note(f"{size(one.size_bytes)}, SHA-256 {one.digest}, as the server recorded it.")
    if done["digest"]:
        here.show.note(f"Content {done['digest']}: an import of it exports with the same.")


def _one(here: Here, transfer: str, file: Json, output: str) -> Fetched:
    target = Path(output or Path(file["name"]).name)
    path = f"transfers/{transfer}/files/{quote(file['name'], safe='')}"
    with here.show.progress(target.name, file["size_bytes"]) as ticks:
        return fetch(here.connection, path, target, digest=file["sha256"], ticks=ticks, told=here.show.note)


def _experiment(here: Here, name: str) -> int:
    found = here.connection.pages(f"projects/{here.project}/experiments/", {"name": name})
    for one in found:
        if one["name"] == name:
            return int(one["id"])
    raise NotFound(
        f"There is no experiment '{name[:80]}' in {here.project}.", hint="Check its name.", field="--experiment"
    )
