"""One's own tokens: make, look over, revoke. A secret is in one answer only and never kept."""

from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import find_project
from accounts.actions.tokens import DAYS_MAX, create_token, default_scopes, new_secret, revoke_token, scopes_open_to
from accounts.models import ApiToken, Project
from accounts.pages.doors import actor_of, fill_in_error, signed_in
from accounts.queries.projects import find_my_token, my_job_tokens, my_tokens, visible_projects
from accounts.roles import Scope
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import MledError

SCRIPT_DAYS = 30
SCOPES = (
    (Scope.READ.value, "Read: find runs, download files"),
    (Scope.LOG.value, "Log: write runs, params, metrics, files"),
    (Scope.MANAGE.value, "Manage: members, projects, tokens"),
)
LIVES = ((7, "7 days"), (30, "30 days"), (90, "90 days"), (DAYS_MAX, "a year"))
SOON_DAYS = 7
PROJECTS_NAMED = 5
JOBS_SHOWN = 200


@dataclass(frozen=True, slots=True)
class MadeToken:
    """A token with its secret, for the one answer that shows it."""

    token: ApiToken
    secret: str
    tracking_uri: str
    other_projects: list[str]
    means: str


@dataclass(frozen=True, slots=True)
class TokenLine:
    """A token in words."""

    token: ApiToken
    scopes: str
    projects: str
    tone: str


class NewToken(forms.Form):
    """What a token may do, where, and how long."""

    name = forms.CharField(max_length=80, help_text="Where it will live: laptop, cluster, CI.")
    days = forms.TypedChoiceField(label="Lives for", choices=LIVES, coerce=int, initial=SCRIPT_DAYS)
    default_project = forms.ModelChoiceField(
        Project.objects.none(),
        required=False,
        label="Default project",
        to_field_name="slug",
        empty_label="None",
        help_text="Where an address without a project leads.",
    )
    scopes = forms.MultipleChoiceField(
        choices=SCOPES,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
    )
    projects = forms.ModelMultipleChoiceField(
        Project.objects.none(),
        required=False,
        label="Only for these projects",
        to_field_name="slug",
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
        help_text="None chosen: all of yours, also later ones.",
    )

    def __init__(self, viewer: Actor, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.open_to(viewer)
        mine = visible_projects(viewer)
        for name in ("default_project", "projects"):
            cast("forms.ModelChoiceField[Project]", self.fields[name]).queryset = mine

    def open_to(self, viewer: Actor) -> None:
        """Offer only the scopes that the viewer may give."""
        field = cast("forms.MultipleChoiceField", self.fields["scopes"])
        offered = scopes_open_to(viewer)
        field.choices = [(value, words) for value, words in SCOPES if value in offered]
        field.initial = list(default_scopes(viewer))


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def tokens(request: HttpRequest) -> HttpResponse:
    """The list; a post makes a token and shows its secret in the answer."""
    viewer = actor_of(request)
    form = NewToken(viewer, request.POST or None)
    made = None
    if request.method == "POST" and form.is_valid():
        asked = dict(form.cleaned_data)
        asked["projects"] = list(asked["projects"]) or None
        try:
            made = _make(request, viewer, **asked)
        except MledError as error:
            fill_in_error(form, error)
    return _page(request, NewToken(viewer) if made else form, made)


@require_POST
@signed_in
def script_token(request: HttpRequest, slug: str) -> HttpResponse:
    """A token for a script of one project, for a month: read and log; only read for who acts in person."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    name = f"script, {project.slug}"[:80]
    made = _make(request, viewer, name=name, days=SCRIPT_DAYS, projects=[project], default_project=project)
    return _page(request, NewToken(viewer), made)


@require_POST
@signed_in
def revoke(request: HttpRequest, token: UUID) -> HttpResponse:
    """End one token."""
    viewer = actor_of(request)
    found = find_my_token(viewer, token)
    revoke_token(viewer, token=found)
    messages.success(request, f"Token {found.name} is revoked.")
    return redirect("accounts:tokens")


def _make(request: HttpRequest, viewer: Actor, **asked: Any) -> MadeToken:
    secret = new_secret()
    token = create_token(viewer, secret=secret, **asked)
    open_to = asked.get("projects") or list(visible_projects(viewer))
    project = asked.get("default_project") or next(iter(open_to), None)
    uri = request.build_absolute_uri(f"/mlflow/{project.slug}" if project else "/").rstrip("/")
    others = [other.slug for other in open_to if other != project][:PROJECTS_NAMED]
    return MadeToken(token, secret, uri, others, _means(token, asked.get("projects")))


def _means(token: ApiToken, projects: list[Project] | None) -> str:
    where = ", ".join(project.name for project in projects) + " only" if projects else "all of your projects"
    until = f" until {token.expires_at:%d %b %Y}" if token.expires_at else ""
    return f"{' and '.join(token.scopes).capitalize()}, {where},{until}."


def _page(request: HttpRequest, form: NewToken, made: MadeToken | None) -> HttpResponse:
    viewer = actor_of(request)
    names = {project.pk.hex: project.name for project in visible_projects(viewer)}
    context = {
        "at": "tokens",
        "form": form,
        "made": made,
        "tokens": [_line(token, names) for token in my_tokens(viewer)],
        "of_jobs": list(my_job_tokens(viewer)[:JOBS_SHOWN]),
    }
    response = render(request, "accounts/tokens.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _line(token: ApiToken, names: dict[str, str]) -> TokenLine:
    listed = token.projects
    where = "all mine" if listed is None else ", ".join(names.get(pid, "one no longer yours") for pid in listed)
    soon = token.expires_at is not None and 0 <= (token.expires_at - now()).days < SOON_DAYS
    tone = "t3" if not token.is_live else "text-warn" if soon else ""
    return TokenLine(token, ", ".join(token.scopes), where, tone)
