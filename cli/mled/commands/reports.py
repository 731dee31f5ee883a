"""report: asked for, watched, fetched."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import click

from mled.downloads import fetch
from mled.here import Here, command
from mled.printing import size
from mled.problems import Problem, Usage
from mled.trees import inside

Json = dict[str, Any]
KINDS: Final = ("compliance", "trail", "reproducibility", "model_card", "access")
OPEN: Final = ("waiting", "running")
PAUSES: Final = (0.2, 0.5, 1.0, 2.0)  # seconds between looks; the last one repeats


@click.group("report")
def report() -> None:
    """Reports: request, list, status, fetch."""


@command("request")
@click.argument("kind", type=click.Choice(KINDS))
@click.option("--run", default="", metavar="RUN", help="On one run.")
@click.option("--model", default="", metavar="NAME/3", help="On one model version.")
@click.option("--query", default="", metavar="LINE", help="On the runs that a query finds.")
@click.option("--title", default="", metavar="TEXT")
@click.option("--reason", default="", metavar="TEXT", help="Why; it stands in the report.")
@click.option("--as-of", default="", metavar="TIME", help="As things were then, such as 2026-03-02T14:00Z.")
@click.option("-f", "--format", "formats", multiple=True, metavar="FORMAT", help="pdf, csv, jsonl, …; all without it.")
@click.option("--wait", is_flag=True, help="Wait until it is made.")
@click.option("-o", "--output", default="", metavar="FOLDER", help="Wait, and fetch its files into this folder.")
def request(
    here: Here,
    kind: str,
    run: str,
    model: str,
    query: str,
    title: str,
    reason: str,
    as_of: str,
    formats: Sequence[str],
    wait: bool,
    output: str,
) -> None:
    """Request a report on --project, one run, one model version, or the runs of a query; prints its id."""
    if sum(map(bool, (run, model, query))) > 1:
        raise Usage("Of --run, --model and --query only one can be said.", field="--run")
    scope = "run" if run else "version" if model else "runs" if query else "project"
    wanted: Json = {"kind": kind, "scope": scope, "title": title, "reason": reason, "subject": run or model}
    wanted |= {"question": {"query": query}} if query else {}
    wanted |= {"as_of": as_of} if as_of else {}
    wanted |= {"formats": list(formats)} if formats else {}
    made = here.connection.post(f"projects/{here.project}/reports/", wanted)
    if wait or output:
        made = _waited(here, made["id"])
    if output:
        _fetched(here, made, Path(output), ())
    elif here.show.as_json:
        here.show.json(made)
    else:
        here.show.line(made["id"])
        here.show.note(f"`mled report fetch {made['id']}` fetches its files once it is made.")


@command("list")
def listed(here: Here) -> None:
    """List the reports of --project, newest first."""
    rows = list(here.connection.pages(f"projects/{here.project}/reports/", {"limit": 200}))
    columns = ("id", "kind", "scope", "title", "state", "requested_by", "requested_at")
    shown = rows if here.show.as_json else [{name: row[name] for name in columns} for row in rows]
    here.show.table(shown, columns, empty="There is no report yet. `mled report request compliance` asks for one.")


@command("status")
@click.argument("report_id", metavar="REPORT")
@click.option("--wait", is_flag=True, help="Wait until it is over.")
@click.option("--stop", is_flag=True, help="Stop it.")
def status(here: Here, report_id: str, wait: bool, stop: bool) -> None:
    """Show how far a report is."""
    where = f"reports/{quote(report_id, safe='')}/"
    if stop:
        here.connection.post(f"{where}cancellation/")
    found = _waited(here, report_id) if wait else here.connection.get(where)
    if here.show.as_json:
        here.show.json(found)
        return
    names = ("id", "kind", "title", "state", "records", "digest", "failure")
    told = {name: found[name] for name in names} | {"progress": found["progress"]["words"]}
    here.show.record({name: value for name, value in told.items() if value not in (None, "")})
    here.show.table([_file(one) for one in found["files"]], ["name", "size", "sha256"])


@command("fetch")
@click.argument("report_id", metavar="REPORT")
@click.option("-o", "--output", default=".", metavar="FOLDER", help="Where to; here, without it.")
@click.option("-f", "--format", "formats", multiple=True, metavar="FORMAT", help="Only pdf, csv, jsonl, mledlog, …")
def fetched(here: Here, report_id: str, output: str, formats: Sequence[str]) -> None:
    """Fetch the files of a report, each checked against its SHA-256; waits where it is still being made."""
    _fetched(here, _waited(here, report_id), Path(output), formats)


def _waited(here: Here, report_id: str) -> Json:
    """The report once it can be downloaded. Raises Problem where it failed or was stopped."""
    path, told, looks = f"reports/{quote(report_id, safe='')}/", "", 0
    while True:
        found: Json = here.connection.get(path)
        progress = found["progress"]
        if progress["may_download"]:
            return found
        if found["state"] not in (*OPEN, "done"):
            raise Problem(f"The report is {found['state']}: {found['failure']}".rstrip(": "))
        words = progress["words"] + (" (no worker is running)" if progress["waits_for"] == "worker" else "")
        if words != told:
            here.show.note(words)
            told = words
        time.sleep(PAUSES[min(looks, len(PAUSES) - 1)])
        looks += 1


def _fetched(here: Here, found: Json, folder: Path, formats: Sequence[str]) -> None:
    files = [one for one in found["files"] if not formats or one["format"] in formats]
    if not files:
        known = ", ".join(sorted({one["format"] for one in found["files"]}))
        raise Usage("It has no such file.", hint=f"Its formats are {known}.", field="--format")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Problem(f"{folder} cannot be made: {error.strerror}.", field="--output") from None
    got = []
    with here.show.progress("Fetching", sum(one["size_bytes"] for one in files)) as ticks:
        for one in files:
            where = f"reports/{found['id']}/files/{quote(one['name'])}"
            place = inside(folder, one["name"])
            got.append(fetch(here.connection, where, place, digest=one["sha256"], ticks=ticks, told=here.show.note))
    if here.show.as_json:
        told = [{"file": str(one.path), "size_bytes": one.size_bytes, "sha256": one.digest} for one in got]
        here.show.json({"id": found["id"], "digest": found["digest"], "files": told})
        return
    for file in got:
        here.show.line(str(file.path))


def _file(file: Json) -> Json:
    return {"name": file["name"], "size": size(file["size_bytes"]), "sha256": file["sha256"]}


for one in (request, listed, status, fetched):
    report.add_command(one)
