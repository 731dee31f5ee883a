"""launch: do an experiment on the server's workers."""

from __future__ import annotations

from typing import Any

import click

from mled.following import follow
from mled.here import Here, command
from mled.problems import Problem
from mled.wanted import asked_again, wanted_of, what_to_run


@command("launch")
@what_to_run
@click.option("--priority", type=int, default=0, help="The higher goes first.")
@click.option("-f", "--follow", "follows", is_flag=True, help="Print what it prints; exit with its exit code.")
def launch(here: Here, priority: int, follows: bool, **said: Any) -> None:
    """Run an experiment on the server's workers.

    \b
    mled launch --param lr=0.1 --data train='icu-vitals v7' -- python train.py --lr {lr}
    mled launch --trainer tabular --param target=died --data train='icu-vitals v7' --follow
    mled launch --repository https://git.example.org/team/code.git --commit SHA -- python train.py

    Without --trainer, --template or --repository the folder you are in is sent: what git would keep, without files
    that commonly hold secrets. It prints the id and the link of the run, which is there at once.
    """
    wanted = wanted_of(here, said)
    if priority:
        wanted["priority"] = priority
    try:
        job = here.connection.post(f"projects/{here.project}/jobs/", wanted)
    except Problem as problem:
        raise asked_again(problem) from None
    if here.show.as_json:
        here.show.json(job)
    elif follows:
        here.show.note(f"{job['readable_id']}  {job['link']}")
    else:
        here.show.record({"id": job["readable_id"], "job": job["id"], "state": job["state"], "link": job["link"]})
    if follows:
        click.get_current_context().exit(follow(here, job["id"]))
