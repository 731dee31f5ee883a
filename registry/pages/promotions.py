"""Promotions: the list, one of them, asking, deciding with a signature, withdrawing."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from accounts.access import find_project, require
from accounts.pages.doors import actor_of, fill_in_error, sees_experiments, signed_in
from accounts.pages.signing import given_proof
from kernel.actor import Actor
from kernel.errors import Invalid, MledError, NotFound
from registry.actions.promotions import REJECT_NEEDS, ask_promotion, decide_promotion, withdraw_promotion
from registry.gates import checklist
from registry.models import PromotionRequest
from registry.pages.frame import offer_of, version_frame, version_url
from registry.pages.promotion_panel import FIRST, LOOKS, panel_of
from registry.pages.version import against_production
from registry.queries.cards import card_of
from registry.queries.model_lines import recalls_behind
from registry.queries.promotions import get_promotion, open_promotions, promotions_in

A_PAGE = 50
DECISIONS = {"approve": True, "reject": False}
SIGNING_FIELDS = frozenset({"password", "email", "comment"})


@require_safe
@signed_in
def promotions(request: HttpRequest, slug: str) -> HttpResponse:
    """What waits, then what was decided, newest first."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    if not sees_experiments(viewer, project):
        require(viewer, "experiments.see", project)
    waiting = list(open_promotions(viewer, project))
    decided = promotions_in(viewer, project).exclude(pk__in=[one.pk for one in waiting])
    context = {
        "at": "promotions",
        "project": project,
        "waiting": waiting,
        "page": Paginator(decided, A_PAGE).get_page(request.GET.get("page")),
    }
    return render(request, "registry/promotions.html", context)


def _found(viewer: Actor, slug: str, promotion: UUID) -> PromotionRequest:
    project = find_project(viewer, slug)
    asked = get_promotion(viewer, promotion)
    if asked.model.project_id != project.pk:
        raise NotFound("No such promotion was found.")
    return asked


@require_safe
@signed_in
def promotion(request: HttpRequest, slug: str, promotion: UUID) -> HttpResponse:
    """One promotion with its evidence; whoever may decide decides here."""
    return _page(request, _found(actor_of(request), slug, promotion))


def _page(request: HttpRequest, asked: PromotionRequest, **dialogue: Any) -> HttpResponse:
    viewer, run = actor_of(request), asked.version.run
    context = {
        "at": "promotions",
        "project": asked.model.project,
        "model": asked.model,
        "recalled": recalls_behind(viewer, [run]).get(run.pk, []) if run is not None else [],
        "version": asked.version,
        "here": version_url(asked.version),
        "offer": offer_of(viewer, asked.version),
        "card": card_of(viewer, asked.version),
        **against_production(viewer, asked.version, asked),
        **panel_of(request, asked, **dialogue),
    }
    return render(request, "registry/promotion.html", context)


@require_safe
@signed_in
def state(request: HttpRequest, slug: str, promotion: UUID) -> HttpResponse:
    """Where an approved promotion stands: the page asks again until it is in effect, then it is drawn anew."""
    asked = _found(actor_of(request), slug, promotion)
    if not asked.is_waiting:
        return HttpResponseClientRefresh()
    return render(request, "registry/awaiting.html", {"asked": asked, "project": asked.model.project})


@require_POST
@signed_in
def decide(request: HttpRequest, slug: str, promotion: UUID) -> HttpResponse:
    """Approve or reject. Without `confirm` the page comes back with the signature dialogue open."""
    viewer = actor_of(request)
    asked = _found(viewer, slug, promotion)
    decision, comment = request.POST.get("decision", ""), request.POST.get("comment", "").strip()
    if decision not in DECISIONS:
        raise Invalid(f"'{decision[:20]}' is no decision.", hint="It is approve or reject.", field="decision")
    if "confirm" not in request.POST:
        if decision == "reject" and not comment:
            return _page(request, asked, error=Invalid(REJECT_NEEDS, field="comment"))
        return _page(request, asked, opened=decision, comment=comment)
    try:
        proof = given_proof(request)
        decided = decide_promotion(viewer, asked, approve=DECISIONS[decision], comment=comment, proof=proof)
    except NotFound:
        raise
    except MledError as error:
        if error.field in SIGNING_FIELDS:
            return _page(request, asked, opened=decision, comment=comment, error=error)
        messages.error(request, str(error))
    else:
        words = "Approved and signed. It takes effect within seconds." if decided.is_waiting else "Rejected and signed."
        messages.success(request, words)
    return redirect("registry:promotion", slug=asked.model.project.slug, promotion=asked.pk)


@require_POST
@signed_in
def withdraw(request: HttpRequest, slug: str, promotion: UUID) -> HttpResponse:
    """Take one's own request back."""
    viewer = actor_of(request)
    asked = _found(viewer, slug, promotion)
    try:
        withdraw_promotion(viewer, asked, reason=request.POST.get("reason", "").strip())
    except NotFound:
        raise
    except MledError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "Withdrawn. Nothing was moved.")
    return redirect("registry:promotion", slug=asked.model.project.slug, promotion=asked.pk)


class Asking(forms.Form):
    """Which protected name the version shall carry, and why."""

    target = forms.ChoiceField(label="To", widget=forms.RadioSelect(attrs={"class": "form-check-input"}))
    comment = forms.CharField(
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="What speaks for it? Whoever decides reads this first.",
    )

    def __init__(self, choices: list[tuple[str, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["target"].choices = choices  # type: ignore[attr-defined]


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def ask(request: HttpRequest, slug: str, name: str, number: int) -> HttpResponse:
    """The form with the evidence as it stands; a post asks."""
    version, context = version_frame(request, slug, name, number, "overview")
    viewer = actor_of(request)
    require(viewer, "registry.ask_promotion", version)
    choices = context["askable"]
    first = choices[0][0] if choices else None
    form = Asking(choices, request.POST or None, initial={"target": request.GET.get("target", first)})
    if request.method == "POST" and form.is_valid():
        kind, _, target = form.cleaned_data["target"].partition(":")
        comment = form.cleaned_data["comment"].replace("\r\n", "\n")
        try:
            asked = ask_promotion(viewer, version, kind=kind, target=target, comment=comment)
        except MledError as error:
            fill_in_error(form, error)
        else:
            messages.success(request, "Asked. Whoever may decide is told.")
            return redirect("registry:promotion", slug=slug, promotion=asked.pk)
    target = (form["target"].value() or "").partition(":")[2]
    results = checklist(viewer, version, target)
    context |= {
        "form": form,
        "choices": choices,
        "gates": [(*LOOKS[one.outcome], one) for one in sorted(results, key=lambda one: FIRST[one.outcome])],
        "gates_passed": sum(one.outcome == "pass" for one in results),
        "gates_blocking": [one for one in results if one.blocks],
    }
    return render(request, "registry/ask_promotion.html", context)
