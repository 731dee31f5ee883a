"""What the random walk does with rules: asking them, saying that they do not apply, waiving, choosing profiles."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from accounts.roles import Role
from audit.compliance.actions import (
    access,
    assessments,
    bundles,
    exceptions,
    exports,
    findings,
    profiles,
    rehearsals,
    reviews,
    sampling,
)
from audit.compliance.models import Finding, NotApplicable, ProfileCopy, Review, Waiver
from audit.compliance.profile import profiles as every_profile
from audit.compliance.retention import CLASSES
from experiments.models import Run
from experiments.values import ENDED, RunStatus
from kernel.actor import Actor, operator, system
from kernel.clock import now
from kernel.digests import canonical_json
from tests.factories import a_person, a_run, again
from tests.registry.promoting import proof_of, with_password

RULES = ("D1", "V5", "Z1")


def _until(walk: Any) -> dt.date:
    return now().date() + dt.timedelta(days=walk.chance.choice((-1, 0, 30, 800)))


def _waive(walk: Any) -> None:
    reason = walk.text() or "Seen."
    exceptions.waive_rule(walk.who(), walk.run(), rule=walk.chance.choice(RULES), reason=reason, until=_until(walk))


def _change_copy(walk: Any) -> None:
    copy = ProfileCopy.objects.filter(project=walk.team.project).first()
    version = copy.version if copy and walk.chance.random() < 0.8 else 0
    names = {field: ["lr"] for field in ("required_params", "required_tags", "required_metrics")}
    profiles.change_copy(walk.who(), walk.team.project, version=version, tolerances={"loss": 0.1}, **names)


def _take_back(walk: Any) -> None:
    said = walk.any(NotApplicable)
    exceptions.remove_not_applicable(walk.who(), said.run, rule=said.rule)


def _submit(walk: Any) -> None:
    run = walk.chance.choice(list(Run.objects.filter(status__in=ENDED).order_by("pk")[:6]))
    reviews.submit_run(walk.who(), run, comment=walk.text())


def _decide(walk: Any) -> None:
    compliant = walk.chance.random() < 0.6
    actor = with_password(a_person("Olga", site_role=Role.AUDITOR))
    flags = () if compliant else (findings.Flag("other", walk.text() or "Seen."),)
    given = {"compliant": compliant, "reason": walk.text() or "Seen.", "flags": flags}
    reviews.decide_review(actor, walk.any(Review, state__in=Review.OPEN), proof=proof_of(actor), **given)


def _draw(walk: Any) -> None:
    runs = list(Run.objects.filter(project=walk.team.project).order_by("pk")[:3])
    sampling.draw_sample(_auditor(walk), walk.team.project, method="random", runs=runs, size=1, seed=walk.text())


def _draw_in_vain(walk: Any) -> None:
    """draw_sample, withdraw_drawn: of a run that is not in review yet."""
    run, auditor = a_run(operator(), project=walk.team.project, status=RunStatus.FINISHED), _auditor_of(walk)
    draw = sampling.draw_sample(auditor, walk.team.project, method="random", runs=[run], size=1, seed="s")
    reviews.withdraw_drawn(auditor, Review.objects.get(draw=draw), reason=walk.text() or "Drawn in vain.")


def _manifest(walk: Any) -> bytes:
    return canonical_json({"size": walk.chance.randrange(99), "events": 0})


def _auditor_of(walk: Any) -> Actor:
    """An auditor of the whole site, whose role no other move takes away."""
    if not hasattr(walk, "auditor"):
        walk.auditor = a_person("Olaf", site_role=Role.AUDITOR)
    return again(walk.auditor)


def _auditor(walk: Any) -> Actor:
    """Anybody, or that auditor."""
    return walk.chance.choice((walk.who(), _auditor_of(walk)))


COMPLIANCE: list[Callable[[Any], Any]] = [
    lambda w: assessments.assess_run(w.who(), w.run()),
    lambda w: exceptions.set_not_applicable(w.who(), w.run(), rule=w.chance.choice(RULES), reason=w.text()),
    _take_back,
    _waive,
    lambda w: exceptions.cosign_waiver(_auditor(w), w.any(Waiver, ended_at=None, cosigned_at=None)),
    lambda w: exceptions.end_waiver(w.who(), w.any(Waiver, ended_at=None), reason=w.text()),
    lambda w: profiles.choose_profile(
        w.who(), w.team.project, profile=w.chance.choice([*every_profile(), "none"]), reason=w.text()
    ),
    lambda w: profiles.choose_retention(
        w.who(), w.team.project, retention_class=w.chance.choice([*list(CLASSES)[:3], "none"])
    ),
    _change_copy,
    _submit,
    _submit,
    lambda w: reviews.withdraw_submission(w.who(), w.any(Review, state="submitted").run, reason=w.text()),
    lambda w: reviews.withdraw_drawn(_auditor(w), w.any(Review, draw__isnull=False), reason=w.text()),
    lambda w: reviews.assign_review(_auditor(w), w.any(Review, state__in=Review.OPEN), assigned_to=None, due=_until(w)),
    lambda w: reviews.start_review(_auditor(w), w.any(Review, state__in=Review.OPEN)),
    _decide,
    _decide,
    lambda w: reviews.apply_verdict(system(), w.any(Review)),
    lambda w: reviews.amend_run(w.who(), w.any(Review).run, reason=w.text(), tags=w.pairs()),
    lambda w: findings.open_finding(_auditor(w), w.run(), flag=findings.Flag("other", w.text())),
    lambda w: findings.answer_finding(w.who(), w.any(Finding, state__in=("open", "answered")), text=w.text()),
    lambda w: findings.ask_again(_auditor(w), w.any(Finding, state__in=("open", "answered")), text=w.text()),
    lambda w: findings.close_finding(_auditor(w), w.any(Finding, state__in=("open", "answered")), closure=w.text()),
    _draw,
    _draw_in_vain,
    lambda w: sampling.review_trail(_auditor(w), w.team.project, up_to=w.chance.choice((0, 10**9)), note=w.text()),
    lambda w: access.review_access(_auditor(w), w.team.project, note=w.text()),
    lambda w: rehearsals.record_rehearsal(operator(), log_size=w.chance.choice((0, 1, 9)), note=w.text()),
    lambda w: bundles.seal_bundle(_auditor(w), w.team.project, manifest=_manifest(w), question="{}"),
    lambda w: bundles.record_verification(
        _auditor(w), w.run(), exit_code=w.chance.choice((0, 1, 2, 3)), sha256="ab" * 32, note=w.text()
    ),
    lambda w: exports.export_log(_auditor(w), w.team.project, what=w.text() or "the log"),
]
