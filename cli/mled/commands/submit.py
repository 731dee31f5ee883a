"""submit, submit-test, submissions: experiments that were run already."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from mled.client import Submitted, named_files
from mled.commands.boards import list_submissions, submit_to_board, test_entry
from mled.commands.runs import COLUMNS, cell, query_line, run_link
from mled.here import Here, command
from mled.printing import is_terminal, nothing
from mled.problems import NotFound, Problem, Told, Usage
from mled.records import Record, merged, pairs_of, read_record, told_by_flag
from mled.uploads import size_of

TEST_TAG = "test-entry"
TEST_EXPERIMENT = "test entries"


@command("submit")
@click.argument("record", default="")
@click.option("--email", default="", help="Whose work it is: a label, no proof.")
@click.option("--name", default="", help="Of the run; without it two words are invented.")
@click.option("--experiment", default="", help="The experiment it belongs to; a new name makes one.")
@click.option("--type", "--architecture", "architecture", default="", help="What kind of model it was.")
@click.option("--param", multiple=True, metavar="KEY=VALUE", help="A hyperparameter; several times.")
@click.option("--result", multiple=True, metavar="KEY=NUMBER", help="A result; several times.")
@click.option("--tag", multiple=True, metavar="KEY=VALUE", help="A tag; several times.")
@click.option("--dataset", default="", metavar="'NAME vN'", help="The version of the catalogue it was trained on.")
@click.option("--data-name", default="", help="In its stead: what other data is called,")
@click.option("--data-digest", default="", help="  what names its content (a SHA-256),")
@click.option("--data-source", default="", help="  and where it lies.")
@click.option("--started", default="", metavar="TIME", help="When it started: 2026-03-02T14:00+01:00; UTC without it.")
@click.option("--ended", default="", metavar="TIME", help="When it ended.")
@click.option("--duration", default="", metavar="1h20m", help="Or how long it took.")
@click.option("--status", default="", help="FINISHED (as it is), FAILED or KILLED.")
@click.option("--notes", default="", help="Markdown; @FILE reads a file.")
@click.option("--file", "files", multiple=True, metavar="[NAME=]PATH", help="A file that goes with it; several times.")
@click.option("--commit", default="", help="The commit of its code.")
@click.option("--command", "command_line", default="", help="The command that ran it.")
@click.option("--container", default="", help="The image it ran in.")
@click.option("--dry-run", is_flag=True, help="Check it and show it; write nothing.")
@click.option("--again", is_flag=True, help="Record it once more, also where the same was recorded before.")
@click.option("--board", default="", metavar="SLUG", help="Give it to a public board instead, with no account.")
@click.option("--claim-token", default="", help="Of that board, if you have one from elsewhere (MLED_CLAIM_TOKEN).")
def submit(
    here: Here,
    record: str,
    files: Sequence[str],
    dry_run: bool,
    again: bool,
    board: str,
    claim_token: str,
    **flags: Any,
) -> None:
    """Record an experiment that is over.

    From flags, from RECORD (a JSON or YAML file, - for stdin), or both. Flags stand over what the record says.
    Everything is checked first; nothing is written until all of it is right. The same submission sent again gives
    the same run. With --board it goes to a public board: email, model (--type), results, params, seed, code, note.
    """
    given = given_of(flags)
    whole = merged(read_record(record) if record else {}, given)
    if board:
        if files or dry_run:
            raise Usage("A board takes no files, and no rehearsal.", field="--file" if files else "--dry-run")
        submit_to_board(here, board, whole, claim_token=claim_token, again=again)
        return
    if not whole and not files:
        raise Usage("Nothing is said of the experiment.", hint="See `mled submit --help`, or pipe a record in: -")
    try:
        named = named_files(_file_names(files))
    except Usage as problem:
        raise told_by_flag(problem, {}, {"files": files}) from None
    if dry_run:
        _rehearsed(here, whole, given, named)
        return
    if named:
        given["files"] = files
    _tell(here, send(here, whole, given, named, again=again))


def given_of(flags: dict[str, Any]) -> Record:
    """What flags say, as fields of a record."""
    names = {"command_line": "command", "notes": "note"} | {f"data_{one}": f"new_dataset.{one}" for one in _DATA}
    given: Record = {names.get(name, name): value for name, value in flags.items() if isinstance(value, str)}
    wrong = Told()
    for group in ("param", "result", "tag"):
        with wrong:
            given[f"{group}s"] = pairs_of(flags.get(group, ()), f"--{group}")
    if given.get("note", "").startswith("@"):
        with wrong:
            given["note"] = _text_of(Path(given["note"][1:]))
    wrong.settle()
    return {name: value for name, value in given.items() if value}


_DATA = ("name", "digest", "source")


def send(
    here: Here, record: Record, given: Record, files: Sequence[tuple[str, Path]] = (), *, again: bool = False
) -> Submitted:
    """Send a record with its files. Raises Problem that names flags."""
    project = here.project
    total = sum(size_of(path) for _, path in files)
    with here.show.progress("Sending files", total) if files else nullcontext(nothing) as ticks:
        try:
            return here.client.submitted(record, project=project, files=dict(files), again=again, ticks=ticks)
        except Problem as problem:
            raise told_by_flag(problem, record, given) from None


def _tell(here: Here, done: Submitted) -> None:
    run, link = done.run, run_link(here, done.run)
    if here.show.as_json:
        here.show.json({**run, "url": link, "repeated": done.repeated})
    elif here.show.quiet:
        here.show.line(run["readable_id"])
    elif is_terminal():
        here.show.line(f"{'Was here already:' if done.repeated else 'Recorded'} {run['readable_id']}  {run['name']}")
        here.show.line(link)
    else:
        here.show.record({"id": run["readable_id"], "run_id": run["id"], "name": run["name"], "url": link})
    if done.repeated:
        here.show.note("The same was recorded before, so nothing was written. --again records it once more.")


def _rehearsed(here: Here, record: Record, given: Record, files: Sequence[tuple[str, Path]]) -> None:
    """What would be sent, on stdout as a record that can be sent. Raises Problem for what is wrong with it."""
    found = here.connection.post(f"projects/{here.project}/recorded-runs/check/", record)["problems"]
    if found:
        several = len(found) > 1
        words = f"{len(found)} fields need another look." if several else found[0]["title"]
        hint = "" if several else found[0]["hint"]
        raise told_by_flag(Problem(words, hint=hint, field=found[0]["field"], problems=found), record, given)
    here.show.json(record)
    for name, path in files:
        here.show.note(f"With {path} as {name}, {size_of(path):,} bytes.")
    here.show.note(f"All of it is right; nothing was sent to {here.project}.")


def _file_names(files: Sequence[str]) -> dict[str, Path]:
    named: dict[str, Path] = {}
    for one in files:
        name, equals, path = one.partition("=")
        if not equals or Path(one).is_file():
            name, path = Path(one).name, one
        if name in named:
            raise Usage(f"Two files are called {name}.", hint="Name one: --file name=path.", field="files")
        named[name] = Path(path)
    return named


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise Usage(f"{path} cannot be read as text.", hint="Check its path.", field="--notes") from None


@command("submit-test")
@click.option("--email", default="", help="The label to submit under; your own address without it.")
@click.option("--remove", is_flag=True, help="Take your test entries away again.")
@click.option("--board", default="", metavar="SLUG", help="On a public board, with no account.")
@click.option("--claim-token", default="", help="Of that board (MLED_CLAIM_TOKEN).")
def submit_test(here: Here, email: str, remove: bool, board: str, claim_token: str) -> None:
    """Write one marked test entry, or take it away again.

    It shows that everything works; --remove takes all such entries of yours away.
    """
    if board:
        test_entry(here, board, email=email, remove=remove, claim_token=claim_token)
        return
    if remove:
        _remove_tests(here, email)
        return
    started = dt.datetime.now(dt.timezone.utc) - dt.timedelta(minutes=1)
    record: Record = {
        "experiment": TEST_EXPERIMENT,
        "name": "test entry",
        "architecture": "none: a test entry",
        "email": email or here.client.me()["email"],
        "started": started.isoformat(timespec="seconds"),
        "duration": "1s",
        "new_dataset": {"name": TEST_EXPERIMENT, "digest": "0" * 64, "source": "none: a test entry"},
        "params": {"seed": 1},
        "results": {"accuracy": 0.5},
        "tags": {TEST_TAG: "true"},
        "note": "A test entry. `mled submit-test --remove` takes it away.",
    }
    _tell(here, send(here, record, {}))


def _remove_tests(here: Here, email: str) -> None:
    found = list(
        here.client.runs(query_line("mine = true", {"tag": [f"{TEST_TAG}=true"], "email": email}), project=here.project)
    )
    for run in found:
        here.connection.post(f"runs/{quote(run['id'])}/delete/", {"reason": "A test entry."})
    if here.show.as_json:
        here.show.json({"removed": [run["readable_id"] for run in found]})
        return
    if not found:
        raise NotFound("There is no test entry of yours.", hint="`mled submit-test` writes one.")
    here.show.line(f"Removed {', '.join(run['readable_id'] for run in found)}.")


@command("submissions")
@click.option("--email", default="", help="The label that they were submitted under.")
@click.option("--board", default="", metavar="SLUG", help="Of a public board.")
@click.option("--mine", is_flag=True, help="Of the board, only your own.")
@click.option("--claim-token", default="", help="Of that board (MLED_CLAIM_TOKEN).")
@click.option(
    "-n", "--limit", default=1000, type=click.IntRange(1, 100_000), show_default=True, help="At most so many."
)
def submissions(here: Here, email: str, board: str, mine: bool, claim_token: str, limit: int) -> None:
    """List what was submitted under an e-mail label.

    Of all that you may read; with --board, the entries of a public board.
    """
    if board:
        list_submissions(here, board, email=email, mine=mine, limit=limit, claim_token=claim_token)
        return
    if not email or mine:
        wrong = Usage("--mine is asked of a board.", hint="Say --board.", field="--mine")
        raise wrong if mine else Usage("Submitted under which label?", hint="Say --email, or --board.", field="--email")
    line = query_line("", {"email": email})
    rows = list(here.client.runs(line, project=here.asked_project, limit=limit))
    if here.show.as_json:
        here.show.json(rows)
        return
    shown = [{column: cell(run, column) for column in COLUMNS} for run in rows]
    here.show.table(shown, COLUMNS, empty=f"Nothing that you may read was submitted as {email}.", whole=False)
