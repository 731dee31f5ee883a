"""recreate: do a recorded run again, and compare."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

import click

from mled.capture.doing import Doing, done
from mled.capture.machine import this_machine
from mled.capture.usage import EVERY
from mled.commands.run import source_tags, tell_begun
from mled.here import Here, command
from mled.problems import Problem, Usage
from mled.recreate.plan import Plan, plan_of
from mled.recreate.there import DIFFERENT, GOOD, asked_there, done_there
from mled.recreate.workplace import Workplace, prepared

REPRODUCES = "mled.reproduces"


@command("recreate")
@click.argument("run", metavar="RUN")
@click.option("--into", type=click.Path(path_type=Path), default=None, help="A new folder to do it in, which stays.")
@click.option("--repository", default="", metavar="ADDRESS", help="Where its code is, if not where the record says.")
@click.option("--as-is", is_flag=True, help="Use the packages that are installed here.")
@click.option("--there", is_flag=True, help="On the server's workers, and wait for the verdict.")
@click.option("--queue", default="", help="With --there: whose workers; else those of then.")
@click.option("--dry-run", is_flag=True, help="Say what can be met and what cannot, and do nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask before its command is run.")
@click.option("--every", default=EVERY, type=click.FloatRange(0.1, 3600), show_default=True, help="Seconds of curves.")
def recreate(
    here: Here,
    run: str,
    into: Path | None,
    repository: str,
    as_is: bool,
    there: bool,
    queue: str,
    dry_run: bool,
    yes: bool,
    every: float,
) -> None:
    """Do RUN again as its record says, and compare what comes out.

    Its commit is checked out into a fresh folder, with what was not committed then; its packages are installed by uv;
    its command is run, as `mled run` does it, and prints to stderr. The new run names the old one. Exit code 0: every
    metric is the same or within the project's tolerance; 1: one is different, nothing could be compared, or it cannot
    be done again.

    Its record is the word of whoever wrote it, and its command runs with your rights: look at what is shown. With
    --there it runs shut off on a worker of the server instead, and nobody is asked.
    """
    if there or queue:
        _refuse_together(into=into, repository=repository, as_is=as_is)
        _on_the_server(here, run, queue, dry_run=dry_run)
    plan = plan_of(here.client, run, this_machine(), repository=repository)
    _tell_plan(here, plan)
    if dry_run:
        if here.show.as_json:
            here.show.json(_as_json(plan))
        click.get_current_context().exit(1 if plan.missing else 0)
    if plan.missing:
        raise Problem("It cannot be done again.", hint=" ".join(plan.missing), field=plan.run["readable_id"])
    if not yes:
        _ask()
    with TemporaryDirectory(prefix="mled-again-") as scratch:
        place = prepared(here.client, plan, into or Path(scratch) / "again", as_is=as_is, told=here.show.note)
        recording, ended = done(
            here.client,
            _doing(plan, place, every),
            begun=lambda one: tell_begun(here, one),
            told=here.show.note,
        )
    compared = here.connection.get(f"runs/{recording.id}/reproductions/")["first"] or {"verdict": None, "metrics": []}
    verdict = compared["verdict"] if ended.status == "FINISHED" else DIFFERENT
    _tell_verdict(here, plan.run, recording.run, compared["metrics"], verdict, ended.code)
    click.get_current_context().exit(0 if verdict in GOOD else 1)


def _refuse_together(**said: Any) -> None:
    named = next((f"--{name.replace('_', '-')}" for name, value in said.items() if value), "")
    if named:
        raise Usage(f"{named} says how it is done here, --there that it is done on the server.", field=named)


def _on_the_server(here: Here, run: str, queue: str, *, dry_run: bool) -> NoReturn:
    """Ends the command, with 0 where it came out the same or within tolerance."""
    if dry_run:
        conditions = asked_there(here, run, queue=queue)
        if here.show.as_json:
            here.show.json(conditions)
        click.get_current_context().exit(1 if conditions["cannot"] else 0)
    job, found, verdict = done_there(here, run, queue=queue)
    first = {"readable_id": found.get("readable_id", run)}
    again = {"id": job["run_id"], "readable_id": job["readable_id"]}
    _tell_verdict(here, first, again, found["metrics"], verdict, int(job["exit_code"] or 0))
    click.get_current_context().exit(0 if verdict in GOOD else 1)


def _ask() -> None:
    """Go on only if somebody looked. Raises Usage where nobody can be asked, Abort."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Usage("Its command would be run with your rights.", hint="Look at it with --dry-run, then say --yes.")
    click.confirm("Run this here, with your rights and your token for MLED?", abort=True, err=True)


def _doing(plan: Plan, place: Workplace, every: float) -> Doing:
    words = place.command(plan.command)
    return Doing(
        project=plan.run["project"],
        words=words,
        folder=place.folder,
        experiment=plan.run["experiment_name"],
        name=f"{plan.run['name']} again"[:250],
        tags={**source_tags(words), REPRODUCES: plan.run["id"]},
        inputs=[_input(one) for one in plan.inputs],
        environment=place.environment(),
        prints_aside=True,
        every=every,
    )


def _input(known: Any) -> dict[str, Any]:
    """A dataset version as it went into the first run."""
    return {
        "name": known["dataset"],
        "digest": known["digest"][:36],
        "source_type": known["source_type"],
        "source": known["source"],
        "context": known["context"],
    }


def _tell_plan(here: Here, plan: Plan) -> None:
    here.show.note(f"{plan.run['readable_id']} {plan.run['name']}, by {plan.run['user'] or 'nobody who is known'}")
    here.show.note(f"  command     {shlex.join(plan.command) or 'none'}")
    here.show.note(f"  code        {plan.commit[:12] or 'none'} of {plan.repository or 'nowhere'}")
    here.show.note(f"  folder      {plan.folder or '.'}")
    here.show.note(f"  not committed then: {'kept as a patch' if plan.has_patch else 'nothing, or not kept'}")
    for line in plan.missing:
        here.show.note(f"Missing. {line}")
    for line in plan.differs:
        here.show.note(f"Not the same. {line}")


def _as_json(plan: Plan) -> dict[str, Any]:
    return {
        "id": plan.run["readable_id"],
        "run_id": plan.run["id"],
        "repository": plan.repository,
        "commit": plan.commit,
        "command": list(plan.command),
        "missing": list(plan.missing),
        "differs": list(plan.differs),
    }


def _tell_verdict(here: Here, first: Any, again: Any, metrics: Sequence[Any], verdict: str | None, code: int) -> None:
    if here.show.as_json:
        ids = {"id": again["readable_id"], "run_id": again["id"], "reproduces": first["readable_id"]}
        here.show.json({**ids, "exit_code": code, "verdict": verdict, "metrics": metrics})
        return
    columns = ["key", "then", "now", "verdict"]
    here.show.table(metrics, columns, empty="The first run measured nothing.")
    words = verdict or "there is nothing to compare"
    here.show.line(f"{again['readable_id']} against {first['readable_id']}: {words}.")
