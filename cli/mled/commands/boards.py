"""Public boards: boards, withdraw; and what submit, submissions, download and submit-test do with --board."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import click

from mled.claims import AtBoard, keep_claim, kept_claim
from mled.downloads import Fetched, fetch
from mled.here import Here, command
from mled.printing import moment_of
from mled.problems import NotFound, Problem, Usage
from mled.records import Record

FIELDS: Final = ("email", "model", "results", "params", "seed", "code", "note")
COLUMNS: Final = ("rank", "entry", "model", "by", "result", "submitted")
AT_MOST: Final = 100_000
_MODEL: Final = ("architecture", "name")  # where a record of a project says it
_FLAGS: Final = {"model": "--type", "note": "--notes", "email": "--email"}


@command("boards")
def boards(here: Here) -> None:
    """List the public boards of a server.

    Nobody has to be signed in.
    """
    rows = list(here.connection.pages("boards/"))
    if here.show.as_json:
        here.show.json(rows)
        return
    shown = [
        {
            "board": one["slug"],
            "name": one["name"],
            "task": one["question"],
            "takes entries": "yes" if one["takes_entries"] else "no",
            "yours": "open" if one["reads"] or kept_claim(here.place.url, one["slug"]) else "submit to read",
        }
        for one in rows
    ]
    here.show.table(shown, ("board", "name", "task", "takes entries", "yours"), empty="No board is open there.")


@command("withdraw")
@click.argument("entry", type=click.IntRange(1))
@click.option("--board", required=True, metavar="SLUG", help="The board that it was given to.")
@click.option("--claim-token", default="", help="Of the entry; the one that was kept without it (MLED_CLAIM_TOKEN).")
def withdraw(here: Here, entry: int, board: str, claim_token: str) -> None:
    """Take your entry of a public board back.

    Withdrawing the only one closes the board to you.
    """
    at = AtBoard(here, quote(board), claim_token)
    at.connection().delete(f"{at.path}entries/{entry}/")
    if here.show.as_json:
        here.show.json({"withdrawn": entry})
    else:
        here.show.line(f"Withdrew entry {entry}.")


def submit_to_board(
    here: Here, board: str, record: Record, *, claim_token: str = "", again: bool = False, is_test: bool = False
) -> None:
    """Give an entry, with no account. Raises Problem that names flags, or fields of the record."""
    entry = entry_of(record)
    at = AtBoard(here, quote(board), claim_token)
    at.begin()
    key = uuid.uuid4() if again or not at.secret else _key(at.secret, entry, is_test)
    try:
        made = at.connection().post(f"{at.path}entries/", {**entry, "key": str(key), "is_test": is_test})
    except Problem as problem:
        raise _by_flag(problem) from None
    _tell(here, at, made)


def entry_of(record: Record) -> Record:
    """The entry that a record says. A record of a project says its model as architecture or name. Raises Usage."""
    entry = dict(record)
    for name in _MODEL:
        said = entry.pop(name, "")
        entry["model"] = entry.get("model") or said
    strange = sorted(set(entry) - set(FIELDS))
    if strange:
        raise Usage(
            f"An entry of a board has no '{strange[0]}'.", hint=f"It has {', '.join(FIELDS)}.", field=strange[0]
        )
    return {name: value for name, value in entry.items() if value not in ("", {}, None)}


def _key(secret: str, entry: Mapping[str, Any], is_test: bool) -> uuid.UUID:
    """The same for the same entry of the same contributor: sent again, it is one."""
    said = json.dumps([secret, entry, is_test], sort_keys=True).encode()
    return uuid.UUID(bytes=hashlib.sha256(said).digest()[:16], version=4)


def _tell(here: Here, at: AtBoard, made: Mapping[str, Any]) -> None:
    given = str(made.get("claim_token") or "")
    if given:  # signed in without a part in the project: the server made one
        keep_claim(at.url, at.board, given)
    secret = given or (at.secret if at.is_new else "")
    link = f"{at.url}/boards/{at.board}/"
    if here.show.as_json:
        here.show.json({**made, "claim_token": secret, "url": link})
    elif here.show.quiet:
        here.show.line(str(made["number"]))
    else:
        rank = f", rank {made['rank']}" if made["rank"] else ""
        here.show.line(f"Entry {made['number']} is stored{rank}.")
        here.show.line(link)
        if secret:
            here.show.line(f"Claim token, shown this once and kept here: {secret}")


def _by_flag(problem: Problem) -> Problem:
    told = [{**one, "field": _flag(one.get("field", ""))} for one in problem.problems]
    return type(problem)(
        problem.message,
        hint=problem.hint,
        field=_flag(problem.field),
        code=problem.code,
        status=problem.status,
        request_id=problem.request_id,
        problems=told,
    )


def _flag(field: str) -> str:
    group, _, key = field.partition(".")
    if group in ("params", "results"):
        return f"--{group[:-1]} {key}".strip()
    return _FLAGS.get(field, field)


def entries(here: Here, at: AtBoard, params: Mapping[str, Any], limit: int = AT_MOST) -> Iterator[dict[str, Any]]:
    """The entries that match, the newest first. Raises Problem, for a closed board with what to do."""
    try:
        for place, one in enumerate(at.connection().pages(f"{at.path}entries/", {**params, "limit": 1000})):
            if place == limit:
                return
            yield one
    except Problem as problem:
        raise at.told(problem) from None


def list_submissions(here: Here, board: str, *, email: str, mine: bool, limit: int, claim_token: str) -> None:
    """The entries under an e-mail label, of all that one may read."""
    at = AtBoard(here, quote(board), claim_token)
    asked = {**({"email": email} if email else {}), **({"mine": "true"} if mine else {})}
    rows = list(entries(here, at, asked, limit))
    if here.show.as_json:
        here.show.json(rows)
        return
    key = str(at.connection().get(at.path)["result_key"])
    shown = [
        {
            "rank": one["rank"],
            "entry": one["number"],
            "model": one["model"],
            "by": one["by"],
            "result": one["results"].get(key),
            "submitted": moment_of(one["created_at"]),
        }
        for one in rows
    ]
    here.show.table(shown, COLUMNS, empty="Nothing that you may read matches.", whole=False)


def download_board(here: Here, board: str, target: Path | None, *, kind: str, claim_token: str) -> Fetched:
    """Every entry that one may read as a table."""
    if kind not in ("csv", "jsonl", "json"):
        raise Usage(f"A board gives no {kind}.", hint="Say csv, jsonl or json.", field="--format")
    at = AtBoard(here, quote(board), claim_token)
    try:
        with here.show.progress(f"Downloading {kind}", None) as ticks:
            return fetch(
                at.connection(),
                f"{at.path}entries/export/",
                target,
                params={"format": kind},
                ticks=ticks,
                told=here.show.note,
            )
    except Problem as problem:
        raise at.told(problem) from None


def test_entry(here: Here, board: str, *, email: str, remove: bool, claim_token: str) -> None:
    """Give one marked entry, or withdraw all of one's own."""
    at = AtBoard(here, quote(board), claim_token)
    if not remove:
        at.begin()
        terms = at.connection().get(at.path)
        record: Record = {
            "email": email or "test@example.org",
            "model": "test entry",
            "results": {terms["result_key"]: 0},
            "params": {"seed": 1},
            "note": "A test entry. `mled submit-test --remove` takes it away.",
        }
        submit_to_board(here, board, record, claim_token=claim_token, is_test=True)
        return
    mine = [one for one in _own(here, at) if one["is_test"] and one["state"] != "withdrawn"]
    for one in mine:
        at.connection().delete(f"{at.path}entries/{one['number']}/")
    if here.show.as_json:
        here.show.json({"removed": [one["number"] for one in mine]})
        return
    if not mine:
        raise NotFound("There is no test entry of yours.", hint="`mled submit-test --board` gives one.")
    here.show.line(f"Removed entry {', '.join(str(one['number']) for one in mine)}.")


def _own(here: Here, at: AtBoard) -> Sequence[dict[str, Any]]:
    try:
        return list(entries(here, at, {"mine": "true"}))
    except Problem as problem:
        if problem.code == "SUBMISSION_REQUIRED":
            return []
        raise
