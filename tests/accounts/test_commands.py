"""The commands that scripts use: doors like the others."""

import datetime as dt
import io

import pytest
from django.core.management import CommandError, call_command

from accounts.access import find_project
from accounts.authentication import actor_for_token
from accounts.models import ApiToken, Membership, Project, User
from accounts.roles import Role
from kernel.actor import Door
from kernel.errors import NotFound
from tests.factories import a_project, a_user, events, events_since, join, unique

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


def run(*words: str, typed: str = "", monkeypatch=None) -> str:
    out = io.StringIO()
    if monkeypatch is not None:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    call_command(*words, stdout=out)
    return out.getvalue()


def refused(*words: str) -> str:
    with pytest.raises(CommandError) as told:
        run(*words)
    return str(told.value)


def test_create_user_makes_a_user_as_the_operator():
    (kept,) = events_since(lambda: run("create_user", "Ada@Example.org", "--name", "Ada"))
    user = User.objects.get(email="ada@example.org")
    assert (user.name, user.has_usable_password()) == ("Ada", False)
    assert (kept.event.actor_kind, kept.event.door, kept.event.actor_id) == ("operator", "command", None)
    assert kept.event.request_id


def test_create_user_takes_the_password_from_standard_input(monkeypatch):
    run("create_user", "ada@example.org", "--password-stdin", typed="a phrase with spaces \n", monkeypatch=monkeypatch)
    assert User.objects.get(email="ada@example.org").check_password("a phrase with spaces ")


def test_create_user_with_a_role_is_one_event():
    project = a_project()
    (kept,) = events_since(
        lambda: run("create_user", "ada@example.org", "--role", "scientist", "--project", project.slug)
    )
    assert kept.subject == f"accounts.user {User.objects.get(email='ada@example.org').pk.hex}"
    assert kept.changed("accounts.membership")["role"] == [None, "data_scientist"]


def test_create_user_with_a_role_and_no_project_is_for_the_whole_site():
    run("create_user", "root@example.org", "--role", "administrator")
    membership = Membership.objects.get(user__email="root@example.org")
    assert (membership.project_id, membership.role) == (None, Role.ADMINISTRATOR)


def test_a_command_that_fails_leaves_nothing_behind():
    for words in (
        ["--role", "king"],
        ["--role", "scientist"],
        ["--role", "scientist", "--project", "no-such"],
        ["--role", "administrator", "--project", a_project().slug],
    ):
        refused("create_user", "ada@example.org", *words)
        assert not User.objects.filter(email="ada@example.org").exists()
    assert not events(verb="accounts.create_user")


def test_mistakes_are_told_in_words():
    user, project = a_user(), a_project()
    assert "not an e-mail address" in refused("create_user", "ada")
    assert "already" in refused("create_user", user.email)
    assert "already" in refused("create_project", project.slug)
    assert "lower-case" in refused("create_project", "No Such")
    assert "No project 'nowhere'" in refused("add_member", "nowhere", user.email, "scientist")
    assert "Create the user first" in refused("add_member", project.slug, "nobody@example.org", "scientist")
    assert "Roles are" in refused("add_member", project.slug, user.email, "king")
    assert "There is no user" in refused("issue_token", "nobody@example.org")
    assert "not a scope" in refused("issue_token", user.email, "--scope", "all")
    assert "1 to 365 days" in refused("issue_token", user.email, "--days", "900")


def test_create_project_says_how_its_runs_are_called():
    slug = unique("vision")
    assert "VIS" in run("create_project", slug, "--name", "Vision")
    assert Project.objects.get(slug=slug).name == "Vision"
    assert "QQ-1" in run("create_project", unique("other"), "--key", "QQ")


def test_add_member_gives_every_role_of_a_project():
    project = a_project()
    for role in ("scientist", "ml_engineer", "manager", "auditor"):
        user = a_user()
        run("add_member", project.slug, user.email, role)
        assert Membership.objects.filter(user=user, project=project).exists()


def test_add_member_keeps_writing_and_auditing_apart():
    project, user = a_project(), a_user()
    run("add_member", project.slug, user.email, "scientist")
    assert "both write and audit" in refused("add_member", project.slug, user.email, "auditor")


def test_issue_token_prints_the_token_and_nothing_else():
    user = a_user()
    secret = run("issue_token", user.email).removesuffix("\n")
    actor = actor_for_token(secret, Door.REST)
    assert actor.user_id == user.pk
    assert actor.token.scopes == {"read", "log"}
    assert "\n" not in secret


def test_issue_token_for_a_project_is_good_there_only():
    project, other, user = a_project(), a_project(), a_user()
    for one in (project, other):
        join(one, user, Role.DATA_SCIENTIST)
    actor = actor_for_token(run("issue_token", user.email, "--project", project.slug).strip(), Door.MLFLOW)
    assert actor.token.default_project == project.pk
    assert find_project(actor, project.slug) == project
    with pytest.raises(NotFound):
        find_project(actor, other.slug)


def test_issue_token_takes_scopes_days_and_a_name():
    user = a_user()
    run("issue_token", user.email, "--scope", "read", "--scope", "manage", "--days", "1", "--name", "CI")
    token = ApiToken.objects.get(user=user)
    assert (token.name, token.scopes, round((token.expires_at - token.created_at) / HOUR)) == (
        "CI",
        ["manage", "read"],
        24,
    )
