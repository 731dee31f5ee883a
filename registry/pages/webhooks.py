"""Webhooks: who outside is told of registry events, and what became of each message."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import can, find_project, require
from accounts.models import Project
from accounts.pages.doors import actor_of, fill_in_error, sees_experiments, signed_in
from kernel.actor import Actor
from kernel.errors import MledError, NotFound
from registry.actions.webhooks import create_webhook, edit_webhook, ping_webhook, resend_delivery, rotate_secret
from registry.models import Delivery, Webhook
from registry.queries.webhooks import deliveries_of, get_delivery, get_webhook, webhooks_of
from registry.webhooks.addresses import URL_MAX
from registry.webhooks.events import EVENTS
from registry.webhooks.secrets import new_secret

A_PAGE = 50


@dataclass(frozen=True, slots=True)
class Shown:
    """A secret, for the one answer that shows it."""

    webhook: Webhook
    secret: str


class Target(forms.Form):
    """Where messages go, and about what."""

    url = forms.CharField(
        label="Address",
        max_length=URL_MAX,
        help_text="https, on a public host: <code>https://ci.example.org/mled</code>",
        widget=forms.URLInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    events = forms.MultipleChoiceField(
        required=False,
        choices=[(name, f"{name}: {means}") for name, means in EVENTS.items()],
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
        help_text="None chosen: all of them.",
    )


def _place(request: HttpRequest, slug: str) -> tuple[Actor, Project]:
    """Whoever asks, and the project, if they see its webhooks. Raises NotFound, Refused."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    require(viewer, "webhooks.see", project)
    return viewer, project


def _found(request: HttpRequest, slug: str, webhook: UUID) -> tuple[Actor, Project, Webhook]:
    viewer, project = _place(request, slug)
    found = get_webhook(viewer, webhook)
    if found.project_id != project.pk:
        raise NotFound("No such webhook was found.")
    return viewer, project, found


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def webhooks(request: HttpRequest, slug: str) -> HttpResponse:
    """The list; a post adds one and shows its secret in the answer."""
    viewer, project = _place(request, slug)
    form, shown = Target(request.POST or None), None
    if request.method == "POST":
        require(viewer, "webhooks.manage", project)
        if form.is_valid():
            secret = new_secret()
            try:
                made = create_webhook(viewer, project, secret=secret, **form.cleaned_data)
            except MledError as error:
                fill_in_error(form, error)
            else:
                shown, form = Shown(made, secret), Target()
    context: dict[str, Any] = {
        "at": "models",
        "project": project,
        "webhooks": list(webhooks_of(viewer, project)),
        "may_manage": bool(can(viewer, "webhooks.manage", project)),
        "form": form,
        "shown": shown,
    }
    return _unstored(render(request, "registry/webhooks.html", context))


@require_safe
@signed_in
def webhook(request: HttpRequest, slug: str, webhook: UUID) -> HttpResponse:
    """One webhook with what it was sent."""
    viewer, project, found = _found(request, slug, webhook)
    return _page(request, viewer, project, found)


def _page(
    request: HttpRequest, viewer: Actor, project: Project, found: Webhook, shown: Shown | None = None
) -> HttpResponse:
    paged = Paginator(deliveries_of(viewer, found), A_PAGE).get_page(request.GET.get("page"))
    context = {
        "at": "models",
        "project": project,
        "webhook": found,
        "paged": paged,
        "deliveries": list(paged),
        "may_manage": bool(can(viewer, "webhooks.manage", project)),
        "reads": sees_experiments(viewer, project),
        "shown": shown,
        "form": Target(initial={"url": found.url, "events": found.events}),
        "waiting": any(one.state in (Delivery.State.WAITING, Delivery.State.SENDING) for one in paged),
    }
    return _unstored(render(request, "registry/webhook.html", context))


def _unstored(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response


@require_POST
@signed_in
def act(request: HttpRequest, slug: str, webhook: UUID, verb: str) -> HttpResponse:
    """Edit, switch off or on, try out, or give a new secret, which the answer shows."""
    viewer, project, found = _found(request, slug, webhook)
    if verb not in WEBHOOK_ACTS:
        raise NotFound(f"A webhook has no act '{verb}'.")
    try:
        if verb == "new-secret":
            secret = new_secret()
            return _page(request, viewer, project, found, Shown(rotate_secret(viewer, found, secret=secret), secret))
        messages.success(request, _done(request, viewer, found, verb))
    except NotFound:
        raise
    except MledError as error:
        messages.error(request, str(error))
    return redirect("registry:webhook", slug=project.slug, webhook=found.pk)


WEBHOOK_ACTS = ("edit", "switch-off", "switch-on", "ping", "new-secret")


def _done(request: HttpRequest, viewer: Actor, found: Webhook, verb: str) -> str:
    if verb == "ping":
        ping_webhook(viewer, found)
        return "A ping is on its way. What came back stands below."
    if verb == "edit":
        edit_webhook(viewer, found, url=request.POST.get("url", "").strip(), events=request.POST.getlist("events"))
        return "The webhook is saved."
    edit_webhook(viewer, found, is_active=verb == "switch-on")
    return "Switched on." if verb == "switch-on" else "Switched off. Nothing is sent until it is on again."


@require_POST
@signed_in
def resend(request: HttpRequest, slug: str, delivery: UUID) -> HttpResponse:
    """Send the same message again."""
    viewer, project = _place(request, slug)
    found = get_delivery(viewer, delivery)
    if found.webhook.project_id != project.pk:
        raise NotFound("No such delivery was found.")
    try:
        resend_delivery(viewer, found)
        messages.success(request, f"{found.event} is sent again, with the same id.")
    except NotFound:
        raise
    except MledError as error:
        messages.error(request, str(error))
    return redirect("registry:webhook", slug=project.slug, webhook=found.webhook_id)
