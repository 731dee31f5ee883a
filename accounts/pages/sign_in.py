"""Where django-allauth's sign-in pages live. Accounts are made by administrators, so signing up says just that."""

from allauth.account import views
from django.urls import path, re_path
from django.views.generic import RedirectView

# allauth leads some people to a page about their e-mail addresses; with us an administrator keeps those.
to_own_account = RedirectView.as_view(pattern_name="account_change_password")

urlpatterns = [
    path("login/", views.login, name="account_login"),
    path("logout/", views.logout, name="account_logout"),
    path("login/inactive/", views.account_inactive, name="account_inactive"),
    path("login/again/", views.reauthenticate, name="account_reauthenticate"),
    path("login/new/", views.signup, name="account_signup"),
    path("login/reset/", views.password_reset, name="account_reset_password"),
    path("login/reset/sent/", views.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^login/reset/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        views.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("login/reset/done/", views.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    path("me/password/", views.password_change, name="account_change_password"),
    path("me/password/set/", views.password_set, name="account_set_password"),
    path("me/email/", to_own_account, name="account_email"),
    path("login/mail/", to_own_account, name="account_email_verification_sent"),
]
