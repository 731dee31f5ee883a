"""jobs: what runs on the server's workers, or waits for them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any, Final

import click

from mled.following import OPEN, Printed, follow, job_named, state_words
from mled.here import Here, command
from mled.printing import moment_of

Json = dict[str, Any]
STATES: Final = ("open", "queued", "preparing", "running", "finished", "failed", "stopped")
COLUMNS: Final = ("id", "name", "state", "queue", "requested", "by", "worker", "why")


@click.group("jobs")
def jobs() -> None:
    """List, follow, stop and try again what was launched on the server."""


@command("list")
@click.option("--state", multiple=True, type=click.Choice(STATES), help="In this state; several: any of them.")
@click.option("--queue", default="", help="Of this queue.")
@click.option("--mine", is_flag=True, help="That you asked for.")
@click.option("--sweep", default="", metavar="ID", help="Of this sweep.")
@click.option("-n", "--limit", default=20, type=click.IntRange(1, 100_000), show_default=True, help="At most so many.")
def listed(here: Here, state: Sequence[str], queue: str, mine: bool, sweep: str, limit: int) -> None:
    """List the jobs of --project, newest first."""
    asked: Json = {"limit": min(limit, 1000), "state": list(state), "queue": queue, "sweep": sweep}
    asked = {name: value for name, value in asked.items() if value} | ({"mine": "true"} if mine else {})
    rows = list(islice(here.connection.pages(f"projects/{here.project}/jobs/", asked), limit))
    if here.show.as_json:
        here.show.json(rows)
        return
    here.show.table([_row(one) for one in rows], COLUMNS, whole=False, empty="No job. `mled launch` starts one.")


def _row(job: Json) -> Json:
    said = {"id": job["readable_id"], "requested": moment_of(job["created_at"]), "by": job["created_by"]}
    return {**job, **said, "why": job["why"] or job["stage"]}


@command("show")
@click.argument("job")
def show(here: Here, job: str) -> None:
    """Show JOB: its id, or its run's."""
    found = job_named(here, job)
    if here.show.as_json:
        here.show.json(found)
        return
    facts = {
        "id": found["readable_id"],
        "job": found["id"],
        "link": found["link"],
        "state": found["state"],
        "stands": state_words(found) if found["state"] in OPEN else "",
        "why": _why(found),
        "stopped by": found["stop_asked_by"],
        "stop asked": moment_of(found["stop_asked_at"]),
        "exit code": found["exit_code"],
        "worker": found["worker"],
        "queue": found["queue"],
        "requested": moment_of(found["created_at"]),
        "by": found["created_by"],
        "started": moment_of(found["started_at"]),
        "ended": moment_of(found["ended_at"]),
        "command": found["command"],
        "params": found["params"],
        "seed": found["seed"],
    }
    here.show.record({name: value for name, value in facts.items() if value not in (None, "", {})})


def _why(job: Json) -> str:
    """What ended it, or why it is to end; who stopped it stands beside that."""
    return str(job["why"]).removeprefix(f"{job['stop_asked_by']} stopped it.").strip()


@command("stop")
@click.argument("job")
@click.option("--reason", default="", help="Why; it is kept.")
def stop(here: Here, job: str, reason: str) -> None:
    """Stop JOB: one that waits is over at once, one under way as soon as its worker hears of it."""
    found = job_named(here, job)
    told = here.connection.post(f"jobs/{found['id']}/stop/", {"reason": reason})
    if here.show.as_json:
        here.show.json(told)
    elif told["state"] == "stopped":
        here.show.line(f"{told['readable_id']} is stopped.")
    else:
        here.show.line(f"{told['readable_id']} is asked to stop.")


@command("retry")
@click.argument("job")
@click.option("-f", "--follow", "follows", is_flag=True, help="Print what it prints; exit with its exit code.")
def retry(here: Here, job: str, follows: bool) -> None:
    """Try JOB again, which failed or was stopped: the same in a new run."""
    found = job_named(here, job)
    made = here.connection.post(f"jobs/{found['id']}/retry/")
    if here.show.as_json:
        here.show.json(made)
    else:
        here.show.record({"id": made["readable_id"], "job": made["id"], "state": made["state"], "link": made["link"]})
    if follows:
        click.get_current_context().exit(follow(here, made["id"]))


@command("log")
@click.argument("job")
@click.option("-f", "--follow", "follows", is_flag=True, help="Until it is over; exit with its exit code.")
def log(here: Here, job: str, follows: bool) -> None:
    """Print what JOB printed: its stdout to stdout, its stderr to stderr."""
    found = job_named(here, job)
    if follows:
        click.get_current_context().exit(follow(here, found["id"]))
    Printed(here, found["id"]).forward()


for _one in (listed, show, stop, retry, log):
    jobs.add_command(_one)
