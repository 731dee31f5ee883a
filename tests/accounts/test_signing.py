"""A signature: given in person, by password, over a frozen record; any change afterwards shows."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.core import mail
from django.core.cache import cache
from django.test import Client

from accounts import identity
from accounts.actions.users import change_password, deactivate_user
from accounts.identity import FAILURES_OF_ONE, Factor, register_factor
from accounts.models import Notice, Project, Signature
from accounts.roles import Role
from accounts.signing import (
    WINDOW,
    Proof,
    ProofNeeded,
    forget_proof,
    needs_email,
    prove,
    sign,
    signatures_of,
    state_of,
)
from audit.ledger.acting import NoOpenAct, acting
from audit.ledger.sequencer import Sequencer
from audit.ledger.values import Subject
from audit.ledger.verify import verify_ledger
from kernel import clock
from kernel.actor import Actor, operator, system
from kernel.digests import canonical_json, sha256_hex
from kernel.errors import Invalid, Refused, TooMany, Unavailable
from tests.factories import (
    PASSWORD,
    a_project,
    a_team,
    a_user,
    acting_as,
    an_administrator,
    events,
    join,
    user_of,
    with_token,
)
from tests.ledger.forger import forging, sql

THING = Subject("test.thing", "desk")
RECORD = {"files": {"model.pkl": {"sha256": "a" * 64, "size_bytes": 3}}, "metrics": {"auc": 0.91}, "to": 3}


@pytest.fixture(autouse=True)
def data(settings: Any, tmp_path: Any, db: None) -> None:
    settings.MLED_DATA = tmp_path
    cache.clear()


@pytest.fixture
def project() -> Project:
    return a_project()


@pytest.fixture
def mona(project: Project) -> Actor:
    user = a_user("Mona", password=PASSWORD)
    join(project, user, Role.PROJECT_MANAGER)
    return acting_as(user)


@pytest.fixture
def session() -> SessionStore:
    return SessionStore()


@pytest.fixture
def later(monkeypatch) -> Any:
    """Let so much time pass."""
    real, passed = clock._now, dt.timedelta()

    def go_on(**more: float) -> None:
        nonlocal passed
        passed += dt.timedelta(**more)
        monkeypatch.setattr(clock, "_now", lambda: real() + passed.total_seconds())

    return go_on


def proved(person: Actor, session: Any = None, password: str = PASSWORD, **more: Any) -> Proof:
    return prove(person, password, email=user_of(person).email, session=session, **more)


def signed(person: Actor, project: Project, *, proof: Proof | None = None, record: Any = None) -> Signature:
    proof = proof or proved(person)
    with acting(person, "test.sign", project_id=project.pk):
        return sign(
            person,
            project,
            subject=THING,
            record=record or RECORD,
            meaning="Approved for champion",
            comment="Checked.",
            proof=proof,
        )


# --- Proving


def test_the_first_proof_of_a_session_takes_address_and_password_later_ones_the_password(mona, session):
    assert needs_email(mona, session)
    with pytest.raises(Invalid):
        prove(mona, PASSWORD, session=session)
    first = proved(mona, session)
    assert first.factors == ("e-mail", "password")
    assert not needs_email(mona, session)
    assert prove(mona, PASSWORD, session=session).factors == ("password",)
    with pytest.raises(Invalid):
        prove(mona, "wrong", session=session)


def test_a_session_holds_that_its_person_was_proved_and_nothing_to_sign_with(mona, session):
    proved(mona, session)
    assert set(session["signing"]) == {"user", "at", "password"}


def test_a_series_goes_on_with_the_password_while_no_five_minutes_pass_between_two(mona, session, later):
    proved(mona, session)
    later(minutes=4, seconds=59)
    assert not needs_email(mona, session)
    proved(mona, session)
    later(minutes=4, seconds=59)
    assert not needs_email(mona, session)
    later(seconds=2)
    assert needs_email(mona, session)


def test_a_proof_does_not_outlive_its_session(mona, session):
    proved(mona, session)
    session.flush()
    assert needs_email(mona, session)


def test_signing_out_ends_the_series(mona):
    client = Client()
    client.force_login(user_of(mona), backend="accounts.backends.EmailBackend")
    session = client.session
    proved(mona, session)
    session.save()
    assert not needs_email(mona, client.session)
    client.post("/logout/")
    assert needs_email(mona, client.session)


def test_a_new_password_ends_the_series(mona, session):
    proved(mona, session)
    change_password(mona, password="another long word")
    assert needs_email(mona, session)


def test_a_deactivated_account_has_no_proof_and_signs_nothing(mona, project, session):
    proof = proved(mona, session)
    deactivate_user(operator(), user=user_of(mona), reason="Left.")
    assert needs_email(mona, session)
    with pytest.raises(Refused, match="cannot sign"):
        signed(mona, project, proof=proof)
    with pytest.raises(Invalid):
        proved(mona)


def test_a_proof_is_its_persons_own(mona, project, session):
    other = acting_as(a_user("Emil", password=PASSWORD))
    proof = proved(mona, session)
    assert needs_email(other, session)
    with pytest.raises(ProofNeeded):
        signed(other, project, proof=proof)


def test_forgetting_a_proof_starts_anew(mona, session):
    proved(mona, session)
    forget_proof(session)
    assert needs_email(mona, session)


def test_neither_tokens_nor_machines_prove_anything(mona, session):
    script = with_token(mona, scopes=["read", "log", "manage"])
    with pytest.raises(Refused, match="in person"):
        proved(script)
    proved(mona, session)
    assert needs_email(script, session)
    for actor in (operator(), system()):
        with pytest.raises(Refused):
            prove(actor, PASSWORD, email="x@example.org")


def test_an_account_without_a_password_proves_nothing(project):
    silent = acting_as(a_user("Silent"))
    robot = acting_as(a_user("Robot", is_service=True))
    for person in (silent, robot):
        for guess in ("", "!", PASSWORD):
            with pytest.raises((Invalid, TooMany)):
                proved(person, password=guess)


def test_a_proof_is_on_record(mona):
    proved(mona)
    (kept,) = events(verb="accounts.proved_identity")
    assert (kept.outcome, kept.event.actor_id) == ("done", mona.user_id)
    assert kept.reason == "Proved by e-mail and password, to sign."


def test_a_proof_inside_an_act_is_a_bug(mona):
    with acting(mona, "test.sly"), pytest.raises(RuntimeError, match="before the act"):
        proved(mona)


# --- Wrong ones


@pytest.mark.parametrize(
    ("email", "password"),
    [("", PASSWORD), ("somebody@else.org", PASSWORD), (None, "wrong"), (None, ""), ("\ud800", PASSWORD)],
)
def test_every_wrong_proof_gets_the_same_answer(mona, email, password):
    with pytest.raises(Invalid) as refusal:
        prove(mona, password, email=user_of(mona).email if email is None else email)
    assert refusal.value.message == "That is not right, so nothing was signed."
    assert refusal.value.field == "password"


def test_a_wrong_address_costs_as_much_as_a_wrong_password(mona, monkeypatch):
    checked = []
    monkeypatch.setattr("accounts.models.User.check_password", lambda user, answer: checked.append(answer) or False)
    for email in ("nobody@example.org", user_of(mona).email):
        with pytest.raises(Invalid):
            prove(mona, "guess", email=email)
    assert checked == ["guess", "guess"]


def test_wrong_proofs_are_recorded_told_and_in_the_end_refused(mona):
    root = an_administrator()
    for attempt in range(1, FAILURES_OF_ONE + 1):
        with pytest.raises(Invalid):
            proved(mona, password="wrong")
        assert Notice.objects.filter(user=user_of(mona)).count() == (attempt >= 3) + (attempt >= 5)
    with pytest.raises(TooMany, match="Too many failed attempts to sign for this account"):
        proved(mona)
    denied = events(verb="accounts.proved_identity", outcome="denied")
    assert len(denied) == FAILURES_OF_ONE + 1
    assert {kept.event.actor_id for kept in denied} == {mona.user_id}
    assert denied[0].reason == "Wrong e-mail or password at signing, attempt 1 in 15 minutes."
    assert Notice.objects.filter(user=user_of(root), kind="signing.failed").count() == 1
    assert all(PASSWORD not in kept.reason and "wrong" not in kept.changes for kept in denied)


def test_who_is_told_of_failures_gets_mail(mona, later):
    from accounts.tasks import mail_notices

    for _ in range(3):
        with pytest.raises(Invalid):
            proved(mona, password="wrong")
    later(minutes=2)
    mail_notices()
    assert [message.to for message in mail.outbox] == [[user_of(mona).email]]
    assert "attempts to sign in your name failed" in mail.outbox[0].body


def test_a_right_proof_clears_the_count(mona):
    for _ in range(FAILURES_OF_ONE - 1):
        with pytest.raises(Invalid):
            proved(mona, password="wrong")
    proved(mona)
    for _ in range(FAILURES_OF_ONE - 1):
        with pytest.raises(Invalid):
            proved(mona, password="wrong")


def test_one_address_does_not_try_everybody(monkeypatch):
    monkeypatch.setattr(identity, "FAILURES_OF_ADDRESS", 3)
    people = [acting_as(a_user(password=PASSWORD)) for _ in range(5)]
    for person in people[:3]:
        with pytest.raises(Invalid):
            proved(person, password="wrong", ip="203.0.113.9")
    with pytest.raises(TooMany, match="from this address"):
        proved(people[3], ip="203.0.113.9")
    proved(people[4], ip="203.0.113.10")


def test_where_attempts_cannot_be_counted_none_is_taken(mona, settings):
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "unix:///nowhere/at/all.socket",
        }
    }
    with pytest.raises(Unavailable, match="cannot be counted"):
        proved(mona)
    assert not events(verb="accounts.proved_identity")


def test_a_second_factor_is_asked_of_those_who_have_it(mona, monkeypatch):
    monkeypatch.setattr(identity, "_factors", dict(identity._factors))
    register_factor(Factor("code", lambda user: user.name == "Mona", lambda user, answer: answer == "123456"))
    with pytest.raises(Invalid):
        proved(mona)
    assert proved(mona, further={"code": "123456"}).factors == ("e-mail", "password", "code")
    with pytest.raises(Invalid):
        proved(mona, password="wrong", further={"code": "123456"})
    other = acting_as(a_user("Emil", password=PASSWORD))
    assert proved(other).factors == ("e-mail", "password")


# --- Signing


def test_a_signature_holds_who_when_meaning_and_the_digest_of_the_record(mona, project):
    made = signed(mona, project)
    assert (made.printed_name, made.meaning, made.comment) == ("Mona", "Approved for champion", "Checked.")
    assert made.record == canonical_json(RECORD).decode()
    assert made.digest == sha256_hex(canonical_json(RECORD))
    assert made.factors == "e-mail, password"
    assert [one.pk for one in signatures_of(mona, THING)] == [made.pk]


def test_the_printed_name_stays_that_of_the_moment(mona, project):
    from accounts.actions.users import rename_me

    made = signed(mona, project)
    rename_me(mona, name="Mona Married")
    assert Signature.objects.get(pk=made.pk).printed_name == "Mona"


def test_signing_belongs_to_an_act(mona, project):
    with pytest.raises(NoOpenAct):
        sign(mona, project, subject=THING, record=RECORD, meaning="x", comment="", proof=proved(mona))


def test_an_old_proof_signs_nothing(mona, project, later):
    proof = proved(mona)
    later(seconds=WINDOW.total_seconds() + 1)
    with pytest.raises(ProofNeeded, match="has run out"):
        signed(mona, project, proof=proof)


def test_a_proof_from_the_future_signs_nothing(mona, project):
    proof = Proof(user_of(mona).pk, clock.now() + dt.timedelta(hours=1), ("password",))
    with pytest.raises(ProofNeeded):
        signed(mona, project, proof=proof)


def test_one_proof_signs_all_that_its_act_signs(mona, project, later):
    proof = proved(mona)
    signed(mona, project, proof=proof)
    later(minutes=2)
    assert signed(mona, project, proof=proof).proven_at == proof.at
    assert Signature.objects.count() == 2


def test_an_outsider_sees_no_signature(mona, project):
    signed(mona, project)
    assert list(signatures_of(a_team().manager, THING)) == []


# --- Whether it holds


def test_it_awaits_a_checkpoint_until_the_log_covers_it(mona, project):
    made = signed(mona, project)
    before = state_of(made, RECORD)
    assert (before.matches, before.is_covered, before.seq) == (True, False, None)
    Sequencer().run_until_empty()
    after = state_of(made, RECORD)
    assert after.is_covered
    assert after.seq is not None


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ({"to": 4}, ("to",)),
        ({"metrics": {"auc": 0.92}}, ("metrics › auc",)),
        ({"metrics": {}}, ("metrics › auc",)),
        ({"more": None}, ("more",)),
        ({"files": {"model.pkl": {"sha256": "b" * 64, "size_bytes": 3}}}, ("files › model.pkl › sha256",)),
        ({"files": {}}, ("files › model.pkl",)),
    ],
)
def test_any_change_makes_it_not_match_and_is_named(mona, project, change, differs):
    state = state_of(signed(mona, project), RECORD | change)
    assert not state.matches
    assert state.differs == differs


def test_the_order_of_fields_is_no_change(mona, project):
    assert state_of(signed(mona, project), dict(reversed(RECORD.items()))).matches


def test_a_record_swapped_under_its_signature_shows(mona, project):
    made = signed(mona, project)
    made.record = canonical_json(RECORD | {"to": 4}).decode()
    assert state_of(made, RECORD | {"to": 4}).differs == ("the signed record itself",)


# --- What the ledger makes of it


def test_a_signature_is_neither_changed_nor_removed(mona, project):
    from django.db import DatabaseError, transaction

    made = signed(mona, project)
    for statement in (
        "UPDATE accounts_signature SET printed_name = 'Otto'",
        "DELETE FROM accounts_signature",
    ):
        with pytest.raises(DatabaseError, match="is refused: its rows are evidence"), transaction.atomic():
            sql(statement)
    assert Signature.objects.get(pk=made.pk).printed_name == "Mona"


@pytest.mark.parametrize(
    ("column", "value"),
    [("printed_name", "'Otto'"), ("meaning", "'Seen'"), ("record", "'{}'"), ("signed_at", "'2020-01-01 00:00:00+00'")],
)
def test_a_signature_that_was_changed_behind_the_log_is_found(mona, project, column, value):
    made = signed(mona, project)
    Sequencer().run_until_empty()
    assert verify_ledger().problems == []
    with forging():
        assert sql(f"UPDATE accounts_signature SET {column} = {value}") == 1
        (found,) = verify_ledger().problems
    assert (found.kind, found.id, found.field) == ("accounts.signature", made.pk.hex, column)


def test_a_signature_that_was_removed_behind_the_log_is_found(mona, project):
    made = signed(mona, project)
    Sequencer().run_until_empty()
    with forging():
        assert sql("DELETE FROM accounts_signature") == 1
        problems = verify_ledger().problems
    assert [(found.kind, found.id) for found in problems] == [("accounts.signature", made.pk.hex)]
