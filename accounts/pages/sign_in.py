"""The map of sign-in pages: allauth's views under our paths. Only what is served here exists."""

from allauth.account import views
from django.urls import path

urlpatterns = [
    path("login/", views.login, name="account_login"),
    path("logout/", views.logout, name="account_logout"),
    path("login/signup/", views.signup, name="account_signup"),
    path("login/reauthenticate/", views.reauthenticate, name="account_reauthenticate"),
    path("login/inactive/", views.account_inactive, name="account_inactive"),
    path("login/reset/", views.password_reset, name="account_reset_password"),
    path("login/reset/sent/", views.password_reset_done, name="account_reset_password_done"),
    path("login/reset/key/<uidb36>-<key>/", views.password_reset_from_key, name="account_reset_password_from_key"),
    path("login/reset/done/", views.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    path("me/password/", views.password_change, name="account_change_password"),
    path("me/password/set/", views.password_set, name="account_set_password"),
]
