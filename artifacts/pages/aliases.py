"""Aliases of a dataset: what they name now, moving them, taking them away."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.pages.doors import actor_of, fill_in_error, signed_in
from artifacts.actions.aliases import remove_dataset_alias, set_dataset_alias
from artifacts.pages.frame import dataset_frame
from artifacts.queries.datasets import aliases_of
from artifacts.queries.versions import get_version
from kernel.errors import Invalid, MledError, NotFound


class SetAlias(forms.Form):
    """A name and the version that it shall name."""

    name = forms.CharField(max_length=100, label="Alias", help_text="<code>current</code>, <code>paper-2026</code>")
    version = forms.TypedChoiceField(coerce=int, label="Names")

    def __init__(self, lines: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["version"].choices = [  # type: ignore[attr-defined]
            (line.version.number, f"v{line.version.number}, {line.version.created_at:%Y-%m-%d}")
            for line in lines
            if not line.withdrawn
        ]


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def aliases(request: HttpRequest, slug: str, dataset: UUID) -> HttpResponse:
    """The aliases; a post sets one or moves it. Rolling back is moving it to an older version."""
    found, context = dataset_frame(request, slug, dataset)
    viewer = actor_of(request)
    asked = {"name": request.GET.get("name", "")[:100], "version": request.GET.get("version", "")[:9]}
    form = SetAlias(context["lines"], request.POST or None, initial=asked)
    if request.method == "POST" and form.is_valid():
        try:
            version = get_version(viewer, found, form.cleaned_data["version"])
            set_dataset_alias(viewer, found, name=form.cleaned_data["name"], version=version)
        except MledError as error:
            fill_in_error(form, error)
        else:
            messages.success(request, f"'{form.cleaned_data['name']}' names v{version.number} now.")
            return redirect("artifacts:aliases", slug=slug, dataset=found.pk)
    context |= {"form": form, "aliases": list(aliases_of(viewer, found))}
    return render(request, "artifacts/aliases.html", context)


@require_POST
@signed_in
def remove(request: HttpRequest, slug: str, dataset: UUID) -> HttpResponse:
    """Take one alias away."""
    found, _ = dataset_frame(request, slug, dataset)
    name = request.POST.get("name", "")
    if not name:
        raise Invalid("Which alias?", field="name")
    try:
        remove_dataset_alias(actor_of(request), found, name=name)
    except NotFound as error:
        messages.warning(request, str(error))
    else:
        messages.success(request, f"'{name}' names nothing any more.")
    return redirect("artifacts:aliases", slug=slug, dataset=found.pk)
