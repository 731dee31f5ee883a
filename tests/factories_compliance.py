"""What auditors and managers leave behind: assessments, exceptions, reviews and findings."""

from __future__ import annotations

import io

from accounts.models import Project
from artifacts.blobs import know
from artifacts.storage import blobs
from audit.compliance.actions.assessments import assess_run
from audit.compliance.actions.exceptions import set_not_applicable, waive_rule
from audit.compliance.actions.profiles import change_copy
from audit.compliance.models import (
    AccessReview,
    Draw,
    Finding,
    FindingNote,
    LegalHold,
    Purge,
    Report,
    ReportFile,
    ReportPart,
    Review,
    Tombstone,
    TrailReview,
)
from audit.ledger.acting import acting, current_act
from experiments.actions.runs import create_run, delete_run
from experiments.models import Run
from kernel.actor import Actor, operator, system
from kernel.clock import now


def a_reviewed_run(actor: Actor, project: Project, run: Run, word: str) -> Review:
    """A row in every table of compliance about a run; `word` stands in each text that a person gives."""
    asked = [word]
    names = {"required_params": asked, "required_tags": asked, "required_metrics": asked}
    change_copy(operator(), project, version=0, tolerances={}, **names)
    set_not_applicable(actor, run, rule="D1", reason=word)
    waive_rule(system(), run, rule="V5", reason=word, until=now().date())
    assess_run(actor, run)
    with acting(actor, "compliance.review_everything", project_id=project.pk) as act:
        act.speaks_of(run.ledger_subject)
        review = Review(run=run, number=1, comment=word, state=Review.State.WITHDRAWN)
        review.save()
        finding = Finding(run=run, review=review, kind=Finding.Kind.OTHER, text=word)
        finding.save()
        FindingNote(finding=finding, text=word).save()
        Draw(
            project=project,
            method=Draw.Method.RANDOM,
            question=word,
            population=1,
            population_digest="0" * 64,
            drawn=[],
        ).save()
        TrailReview(project=project, up_to=0, note=word).save()
        _kept_and_reported(project, run, word)
    return review


def _kept_and_reported(project: Project, run: Run, word: str) -> None:
    """Part of an act: a hold that was lifted, a purge that was refused, a report that was stopped, with a file."""
    LegalHold(project=project, run=run, reason=word, lifted_at=now(), lifted_reason=word).save()
    purge = Purge(project=project, runs=[], reason=word, state=Purge.State.REFUSED)
    purge.save()
    gone = create_run(operator(), run.experiment, name=f"{word} run")
    delete_run(operator(), gone)
    Tombstone(run=gone, purge=purge, digest="0" * 64, removed={}).save()
    kept = {"kind": Report.Kind.COMPLIANCE, "scope": Report.Scope.RUN, "subject": run.uid.hex}
    report = Report(project=project, title=word, reason=word, state=Report.State.CANCELLED, **kept)
    report.save()
    ReportPart.objects.create(report=report, number=1, runs=[run.uid.hex])
    stored = blobs().receive(io.BytesIO(word.encode()), limit=1000)
    know(stored)
    ReportFile(
        report=report, name=f"{word}.csv", format="csv", media_type="text/csv", blob_id=stored.digest,
        size_bytes=stored.size_bytes,
    ).save(force_insert=True)  # fmt: skip
    fields = {f"{word}.csv": (None, {"digest": stored.digest, "size_bytes": stored.size_bytes})}
    current_act().record("compliance.reportfile", report.ledger_id, "set", fields)
    AccessReview(project=project, table=[], digest="0" * 64, note=word).save()
