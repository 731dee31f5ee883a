"""A promotion with its signature, and a webhook that was told of it: part of `tests.factories.everything`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts.actions.governance import govern_project
from accounts.actions.users import change_password
from accounts.models import Project
from accounts.roles import Role
from accounts.signing import prove
from kernel.actor import Actor, operator
from registry.actions.promotions import ask_promotion, decide_promotion
from registry.actions.webhooks import create_webhook
from registry.models import ModelVersion, PromotionRequest
from registry.webhooks.secrets import new_secret

if TYPE_CHECKING:
    from accounts.models import User


def a_rejected_promotion(actor: Actor, version: ModelVersion, word: str) -> PromotionRequest:
    """Asked by the actor, rejected and signed by a manager of the whole site, told to a webhook.

    The project is governed only for as long as that takes.
    """
    from tests.factories import PASSWORD, a_person, user_of

    project = Project.objects.get(pk=version.model.project_id)
    rules = {"is_governed": project.is_governed, "protected_names": project.protected_names}
    version.model.project = govern_project(operator(), project, is_governed=True, protected_names=[f"{word}-guarded"])
    create_webhook(operator(), project, url=f"https://{word}.example.org/{word}", secret=new_secret())
    request = ask_promotion(actor, version, kind="alias", target=f"{word}-guarded", comment=word)
    manager = a_person("Mona", site_role=Role.PROJECT_MANAGER)
    change_password(manager, password=PASSWORD)
    user: User = user_of(manager)
    proof = prove(manager, PASSWORD, email=user.email)
    decided = decide_promotion(manager, request, approve=False, comment=word, proof=proof)
    govern_project(operator(), project, **rules, reason="As it was.")
    return decided
