"""H: whether the history is whole, whose it is, and when it was written."""

import time
from unittest import mock

from audit.compliance.actions.reviews import amend_run, submit_run
from experiments.actions.runs import set_tags
from experiments.models import Run
from tests.compliance.golden.cases import (
    FAIL,
    MISSING,
    NOT_APPLICABLE,
    PASS,
    Case,
    an_approved_run,
    an_ended_run,
    an_open_team,
    bare,
    bare_elsewhere,
    by_operator,
    complete,
    in_the_log,
)
from tests.compliance.golden.world import World, a_plain_run, approved, fresh, in_order, trail_read
from tests.factories import STARTED_MS
from tests.ledger import forger


def without_events(world: World, run: Run) -> None:
    assert forger.sql("DELETE FROM ledger_auditevent WHERE subject_id = %s", run.ledger_id)


def with_another_payload(world: World, run: Run) -> None:
    """Past the ledger: what its creation is said to have changed says something else."""
    mine = "SELECT id FROM ledger_auditevent WHERE subject_id = %s"
    changed = f"UPDATE ledger_auditpayload SET body = REPLACE(body, 'data', 'dada') WHERE event_id IN ({mine})"
    assert forger.sql(changed, run.ledger_id)


def entered_years_later(world: World) -> Run:
    return a_plain_run(world, started_ms=STARTED_MS)


def without_a_clients_time(world: World) -> Run:
    return a_plain_run(world, started_ms=None)


def while_the_clock_went_back(world: World) -> Run:
    run = a_plain_run(world)
    with mock.patch("kernel.clock._now", return_value=time.time() - 3600):
        set_tags(world.team.scientist, run, tags={"stage": "draft"})
    return in_the_log(run)


def changed_after_submission(world: World) -> Run:
    team = an_open_team()
    run = an_ended_run(team)
    submit_run(team.scientist, run)
    set_tags(team.scientist, fresh(run), tags={"stage": "late"})
    return run


def amended(world: World) -> Run:
    amend_run(world.team.scientist, world.run, reason="The ward was forgotten.", tags={"ward": "7b"})
    return world.run


def trail_read_afterwards(world: World) -> Run:
    team, run = an_approved_run(with_trail=False)
    trail_read(team)
    in_order()
    return run


def approved_at_second_sight(world: World) -> Run:
    """Approved without the trail, changed, and approved again once an auditor had read it."""
    team, run = an_approved_run(with_trail=False)
    set_tags(team.scientist, run, tags={"stage": "final"})
    in_order()
    approved(team, fresh(run))
    return run


CASES = [
    Case("H1", PASS, "events up to place", complete),
    Case("H1", FAIL, "The log is broken", complete, with_another_payload),
    Case("H1", MISSING, "wait for their place", bare),
    Case("H2", PASS, "people in", complete),
    Case("H2", FAIL, "acts by operator", by_operator),
    Case("H2", MISSING, "No event speaks of this run", complete, without_events),
    Case("H3", PASS, "agree within 24 hours", complete),
    Case("H3", FAIL, "entered later", entered_years_later),
    Case("H3", MISSING, "No client said when", without_a_clients_time),
    Case("H4", PASS, "follow the order of the log", complete),
    Case("H4", FAIL, "the clock went back by", while_the_clock_went_back),
    Case("H4", MISSING, "has a place in the log yet", bare),
    Case("H5", PASS, "1 changes after submission, each with its reason", amended),
    Case("H5", FAIL, "1 changes after submission without a reason: experiments.set_tags", changed_after_submission),
    Case("H5", NOT_APPLICABLE, "not submitted yet", bare),
    Case("H6", PASS, "By Otto on", complete),
    Case("H6", PASS, "By Otto on", approved_at_second_sight),
    Case("H6", FAIL, "only after the approval", trail_read_afterwards),
    Case("H6", MISSING, "No auditor has reviewed", bare_elsewhere),
]
IMPOSSIBLE = {
    ("H5", "missing"): "a change after submission is in the log, with its reason or without; that is met or broken",
}
