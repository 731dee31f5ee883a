"""Signing in and out, changing and resetting a password: through the pages, as people do."""

import re

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts.actions.users import deactivate_user
from accounts.models import User
from kernel.actor import operator
from tests.factories import PASSWORD, a_user, events, events_since

pytestmark = pytest.mark.django_db
NEW = "an even longer phrase"


@pytest.fixture(autouse=True)
def no_attempts_yet():
    cache.clear()


@pytest.fixture
def ada() -> User:
    return a_user("Ada", password=PASSWORD)


def sign_in(client: Client, email: str, password: str = PASSWORD, **more: str):
    return client.post(reverse("account_login"), {"login": email, "password": password}, **more)


def is_signed_in(client: Client) -> bool:
    return client.get(reverse("accounts:projects")).status_code == 200


def test_a_person_signs_in_and_out_and_both_are_kept(client, ada):
    assert not is_signed_in(client)
    assert sign_in(client, ada.email.upper()).status_code == 302
    assert is_signed_in(client)
    client.post(reverse("account_logout"))
    assert not is_signed_in(client)
    kept = events(subject_id=ada.pk.hex)
    assert [one.verb for one in kept][-2:] == ["accounts.signed_in", "accounts.signed_out"]


def test_a_wrong_password_is_told_as_an_unknown_address_is(client, ada):
    wrong = sign_in(client, ada.email, "wrong password")
    unknown = sign_in(Client(), "nobody@example.org", "wrong password")
    told = [
        re.findall(r'class="[^"]*invalid-feedback[^"]*"[^>]*>([^<]+)', page.content.decode())
        for page in (wrong, unknown)
    ]
    assert wrong.status_code == unknown.status_code == 200
    assert told[0] == told[1]
    assert not is_signed_in(client)


def test_a_failed_sign_in_is_kept_without_the_address(client, ada):
    (kept,) = events_since(lambda: sign_in(client, ada.email, "wrong password"))
    assert kept.verb == "accounts.sign_in_failed"
    assert ada.email not in kept.reason
    assert "sha256:" in kept.reason


def test_many_failures_have_to_wait(ada):
    answers = [sign_in(Client(), ada.email, f"wrong password {n}") for n in range(30)]
    throttled = [answer for answer in answers if answer.status_code == 429 or b"Too many" in answer.content]
    assert throttled
    assert not is_signed_in_after(ada)


def is_signed_in_after(user: User) -> bool:
    client = Client()
    sign_in(client, user.email)
    return is_signed_in(client)


def test_a_service_account_never_signs_in(client):
    robot = a_user("Robot", password=PASSWORD, is_service=True)
    sign_in(client, robot.email)
    assert not is_signed_in(client)


def test_a_deactivated_person_is_signed_out_everywhere(client, ada):
    sign_in(client, ada.email)
    assert is_signed_in(client)
    deactivate_user(operator(), user=ada, reason="left")
    assert not is_signed_in(client)
    assert not is_signed_in_after(ada)


def test_nobody_signs_up(client):
    before = User.objects.count()
    address = reverse("account_signup")
    client.post(address, {"email": "new@example.org", "password1": PASSWORD})
    assert User.objects.count() == before
    assert "administrator" in client.get(address).content.decode().lower()


def test_a_changed_password_is_an_act_and_ends_other_sessions(client, ada):
    elsewhere = Client()
    sign_in(client, ada.email)
    sign_in(elsewhere, ada.email)
    change = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    kept = events_since(lambda: client.post(reverse("account_change_password"), change))
    assert "accounts.change_password" in [one.verb for one in kept]
    assert User.objects.get(pk=ada.pk).check_password(NEW)
    assert is_signed_in(client)
    assert not is_signed_in(elsewhere)


def test_the_old_password_is_asked_for(client, ada):
    sign_in(client, ada.email)
    client.post(reverse("account_change_password"), {"oldpassword": "guess", "password1": NEW, "password2": NEW})
    assert User.objects.get(pk=ada.pk).check_password(PASSWORD)


def test_a_bad_new_password_is_refused(client, ada):
    sign_in(client, ada.email)
    answer = client.post(
        reverse("account_change_password"), {"oldpassword": PASSWORD, "password1": "short", "password2": "short"}
    )
    assert "too short" in answer.content.decode()
    assert User.objects.get(pk=ada.pk).check_password(PASSWORD)


def link_in(message) -> str:
    return re.search(r"http://[^/\s]+(/login/reset/\S+)", message.body)[1]


def test_a_forgotten_password_is_reset_by_mail_once(client, ada):
    client.post(reverse("account_reset_password"), {"email": ada.email})
    (message,) = mail.outbox
    assert message.to == [ada.email]
    link = link_in(message)
    form = client.get(link, follow=True)
    address = form.redirect_chain[-1][0] if form.redirect_chain else link
    kept = events_since(lambda: client.post(address, {"password1": NEW, "password2": NEW}))
    assert "accounts.change_password" in [one.verb for one in kept]
    assert User.objects.get(pk=ada.pk).check_password(NEW)
    again = Client()
    form = again.get(link, follow=True)
    again.post(
        form.redirect_chain[-1][0] if form.redirect_chain else link, {"password1": PASSWORD, "password2": PASSWORD}
    )
    assert User.objects.get(pk=ada.pk).check_password(NEW)


def test_a_new_user_without_a_password_sets_one_by_mail(client):
    newcomer = a_user("Nils")
    client.post(reverse("account_reset_password"), {"email": newcomer.email})
    (message,) = mail.outbox
    link = link_in(message)
    form = client.get(link, follow=True)
    client.post(form.redirect_chain[-1][0] if form.redirect_chain else link, {"password1": NEW, "password2": NEW})
    assert User.objects.get(pk=newcomer.pk).check_password(NEW)


def test_asking_for_an_unknown_address_looks_the_same(client, ada):
    known = client.post(reverse("account_reset_password"), {"email": ada.email})
    unknown = Client().post(reverse("account_reset_password"), {"email": "nobody@example.org"})
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])


def test_a_deactivated_person_gets_no_link(client, ada):
    deactivate_user(operator(), user=ada, reason="left")
    client.post(reverse("account_reset_password"), {"email": ada.email})
    assert not [message for message in mail.outbox if "/login/reset/" in message.body]


def test_an_invented_link_sets_nothing(client, ada):
    answer = client.get(
        reverse("account_reset_password_from_key", kwargs={"uidb36": "1", "key": "abc-def"}), follow=True
    )
    assert answer.status_code in (200, 404)
    assert User.objects.get(pk=ada.pk).check_password(PASSWORD)


def test_sessions_cannot_be_forged_across_sites(ada):
    client = Client(enforce_csrf_checks=True)
    assert sign_in(client, ada.email).status_code == 403
