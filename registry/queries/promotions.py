"""Reading promotions: what is open, one with its signature, those of a version, and whether one may decide."""

import uuid

from django.db.models import Q, QuerySet

from accounts.access import Allowed, Denied, can
from accounts.models import Project
from accounts.signing import SignatureState, state_of
from kernel.actor import Actor
from kernel.errors import NotFound
from registry.models import ModelVersion, PromotionRequest, RegisteredModel
from registry.promoting.makers import DECIDE
from registry.promoting.record import record_of

_WITH_ITS_PLACE = (
    "model__project", "version__model__project", "version__run", "version__logged_model__source_run", "from_version",
    "created_by", "decided_by", "signature",
)  # fmt: skip


def open_promotions(viewer: Actor, project: Project) -> QuerySet[PromotionRequest]:
    """What waits for a decision, or for the log to cover one; the oldest first."""
    state = PromotionRequest.State
    waits = Q(state=state.ASKED) | Q(state=state.APPROVED, effective_at=None, lapsed_at=None)
    return promotions_in(viewer, project).filter(waits).order_by("created_at", "pk")


def promotions_in(viewer: Actor, project: Project) -> QuerySet[PromotionRequest]:
    """All promotions of a project, the newest first."""
    rows: QuerySet[PromotionRequest] = PromotionRequest.objects.visible_to(viewer)
    return rows.filter(model__project=project).select_related(*_WITH_ITS_PLACE).order_by("-created_at", "pk")


def promotions_of(viewer: Actor, version: ModelVersion) -> QuerySet[PromotionRequest]:
    """The promotions of one version, the newest first."""
    rows: QuerySet[PromotionRequest] = PromotionRequest.objects.visible_to(viewer)
    return rows.filter(version=version).select_related(*_WITH_ITS_PLACE).order_by("-created_at", "pk")


def promotions_in_effect(viewer: Actor, model: RegisteredModel) -> dict[tuple[str, int], PromotionRequest]:
    """By alias and version: the last promotion that put the alias of the model on the version."""
    rows: QuerySet[PromotionRequest] = PromotionRequest.objects.visible_to(viewer)
    rows = rows.filter(model=model, kind=PromotionRequest.Kind.ALIAS, effective_at__isnull=False)
    return {(one.target, one.version_id): one for one in rows.order_by("effective_at", "pk")}


def get_promotion(viewer: Actor, promotion_id: uuid.UUID | str) -> PromotionRequest:
    """One promotion. Raises NotFound."""
    rows: QuerySet[PromotionRequest] = PromotionRequest.objects.visible_to(viewer)
    try:
        found = rows.filter(pk=uuid.UUID(str(promotion_id))).select_related(*_WITH_ITS_PLACE).first()
    except ValueError:
        found = None
    if found is None:
        raise NotFound("No such promotion was found.")
    return found


def may_decide(viewer: Actor, request: PromotionRequest) -> Allowed | Denied:
    """Whether the viewer may approve or reject it; a Denied says why not (role, or a hand in the version)."""
    return can(viewer, DECIDE, request)


def signature_state(viewer: Actor, request: PromotionRequest) -> SignatureState | None:
    """Whether the record is still as it was signed, and the log covers the signature; None while nobody has signed."""
    found = get_promotion(viewer, request.pk)
    return state_of(found.signature, record_of(found)) if found.signature is not None else None


def promotions_to_carry_out(viewer: Actor) -> QuerySet[PromotionRequest]:
    """Approved ones that have not taken effect yet, in the order of their decisions."""
    rows: QuerySet[PromotionRequest] = PromotionRequest.objects.visible_to(viewer)
    waits = rows.filter(state=PromotionRequest.State.APPROVED, effective_at=None, lapsed_at=None)
    return waits.select_related(*_WITH_ITS_PLACE).order_by("decided_at", "pk")
