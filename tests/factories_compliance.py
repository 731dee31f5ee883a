"""What auditors and managers leave behind: assessments, exceptions, reviews and findings."""

from __future__ import annotations

from accounts.models import Project
from audit.compliance.actions.assessments import assess_run
from audit.compliance.actions.exceptions import set_not_applicable, waive_rule
from audit.compliance.actions.profiles import change_copy
from audit.compliance.models import Draw, Finding, FindingNote, Review, TrailReview
from audit.ledger.acting import acting
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
    return review
