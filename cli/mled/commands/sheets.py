"""import: many past experiments from a CSV or XLSX file."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import click

from mled.here import Here, command
from mled.printing import is_terminal
from mled.problems import Problem, Usage
from mled.records import pairs_of
from mled.uploads import size_of

UNDER_WAY: Final = ("reading", "checking", "importing", "undoing")
PAUSES: Final = (0.2, 0.5, 1.0, 2.0)
SHOWN: Final = 50  # rows with errors
DATES: Final = ("iso", "dmy", "mdy")
Json = dict[str, Any]


@command("import")
@click.argument("file", default="", metavar="[FILE.csv|FILE.xlsx]")
@click.option("--sheet", default="", metavar="NAME", help="Which sheet of the workbook; the first one without it.")
@click.option(
    "--map", "mapped", multiple=True, metavar="COLUMN=TARGET", help="Such as 'Acc=result:acc'; several times."
)
@click.option("--default", "defaults", multiple=True, metavar="FIELD=VALUE", help="For all rows: experiment=old, …")
@click.option("--dates", type=click.Choice(DATES), help="How days are written, where that is not plain.")
@click.option("--zone", default="", help="Of times without one, such as Europe/Berlin.")
@click.option("--decimal-comma", is_flag=True, help="0,81 is 0.81.")
@click.option("--dry-run", is_flag=True, help="Check every row; record nothing.")
@click.option("--leave-out", is_flag=True, help="Record the rows that are right, and leave out the others.")
@click.option("--continue", "known", default="", metavar="ID", help="Go on with a sheet that was sent already.")
@click.option("--undo", default="", metavar="ID", help="Take back a whole import.")
def import_sheet(
    here: Here,
    file: str,
    sheet: str,
    dry_run: bool,
    leave_out: bool,
    known: str,
    undo: str,
    **reading: Any,
) -> None:
    """Import past experiments from a spreadsheet.

    A row for each. Columns find their place by their names; --map says it where they do not: experiment, name,
    architecture, dataset, started, ended, duration, status, email, note, param:NAME, result:NAME, tag:NAME, ignore.
    Every row is checked before any is recorded. --undo ID takes a whole import back.
    """
    if [bool(file), bool(known), bool(undo)].count(True) != 1:
        raise Usage("Which sheet?", hint="mled import FILE.csv, or --continue ID, or --undo ID.")
    if undo:
        _tell(here, _waited(here, here.connection.post(_at(here, undo, "undo/"))))
        return
    begun = here.connection.get(_at(here, known)) if known else _brought(here, Path(file))
    is_kept = bool(known) or not dry_run
    again = f"--continue {begun['id']}" if is_kept else shlex.quote(file)
    try:
        found = _checked(here, begun, sheet, reading, again)
        if dry_run or (found["rows"]["wrong"] and not leave_out and found["state"] == "checked"):
            _tell(here, found, is_kept=is_kept)
            _refuse_wrong(found, again)
            return
    finally:
        if not is_kept:
            _forgotten(here, begun)
    if found["state"] in ("checked", "stopped"):
        found = _waited(here, here.connection.post(_at(here, found["id"], "import/"), {"leave_out": leave_out}))
    _tell(here, found)


def _forgotten(here: Here, begun: Json) -> None:
    """It was only looked at: nothing of it shall wait on the project's page."""
    try:
        here.connection.delete(_at(here, begun["id"]))
    except Problem:
        here.show.note(f"It is still being looked at, and stays on the project's page: {begun['id']}")


def _checked(here: Here, begun: Json, sheet: str, reading: Json, again: str) -> Json:
    """The sheet with each of its rows looked at. again: how the command goes on. Raises Problem."""
    found = _waited(here, begun, is_last=not sheet)
    if sheet:
        found = _waited(here, here.connection.patch(_at(here, found["id"]), {"worksheet": sheet}))
    found = _mapped(here, found, reading)
    _refuse_gaps(here, found, again)
    if found["state"] == "ready":
        found = _waited(here, _by_flag(found, lambda: here.connection.post(_at(here, found["id"], "check/"))))
    if found["rows"]["wrong"]:
        _tell_rows(here, found)
    return found


def _refuse_wrong(found: Json, again: str) -> None:
    """Raise Problem where rows cannot be imported."""
    wrong = found["rows"]["wrong"]
    if not wrong:
        return
    hint = "Correct the file, or say with --map and --default how to read it."
    if found["rows"]["right"]:
        hint = f"Correct them, or leave them out: mled import {again} --leave-out"
    raise Problem(f"{wrong} of {found['row_count']} rows cannot be imported as they are.", hint=hint)


def _at(here: Here, sheet: str, act: str = "") -> str:
    return f"projects/{here.project}/sheets/{quote(sheet, safe='')}/{act}"


