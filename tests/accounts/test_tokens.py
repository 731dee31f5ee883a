"""Credentials of programs: what they open, how long, and how they end."""

import base64
import datetime as dt

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.access import can, find_project
from accounts.actions.tokens import create_token, new_secret, revoke_others_token, revoke_token
from accounts.actions.users import deactivate_user, rename_me
from accounts.authentication import FAILURES_A_MINUTE, actor_for_token, bearer_secret
from accounts.models import ApiToken
from accounts.queries.projects import my_tokens
from accounts.roles import Role, Scope
from experiments.queries.runs import get_run
from kernel import clock
from kernel.actor import Door, operator
from kernel.digests import sha256_hex
from kernel.errors import Invalid, MledError, NotFound, Refused, TooMany, Unauthenticated
from tests.factories import (
    a_person,
    a_project,
    a_run,
    a_team,
    a_token,
    again,
    an_administrator,
    default_experiment,
    events_since,
    join,
    nobody,
    user_of,
    with_token,
)

pytestmark = pytest.mark.django_db
DAY = 24 * 3600


@pytest.fixture(autouse=True)
def no_failures_yet():
    cache.clear()


# --- Making one


def test_a_secret_has_a_prefix_and_240_random_bits():
    secrets = {new_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert all(secret.startswith("mled_") and len(secret) == 45 for secret in secrets)


def test_only_the_digest_is_kept_anywhere():
    person, secret = a_person(), new_secret()
    (kept,) = events_since(lambda: create_token(person, name="laptop", secret=secret))
    token = ApiToken.objects.get(digest=sha256_hex(secret.encode()))
    assert token.prefix == secret[:12]
    assert secret[12:] not in str(kept.changes)
    assert kept.subject == f"accounts.apitoken {token.pk.hex}"


def test_a_token_is_made_by_its_owner_or_the_operator():
    person, other = a_person(), a_person()
    with pytest.raises(Refused, match="by its owner"):
        create_token(person, name="theirs", secret=new_secret(), owner=user_of(other))
    assert create_token(operator(), name="x", secret=new_secret(), owner=user_of(other)).user_id == other.user_id
    with pytest.raises(Invalid):
        create_token(operator(), name="whose", secret=new_secret())
    with pytest.raises(Unauthenticated):
        create_token(nobody(), name="x", secret=new_secret())


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "a\x00b"])
def test_a_token_has_a_name(name):
    with pytest.raises(Invalid) as refused:
        create_token(a_person(), name=name, secret=new_secret())
    assert refused.value.field == "name"


@pytest.mark.parametrize("scopes", [[], ["write"], ["read", "all"]])
def test_scopes_are_known_ones(scopes):
    with pytest.raises(Invalid) as refused:
        create_token(a_person(), name="x", secret=new_secret(), scopes=scopes)
    assert refused.value.field == "scopes"


@pytest.mark.parametrize("days", [0, -1, 366])
def test_a_token_lives_a_year_at_most(days):
    with pytest.raises(Invalid) as refused:
        create_token(a_person(), name="x", secret=new_secret(), days=days)
    assert refused.value.field == "days"


def test_a_project_that_one_cannot_see_is_not_named_in_a_token():
    person, hidden = a_person(), a_project()
    with pytest.raises(NotFound):
        create_token(person, name="x", secret=new_secret(), projects=[hidden])
    with pytest.raises(NotFound):
        create_token(person, name="x", secret=new_secret(), default_project=hidden)


def test_a_token_makes_no_token_that_may_more():
    person = a_person()
    manage = with_token(person, scopes=[Scope.READ, Scope.MANAGE])
    with pytest.raises(Refused, match="more than itself"):
        create_token(manage, name="x", secret=new_secret(), scopes=[Scope.LOG])
    with pytest.raises(Refused):
        create_token(with_token(person), name="x", secret=new_secret(), scopes=[Scope.READ])


def test_a_token_for_one_project_makes_none_for_all():
    team = a_team()
    narrow = with_token(team.scientist, scopes=list(Scope), projects=[team.project])
    with pytest.raises(Refused, match="more than itself"):
        create_token(narrow, name="x", secret=new_secret(), scopes=[Scope.READ])
    made = create_token(narrow, name="x", secret=new_secret(), scopes=[Scope.READ], projects=[team.project], days=80)
    assert made.projects == [team.project.pk.hex]


def test_a_token_makes_none_that_outlives_it():
    short = with_token(a_person(), scopes=list(Scope), days=2)
    with pytest.raises(Refused, match="more than itself"):
        create_token(short, name="x", secret=new_secret(), scopes=[Scope.READ], days=30)


# --- What it opens


def test_a_token_may_what_its_owner_may():
    team = a_team()
    run = a_run(with_token(team.scientist), default_experiment(team.project))
    assert run.created_by_id == team.scientist.user_id


