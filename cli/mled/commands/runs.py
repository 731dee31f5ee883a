"""runs, show, open: what is there."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final
from urllib.parse import quote

import click

from mled.here import Here, command
from mled.printing import is_terminal, lasting, moment, size, worded
from mled.problems import Problem, Usage

COLUMNS = ("id", "name", "status", "started", "duration", "user")
_SYSTEM: Final[dict[str, Callable[[dict[str, Any]], Any]]] = {
    "id": lambda run: run["readable_id"],
    "run_id": lambda run: run["id"],
    "project": lambda run: run["project"],
    "name": lambda run: run["name"],
    "status": lambda run: run["status"],
    "experiment": lambda run: run["experiment_name"],
    "user": lambda run: run["user"],
    "started": lambda run: moment(run["started_ms"]),
    "ended": lambda run: moment(run["ended_ms"]),
    "duration": lambda run: lasting(_took(run)),
    "verdict": lambda run: run["review_state"],
    "commit": lambda run: run["git_commit"],
    "source": lambda run: run["source_name"],
}

_STATUSES: Final = ("finished", "failed", "stopped", "running", "queued", "killed", "scheduled")  # as a search has them
_IDENTITY: Final = frozenset({"id", "run_id", "name", "status"})
_SEARCHED: Final = {"duration": "duration_ms", "commit": "git_commit", "source": "script"}  # as a search knows a column
_FIELDS: Final = {"commit": "git_commit", "dataset": "datasets", "claimed": "claimed_user"}  # as it names it in a row
_HELD: Final = re.compile(r"((best|min|max|last)\()?metrics\..|(params|tags)\..")


@command("runs")
@click.argument("query", default="")
@click.option("--status", multiple=True, help="finished, failed, stopped, running, queued; several: any of them.")
@click.option("--experiment", multiple=True, metavar="NAME", help="Of experiments of this name; several: any of them.")
@click.option("--user", default="", metavar="NAME|EMAIL", help="Whose.")
@click.option("--name", default="", metavar="PART", help="With this in its name.")
@click.option("--email", default="", metavar="LABEL", help="Submitted under this e-mail label.")
@click.option("--tag", multiple=True, metavar="KEY[=VALUE]", help="With this tag; several: all of them.")
@click.option("--dataset", default="", metavar="'NAME vN'", help="Trained on this dataset or version.")
@click.option("--since", default="", metavar="TIME|7d", help="Started then or later.")
@click.option("--until", default="", metavar="TIME", help="Started then or earlier.")
@click.option("-s", "--sort", multiple=True, metavar="KEY [DESC]", help="Such as 'metrics.loss' or 'created DESC'.")
@click.option("-c", "--columns", default="", metavar="A,B,…", help="Such as id,name,metrics.loss,params.lr,tags.team.")
@click.option("-n", "--limit", default=20, type=click.IntRange(1, 100_000), show_default=True, help="At most so many.")
@click.option("--deleted", is_flag=True, help="Deleted ones.")
def runs(here: Here, query: str, sort: Sequence[str], columns: str, limit: int, deleted: bool, **filters: Any) -> None:
    """List runs, newest first.

    Those of --project, or of all your projects. QUERY is a line of the query language, such as 'metrics.accuracy >
    0.9 AND params.model = "vit"'; the filters below are joined to it by AND.
    """
    shown = [column.strip() for column in columns.split(",") if column.strip()] or list(COLUMNS)
    _known_columns(shown)
    line = query_line(query, filters)
    lives = "deleted" if deleted else ""
    if any(column not in _SYSTEM for column in shown):
        asked = [_SEARCHED.get(column, column) for column in shown if column not in _IDENTITY]
        found = here.client.search(
            line, columns=asked, project=here.asked_project, order=list(sort), lifecycle=lives, limit=min(limit, 1000)
        )
    else:
        found = here.client.runs(line, project=here.asked_project, order=list(sort), limit=limit, lifecycle=lives)
    rows = list(islice(_pointed(found, "" if here.show.as_json else line), limit))
    if here.show.as_json:
        here.show.json(rows)
        return
    empty = "No run matches." if line else "There is no run yet. `mled submit --help` tells how to record one."
    here.show.table([{column: cell(run, column) for column in shown} for run in rows], shown, empty=empty, whole=False)
    if len(rows) == limit and is_terminal():
        here.show.note(f"The first {limit}; there may be more (--limit).")


def _pointed(found: Iterator[dict[str, Any]], line: str) -> Iterator[dict[str, Any]]:
    """The rows; where the query line has a mistake, the refusal shows the line with a mark below the place.
    line: '' for programs."""
    try:
        yield from found
    except Problem as problem:
        place = re.match(r"Column (\d+)", problem.message)
        if place and line and problem.status == 400:
            problem.message += f"\n  {line}\n  {' ' * (int(place[1]) - 1)}^"
            problem.field = ""
        raise


@command("show")
@click.argument("run")
@click.option("--metric", default="", metavar="NAME", help="Every point of this metric in place of the rest.")
def show(here: Here, run: str, metric: str) -> None:
    """Show one run: params, metrics, tags and files.

    RUN: its id, or its readable id (VIS-123).
    """
    if metric:
        _show_curve(here, run, metric)
        return
    found = here.client.run(run)
    files = list(here.client.files(found["id"]))
    if here.show.as_json:
        here.show.json(found | {"files": files, "url": run_link(here, found)})
        return
    head = {name: _SYSTEM[name](found) for name in _SYSTEM}
    head |= {"locked": found["is_locked"], "link": run_link(here, found)}
    here.show.record({name: value for name, value in head.items() if value not in (None, "")})
    for title, rows in _parts(found, files):
        if rows:
            here.show.line(f"\n{title}" if is_terminal() else f"# {title}")
            here.show.table(rows, list(rows[0]))


@command("open")
@click.argument("run")
@click.option("--print", "only_print", is_flag=True, help="Only print the address.")
def open_run(here: Here, run: str, only_print: bool) -> None:
    """Open a run in the browser, and print its address."""
    address = run_link(here, here.client.run(run))
    here.show.json({"url": address}) if here.show.as_json else here.show.line(address)
    if not only_print and is_terminal():
        click.launch(address)


def _show_curve(here: Here, run: str, metric: str) -> None:
    curve = here.client.curve(run, metric)
    if here.show.as_json:
        here.show.json(curve)
        return
    points = zip(curve["steps"], curve["times_ms"], curve["values"], strict=True)
    rows = [{"step": step, "time": moment(time), "value": value} for step, time, value in points]
    here.show.table(rows, ["step", "time", "value"], empty=f"The run has no point of '{metric}'.")


def _parts(run: dict[str, Any], files: Iterable[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    figures = ("key", "last_value", "last_step", "min_value", "max_value")
    return [
        ("params", [{"param": key, "value": value} for key, value in run["params"].items()]),
        ("metrics", [{name: metric[name] for name in figures} for metric in run["metrics"]]),
        ("tags", [{"tag": key, "value": value} for key, value in run["tags"].items()]),
        ("files", [{"path": one["path"], "size": size(one["size_bytes"]), "sha256": one["digest"]} for one in files]),
    ]


def run_link(here: Here, run: dict[str, Any]) -> str:
    """The address of a run's page."""
    return f"{here.place.url}/r/{quote(run['id'])}"


