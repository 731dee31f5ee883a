"""Making people, letting them out and in again, and what each does with their own account."""

import pytest

from accounts.actions.users import change_password, create_user, deactivate_user, find_user, reactivate_user, rename_me
from accounts.models import ApiToken, User
from accounts.texts import checked_line
from kernel.actor import operator
from kernel.errors import AlreadyExists, Invalid, NotFound, Refused, Unauthenticated
from tests.factories import (
    PASSWORD,
    a_person,
    a_token,
    a_user,
    again,
    an_administrator,
    events,
    events_since,
    nobody,
    unique,
    user_of,
)


def address() -> str:
    return f"{unique('new')}@example.org"


def test_an_administrator_makes_a_user(team):
    email = address()
    user = create_user(team.administrator, email=email.upper(), name="Grace", password=PASSWORD)
    assert (user.email, user.name, user.is_active, user.check_password(PASSWORD)) == (email, "Grace", True, True)


def test_a_new_user_is_one_event_and_its_password_is_not_in_it(team):
    (kept,) = events_since(lambda: create_user(team.administrator, email=address(), password=PASSWORD))
    assert (kept.verb, kept.event.actor_id, kept.event.actor_roles) == (
        "accounts.create_user",
        team.administrator.user_id,
        "administrator",
    )
    assert kept.subject == f"accounts.user {kept.changes[0]['id']}"
    old, new = kept.changed("accounts.user")["password"]
    assert old is None
    assert new.startswith("sha256:")
    assert PASSWORD not in str(kept.changes)


@pytest.mark.django_db
def test_without_a_name_a_user_is_called_by_their_address():
    assert create_user(operator(), email="grace.hopper@example.org").name == "grace.hopper"


@pytest.mark.django_db
def test_without_a_password_nobody_signs_in():
    assert not create_user(operator(), email=address()).has_usable_password()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "email", ["", "grace", "grace@", "a@b", "grace hopper@example.org", "x" * 250 + "@example.org"]
)
def test_what_is_no_address_is_refused(email):
    with pytest.raises(Invalid) as refused:
        create_user(operator(), email=email)
    assert refused.value.field == "email"


@pytest.mark.django_db
def test_an_address_is_taken_once_whatever_its_case():
    user = a_user()
    with pytest.raises(AlreadyExists) as refused:
        create_user(operator(), email=user.email.upper())
    assert user.email in refused.value.message


@pytest.mark.django_db
@pytest.mark.parametrize("password", ["short", "password123", "1234567890"])
def test_a_bad_password_is_refused_in_words(password):
    with pytest.raises(Invalid) as refused:
        create_user(operator(), email=address(), password=password)
    assert refused.value.field == "password"
    assert "password" in refused.value.message


def test_only_an_administrator_makes_users(team, outsider):
    for actor in (team.scientist, team.engineer, team.manager, team.auditor, outsider):
        with pytest.raises(Refused, match="Administrator"):
            create_user(actor, email=address())
    with pytest.raises(Unauthenticated):
        create_user(nobody(), email=address())


def test_a_refused_attempt_is_kept(outsider):
    def attempt() -> None:
        with pytest.raises(Refused):
            create_user(outsider, email=address())

    (kept,) = events_since(attempt)
    assert (kept.verb, kept.outcome, kept.event.actor_id) == ("accounts.create_user", "denied", outsider.user_id)
    assert "that is for Administrator" in kept.reason


@pytest.mark.django_db
def test_deactivating_ends_tokens_at_once():
    person, admin = a_person(), an_administrator()
    token, _ = a_token(person)
    deactivate_user(admin, user=user_of(person), reason="left the company")
    assert not user_of(person).is_active
    assert ApiToken.objects.get(pk=token.pk).revoked_at is not None
    (kept,) = events(verb="accounts.deactivate_user", subject_id=person.user_id.hex)
    assert kept.reason == "left the company"


@pytest.mark.django_db
def test_deactivating_asks_why():
    person, admin = a_person(), an_administrator()
    with pytest.raises(Invalid) as refused:
        deactivate_user(admin, user=user_of(person), reason="  ")
    assert refused.value.field == "reason"
    assert user_of(person).is_active


