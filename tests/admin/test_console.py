"""The admin console: changes are acts, refusals stand on the form, evidence is there to read only."""

import pytest
from django.contrib import admin
from django.test import Client

from accounts.actions.tokens import create_token, new_secret
from accounts.models import ApiToken, Group, GroupMember, Membership, User
from accounts.roles import Role
from audit.ledger.models import AuditEvent, AuditPayload, Checkpoint, Leaf
from experiments.models import Experiment, Run
from kernel.actor import operator
from tests import world
from tests.admin.conftest import Console

PAGES = {
    "accounts/user/", "accounts/group/", "accounts/groupmember/", "accounts/membership/", "accounts/apitoken/",
    "ledger/auditevent/", "ledger/leaf/", "ledger/checkpoint/",
}  # fmt: skip


def last_event():
    return AuditEvent.objects.order_by("-id").first()


def test_only_what_an_administrator_keeps_is_there(console):
    registered = {f"{model._meta.app_label}/{model._meta.model_name}/" for model in admin.site._registry}
    assert registered == PAGES
    assert not {Run, Experiment, AuditPayload} & set(admin.site._registry)
    front = console.open()
    assert all(f"/admin/{page}" in front for page in PAGES)


@pytest.mark.parametrize("page", sorted(PAGES))
def test_every_list_opens_and_searches(console, page):
    console.open(page)
    if admin.site._registry[model_of(page)].search_fields:
        console.open(page + "?q=kim")


def model_of(page):
    return next(m for m in admin.site._registry if f"{m._meta.app_label}/{m._meta.model_name}/" == page)


@pytest.mark.parametrize("role", [None, Role.DATA_SCIENTIST, Role.PROJECT_MANAGER, Role.AUDITOR])
@pytest.mark.parametrize("page", ["", *sorted(PAGES), "accounts/user/add/"])
def test_nobody_else_gets_in(db, role, page):
    user = world.person("ann", role, world.project("vision") if role else None)
    Console(user).open(page, expecting=302)
    landed = Client()
    landed.force_login(user)
    assert landed.get(f"/admin/{page}", follow=True).status_code == 403


def test_a_stranger_is_led_to_the_sign_in_page(db):
    answer = Client().get("/admin/", follow=True)
    assert answer.redirect_chain[-1][0].startswith("/sign-in/?next=") or "login" in answer.redirect_chain[-1][0]


def test_a_new_user_is_an_act_at_this_door(console, kim):
    console.send("accounts/user/add/", email="Ada@Example.org", name="Ada", password="a very long passphrase 9")
    ada = User.objects.get(email="ada@example.org")
    event = last_event()
    assert (event.verb, event.door, event.actor_id, event.subject_id) == (
        "accounts.create_user", "admin", kim.id, ada.id.hex,
    )  # fmt: skip
    assert ada.check_password("a very long passphrase 9")


def test_a_user_without_password_has_none(console):
    console.send("accounts/user/add/", email="bot@example.org", name="Bot", is_service="on")
    bot = User.objects.get(email="bot@example.org")
    assert bot.is_service
    assert not bot.has_usable_password()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"email": "kim@example.org", "name": "Kim"}, "already"),
        ({"email": "nonsense", "name": "x"}, "valid email"),
        ({"email": "a@example.org", "name": "A", "password": "short"}, "too short"),
        ({"email": "", "name": "A"}, "required"),
    ],
)
def test_a_refused_user_is_told_on_the_form(console, fields, said):
    before = User.objects.count()
    assert said in console.send("accounts/user/add/", expecting=200, **fields)
    assert User.objects.count() == before


