"""How models look: aliases with their locks, stages, promotions, evidence."""

import orjson
from django import template
from django.utils.safestring import SafeString

from accounts.models import Project, Signature
from accounts.roles import Role
from accounts.templatetags.mled import badge
from audit.ledger.models import AuditEvent
from registry.models import Delivery, PromotionRequest, Stage
from registry.protected import is_protected

register = template.Library()

STATE_LOOK = {
    PromotionRequest.State.ASKED: ("violet", "eye", "Requested"),
    PromotionRequest.State.APPROVED: ("ok", "shieldok", "Approved"),
    PromotionRequest.State.REJECTED: ("fail", "bad", "Rejected"),
    PromotionRequest.State.WITHDRAWN: ("", "undo", "Withdrawn"),
}
STAGE_LOOK = {
    Stage.NONE: ("", "dash", "No stage"),
    Stage.STAGING: ("run", "clock", "Staging"),
    Stage.PRODUCTION: ("ok", "ok", "Production"),
    Stage.ARCHIVED: ("", "folder", "Archived"),
}

DELIVERY_LOOK = {
    Delivery.State.WAITING: ("", "clock"),
    Delivery.State.SENDING: ("run", "running"),
    Delivery.State.DELIVERED: ("ok", "ok"),
    Delivery.State.FAILED: ("fail", "bad"),
}


@register.simple_tag
def alias_badge(project: Project, name: str) -> SafeString:
    """An alias; a protected one bears a lock."""
    return badge("accent", "lock" if is_protected(project, name) else "tag", name)


@register.simple_tag
def stage_badge(project: Project, stage: str, extra: str = "") -> SafeString:
    """A stage, in colour only where it says something."""
    kind, icon, word = STAGE_LOOK[Stage(stage)]
    return badge(kind, "lock" if is_protected(project, stage) else icon, word, extra)


@register.simple_tag
def promotion_badge(asked: PromotionRequest, extra: str = "") -> SafeString:
    """Where a promotion stands; an approved one waits until the log covers its signature."""
    if asked.state == PromotionRequest.State.APPROVED and asked.effective_at is None:
        word = ("warn", "warn", "Not in effect") if asked.lapsed_at else ("warn", "clock", "Awaiting checkpoint")
        return badge(*word, extra)
    return badge(*STATE_LOOK[PromotionRequest.State(asked.state)], extra)


@register.filter
def record_seal(signature: Signature) -> str:
    """The seal of the run that a signed text speaks of, as the signer saw it; "" where it speaks of none."""
    run = orjson.loads(signature.record).get("run")
    seal = run.get("seal") if isinstance(run, dict) else None
    return str(seal or "")


@register.filter
def signer_roles(signature: Signature) -> str:
    """The roles in which it was signed, as the log has them."""
    held = AuditEvent.objects.filter(pk=signature.event_id).values_list("actor_roles", flat=True).first()
    known = {role.value: role.label for role in Role}  # a log that was tampered with may say anything
    return ", ".join(known.get(name, name) for name in (held or "").split(",") if name)


@register.simple_tag
def delivery_badge(delivery: Delivery, extra: str = "") -> SafeString:
    """What became of a message."""
    return badge(*DELIVERY_LOOK[Delivery.State(delivery.state)], str(delivery.get_state_display()), extra)