def test_a_read_token_writes_nothing_and_says_which_scope_it_lacks():
    team = a_team()
    reader = with_token(team.scientist, scopes=[Scope.READ], name="dashboard")
    assert get_run(reader, a_run(team.scientist).uid.hex)
    with pytest.raises(Refused, match=r"'dashboard' may not .* needs the scope 'log', it has read"):
        a_run(reader, default_experiment(team.project))


def test_a_log_token_without_read_sees_nothing():
    team = a_team()
    run = a_run(team.scientist)
    with pytest.raises(NotFound):
        get_run(with_token(team.scientist, scopes=[Scope.LOG]), run.uid.hex)


def test_a_token_for_one_project_is_blind_for_others():
    team, other = a_team(), a_project()
    join(other, team.scientist, Role.DATA_SCIENTIST)
    run = a_run(team.scientist, default_experiment(team.project))
    narrow = with_token(team.scientist, projects=[other])
    assert find_project(narrow, other.slug) == other
    with pytest.raises(NotFound):
        find_project(narrow, team.project.slug)
    with pytest.raises(NotFound):
        get_run(narrow, run.uid.hex)
    with pytest.raises(NotFound):
        a_run(narrow, default_experiment(team.project))


def test_a_token_with_an_empty_list_opens_nothing():
    team = a_team()
    with pytest.raises(NotFound):
        find_project(with_token(team.scientist, projects=[]), team.project.slug)


def test_a_token_never_widens_its_owners_rights():
    team = a_team()
    with pytest.raises(Refused):
        a_run(with_token(team.auditor, scopes=list(Scope)), default_experiment(team.project))


def test_administrators_and_auditors_act_in_person_their_tokens_read():
    team = a_team()
    by_token = with_token(team.administrator, scopes=list(Scope))
    with pytest.raises(Refused):
        deactivate_user(by_token, user=user_of(team.scientist), reason="by a stolen token")
    assert find_project(by_token, team.project.slug) == team.project
    assert can(with_token(team.auditor), "experiments.see", a_run(team.scientist))


@pytest.mark.parametrize("role", ["auditor", "administrator"])
@pytest.mark.parametrize("scopes", [[Scope.LOG], [Scope.READ, Scope.LOG], [Scope.MANAGE]])
def test_who_acts_in_person_makes_tokens_that_read_and_nothing_else(role, scopes):
    person = getattr(a_team(), role)
    with pytest.raises(Refused, match="act in person, so a token of yours only reads") as told:
        create_token(person, name="x", secret=new_secret(), scopes=scopes)
    assert told.value.field == "scopes"
    assert not ApiToken.objects.filter(user_id=person.user_id).exists()
    assert create_token(person, name="x", secret=new_secret()).scopes == ["read"]


def test_an_auditor_who_logs_in_another_project_has_tokens_that_log_there_only():
    team, other = a_team(), a_project()
    join(other, team.auditor, Role.DATA_SCIENTIST)
    script = with_token(again(team.auditor), scopes=[Scope.READ, Scope.LOG])
    assert create_token(again(team.auditor), name="x", secret=new_secret(), scopes=[Scope.LOG]).scopes == ["log"]
    assert a_run(script, default_experiment(other))
    with pytest.raises(Refused):
        a_run(script, default_experiment(team.project))


def test_an_event_names_the_token():
    team = a_team()
    token, secret = a_token(team.scientist)
    actor = actor_for_token(secret, Door.MLFLOW, client="mlflow-python-client/3.18.0", request_id="r" * 16)
    kept = events_since(lambda: a_run(actor, default_experiment(team.project)))[-1]
    assert (kept.event.token_id, kept.event.door, kept.event.client, kept.event.request_id) == (
        token.pk,
        "mlflow",
        "mlflow-python-client/3.18.0",
        "r" * 16,
    )


# --- How it ends


def refused(secret: str) -> MledError:
    with pytest.raises(Unauthenticated) as told:
        actor_for_token(secret, Door.REST)
    return told.value


def test_unknown_expired_revoked_and_orphaned_tokens_get_the_same_answer(monkeypatch):
    person, admin = a_person(), an_administrator()
    token, revoked = a_token(person)
    revoke_token(person, token=token)
    _, orphaned = a_token(leaver := a_person())
    deactivate_user(admin, user=user_of(leaver), reason="left")
    _, expired = a_token(person, days=1)
    told = [str(refused(secret)) for secret in (new_secret(), revoked, orphaned)]
    at = clock._now()
    monkeypatch.setattr(clock, "_now", lambda: at + DAY + 1)
    told.append(str(refused(expired)))
    assert len(set(told)) == 1
    assert "MLFLOW_TRACKING_TOKEN" in told[0]


def test_a_token_is_good_until_its_last_second(monkeypatch):
    token, secret = a_token(a_person(), days=1)
    at = token.expires_at.timestamp()
    monkeypatch.setattr(clock, "_now", lambda: at - 1)
    assert actor_for_token(secret, Door.REST).is_person
    monkeypatch.setattr(clock, "_now", lambda: at)
    refused(secret)


