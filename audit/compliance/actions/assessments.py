"""Asking the rules about a run."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the rules say of a run, read before the act that keeps it: reading holds no lock, however long it takes."""

    record: Record
    rows: list[dict[str, Any]]
    began: dt.datetime


def judgement_of(run: Run) -> Judgement:
    """Ask every rule of the project's profile about a run."""
    began, record = now(), Record(run)
    return Judgement(record, as_rows(judge(record)), began)


@action("compliance.assess", on="run")
def assess_run(actor: Actor, run: Run, *, judgement: Judgement | None = None) -> Assessment:
    """Keep what the rules say where any result is another than before.

    judgement: of this run, asked before the act. Gives the assessment that holds now; the same as before, without an
    event, where nothing changed.
    """
    asked = judgement or judgement_of(run)
    profile, rows = asked.record.profile, asked.rows
    digest, profile_digest = digest_of_rows(rows), digest_of(profile, asked.record.copy)
    standing, _ = RunStanding.objects.select_for_update(no_key=True).get_or_create(run=run)
    newest = standing.assessment
    if newest is None or (newest.digest, newest.profile_digest) != (digest, profile_digest):
        newest = Assessment(
            run=run,
            profile=profile.name,
            profile_version=profile.version,
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
    _stand(standing, newest, asked.began)
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
