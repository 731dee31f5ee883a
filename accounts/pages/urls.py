"""Where the pages of people and rights are."""

from django.urls import path

from accounts.pages.appearance import appearance
from accounts.pages.erasing import erase_payloads, forget_person
from accounts.pages.here import here
from accounts.pages.members import change, members, remove
from accounts.pages.notices import notices, open_notice, read
from accounts.pages.personal import keep
from accounts.pages.profile import profile
from accounts.pages.projects import projects
from accounts.pages.settings import settings
from accounts.pages.setup import setup
from accounts.pages.tokens import revoke, script_token, tokens

app_name = "accounts"
urlpatterns = [
    path("setup/<str:secret>/", setup, name="setup"),
    path("projects/", projects, name="projects"),
    path("p/<slug:slug>/settings/", settings, name="settings"),
    path("p/<slug:slug>/members/", members, name="members"),
    path("p/<slug:slug>/members/<int:member>/role/", change, name="change_member"),
    path("p/<slug:slug>/members/<int:member>/remove/", remove, name="remove_member"),
    path("p/<slug:slug>/token/", script_token, name="script_token"),
    path("people/<uuid:person>/forget/", forget_person, name="forget_person"),
    path("log/erase/", erase_payloads, name="erase"),
    path("me/", profile, name="profile"),
    path("me/here/", here, name="here"),
    path("me/settings/", keep, name="keep_setting"),
    path("me/tokens/", tokens, name="tokens"),
    path("me/tokens/<uuid:token>/revoke/", revoke, name="revoke_token"),
    path("me/notices/", notices, name="notices"),
    path("me/notices/read/", read, name="read_notices"),
    path("me/notices/<int:notice>/open/", open_notice, name="open_notice"),
    path("me/appearance/", appearance, name="appearance"),
]
