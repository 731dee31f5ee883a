"""Asking that a version carries a protected alias or stage, deciding about it with a signature, and carrying it out.

Locks are taken in one order: the registered model, then the version, then the request, then the logged model and
run behind it, then people.
"""

import dataclasses
from typing import cast
from uuid import UUID

from django.db.models import Q

from accounts.access import require
from accounts.decorators import action
from accounts.models import GroupMember, Membership, User
from accounts.signing import Proof, SignatureState, checked_comment, refuse_unless_in_person, sign, state_of
from kernel.actor import Actor, ActorKind
from kernel.clock import now
from kernel.errors import AlreadyExists, Conflict, Invalid, MledError, Refused, Unavailable
from registry.gates import GateResult, as_json, blocking, checklist
from registry.models import ModelVersion, PromotionRequest, RegisteredModel
from registry.moves import place_alias, place_stage
from registry.promoting import telling
from registry.promoting.carriers import carrier_of, carries
from registry.promoting.makers import DECIDE
from registry.promoting.record import record_of
from registry.promoting.words import meaning_of
from registry.protected import is_protected
from registry.state import held_model, held_version, hold_origin
from registry.values import checked_alias, stage_named

Kind, State = PromotionRequest.Kind, PromotionRequest.State
REJECT_NEEDS = "Say why you reject this; it is kept."
_DONE: dict[str, str] = {State.APPROVED: "approved", State.REJECTED: "rejected", State.WITHDRAWN: "withdrew"}


@action("registry.ask_promotion", on="version")
def ask_promotion(
    actor: Actor, version: ModelVersion, *, kind: str, target: str, comment: str = ""
) -> PromotionRequest:
    """Ask that this version carries a protected alias or stage; who may decide is told.

    kind: 'alias' or 'stage'. Raises Invalid, AlreadyExists, Conflict.
    """
    model = held_model(version.model)
    version = held_version(version)
    target = _checked_target(model, kind, target)
    words = checked_comment(comment)
    _refuse_needless(version, kind, target)
    request = PromotionRequest(
        model=model,
        version=version,
        kind=kind,
        target=target,
        from_version=carrier_of(model, kind, target),
        comment=words,
        created_by_id=actor.user_id,
        gates=as_json(checklist(actor, version, target)),
    )
    request.save()
    telling.asked(request)
    return request


def _checked_target(model: RegisteredModel, kind: str, target: str) -> str:
    if kind not in Kind.values:
        raise Invalid(f"'{kind[:40]}' is not one of alias and stage.", field="kind")
    name = checked_alias(target) if kind == Kind.ALIAS else stage_named(target).value
    project = model.project
    if not project.is_governed:
        raise Conflict(
            f"Project {project.slug} is open: aliases and stages move freely, without a promotion.",
            hint="Set it directly, or have a manager make the project governed in its settings.",
        )
    if not is_protected(project, name):
        names = ", ".join(project.protected_names) or "none"
        raise Invalid(
            f"'{name}' is not protected in project {project.slug}, so it moves without a promotion.",
            hint=f"Set it directly. Protected are: {names}.",
            field="target",
        )
    return name


def _refuse_needless(version: ModelVersion, kind: str, target: str) -> None:
    if carries(version, kind, target):
        raise Conflict(f"Version {version.number} carries '{target}' already.", field="target")
    same = PromotionRequest.objects.filter(version=version, kind=kind, target=target)
    opened = same.filter(state=State.ASKED).select_related("created_by").first()
    if opened is not None:
        raise AlreadyExists(
            f"{opened.created_by or 'Somebody'} asked for this on {opened.created_at:%Y-%m-%d %H:%M} UTC already.",
            hint="Wait for the decision, or withdraw that request first.",
        )
    if same.filter(state=State.APPROVED, effective_at=None, lapsed_at=None).exists():
        raise Conflict("This is approved already and takes effect within seconds.", field="target")


@action("registry.ask_promotion", on="request")
def withdraw_promotion(actor: Actor, request: PromotionRequest, *, reason: str = "") -> PromotionRequest:
    """Take one's own request back while nobody has decided. Raises Refused, Conflict."""
    request = _held(request)
    if request.created_by_id != actor.user_id:
        raise Refused("Only who asked for a promotion withdraws it.", hint="Reject it, if you may decide.")
    _refuse_closed(request, actor, State.WITHDRAWN)
    request.state, request.decided_at, request.decided_by_id = State.WITHDRAWN, now(), actor.user_id
    request.decision_comment = checked_comment(reason)
    request.save()
    return request


@action("registry.decide_promotion", on="request")
def decide_promotion(
    actor: Actor, request: PromotionRequest, *, approve: bool, comment: str = "", proof: Proof
) -> PromotionRequest:
    """Approve or reject, with a signature over the frozen record. An approval takes effect once the log covers it.

    Raises Refused for whoever had a hand in the version, ProofNeeded, Invalid for a rejection without a comment,
    Conflict where it is decided already, where something changed since, or a gate stands in the way.
    """
    refuse_unless_in_person(actor)
    request = _held(request)
    hold_origin(request.version)
    _require_still(actor, request)
    _refuse_closed(request, actor, State.APPROVED if approve else State.REJECTED)
    words = checked_comment(comment, needed="" if approve else REJECT_NEEDS)
    results = checklist(actor, request.version, request.target)
    if approve:
        _refuse_changed(request)
        _refuse_blocked(results)
    request.state = State.APPROVED if approve else State.REJECTED
    request.gates = as_json(results)
    request.decided_at, request.decided_by_id, request.decision_comment = now(), actor.user_id, words
    request.signature = sign(
        actor,
        request.model.project,
        subject=request,
        record=record_of(request),
        meaning=meaning_of(request, approve=approve),
        comment=words,
        proof=proof,
    )
    request.save()
    telling.decided(request)
    return request


