"""Promotions and webhooks as part of the random walk through every action."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from accounts.actions.governance import govern_project
from accounts.models import Project
from accounts.roles import Role
from kernel.actor import Actor, operator
from registry.actions import promotions, webhooks
from registry.models import Delivery, PromotionRequest, Webhook
from registry.webhooks.secrets import new_secret
from tests.factories import a_person, a_project, unique
from tests.registry.promoting import a_candidate, log_goes_on, proof_of, with_password


def _governed(walk: Any) -> Project:
    return _govern(Project.objects.get(pk=walk.team.project.pk))


def _govern(project: Project) -> Project:
    return govern_project(operator(), project, is_governed=True, protected_names=["champion", "production"])


def _ask(walk: Any) -> PromotionRequest:
    version = a_candidate(operator(), _governed(walk))
    kind, target = walk.chance.choice((("alias", "champion"), ("stage", "Production")))
    return promotions.ask_promotion(operator(), version, kind=kind, target=target, comment=walk.text()[:100])


def _manager() -> Actor:
    return with_password(a_person("Mona", site_role=Role.PROJECT_MANAGER))


def _whole_way(walk: Any) -> None:
    """carry_out_promotion: the log covers what was signed, and no other move adds gates. Once in a walk."""
    if getattr(walk, "has_promoted", False):
        return
    walk.has_promoted = True
    version = a_candidate(operator(), _govern(a_project(unique("governed"))))
    request = promotions.ask_promotion(operator(), version, kind="alias", target="champion", comment="Better.")
    manager = _manager()
    log_goes_on()
    promotions.decide_promotion(manager, request, approve=True, comment="Checked.", proof=proof_of(manager))
    log_goes_on()


def _decide(walk: Any, *, approve: bool) -> PromotionRequest:
    _governed(walk)
    request = walk.chance.choice(list(PromotionRequest.objects.filter(state="asked")))
    manager = _manager()
    return promotions.decide_promotion(
        manager, request, approve=approve, comment=f"So: {walk.text()[:100]}", proof=proof_of(manager)
    )


PROMOTIONS: list[Callable[[Any], Any]] = [
    _ask,
    _whole_way,
    lambda w: _decide(w, approve=True),
    lambda w: _decide(w, approve=False),
    lambda w: promotions.withdraw_promotion(
        operator(), w.any(PromotionRequest, state="asked", created_by=None), reason=w.text()[:100]
    ),
    lambda w: webhooks.create_webhook(
        w.who(), w.team.project, url=f"https://{unique('ci')}.example.org/", secret=new_secret()
    ),
    lambda w: webhooks.edit_webhook(w.who(), w.any(Webhook), events=["alias.set"], is_active=w.chance.random() < 0.8),
    lambda w: webhooks.rotate_secret(w.who(), w.any(Webhook), secret=new_secret()),
    lambda w: webhooks.ping_webhook(w.who(), w.any(Webhook)),
    lambda w: webhooks.resend_delivery(w.who(), w.any(Delivery)),
]