@pytest.mark.django_db
def test_deactivating_twice_leaves_one_event():
    person, admin = a_person(), an_administrator()
    deactivate_user(admin, user=user_of(person), reason="left")
    assert events_since(lambda: deactivate_user(admin, user=user_of(person), reason="left")) == []


@pytest.mark.django_db
def test_nobody_deactivates_themselves():
    admin = an_administrator()
    with pytest.raises(Invalid, match="yourself"):
        deactivate_user(admin, user=user_of(admin), reason="tired")


def test_others_deactivate_nobody(team, outsider):
    for actor in (team.manager, team.auditor, outsider):
        with pytest.raises(Refused):
            deactivate_user(actor, user=user_of(team.scientist), reason="a grudge")
    assert user_of(team.scientist).is_active


def test_a_deactivated_person_may_do_nothing(team):
    deactivate_user(team.administrator, user=user_of(team.scientist), reason="left")
    with pytest.raises(Unauthenticated, match="deactivated"):
        rename_me(again(team.scientist), name="Ghost")


@pytest.mark.django_db
def test_reactivating_lets_a_person_in_but_revives_no_token():
    person, admin = a_person(), an_administrator()
    token, _ = a_token(person)
    deactivate_user(admin, user=user_of(person), reason="left")
    reactivate_user(admin, user=user_of(person), reason="came back")
    assert user_of(person).is_active
    assert not ApiToken.objects.get(pk=token.pk).is_live
    assert rename_me(again(person), name="Back").name == "Back"


@pytest.mark.django_db
def test_reactivating_asks_why():
    with pytest.raises(Invalid):
        reactivate_user(an_administrator(), user=a_user(), reason="")


@pytest.mark.django_db
def test_everybody_changes_their_own_name():
    person = a_person("Ada")
    (kept,) = events_since(lambda: rename_me(person, name=" Ada Lovelace "))
    assert user_of(person).name == "Ada Lovelace"
    assert kept.changed("accounts.user")["name"] == ["Ada", "Ada Lovelace"]


@pytest.mark.django_db
def test_the_same_name_again_leaves_no_event():
    person = a_person("Ada")
    assert events_since(lambda: rename_me(person, name="Ada")) == []


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["", "   ", "x" * 121])
def test_a_name_has_1_to_120_characters(name):
    with pytest.raises(Invalid) as refused:
        rename_me(a_person(), name=name)
    assert refused.value.field == "name"


@pytest.mark.django_db
def test_a_changed_password_is_an_event_without_the_password():
    person = a_person(password=PASSWORD)
    (kept,) = events_since(lambda: change_password(person, password="another long phrase"))
    assert user_of(person).check_password("another long phrase")
    assert all(value.startswith("sha256:") for value in kept.changed("accounts.user")["password"])


@pytest.mark.django_db
def test_the_operator_has_no_account_to_change():
    with pytest.raises(Invalid, match="signed-in"):
        rename_me(operator(), name="Root")


@pytest.mark.django_db
def test_people_are_found_by_address_whatever_its_case():
    user = a_user()
    assert find_user(f" {user.email.upper()} ") == user
    with pytest.raises(NotFound):
        find_user("nobody@example.org")


@pytest.mark.django_db
def test_nobody_is_deleted_past_the_ledger():
    user = a_user()
    with pytest.raises(RuntimeError):
        User.objects.filter(pk=user.pk).delete()
    with pytest.raises(RuntimeError):
        user.delete()
    assert User.objects.filter(pk=user.pk).exists()


@pytest.mark.once
@pytest.mark.parametrize("name", ["Ada\nAdministrator", "Ada\r\nX", "tab\there", "esc\x1b[2J", "par\u2029a", "\x9b31m"])
def test_a_name_is_one_line(name):
    """Else it would write lines of its own into mails, tables and terminals."""
    with pytest.raises(Invalid, match="A name is one line") as wrong:
        checked_line(name, "A name", 80, field="name")
    assert wrong.value.field == "name"
    assert checked_line(" Zoë van der Ü 李 \n", "A name", 80, field="name") == "Zoë van der Ü 李"


@pytest.mark.django_db
def test_nobody_renames_themselves_over_two_lines():
    person = a_person()
    with pytest.raises(Invalid, match="one line"):
        rename_me(person, name="Ada\nkeeps this system")
    assert "keeps" not in user_of(person).name
