"""One's own account: name, and which role one has where."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.access import roles_in
from accounts.actions.users import rename_me
from accounts.pages.doors import actor_of, fill_in_error, signed_in
from accounts.pages.projects import projects_with_roles
from kernel.errors import MledError


class OwnName(forms.Form):
    """The name that others see beside what one did."""

    name = forms.CharField(max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}))


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def profile(request: HttpRequest) -> HttpResponse:
    """Who I am here; a post changes my name."""
    viewer = actor_of(request)
    form = OwnName(request.POST or None, initial={"name": viewer.user_name})
    if request.method == "POST" and form.is_valid():
        try:
            rename_me(viewer, name=form.cleaned_data["name"])
        except MledError as error:
            fill_in_error(form, error)
        else:
            messages.success(request, "Your name is changed, also beside what you did before.")
            return redirect("accounts:profile")
    context = {
        "form": form,
        "site_roles": ", ".join(sorted(role.label for role in roles_in(viewer, None))),
        "projects": projects_with_roles(viewer),
    }
    return render(request, "accounts/profile.html", context)
