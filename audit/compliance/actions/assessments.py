"""Asking the rules about a run."""

import datetime as dt

from accounts.decorators import action
from audit.compliance.judging import as_rows, digest_of_rows, judge, results_in, tally_of
from audit.compliance.models import Assessment, RunStanding
from audit.compliance.profile import digest_of
from audit.compliance.rules.record import Record
from audit.ledger.acting import current_act
from audit.ledger.tree import stored_size
from audit.ledger.values import Subject
from experiments.models import Run
from kernel.actor import Actor
from kernel.clock import now

RECORDED_AS = "compliance.assessment"


@action("compliance.assess", on="run")
def assess_run(actor: Actor, run: Run) -> Assessment:
    """Ask every rule of the project's profile about a run, and keep the results where any of them is another.

    Gives the assessment that holds now; the same as before, without an event, where nothing changed.
    """
    began = now()
    record = Record(run)
    rows = as_rows(judge(record))
    digest, profile_digest = digest_of_rows(rows), digest_of(record.profile, record.copy)
    standing, _ = RunStanding.objects.select_for_update(no_key=True).get_or_create(run=run)
    newest = standing.assessment
    if newest is None or (newest.digest, newest.profile_digest) != (digest, profile_digest):
        newest = Assessment(
            run=run,
            profile=record.profile.name,
            profile_version=record.profile.version,
            profile_digest=profile_digest,
            results=rows,
            digest=digest,
            log_size=stored_size(),
            asked_by_id=actor.user_id,
        )
        newest.save(force_insert=True)
        act = current_act()
        act.record(RECORDED_AS, newest.pk.hex, "create", {name: (None, value) for name, value in told(newest).items()})
        act.speaks_of(Subject(RECORDED_AS, newest.pk.hex))
    _stand(standing, newest, began)
    return newest


def told(assessment: Assessment) -> dict[str, object]:
    """What the ledger holds of an assessment: of its results their digest, taken over the rows as they are stored."""
    return {
        "run": assessment.run_id,
        "profile": assessment.profile,
        "profile_version": assessment.profile_version,
        "profile_digest": assessment.profile_digest,
        "results": f"sha256:{digest_of_rows(assessment.results)}",
        "digest": assessment.digest,
        "log_size": assessment.log_size,
        "at": assessment.at,
        "asked_by": assessment.asked_by_id,
    }


def _stand(standing: RunStanding, newest: Assessment, began: dt.datetime) -> None:
    """Quiet: the assessment is on record. What became stale while the rules read stays so."""
    tally = tally_of(results_in(newest.results))
    standing.assessment = newest
    standing.blocking, standing.open, standing.met, standing.of = tally.blocking, tally.open, tally.met, tally.of
    standing.checked_at = now()
    if standing.stale_at is not None and standing.stale_at <= began:
        standing.stale_at = None
    standing.save()
