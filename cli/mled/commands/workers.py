"""workers: who does jobs, and how long they wait for one."""

from __future__ import annotations

from typing import Any

import click

from mled.here import Here, command
from mled.printing import moment_of

Json = dict[str, Any]
COLUMNS = ("name", "state", "busy", "slots", "queues", "executor", "version", "seen", "error")
QUEUES = ("queue", "waiting", "under way", "slots", "workers", "usual wait")


@command("workers")
@click.option("--queues", is_flag=True, help="The queues instead, with how many wait and how long.")
@click.option("--site", is_flag=True, help="Of the whole site, for who keeps it; else as --project sees them.")
def workers(here: Here, queues: bool, site: bool) -> None:
    """List the workers that do jobs, or the queues that they serve."""
    where = "" if site else f"projects/{here.project}/"
    rows: list[Json] = here.connection.get(f"{where}queues/" if queues else f"{where}workers/")
    if here.show.as_json:
        here.show.json(rows)
    elif queues:
        here.show.table([_queue(one) for one in rows], QUEUES, empty="No queue has a job or a worker.")
    else:
        empty = "No worker. `manage.py runner` on a machine of the server is one; see docs/workers.md."
        here.show.table([_worker(one) for one in rows], COLUMNS, whole=False, empty=empty)


def _worker(row: Json) -> Json:
    one = row["worker"]
    said = {"queues": ", ".join(one["queues"]), "seen": moment_of(one["seen_at"]), "error": one["last_error"]}
    return {**one, **said, "state": row["state"], "busy": row["busy"]}


def _queue(row: Json) -> Json:
    wait = row["usual_wait_seconds"]
    return {
        "queue": row["name"],
        "waiting": row["waiting"],
        "under way": row["under_way"],
        "slots": row["slots"],
        "workers": ", ".join(row["workers"]),
        "usual wait": None if wait is None else f"{wait:,.0f} s",
    }
