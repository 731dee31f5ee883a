"""The first administrator, by the one-time link that the first start prints."""

from django import forms
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.actions.setup import check_setup_link, use_setup_link
from accounts.pages.doors import actor_of, fill_in_error
from kernel.errors import MledError


class FirstAdministrator(forms.Form):
    """Who keeps this installation."""

    email = forms.EmailField(label="E-mail", widget=forms.EmailInput(attrs={"autocomplete": "username"}))
    name = forms.CharField(max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password = forms.CharField(
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 10 characters, not a common word.",
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def setup(request: HttpRequest, secret: str) -> HttpResponse:
    """Ask for the account; a good answer makes it and signs in."""
    check_setup_link(secret)
    form = FirstAdministrator(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = use_setup_link(secret, request_id=actor_of(request).request_id, **form.cleaned_data)
        except MledError as error:
            fill_in_error(form, error)
        else:
            login(request, user, backend="accounts.backends.EmailBackend")
            return redirect("accounts:projects")
    return render(request, "accounts/setup.html", {"form": form})