def _brought(here: Here, file: Path) -> Json:
    if not file.is_file():
        raise Usage(f"There is no file {file}.", hint="Check its path.", field="FILE")
    with here.show.progress(f"Sending {file.name}", size_of(file)) as ticks:
        upload = here.client.upload(file, project=here.project, ticks=ticks)
    made = here.connection.post(f"projects/{here.project}/sheets/", {"upload": upload, "name": file.name[:200]})
    return dict(here.connection.get(_at(here, made["id"])))


def _waited(here: Here, found: Json, *, is_last: bool = True) -> Json:
    """The sheet once nobody works on it. Raises Problem where that failed, unless another sheet comes next."""
    looks, told = 0, ""
    try:
        while found["state"] in UNDER_WAY:
            if found["state"] != told:
                told = found["state"]
                here.show.note(f"{told.capitalize()} {found['name']}")
            time.sleep(PAUSES[min(looks, len(PAUSES) - 1)])
            looks += 1
            found = here.connection.get(_at(here, found["id"]))
    except KeyboardInterrupt:
        here.show.note(f"It goes on at the server: mled import --continue {found['id']}")
        raise
    if found["failure"] and (is_last or not found["worksheets"]):
        names = ", ".join(f"'{name}'" for name in found["worksheets"][:30])
        others = f"Or take another sheet with --sheet: the workbook has {names}." if names else ""
        raise Problem(found["failure"], hint=others)
    return found


def _mapped(here: Here, found: Json, reading: Json) -> Json:
    """The sheet with what was said of its columns."""
    change: Json = {name: reading[name] for name in ("zone", "decimal_comma") if reading[name]}
    if reading["dates"]:
        change["dates"] = reading["dates"]
    if reading["defaults"]:
        change["defaults"] = {**found["mapping"]["defaults"], **pairs_of(reading["defaults"], "--default")}
    if reading["mapped"]:
        columns = list(found["mapping"]["columns"])
        for said in reading["mapped"]:
            name, _, target = said.rpartition("=")
            if name not in found["header"]:
                known = ", ".join(f"'{column}'" for column in found["header"][:30])
                raise Usage(f"The sheet has no column '{name[:80]}'.", hint=f"It has {known}.", field="--map")
            columns[found["header"].index(name)] = target
        change["columns"] = columns
    return _by_flag(found, lambda: here.connection.patch(_at(here, found["id"]), change)) if change else found


def _refuse_gaps(here: Here, found: Json, again: str) -> None:
    """Raise Problem, beside where each column goes, for what has to be said before rows can be checked."""
    if not found["missing"]:
        return
    if not here.show.as_json:
        rows = zip(found["header"], found["mapping"]["columns"], strict=False)
        here.show.table([{"column": name, "goes to": target} for name, target in rows], ["column", "goes to"])
    raise Problem(
        "The columns do not say all of it.",
        hint=f"Add --map or --default: mled import {again} --default experiment=old …",
        problems=[{**one, "field": _flag(one["field"], found["header"])} for one in found["missing"]],
    )


def _by_flag(found: Json, call: Callable[[], Any]) -> Json:
    """What a call answers. Raises Problem that names flags, for what is wrong with columns and with defaults."""
    try:
        return dict(call())
    except Problem as problem:
        problem.problems = [{**one, "field": _flag(one["field"], found["header"])} for one in problem.problems]
        problem.field = _flag(problem.field, found["header"])
        raise


def _flag(field: str, header: Sequence[str]) -> str:
    """How a gap is filled on the command line."""
    if field.startswith("defaults."):
        return f"--default {field.removeprefix('defaults.')}=…"
    place = re.fullmatch(r"columns\[(\d+)\]", field)
    return f"--map '{header[int(place[1])]}=…'" if place and int(place[1]) < len(header) else field


def _tell_rows(here: Here, found: Json) -> None:
    """What is wrong, row by row."""
    if here.show.as_json:
        return
    rows = here.connection.get(_at(here, found["id"], "rows/"), {"state": "wrong", "limit": SHOWN})["results"]
    shown = [
        {
            "row": row["number"],
            "column": found["header"][one["column"]] if one["column"] is not None else one["field"],
            "what": one["what"],
            "next": one["next"],
        }
        for row in rows
        for one in row["problems"]
    ]
    here.show.table(shown, ["row", "column", "what", "next"])
    if found["rows"]["wrong"] > len(rows):
        here.show.note(f"… and {found['rows']['wrong'] - len(rows)} more rows.")


def _tell(here: Here, found: Json, *, is_kept: bool = True) -> None:
    """Where it stands; with its page, where it has one still."""
    address = f"{here.place.url}/p/{here.project}/sheets/{found['id']}/"
    if here.show.as_json:
        here.show.json(found)
        return
    rows = {name: number for name, number in found["rows"].items() if number}
    here.show.record({"id": found["id"], "state": found["state"], **rows})
    if is_terminal() and is_kept:
        here.show.note(address)
    if found["state"] == "done":
        here.show.note(f"mled import --undo {found['id']} takes it back.")
