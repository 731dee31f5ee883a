"""artifacts: files of runs, up and down."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from mled.here import Here, command
from mled.printing import size
from mled.problems import NotFound
from mled.trees import files_below, pull
from mled.uploads import size_of


@click.group("artifacts")
def artifacts() -> None:
    """Files of a run: list, up, down."""


@command("list")
@click.argument("run")
@click.argument("folder", default="")
def listed(here: Here, run: str, folder: str) -> None:
    """List the files of a run, or of a FOLDER in it."""
    files = list(here.client.files(run, folder))
    if here.show.as_json:
        here.show.json(files)
        return
    rows = [{"path": one["path"], "size": size(one["size_bytes"]), "sha256": one["digest"]} for one in files]
    here.show.table(rows, ["path", "size", "sha256"], empty="There is no file. `mled artifacts up` sends some.")


@command("up")
@click.argument("run")
@click.argument("path", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--to", default="", metavar="FOLDER", help="Into this folder of the run.")
def up(here: Here, run: str, path: Sequence[Path], to: str) -> None:
    """Send files, or a folder with all in it, to a run; what is there under the same path is replaced.

    A file that was broken off goes on where it stopped.
    """
    found, files = here.client.run(run), files_below(path)
    folder, put = to.strip("/"), list[dict[str, Any]]()
    with here.show.progress("Sending", sum(size_of(file) for _, file in files)) as ticks:
        for name, file in files:
            there = f"{folder}/{name}" if folder else name
            upload = here.client.upload(file, name=there, project=found["project"], ticks=ticks)
            put.append(here.connection.post(f"runs/{found['id']}/files/", {"upload": upload, "path": there}))
    if here.show.as_json:
        here.show.json(put)
        return
    for one in put:
        here.show.line(one["path"])


@command("down")
@click.argument("run")
@click.argument("path", default="")
@click.option("-o", "--output", default="", metavar="FOLDER", help="Where to; a folder of the run's id, without it.")
def down(here: Here, run: str, path: str, output: str) -> None:
    """Fetch the files of a run, or those at PATH (a file, or a folder of it), each checked against its SHA-256.

    Called again, it goes on: files that are there and right are left alone.
    """
    found, wanted = here.client.run(run), path.strip("/")
    every = list(here.client.files(found["id"]))
    files = [one for one in every if not wanted or one["path"] == wanted or one["path"].startswith(f"{wanted}/")]
    if not files:
        words = (
            f"{found['readable_id']} has nothing at '{path}'." if wanted else f"{found['readable_id']} has no files."
        )
        raise NotFound(words, hint=f"`mled artifacts list {run}` shows what there is.")
    folder = Path(output or found["readable_id"])
    with here.show.progress(f"Fetching {found['readable_id']}", sum(int(one["size_bytes"]) for one in files)) as ticks:
        where = f"runs/{quote(found['id'])}/files/"
        done = pull(here.connection, where, files, folder, ticks=ticks, told=here.show.note)
    if here.show.as_json:
        here.show.json({"folder": str(folder), **vars(done)})
        return
    here.show.line(str(folder))
    here.show.note(
        f"{done.fetched} files fetched, {done.there_before} were there; {size(done.size_bytes)}, all checked."
    )


for one in (listed, up, down):
    artifacts.add_command(one)