def cell(run: dict[str, Any], column: str) -> Any:
    """What a column shows of a run, or of a row of a search."""
    if "readable_id" in run:
        return _SYSTEM[column](run)
    if column in ("started", "ended"):
        return moment(run[column])
    if column == "duration":
        return lasting(run["duration_ms"])
    return run[_FIELDS.get(column, column)]


def _known_columns(columns: Sequence[str]) -> None:
    for column in columns:
        if column not in _SYSTEM and column not in _FIELDS and not _HELD.match(column):
            known = ", ".join((*_SYSTEM, "dataset", "claimed"))
            hint = f"Choose of {known}, metrics.…, best(metrics.…), params.…, tags.…"
            raise Usage(f"There is no column '{column[:60]}'.", hint=hint, field="--columns")


def query_line(query: str, filters: dict[str, Any]) -> str:
    """The filters as a line of the query language, joined to the one that was typed."""
    parts = [f"({query})"] if query.strip() else []
    if filters.get("status"):
        parts.append(f"status IN ({_texts(map(_status, filters['status']))})")
    if filters.get("experiment"):
        parts.append(f"experiment IN ({_texts(filters['experiment'])})")
    for name, words in (("user", "user = {}"), ("email", "tags.mled.email = {}"), ("dataset", "data = {}")):
        if filters.get(name):
            said = filters[name].lower() if name == "email" else filters[name]  # as labels are kept
            parts.append(words.format(_text(said)))
    if filters.get("name"):
        parts.append(f"name ILIKE {_text('%' + filters['name'] + '%')}")
    parts += [_tag(tag) for tag in filters.get("tag") or ()]
    for name, sign in (("since", ">="), ("until", "<=")):
        if filters.get(name):
            parts.append(_time(filters[name], sign, f"--{name}"))
    return " AND ".join(parts) if len(parts) != 1 or not query.strip() else query


def _status(said: str) -> str:
    if said.lower() not in _STATUSES:
        near = difflib.get_close_matches(said.lower(), _STATUSES, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Choose of {', '.join(_STATUSES[:5])}."
        raise Usage(f"'{worded(said[:40])}' is no status.", hint=hint, field="--status")
    return said.lower()


def _tag(said: str) -> str:
    key, equals, value = said.partition("=")
    return f"tags.{_key(key)} = {_text(value)}" if equals else f"tag = {_text(key)}"


def _key(key: str) -> str:
    return f"`{key}`" if "`" not in key else '"' + key + '"'


def _time(said: str, sign: str, flag: str) -> str:
    if said[-1:] in "smhdw" and said[:-1].isdigit():
        return f"created {'>' if sign == '>=' else '<'} {said}"
    try:
        dt.datetime.fromisoformat(said.replace("Z", "+00:00"))
    except ValueError:
        hint = "Write 2026-03-02, 2026-03-02T14:00Z, or 7d."
        raise Usage(f"'{worded(said[:40])}' is no time.", hint=hint, field=flag) from None
    return f"created {sign} {_text(said)}"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _texts(values: Iterable[str]) -> str:
    return ", ".join(_text(value) for value in values)


def _took(run: dict[str, Any]) -> int | None:
    return None if run["ended_ms"] is None else int(run["ended_ms"]) - int(run["started_ms"])