def test_deactivating_takes_a_reason_and_locks_out_at_once(console):
    ada = world.person("ada")
    create_token(operator(), owner=ada, name="t", secret=new_secret())
    assert "required" in console.send(f"accounts/user/{ada.id}/change/", expecting=200)
    console.send(f"accounts/user/{ada.id}/change/", reason="left the firm")
    ada.refresh_from_db()
    assert not ada.is_active
    assert ApiToken.objects.get(user=ada).revoked_at is not None
    assert last_event().verb == "accounts.deactivate_user"
    assert "left the firm" in AuditPayload.objects.get(event_id=last_event().id).body
    console.send(f"accounts/user/{ada.id}/change/", is_active="on", reason="came back")
    ada.refresh_from_db()
    assert ada.is_active


def test_saving_a_user_unchanged_writes_nothing(console):
    ada = world.person("ada")
    before = AuditEvent.objects.count()
    console.send(f"accounts/user/{ada.id}/change/", is_active="on", reason="looking")
    assert AuditEvent.objects.count() == before


def test_nobody_deactivates_themselves(console, kim):
    assert "yourself" in console.send(f"accounts/user/{kim.id}/change/", expecting=200, reason="tired")
    kim.refresh_from_db()
    assert kim.is_active


def test_users_are_never_deleted_nor_renamed(console, kim):
    ada = world.person("ada")
    console.open(f"accounts/user/{ada.id}/delete/", expecting=403)
    console.send(f"accounts/user/{ada.id}/change/", is_active="on", reason="x", email="new@example.org", name="New")
    ada.refresh_from_db()
    assert (ada.email, ada.name) == ("ada@example.org", "Ada")


def test_groups_and_who_is_in_them(console):
    ada = world.person("ada")
    console.send("accounts/group/add/", name="night shift")
    group = Group.objects.get()
    assert "already" in console.send("accounts/group/add/", expecting=200, name="night shift")
    console.send("accounts/groupmember/add/", group=group.pk, user=ada.pk)
    member = GroupMember.objects.get()
    assert last_event().verb == "accounts.add_to_group"
    assert "Ada" in console.open(f"accounts/group/{group.pk}/change/")
    assert "already" in console.send("accounts/groupmember/add/", expecting=200, group=group.pk, user=ada.pk)
    console.open(f"accounts/groupmember/{member.pk}/delete/")
    console.send(f"accounts/groupmember/{member.pk}/delete/", post="yes")
    assert not GroupMember.objects.exists()
    assert last_event().verb == "accounts.remove_from_group"


def test_an_administrator_appoints_managers_and_auditors(console):
    vision, mia, ann = world.project("vision"), world.person("mia"), world.person("ann")
    manager = Role.PROJECT_MANAGER.value
    console.send("accounts/membership/add/", user=mia.pk, project=vision.pk, role=manager, reason="new project")
    assert last_event().verb == "accounts.appoint_member"
    console.send("accounts/membership/add/", user=ann.pk, role=Role.AUDITOR.value)
    assert Membership.objects.get(user=ann).project is None
    said = console.send("accounts/membership/add/", expecting=200, user=ann.pk, project=vision.pk, role=manager)
    assert "both write and audit" in said
    assert "already" in console.send(
        "accounts/membership/add/", expecting=200, user=mia.pk, project=vision.pk, role=manager
    )
    assert console.send("accounts/membership/add/", expecting=200, role=manager, project=vision.pk) != ""
    assert console.send("accounts/membership/add/", expecting=200, role=Role.AUDITOR.value) != ""
    assert "valid choice" in console.send(
        "accounts/membership/add/", expecting=200, user=mia.pk, project=vision.pk, role=Role.ML_ENGINEER.value
    )


