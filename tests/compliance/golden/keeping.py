"""C, T and X: nothing left out, and there when it is asked for."""

import datetime as dt
from collections.abc import Callable

from audit.compliance.actions.profiles import choose_retention
from audit.compliance.profile import profiles
from audit.compliance.rules.keeping import REHEARSED
from audit.compliance.rules.record import Record
from experiments.models import Run
from experiments.values import RunStatus
from kernel.clock import now
from tests.compliance.golden.cases import FAIL, MISSING, PASS, Case, bare, bare_elsewhere, complete, in_the_log, tagged
from tests.compliance.golden.world import World, a_plain_run, fresh, record_of, verified
from tests.factories import a_run, a_team
from tests.ledger import forger


def without_a_siblings_beginning(world: World, run: Run) -> None:
    siblings = "SELECT uid FROM experiments_run WHERE experiment_id = %s AND id <> %s"
    sibling = forger.rows(siblings, run.experiment_id, run.pk)[0][0]
    made = "UPDATE ledger_auditevent SET verb = 'experiments.none' WHERE subject_id = %s AND verb = %s"
    assert forger.sql(made, getattr(sibling, "hex", sibling), "experiments.create_run")


def ended(status: RunStatus) -> Callable[[World], Run]:
    def make_ended(world: World) -> Run:
        return a_plain_run(world, status=status)

    return make_ended


def kept_one_year(world: World) -> Run:
    team = a_team()
    choose_retention(team.manager, team.project, retention_class="short")
    return fresh(a_run(team.scientist))


def kept_one_year_for_gxp(world: World) -> Record:
    return record_of(kept_one_year(world), profile=profiles()["gxp"])


def after_the_rehearsal(world: World) -> Run:
    return in_the_log(bare(world))


def a_year_later(world: World) -> Record:
    return record_of(world.run, at=now() + dt.timedelta(days=366))


def never_rehearsed(world: World, run: Run) -> None:
    assert forger.sql("DELETE FROM ledger_auditevent WHERE verb = %s", REHEARSED)


def verified_by_its_author(world: World) -> Run:
    run = a_plain_run(world)
    verified(world.team.scientist, run)
    return run


def found_damaged(world: World) -> Run:
    run = bare(world)
    verified(world.team.auditor, run, exit_code=2)
    return run


CASES = [
    Case("C1", PASS, "One of 2 runs of its experiment; 1 did not finish, 0 are deleted", complete),
    Case("C1", FAIL, "The log made 1 runs of this experiment, the table has 2", complete, without_a_siblings_beginning),
    Case("C2", PASS, "Finished", complete),
    Case("C2", FAIL, "It ended as failed", ended(RunStatus.FAILED)),
    Case("C2", MISSING, "It is running", bare),
    Case("T1", PASS, "Ten years", complete),
    Case("T1", FAIL, "365 days; the profile asks for 3,650", kept_one_year),
    Case("T1", MISSING, "No retention class", bare_elsewhere),
    Case("T2", PASS, "At least 3,653 days", complete),
    Case("T2", FAIL, "keeps the log 183 days; the profile asks for 3,650", kept_one_year_for_gxp),
    Case("T2", MISSING, "No retention class", bare_elsewhere),
    Case("T3", PASS, "Rehearsed on", complete),
    Case("T3", FAIL, "holds all work on this run", after_the_rehearsal),
    Case("T3", FAIL, "over a year ago", a_year_later),
    Case("T3", MISSING, "No restore rehearsal", complete, never_rehearsed),
    Case("T4", PASS, "Due on 2099-01-31", complete),
    Case("T4", FAIL, "It was due on 2020-01-01", tagged(mled__review_by="2020-01-01")),
    Case("T4", FAIL, "'soon' is no day", tagged(mled__review_by="soon")),
    Case("T4", MISSING, "No day for the next review", bare),
    Case("X1", PASS, "Verified on", complete),
    Case("X1", FAIL, "The verifier ended with 2", found_damaged),
    Case("X1", MISSING, "No export of it was verified offline.", bare),
    Case("X1", MISSING, "No export of it was verified offline but by who made it.", verified_by_its_author),
]
IMPOSSIBLE = {
    ("C1", "missing"): "the run itself is one of the runs that are counted, so there is always a count",
}
