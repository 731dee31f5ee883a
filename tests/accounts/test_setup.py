"""The first administrator comes in by a one-time link."""

import pytest

from accounts.actions.setup import check_setup_link, is_set_up, issue_setup_link, use_setup_link
from accounts.models import Membership, SetupLink, User
from accounts.roles import Role
from kernel.errors import Invalid, NotFound
from tests.factories import PASSWORD, a_user, acting_as, an_administrator, events_since

pytestmark = pytest.mark.django_db
ROOT = {"email": "root@example.org", "name": "Root", "password": PASSWORD}


def secret_of(path: str | None) -> str:
    assert path is not None
    return path.removeprefix("/setup/").removesuffix("/")


def test_the_first_user_administers_the_site_and_that_is_one_event():
    secret = secret_of(issue_setup_link())
    (kept,) = events_since(lambda: use_setup_link(secret, **ROOT))
    user = User.objects.get()
    assert Membership.objects.get(user=user, project=None).role == Role.ADMINISTRATOR
    assert (kept.verb, kept.event.actor_kind, kept.subject) == (
        "accounts.set_up",
        "operator",
        f"accounts.user {user.pk.hex}",
    )
    assert user.is_staff
    assert acting_as(user).is_person


def test_the_link_works_once():
    secret = secret_of(issue_setup_link())
    use_setup_link(secret, **ROOT)
    with pytest.raises(NotFound):
        use_setup_link(secret, **ROOT | {"email": "thief@example.org"})
    assert User.objects.count() == 1
    assert not SetupLink.objects.exists()


def test_only_the_latest_link_works():
    earlier, later = secret_of(issue_setup_link()), secret_of(issue_setup_link())
    with pytest.raises(NotFound):
        check_setup_link(earlier)
    assert check_setup_link(later)


def test_an_invented_link_is_not_good():
    issue_setup_link()
    with pytest.raises(NotFound, match="works once"):
        use_setup_link("guess", **ROOT)
    assert not is_set_up()


def test_there_is_no_link_once_there_is_a_user():
    secret = secret_of(issue_setup_link())
    a_user()
    assert is_set_up()
    assert issue_setup_link() is None
    with pytest.raises(NotFound):
        use_setup_link(secret, **ROOT)


def test_a_mistake_leaves_the_link_open():
    secret = secret_of(issue_setup_link())
    with pytest.raises(Invalid):
        use_setup_link(secret, **ROOT | {"password": "short"})
    assert not is_set_up()
    assert use_setup_link(secret, **ROOT).email == "root@example.org"


def test_the_secret_is_kept_nowhere():
    secret = secret_of(issue_setup_link())
    assert secret not in str(list(SetupLink.objects.values()))
    assert len(secret) >= 32


def test_the_page_of_the_link_makes_the_administrator_and_signs_in(client):
    path = issue_setup_link()
    assert client.get(path).status_code == 200
    answer = client.post(path, ROOT)
    assert answer.status_code == 302
    assert client.get("/projects/").status_code == 200
    assert client.get(path).status_code == 404


def test_the_page_says_what_is_wrong_and_makes_nobody(client):
    path = issue_setup_link()
    answer = client.post(path, ROOT | {"password": "short"})
    assert "too short" in answer.content.decode()
    assert not is_set_up()


def test_a_wrong_link_is_a_404(client):
    issue_setup_link()
    assert client.get("/setup/guess/").status_code == 404


def test_an_administrator_opens_the_console_and_others_do_not(client):
    admin, other = an_administrator(), a_user()
    client.force_login(other)
    assert client.get("/admin/").status_code in (302, 403, 404)
    client.force_login(User.objects.get(pk=admin.user_id))
    assert client.get("/admin/").status_code == 200
