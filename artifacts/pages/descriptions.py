"""What a dataset is, in words."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.access import require
from accounts.pages.doors import actor_of, fill_in_error, signed_in
from artifacts.actions.datasets import TEXT_MAX, edit_dataset
from artifacts.pages.frame import dataset_frame
from kernel.errors import MledError


class Description(forms.Form):
    """The one thing about a dataset that may be said anew; its name stays, since scripts say it."""

    description = forms.CharField(required=False, max_length=TEXT_MAX, widget=forms.Textarea(attrs={"rows": 5}))


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def edit(request: HttpRequest, slug: str, dataset: UUID) -> HttpResponse:
    """The form; a post keeps the text."""
    found, context = dataset_frame(request, slug, dataset)
    viewer = actor_of(request)
    require(viewer, "datasets.register", found)
    form = Description(request.POST or None, initial={"description": found.description})
    if request.method == "POST" and form.is_valid():
        try:
            edit_dataset(viewer, found, description=form.cleaned_data["description"])
        except MledError as error:
            fill_in_error(form, error)
        else:
            messages.success(request, f"{found.name} is described.")
            return redirect("artifacts:dataset", slug=slug, dataset=found.pk)
    return render(request, "artifacts/edit_dataset.html", context | {"form": form})