def _held(request: PromotionRequest) -> PromotionRequest:
    """The request as it is now, alone until the commit, after its model and version."""
    RegisteredModel.objects.select_for_update(no_key=True).get(pk=request.model_id)
    ModelVersion.objects.select_for_update(no_key=True).get(pk=request.version_id)
    return PromotionRequest.objects.select_for_update(no_key=True).get(pk=request.pk)  # type: ignore[no-any-return]


def _require_still(actor: Actor, request: PromotionRequest) -> None:
    """The actor's role in the project and clean hands, as they are now; no role changes until the commit."""
    project = Q(project=request.model.project_id) | Q(project=None)
    mine = Q(user=actor.user_id) | Q(group__members__user=actor.user_id)
    list(Membership.objects.select_for_update(of=("self",), no_key=True).filter(project, mine).order_by("pk"))
    list(GroupMember.objects.select_for_update(no_key=True).filter(user=actor.user_id).order_by("pk"))
    user = User.objects.select_for_update(no_key=True).get(pk=cast("UUID", actor.user_id))
    require(dataclasses.replace(actor, is_active=user.is_active, memo={}), DECIDE, request)


def _refuse_closed(request: PromotionRequest, actor: Actor, wanted: str) -> None:
    """Raise Conflict where it is decided or withdrawn, told apart by who did it."""
    if request.is_open:
        return
    done, at = _DONE[request.state], f"{request.decided_at:%Y-%m-%d %H:%M:%S} UTC"
    if request.decided_by_id == actor.user_id and request.state == wanted:
        raise Conflict(f"You {done} this promotion already, on {at}. Nothing was done again.")
    raise Conflict(f"{request.decided_by or 'Somebody'} {done} this promotion on {at}.", hint="Look at it again.")


def _refuse_changed(request: PromotionRequest) -> None:
    """Raise Conflict where the promotion is no longer what was asked for."""
    why = _changed_since(request)
    if why:
        raise Conflict(why, hint="Reject this request, and have a new one made.")
    other = PromotionRequest.objects.filter(
        model=request.model, kind=request.kind, target=request.target, state=State.APPROVED,
        effective_at=None, lapsed_at=None,
    )  # fmt: skip
    if other.exists():
        raise Conflict(
            f"Another promotion to '{request.target}' is approved and about to take effect.",
            hint="Wait some seconds and look again.",
        )


def _changed_since(request: PromotionRequest) -> str:
    """What makes the request untrue now, in a sentence; '' for nothing."""
    version, model = request.version, request.model
    if model.is_deleted or version.is_deleted:
        return f"Version {version.number} of {model.name} is deleted."
    if not is_protected(model.project, request.target):
        return f"'{request.target}' is no longer protected in this project, so it moves without a promotion."
    carrier = carrier_of(model, request.kind, request.target)
    if (carrier.pk if carrier else None) != request.from_version_id:
        now_there = f"version {carrier.number}" if carrier else "no version"
        then = f"version {request.from_version.number}" if request.from_version else "none"
        return f"{now_there.capitalize()} carries '{request.target}' now; it was {then} when this was asked."
    return ""


def _refuse_blocked(results: list[GateResult]) -> None:
    found = blocking(results)
    if found:
        raise Conflict(
            "It cannot be approved. " + " ".join(f"{gate.title}: {gate.words}" for gate in found),
            hint="See the checklist.",
            field="gates",
        )


@action("registry.decide_promotion", on="request")
def carry_out_promotion(actor: Actor, request: PromotionRequest) -> PromotionRequest:
    """Move the alias or stage of an approved promotion whose signature the log covers; MLED itself does this.

    Where something changed since the approval it does not take effect, and says why. Doing it again changes nothing.
    """
    if actor.kind is not ActorKind.SYSTEM:
        raise Refused("MLED itself carries promotions out, once the log covers them.")
    request = _held(request)
    if not request.is_waiting or request.signature is None:
        return request
    state = state_of(request.signature, record_of(request))
    if not state.is_covered:
        return request
    request.lapsed_why = _why_not(actor, request, state) or _moved(actor, request)
    if request.lapsed_why:
        request.lapsed_at = now()
    else:
        request.effective_at = now()
    request.save()
    telling.carried_out(request)
    return request


def _why_not(actor: Actor, request: PromotionRequest, state: SignatureState) -> str:
    """What keeps an approved promotion from taking effect; '' for nothing."""
    changed = _changed_since(request)
    if changed:
        return changed
    found = blocking(checklist(actor, request.version, request.target))
    if found:
        return " ".join(f"{gate.title}: {gate.words}" for gate in found)
    if not state.matches:
        return f"The signature does not match any more. Changed since: {', '.join(state.differs[:10])}."
    return ""


def _moved(actor: Actor, request: PromotionRequest) -> str:
    """Move it; what was in the way, '' for nothing. Both moves look before they write."""
    try:
        if request.kind == Kind.ALIAS:
            place_alias(actor, request.model, request.target, request.version)
        else:
            place_stage(actor, request.version, request.target, archive_existing=True)
    except Unavailable:
        raise
    except MledError as error:
        return str(error)
    return ""