def test_roles_are_taken_away_by_acts_and_refusals_are_told(console, kim):
    vision, mia, bob = world.project("vision"), world.person("mia"), world.person("bob")
    console.send("accounts/membership/add/", user=mia.pk, project=vision.pk, role=Role.PROJECT_MANAGER.value)
    console.send("accounts/membership/add/", user=bob.pk, project=vision.pk, role=Role.PROJECT_MANAGER.value)
    first, second = Membership.objects.filter(project=vision).order_by("id")
    console.send(f"accounts/membership/{first.pk}/delete/", post="yes")
    assert last_event().verb == "accounts.dismiss_member"
    console.send(f"accounts/membership/{second.pk}/delete/", post="yes")
    assert Membership.objects.filter(pk=second.pk).exists(), "a project keeps a manager"
    assert "keeps at least one manager" in console.open("accounts/membership/")
    own = Membership.objects.get(user=kim)
    console.send(f"accounts/membership/{own.pk}/delete/", post="yes")
    assert Membership.objects.filter(pk=own.pk).exists()
    scientist = world.person("ada", Role.DATA_SCIENTIST, vision)
    theirs = Membership.objects.get(user=scientist)
    console.open(f"accounts/membership/{theirs.pk}/delete/", expecting=403)


def test_a_token_shows_no_secret_and_is_revoked_with_a_reason(console):
    ada = world.person("ada")
    secret = new_secret()
    token = create_token(operator(), owner=ada, name="laptop", secret=secret)
    page = console.open(f"accounts/apitoken/{token.pk}/change/")
    assert "laptop" in page
    assert token.digest not in page
    assert secret not in page
    assert "required" in console.send(f"accounts/apitoken/{token.pk}/change/", expecting=200, revoke="on")
    console.send(f"accounts/apitoken/{token.pk}/change/", reason="just looking")
    token.refresh_from_db()
    assert token.is_live
    console.send(f"accounts/apitoken/{token.pk}/change/", revoke="on", reason="leaked")
    token.refresh_from_db()
    assert not token.is_live
    assert last_event().verb == "accounts.revoke_others_token"
    console.open("accounts/apitoken/add/", expecting=403)
    console.open(f"accounts/apitoken/{token.pk}/delete/", expecting=403)


@pytest.mark.parametrize("page", ["ledger/auditevent/", "ledger/leaf/", "ledger/checkpoint/"])
def test_evidence_is_there_to_read_only(console, page):
    world.person("ada")
    console.open(page + "add/", expecting=403)
    assert "Delete selected" not in console.open(page)


def test_an_event_is_shown_without_its_payload(console):
    ada = world.person("ada")
    event = AuditEvent.objects.get(verb="accounts.create_user", subject_id=ada.id.hex)
    page = console.open(f"ledger/auditevent/{event.pk}/change/")
    assert "accounts.create_user" in page
    assert "ada@example.org" not in page
    assert 'name="_save"' not in page
    console.send(f"ledger/auditevent/{event.pk}/change/", expecting=403, verb="forged")
    console.open(f"ledger/auditevent/{event.pk}/delete/", expecting=403)


def test_the_history_of_a_user_is_there_to_read(console):
    ada = world.person("ada")
    console.send(f"accounts/user/{ada.id}/change/", reason="left")
    past = ada.history.order_by("history_id").first()
    page = console.open(f"accounts/user/{ada.id}/history/")
    assert f"history/{past.pk}/" in page
    assert "Operator or MLED" in page
    assert "<td>Kim</td>" in page
    assert "ada@example.org" in console.open(f"accounts/user/{ada.id}/history/{past.pk}/")
    console.send(f"accounts/user/{ada.id}/history/{past.pk}/", expecting=403, is_active="on", reason="x")
    ada.refresh_from_db()
    assert not ada.is_active, "the past is not brought back past the actions"


def test_lists_take_the_same_few_queries_whatever_their_length(console, django_assert_max_num_queries):
    for number in range(12):
        create_token(operator(), owner=world.person(f"p{number}"), name="t", secret=new_secret())
    for page in ("accounts/user/", "accounts/apitoken/", "accounts/membership/", "ledger/auditevent/"):
        with django_assert_max_num_queries(16):
            console.open(page)
    assert not Leaf.objects.exists()
    assert not Checkpoint.objects.exists()
