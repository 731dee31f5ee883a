"""Webhooks: addresses outside that are told of a project's registry events."""

from collections.abc import Sequence

from django.db import transaction

from accounts.decorators import action
from accounts.models import Project
from audit.ledger.acting import current_act
from kernel.actor import Actor
from kernel.errors import Conflict, Invalid
from registry.models import Delivery, Webhook
from registry.webhooks.addresses import parsed_url
from registry.webhooks.events import EVENTS, PING, body_of
from registry.webhooks.hooks import wake
from registry.webhooks.secrets import PREFIX, sealed

MANAGE = "webhooks.manage"
WEBHOOKS_MAX = 20


@action(MANAGE, on="project")
def create_webhook(actor: Actor, project: Project, *, url: str, secret: str, events: Sequence[str] = ()) -> Webhook:
    """Tell this address of the events (none named: of all). secret: a `new_secret()`, which only the caller shows.

    Raises Invalid, Conflict where the project has too many.
    """
    held = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    if Webhook.objects.filter(project=held).count() >= WEBHOOKS_MAX:
        raise Conflict(f"A project has at most {WEBHOOKS_MAX} webhooks.", hint="Change one of those that are there.")
    webhook = Webhook(
        project=held, url=_checked(url), events=_known(events), secret=_sealed(secret), created_by_id=actor.user_id
    )
    webhook.save()
    return webhook


@action(MANAGE, on="webhook")
def edit_webhook(
    actor: Actor,
    webhook: Webhook,
    *,
    url: str | None = None,
    events: Sequence[str] | None = None,
    is_active: bool | None = None,
) -> Webhook:
    """Change where it leads, what it is told of, or switch it off and on; what is None stays. Raises Invalid."""
    webhook = _held(webhook)
    webhook.url = webhook.url if url is None else _checked(url)
    webhook.events = webhook.events if events is None else _known(events)
    webhook.is_active = webhook.is_active if is_active is None else is_active
    webhook.save()
    return webhook


@action(MANAGE, on="webhook")
def rotate_secret(actor: Actor, webhook: Webhook, *, secret: str) -> Webhook:
    """Sign with a new secret from now on, what already waits included."""
    webhook = _held(webhook)
    webhook.secret = _sealed(secret)
    webhook.save()
    return webhook


@action(MANAGE, on="webhook")
def ping_webhook(actor: Actor, webhook: Webhook) -> Delivery:
    """Send a message that says nothing but hello. Raises Conflict while it is switched off."""
    webhook = _held(webhook)
    act = current_act()
    act.always = True
    return _queued(webhook, PING, body_of(act, webhook.project, PING, {}))


@action(MANAGE, on="delivery")
def resend_delivery(actor: Actor, delivery: Delivery) -> Delivery:
    """Send the same message again, with the same id, as a delivery of its own. Raises Conflict."""
    webhook = _held(delivery.webhook)
    act = current_act()
    act.always = True
    act.speaks_of(webhook.ledger_subject)
    return _queued(webhook, delivery.event, delivery.body, of_version=delivery.of_version)


def _queued(webhook: Webhook, event: str, body: str, *, of_version: int | None = None) -> Delivery:
    if not webhook.is_active:
        raise Conflict("This webhook is switched off.", hint="Switch it on first.")
    delivery: Delivery = Delivery.objects.create(webhook=webhook, event=event, body=body, of_version=of_version)
    transaction.on_commit(wake)
    return delivery


def _held(webhook: Webhook) -> Webhook:
    return Webhook.objects.select_for_update(no_key=True).get(pk=webhook.pk)  # type: ignore[no-any-return]


def _checked(url: str) -> str:
    parsed_url(url)
    return url


def _known(events: Sequence[str]) -> list[str]:
    unknown = [event for event in events if event not in EVENTS]
    if unknown:
        raise Invalid(
            f"'{str(unknown[0])[:40]}' is no event.", hint=f"Events are: {', '.join(EVENTS)}.", field="events"
        )
    return [event for event in EVENTS if event in set(events)]


def _sealed(secret: str) -> str:
    if not secret.startswith(PREFIX):
        raise Invalid("This is no secret that MLED made.", field="secret")
    return sealed(secret)
