"""Administrators' pages: erasing what events say, and forgetting a person. Both tell first what they will do."""

import re
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.access import require
from accounts.actions.erasing import BASIS_MAX, EVENTS_MAX, PERMISSION, erase_everywhere
from accounts.actions.forgetting import forget
from accounts.models import User
from accounts.pages.doors import actor_of, fill_in_error, signed_in
from accounts.pages.history import DOORS
from accounts.personal_data import FORGOTTEN
from accounts.queries.erasing import events_named, person_to_forget, reports_kept, what_forgetting_does
from accounts.queries.history import with_names
from accounts.words import goes, stays
from kernel.errors import Invalid, MledError, NotFound

WORD = "erase"
BASIS = forms.CharField(
    label="Legal basis",
    max_length=BASIS_MAX,
    help_text="Kept in the log, as in: GDPR 17(1)(d), logged by mistake.",
    error_messages={"required": "Say on which legal basis: it is kept in the log."},
)


class Naming(forms.Form):
    """Which events are looked at."""

    events = forms.CharField(
        label="Events",
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "class": "mono"}),
        help_text="Their ids, as the audit log of the project shows them in an entry's details.",
    )


class Erasing(forms.Form):
    """On which basis what was looked at goes, with a word typed: it cannot be undone."""

    events = forms.CharField(widget=forms.HiddenInput)
    reason = BASIS
    word = forms.CharField(
        label=f"The word '{WORD}'",
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="Because this cannot be undone.",
        error_messages={"required": f"Type the word '{WORD}': it cannot be undone."},
    )

    def clean_word(self) -> str:
        typed = str(self.cleaned_data["word"]).strip().lower()
        if typed != WORD:
            raise forms.ValidationError(f"Type the word '{WORD}': it cannot be undone.")
        return typed


class Forgetting(forms.Form):
    """On which basis, with the address typed again: it cannot be undone."""

    email = forms.CharField(label="The address, once more", help_text="Because this cannot be undone.")
    reason = BASIS

    def __init__(self, user: User, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # as a form takes them
        self.user = user

    def clean_email(self) -> str:
        typed = str(self.cleaned_data["email"]).strip()
        if typed.lower() != self.user.email:
            raise forms.ValidationError("That is not the address of this person.")
        return typed


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def erase_payloads(request: HttpRequest) -> HttpResponse:
    """Name events by their ids and look at them; then erase what they say. `?events=` names them in the address."""
    viewer = actor_of(request)
    require(viewer, PERMISSION)
    given = (request.POST if request.method == "POST" else request.GET).get("events", "")
    form = Erasing(request.POST or None, initial={"events": given})
    problem, ids = "", list[UUID]()
    try:
        ids = _ids(given)
        if request.method == "POST" and not ids:
            problem = "Name the events by their ids."
    except Invalid as error:
        problem = str(error)
    if request.method == "POST" and not problem and form.is_valid():
        try:
            gone = erase_everywhere(viewer, events=ids, basis=form.cleaned_data["reason"])
        except NotFound as error:
            problem = str(error)
        except MledError as error:
            form.add_error("reason" if error.field == "reason" else None, str(error))
        else:
            messages.success(request, f"{gone} payload{'' if gone == 1 else 's'} erased. The entries stay in the log.")
            return redirect(f"{request.path}?events={'+'.join(one.hex for one in ids)}")
    named = with_names(events_named(viewer, ids))
    context = {
        "naming": Naming(initial={"events": given}),
        "form": form,
        "lines": named,
        "going": sum(not line.erased for line in named),
        "reports": reports_kept(viewer, {one for line in named if (one := line.past.event.project_id)}),
        "missing": len(ids) - len(named),
        "problem": problem,
        "doors": DOORS,
    }
    return render(request, "accounts/erase.html", context, status=400 if problem else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def forget_person(request: HttpRequest, person: UUID) -> HttpResponse:
    """What forgetting somebody does, and doing it."""
    viewer = actor_of(request)
    user = person_to_forget(viewer, person)
    if user is None:
        raise NotFound("No such person was found.")
    form = Forgetting(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            forgotten = forget(viewer, user=user, basis=form.cleaned_data["reason"])
        except MledError as error:
            fill_in_error(form, error)
        else:
            messages.success(request, f"They are {forgotten.name} from now on.")
            return redirect("accounts:forget_person", person=person)
    is_forgotten = user.email.endswith(FORGOTTEN)
    told = what_forgetting_does(viewer, user)
    context = {
        "person": user,
        "form": form,
        "is_forgotten": is_forgotten,
        "is_me": user.pk == viewer.user_id,
        "goes": goes(told),
        "stays": stays(told),
    }
    return render(request, "accounts/forget.html", context)


def _ids(text: str) -> list[UUID]:
    """The ids in a text, whatever stands between them. Raises Invalid."""
    words = [word for word in re.split(r"[\s,;]+", text) if word]
    if len(words) > EVENTS_MAX:
        raise Invalid(f"At most {EVENTS_MAX} events are erased at once.", field="events")
    try:
        return list(dict.fromkeys(UUID(hex=word) for word in words))
    except ValueError:
        raise Invalid("An event is named by its id, 32 hex digits.", field="events") from None