def test_a_token_without_an_end_goes_on(monkeypatch):
    _, secret = a_token(a_person(), days=None)
    at = clock._now()
    monkeypatch.setattr(clock, "_now", lambda: at + 10_000 * DAY)
    assert actor_for_token(secret, Door.REST).is_person


def test_what_is_no_token_is_not_even_looked_up():
    with CaptureQueriesContext(connection) as asked:
        refused("hunter2")
        refused("")
    assert not [query["sql"] for query in asked if "apitoken" in query["sql"]]


def test_revoking_is_final_and_doing_it_again_changes_nothing():
    person = a_person()
    token, secret = a_token(person)
    (kept,) = events_since(lambda: revoke_token(person, token=token))
    assert (kept.verb, kept.subject) == ("accounts.revoke_token", f"accounts.apitoken {token.pk.hex}")
    refused(secret)
    ended_at = ApiToken.objects.get(pk=token.pk).revoked_at
    assert events_since(lambda: revoke_token(person, token=token)) == []
    assert ApiToken.objects.get(pk=token.pk).revoked_at == ended_at


def test_somebody_elses_token_is_not_there():
    token, secret = a_token(a_person())
    with pytest.raises(NotFound):
        revoke_token(a_person(), token=token)
    assert actor_for_token(secret, Door.REST).is_person


def test_an_administrator_ends_anybodys_token_with_a_reason():
    admin, (token, secret) = an_administrator(), a_token(a_person())
    with pytest.raises(Invalid):
        revoke_others_token(admin, token=token, reason=" ")
    (kept,) = events_since(lambda: revoke_others_token(admin, token=token, reason="found in a public repository"))
    assert kept.reason == "found in a public repository"
    refused(secret)


def test_others_end_nobodys_token():
    team = a_team()
    token, _ = a_token(team.scientist)
    for actor in (team.manager, team.auditor, team.engineer):
        with pytest.raises(Refused):
            revoke_others_token(actor, token=token, reason="a grudge")


def test_ones_own_tokens_are_listed_and_nobody_elses():
    person = a_person()
    first, _ = a_token(person, name="first")
    second, _ = a_token(person, name="second")
    a_token(a_person())
    assert list(my_tokens(person)) == [second, first]
    assert list(my_tokens(nobody())) == []


# --- Its use


def test_last_use_is_kept_to_five_minutes_and_is_no_event(monkeypatch):
    token, secret = a_token(a_person())
    assert events_since(lambda: actor_for_token(secret, Door.REST)) == []
    first = ApiToken.objects.get(pk=token.pk).last_used_at
    actor_for_token(secret, Door.REST)
    assert ApiToken.objects.get(pk=token.pk).last_used_at == first
    at = clock._now()
    monkeypatch.setattr(clock, "_now", lambda: at + 301)
    actor_for_token(secret, Door.REST)
    assert ApiToken.objects.get(pk=token.pk).last_used_at - first > dt.timedelta(minutes=5)


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_bearer_and_basic_carry_the_same_token():
    assert bearer_secret("Bearer mled_abc") == "mled_abc"
    assert bearer_secret("bearer  mled_abc ") == "mled_abc"
    assert bearer_secret(basic("anybody", "mled_abc")) == "mled_abc"
    assert bearer_secret(basic("", "mled_abc")) == "mled_abc"
    assert bearer_secret(basic("mlflow", "mled_a:b")) == "mled_a:b"
    assert bearer_secret("") is None


@pytest.mark.parametrize("header", ["Basic ???", "Basic " + base64.b64encode(b"\xff\xfe:x").decode(), "Digest x", "x"])
def test_a_broken_header_is_refused_in_words(header):
    with pytest.raises(Unauthenticated) as told:
        bearer_secret(header)
    assert "Bearer" in told.value.hint


def test_wrong_tokens_from_one_address_have_to_wait(monkeypatch):
    _, good = a_token(a_person())
    for _ in range(FAILURES_A_MINUTE):
        with pytest.raises(Unauthenticated):
            actor_for_token("mled_wrong", Door.MLFLOW, ip="192.0.2.7")
    with pytest.raises(TooMany, match="wrong tokens"):
        actor_for_token("mled_wrong", Door.MLFLOW, ip="192.0.2.7")
    with pytest.raises(Unauthenticated):
        actor_for_token("mled_wrong", Door.MLFLOW, ip="192.0.2.8")
    assert actor_for_token(good, Door.MLFLOW, ip="192.0.2.7").is_person


def test_a_deactivated_owner_is_out_at_once():
    team = a_team()
    _, secret = a_token(team.scientist)
    assert actor_for_token(secret, Door.REST).is_active
    deactivate_user(team.administrator, user=user_of(team.scientist), reason="left")
    refused(secret)
    with pytest.raises(Unauthenticated):
        rename_me(again(team.scientist), name="Ghost")
