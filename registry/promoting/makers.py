"""Who had a hand in a version, so that somebody else decides about it (four eyes)."""

from collections.abc import Iterator, Mapping
from uuid import UUID

from django.db.models import Q

from accounts.models import User
from accounts.queries.people import people_who
from accounts.roles import PERMISSIONS, roles_with
from audit.ledger.models import AuditEvent
from audit.ledger.values import Subject
from experiments.models import Run
from experiments.work import BESIDE
from kernel.actor import Actor
from kernel.errors import MledError, Refused
from registry.models import CardText, ModelVersion, PromotionRequest

DECIDE = "registry.decide_promotion"

# Acts on a run, model or version that leave its content alone: whoever did no more has no hand in it.
NOT_WORK = BESIDE | frozenset(
    {
        "registry.set_alias",
        "registry.delete_alias",
        "registry.transition_stage",
        "registry.ask_promotion",
        "registry.decide_promotion",
        "registry.withdraw_promotion",
        "registry.carry_out_promotion",
    }
)
REVIEWING = "compliance."  # begins acts of review; who amends a run is its author anyway


def source_runs(version: ModelVersion) -> list[Run]:
    """The runs behind a version: its own, and the one that made its logged model."""
    made_by = version.logged_model.source_run if version.logged_model is not None else None
    found = {run.pk: run for run in (version.run, made_by) if run is not None}
    return list(found.values())


def makers_of(version: ModelVersion) -> dict[UUID, str]:
    """Everybody who made the version or worked on what is behind it: user id -> how, as in "You created run VIS-1"."""
    makers: dict[UUID, str] = {}
    for user_id, how in _authors(version):
        if user_id is not None:
            makers.setdefault(user_id, how)
    for subject, name in _works(version):
        for user_id in _workers(subject):
            makers.setdefault(user_id, f"worked on {name}")
    return makers


def _authors(version: ModelVersion) -> Iterator[tuple[UUID | None, str]]:
    for run in source_runs(version):
        yield run.created_by_id, f"created run {run.readable_id}"
    if version.logged_model is not None:
        yield version.logged_model.created_by_id, f"logged model {version.logged_model.name}"
        for run in _measuring_runs(version):
            yield run.created_by_id, f"measured the model in run {run.readable_id}"
    yield version.created_by_id, f"registered version {version.number}"


def _measuring_runs(version: ModelVersion) -> list[Run]:
    """The runs whose metrics of the model are part of what is decided about."""
    runs = Run.objects.filter(model_metrics__model=version.logged_model).select_related("project")
    return list(runs.order_by("pk").distinct())


def _works(version: ModelVersion) -> Iterator[tuple[Subject, str]]:
    for run in source_runs(version):
        yield run.ledger_subject, f"run {run.readable_id}"
    if version.logged_model is not None:
        yield version.logged_model.ledger_subject, f"logged model {version.logged_model.name}"
    yield version.ledger_subject, f"version {version.number}"
    for text in CardText.objects.filter(version=version):
        yield text.ledger_subject, f"the model card of version {version.number}"


def _workers(subject: Subject) -> list[UUID]:
    """Who changed this, says the ledger."""
    events = AuditEvent.objects.filter(subject_type=subject.kind, subject_id=subject.id, outcome="done")
    people = events.exclude(Q(verb__in=NOT_WORK) | Q(verb__startswith=REVIEWING) | Q(actor_id=None))
    found = people.order_by().values_list("actor_id", flat=True).distinct()
    return [user_id for user_id in found if user_id is not None]


def who_may_decide(version: ModelVersion, asker_id: UUID | None, makers: Mapping[UUID, str]) -> list[User]:
    """The deciders who have no hand in the version and did not ask."""
    barred = {*makers, asker_id}
    return [user for user in people_who(DECIDE, version.model.project) if user.pk not in barred]


def refuse_makers(actor: Actor, permission: str, request: PromotionRequest) -> MledError | None:
    """Four eyes: what somebody who asked for a promotion, or had a hand in the version, is told when deciding."""
    if permission != DECIDE or not actor.is_person or actor.user_id is None:
        return None
    if request.created_by_id == actor.user_id:
        return Refused("You asked for this promotion, so somebody else decides about it.", hint=_whom_to_ask(request))
    how = makers_of(request.version).get(actor.user_id)
    if how is None:
        return None
    return Refused(f"You {how}, so somebody else decides about it.", hint=_whom_to_ask(request))


def _whom_to_ask(request: PromotionRequest) -> str:
    able = who_may_decide(request.version, request.created_by_id, makers_of(request.version))
    if not able:
        roles = " or ".join(role.label for role in roles_with(PERMISSIONS[DECIDE].name))
        return f"Nobody in the project can: add another {roles}."
    names = ", ".join(str(user) for user in able[:3]) + (" and others" if len(able) > 3 else "")
    return f"Ask {names}."
