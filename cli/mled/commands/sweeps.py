"""sweep, sweeps: many runs of one thing with other parameters, on the server's workers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

import click

from mled.here import Here, command
from mled.printing import moment_of
from mled.problems import Problem, Told, Usage
from mled.records import pairs_of
from mled.wanted import asked_again, seconds_of, wanted_of, what_to_run

Json = dict[str, Any]
PAUSE: Final = 2.0  # seconds between looks
COLUMNS: Final = ("id", "sweep", "name", "state", "runs", "requested", "by")


@command("sweep")
@click.option("--over", multiple=True, metavar="KEY=VALUES", help="lr=0.1,0.01 or lr='1e-4..0.1 log' or depth=2..12.")
@click.option("--runs", type=click.IntRange(min=1), default=None, help="Draw so many at random; of a grid, at most.")
@click.option("--random", "is_random", is_flag=True, help="Draw --runs of them rather than taking each.")
@click.option("--at-once", type=click.IntRange(min=1), default=None, help="Under way at the same time.")
@click.option("--budget", default="", metavar="8h", help="Time of all runs together; none begins after that.")
@click.option("--metric", default="", help="By which the best is told.")
@click.option(
    "--goal", type=click.Choice(["max", "min"]), default=None, help="Which is better; else as the project says."
)
@click.option("--draw-seed", type=int, default=0, help="Of what is drawn.")
@click.option("--wait", is_flag=True, help="Until it is over; exit code 0 where a run finished.")
@what_to_run
def sweep(
    here: Here,
    over: Sequence[str],
    runs: int | None,
    is_random: bool,
    at_once: int | None,
    budget: str,
    metric: str,
    goal: str | None,
    draw_seed: int,
    wait: bool,
    **said: Any,
) -> None:
    """Run many variants of an experiment on the server's workers, below one parent run.

    \b
    mled sweep --over lr=0.1,0.01 --over depth=2,4,8 --metric accuracy -- python train.py --lr {lr} --depth {depth}
    mled sweep --random --runs 20 --over 'lr=1e-4..0.1 log' --at-once 4 -- python train.py --lr {lr}

    The other options are those of `mled launch`. How many runs it is, and each of their values, is checked before any
    of them begins.
    """
    wrong = Told()
    space, seconds_max = dict[str, str](), None
    with wrong:
        space = pairs_of(over, "--over")
        if not space:
            raise Usage("Which parameters change?", hint="--over lr=0.1,0.01", field="--over")
    with wrong:
        seconds_max = seconds_of(budget, "--budget")
    wanted = {
        **wanted_of(here, said, wrong),
        "space": space,
        "method": "random" if is_random else "grid",
        "jobs_max": runs,
        "at_once": at_once,
        "seconds_max": seconds_max,
        "metric": metric,
        "higher_is_better": None if goal is None else goal == "max",
        "sweep_seed": draw_seed,
    }
    try:
        made = here.connection.post(
            f"projects/{here.project}/sweeps/", {name: one for name, one in wanted.items() if one is not None}
        )
    except Problem as problem:
        raise asked_again(problem) from None
    _told(here, made)
    if wait:
        click.get_current_context().exit(_waited(here, made))


@command("sweeps")
@click.argument("sweep", default="")
@click.option("--stop", is_flag=True, help="Stop it.")
@click.option("--reason", default="", help="Why; it is kept.")
@click.option("--wait", is_flag=True, help="Until it is over; exit code 0 where a run finished.")
def sweeps(here: Here, sweep: str, stop: bool, reason: str, wait: bool) -> None:
    """List the sweeps of --project, or look at one by its id."""
    if not sweep:
        rows = list(here.connection.pages(f"projects/{here.project}/sweeps/"))
        if here.show.as_json:
            here.show.json(rows)
            return
        empty = "No sweep. `mled sweep` begins one."
        here.show.table([_row(one) for one in rows], COLUMNS, whole=False, empty=empty)
        return
    where = f"sweeps/{quote(sweep, safe='')}/"
    if stop:
        here.connection.post(f"{where}stop/", {"reason": reason})
    found = here.connection.get(where)
    if wait:
        click.get_current_context().exit(_waited(here, found))
    _shown(here, found)


def _row(one: Json) -> Json:
    said = {"id": one["readable_id"], "sweep": one["id"], "runs": one["jobs_max"]}
    return {**one, **said, "requested": moment_of(one["created_at"]), "by": one["created_by"]}


def _told(here: Here, made: Json) -> None:
    if here.show.as_json:
        here.show.json(made)
        return
    here.show.record(
        {"id": made["readable_id"], "sweep": made["id"], "runs": made["jobs_max"], "state": made["state"],
         "link": made["link"]}
    )  # fmt: skip


def _shown(here: Here, found: Json) -> None:
    if here.show.as_json:
        here.show.json(found)
        return
    best = found["best"]
    said = f"{best['readable_id']} {found['goal']}={best['value']} ({_point(best)})" if best else None
    counts = ", ".join(f"{number} {state}" for state, number in found["counts"].items())
    here.show.record(
        {"id": found["readable_id"], "sweep": found["id"], "state": found["state"], "runs": found["jobs_max"],
         "counts": counts, "best": said, "ended": found["ended_because"], "link": found["link"]}
    )  # fmt: skip
    goal = found["goal"] or "value"
    rows = [
        {"id": one["readable_id"], "state": one["state"], "values": _point(one), goal: one["value"]}
        for one in found["children"]
    ]
    here.show.table(rows, ("id", "state", "values", goal))


def _point(child: Json) -> str:
    return " ".join(f"{name}={value}" for name, value in child["point"].items())


def _waited(here: Here, begun: Json) -> int:
    """Until it is over. Ctrl+C leaves it to the server."""
    told = ""
    try:
        while True:
            found: Json = here.connection.get(f"sweeps/{begun['id']}/")
            words = ", ".join(f"{number} {state}" for state, number in sorted(found["counts"].items()))
            if words != told:
                here.show.note(f"{found['begun']} of {found['jobs_max']} begun: {words}")
                told = words
            if found["state"] != "running" and not set(found["counts"]) & {"queued", "preparing", "running"}:
                break
            time.sleep(PAUSE)
    except KeyboardInterrupt:
        here.show.note(f"It goes on at the server: mled sweeps {begun['id']} (--stop ends it).")
        raise
    _shown(here, found)
    return 0 if found["counts"].get("finished") else 1
