"""What was recorded is erased on a legal basis: the entry stays, proofs hold, and nobody erases in silence."""

import json
import subprocess
import sys
import textwrap
from uuid import UUID

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from accounts.actions.erasing import erase_everywhere, erase_payloads
from accounts.actions.forgetting import forget
from accounts.actions.members import change_role
from accounts.models import ApiToken, Membership, Notice, Signature, User
from accounts.notices import tell
from accounts.queries.erasing import what_forgetting_does
from accounts.roles import Role, Scope
from accounts.words import stays
from audit.compliance.actions.holds import lift_hold, place_hold
from audit.compliance.models import Report
from audit.ledger.acting import acting
from audit.ledger.keys import private_file
from audit.ledger.models import AuditEvent, AuditPayload, Leaf
from audit.ledger.queries.history import history_of
from audit.ledger.queries.soundness import broken_link
from audit.ledger.rotation import replace_lost_key
from audit.ledger.sequencer import Sequencer
from audit.ledger.triggers import refusals
from audit.ledger.values import Subject
from audit.ledger.verify import verify_ledger
from experiments.actions.comments import add_comment
from experiments.actions.runs import delete_tag, set_tags
from kernel.actor import operator, system
from kernel.errors import Conflict, Invalid, NotFound, Refused
from tests.factories import (
    PASSWORD,
    a_run,
    a_team,
    a_token,
    a_user,
    acting_as,
    an_administrator,
    events,
    events_since,
    everything,
    join,
    user_of,
    with_token,
)
from tests.ledger.conftest import data  # noqa: F401 - keys and anchors of a test's own
from tests.ledger.forger import forging, sql

pytestmark = pytest.mark.django_db
BASIS = "GDPR 17(1)(d): a patient's name was logged by mistake"


@pytest.fixture
def leaked():
    """A run with a tag that names a patient, removed since; the events that told it."""
    team = a_team()
    run = a_run(team.scientist)
    told = events_since(lambda: set_tags(team.scientist, run, tags={"note": "Jane Roe, ward 7", "site": "Basel"}))
    told += events_since(lambda: delete_tag(team.scientist, run, key="note"))
    return team, run, [one.event.pk for one in told]


def sealed_log():
    Sequencer().run_until_empty()
    return verify_ledger()


def test_an_administrator_erases_and_the_log_is_as_sound_as_before(leaked):
    team, run, told = leaked
    before = sealed_log()
    assert before.is_sound
    (kept,) = events_since(lambda: erase_payloads(team.administrator, events=told, reason=BASIS))
    assert not AuditPayload.objects.filter(body__contains="Jane Roe").exists()
    assert (kept.verb, kept.reason, kept.event.project_id) == ("accounts.erase_payloads", BASIS, team.project.pk)
    commitments = {one.pk.hex: one.commitment for one in AuditEvent.objects.filter(pk__in=told)}
    gone = [one for one in kept.changes if one["type"] == "ledger.auditpayload"]
    assert {one["id"]: one["fields"]["commitment"] for one in gone} == {
        event_id: [text, None] for event_id, text in commitments.items()
    }
    after = sealed_log()
    assert after.is_sound, after.problems
    assert any(f"on record: {len(told)}." in one for one in after.remarks)
    assert Leaf.objects.filter(event_id__in=told).count() == len(told)
    assert broken_link(history_of(run.ledger_subject)) == ""
    assert erase_payloads(team.administrator, events=told, reason=BASIS) == 0


def test_what_is_recorded_afterwards_is_compared_again(leaked):
    team, run, told = leaked
    erase_payloads(team.administrator, events=told, reason=BASIS)
    set_tags(team.scientist, run, tags={"site": "Bern"})
    assert sealed_log().is_sound
    with forging():
        sql("UPDATE experiments_runtag SET value = 'Rome' WHERE key = 'site' AND run_id = %s", run.pk)
        (problem,) = verify_ledger().problems
    assert (problem.kind, problem.field, problem.found) == ("experiments.runtag", "site", "Rome")


def test_a_payload_that_somebody_just_deleted_is_still_found(leaked):
    team, run, told = leaked
    erase_payloads(team.administrator, events=told[:1], reason=BASIS)
    assert sealed_log().is_sound
    with forging():
        AuditPayload.objects.filter(event_id=told[1]).delete()
        problems = verify_ledger().problems
        assert [one.id for one in problems if "no act erased it" in one.what] == [told[1].hex]
        assert "nobody erased it" in broken_link(history_of(run.ledger_subject))


def test_a_payload_that_somebody_puts_back_is_found(leaked):
    team, _, told = leaked
    kept = AuditPayload.objects.get(pk=told[0])
    erase_payloads(team.administrator, events=told[:1], reason=BASIS)
    AuditPayload.objects.create(event_id=kept.pk, salt=bytes(kept.salt), body=kept.body)
    assert ["put it back" in one.what for one in sealed_log().problems] == [True]


def test_the_table_refuses_deletes_before_and_after(leaked):
    team, _, told = leaked
    standing = refusals(connection)
    erase_payloads(team.administrator, events=told, reason=BASIS)
    assert refusals(connection) == standing
    with pytest.raises(IntegrityError, match="evidence"), transaction.atomic():
        AuditPayload.objects.all()[:1].get().delete()


def test_what_fails_in_between_leaves_payload_and_trigger(leaked, monkeypatch):
    team, _, told = leaked
    standing = refusals(connection)

    def stumble(queryset):
        raise RuntimeError("a bug")

    with monkeypatch.context() as patched:
        patched.setattr("django.db.models.query.QuerySet.delete", stumble)
        with pytest.raises(RuntimeError), transaction.atomic():
            erase_payloads(team.administrator, events=told, reason=BASIS)
    assert refusals(connection) == standing
    assert AuditPayload.objects.filter(event_id__in=told).count() == len(told)


def test_a_server_that_dies_in_between_leaves_the_trigger(tmp_path):
    """SQLite alone drops a trigger to erase; the file of a killed process has it again."""
    program = """
        import os, sys
        os.environ.update(MLED_DATA=sys.argv[1], DJANGO_SETTINGS_MODULE="mled_site.settings", MLED_DATABASE_URL="")
        os.environ.pop("DATABASE_URL", None)
        import django
        django.setup()
        from django.core.management import call_command
        from django.db import connection, transaction
        from audit.ledger.models import AuditPayload
        from audit.ledger.triggers import refusals, trigger_name
        if connection.vendor != "sqlite":
            sys.exit(7)
        if sys.argv[2] == "die":
            call_command("migrate", verbosity=0)
            from audit.ledger import erasing
            with transaction.atomic(), erasing._erasable():
                assert trigger_name("ledger_auditpayload", "DELETE") not in refusals(connection)
                os._exit(9)
        sys.exit(0 if trigger_name("ledger_auditpayload", "DELETE") in refusals(connection) else 5)
    """

    def run(step: str) -> int:
        return subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program), str(tmp_path), step], check=False, timeout=120
        ).returncode

    assert run("die") == 9
    assert run("look") == 0


# --- Who, and what not


def test_only_an_administrator_in_person_erases(leaked):
    team, _, told = leaked
    for actor in (team.scientist, team.engineer, team.manager, team.auditor):
        with pytest.raises(Refused):
            erase_everywhere(actor, events=told, basis=BASIS)
    assert events()[-1].outcome == "denied"
    with pytest.raises(Refused):
        erase_payloads(with_token(team.administrator, scopes=list(Scope)), events=told, reason=BASIS)
    assert AuditPayload.objects.filter(event_id__in=told).count() == len(told)


@pytest.mark.parametrize("basis", ["", "   ", "x" * 501, "a\x00b"])
def test_a_basis_has_to_be_said(leaked, basis):
    team, _, told = leaked
    with pytest.raises(Invalid):
        erase_payloads(team.administrator, events=told, reason=basis)


def test_events_that_do_not_exist_and_none_at_all_are_refused(leaked):
    team, _, told = leaked
    with pytest.raises(NotFound):
        erase_everywhere(team.administrator, events=[*told, UUID(int=7)], basis=BASIS)
    with pytest.raises(Invalid):
        erase_everywhere(team.administrator, events=[], basis=BASIS)
    assert AuditPayload.objects.filter(event_id__in=told).count() == len(told)


def test_what_tells_of_an_erasure_or_carries_a_signature_stays(leaked):
    team, _, told = leaked
    (kept,) = events_since(lambda: erase_payloads(team.administrator, events=told, reason=BASIS))
    with pytest.raises(Conflict, match="says what was erased"):
        erase_payloads(team.administrator, events=[kept.event.pk], reason=BASIS)
    everything(operator(), a_team().project)
    signed = Signature.objects.first()
    with pytest.raises(Conflict, match="carries a signature"):
        erase_payloads(team.administrator, events=[signed.event_id], reason=BASIS)


def test_events_of_several_projects_leave_an_act_in_each(leaked):
    team, _, told = leaked
    other = a_team()
    more = events_since(lambda: a_run(other.scientist))[0].event.pk
    with pytest.raises(Invalid, match="several projects"):
        erase_payloads(team.administrator, events=[*told, more], reason=BASIS)
    kept = events_since(lambda: erase_everywhere(team.administrator, events=[*told, more], basis=BASIS))
    assert {one.event.project_id for one in kept} == {team.project.pk, other.project.pk}
    assert sealed_log().is_sound


def test_the_operator_erases_by_a_command(leaked):
    _, _, told = leaked
    words = ("--event", told[0].hex, "--event", str(told[1]), "--basis", BASIS)
    (kept,) = events_since(lambda: call_command("erase_payloads", *words))
    assert (kept.event.actor_kind, kept.reason) == ("operator", BASIS)
    with pytest.raises(CommandError, match="32 hex digits"):
        call_command("erase_payloads", "--event", "17", "--basis", BASIS)


# --- Forgetting a person


@pytest.fixture
def anna():
    """Somebody with a token, a session, a notice, an earlier name, and a tag in a run that holds the address."""
    team = a_team()
    user = a_user("Anna Karenina", email="anna.k@example.org", password=PASSWORD)
    with acting(system(), "accounts.rename_me") as act:
        act.speaks_of(user.ledger_subject)
        user.name = "Anna Oblonskaya"
        user.save()
    a_token(user)
    session = SessionStore()
    session["_auth_user_id"] = str(user.pk)
    session.save()
    with acting(system(), "test.tell") as act:
        act.always = True
        tell([user], kind="test", text="Anna Oblonskaya has a run")
        tell([user_of(team.scientist)], kind="test", text="Anna Oblonskaya asked")
    set_tags(team.scientist, a_run(team.scientist), tags={"mlflow.user": "anna.k@example.org"})
    return user, session.session_key


def test_a_forgotten_person_is_nowhere_but_in_what_projects_logged(anna):
    user, session = anna
    root = an_administrator()
    told = what_forgetting_does(root, user)
    assert (told.tokens, told.sessions, told.notices, len(told.events), told.elsewhere) == (1, 1, 1, 2, 1)
    forgotten = forget(root, user=user, basis="GDPR 17(1)(b)")
    assert (forgotten.name, forgotten.email) == (
        f"former user {user.pk.hex[:4]}",
        f"{user.pk.hex[:4]}@forgotten.invalid",
    )
    assert (forgotten.is_active, forgotten.has_usable_password()) == (False, False)
    assert not ApiToken.objects.filter(user=user, revoked_at=None).exists()
    assert not SessionStore().exists(session)
    assert [one.text for one in Notice.objects.all()] == [f"{forgotten.name} asked"]
    assert set(User.history.filter(id=user.pk).values_list("name", flat=True)) == {forgotten.name}
    bodies = list(AuditPayload.objects.values_list("body", flat=True))
    assert not any("Karenina" in body or "Oblonskaya" in body for body in bodies)
    assert sum("anna.k@" in body for body in bodies) == 1
    found = sealed_log()
    assert found.is_sound, found.problems


def test_forgetting_leaves_other_names_and_words_in_notices_alone():
    ada, other = a_user("Ada", email="ada@example.org"), a_user("Ada Smith", email="smith@example.org")
    bo = a_user("Bo", email="bo@example.org")
    texts = ["Ada asked the CanAda team", "Ada Smith and Ada asked", "ada.py by Ada", "Bo asked in Bo's project"]
    with acting(system(), "test.tell") as act:
        act.always = True
        for text in texts:
            tell([other], kind="test", text=text)
    root = an_administrator()
    alias = forget(root, user=ada, basis="GDPR 17(1)(b)").name
    short = forget(root, user=bo, basis="GDPR 17(1)(b)").name
    assert {one.text for one in Notice.objects.filter(user=other)} == {
        f"{alias} asked the CanAda team",
        f"Ada Smith and {alias} asked",
        f"ada.py by {alias}",
        f"{short} asked in Bo's project",
    }


def test_names_that_read_like_words_go_only_where_a_person_stands_and_was(anna):
    team, far = a_team(), a_team()
    user = a_user("run", email="run@example.org")
    join(team.project, user, Role.DATA_SCIENTIST)
    texts = ["run asked", "A run was flagged by run.", "The run of run@example.org"]
    with acting(system(), "test.tell") as act:
        act.always = True
        for one in (team, far):
            for text in texts:
                tell([user_of(one.manager)], kind="test", text=text, project=one.project)
    alias = forget(an_administrator(), user=user, basis="GDPR 17(1)(b)").name
    near = Notice.objects.filter(project=team.project).order_by("pk").values_list("text", flat=True)
    assert list(near) == [f"{alias} asked", f"A run was flagged by {alias}.", f"The run of {alias}"]
    assert list(Notice.objects.filter(project=far.project).order_by("pk").values_list("text", flat=True)) == texts


def test_what_stays_names_files_of_reports_and_counts_those_of_their_projects(anna):
    user, _ = anna
    root, near, far = an_administrator(), a_team(), a_team()
    join(near.project, user, Role.DATA_SCIENTIST)
    with acting(system(), "test.issue") as act:
        for project in (near.project, far.project):
            made = Report(project=project, kind="compliance", scope="project", title="All of it", state="done")
            act.speaks_of(made.ledger_subject)
            made.save()
    told = what_forgetting_does(root, user)
    assert told.reports == 1
    (said,) = [line for line in stays(told) if "Files of reports made before" in line]
    assert "1 report of projects where they were" in said


def test_the_row_of_a_forgotten_person_is_watched_from_then_on(anna):
    user, _ = anna
    alias = forget(an_administrator(), user=user, basis="GDPR 17(1)(b)").name
    assert sealed_log().is_sound
    with forging():
        sql("UPDATE accounts_user SET name = 'Anna again' WHERE name = %s", alias)
        assert [one.field for one in verify_ledger().problems] == ["name"]


def test_nobody_is_forgotten_twice_by_others_or_by_themselves(anna):
    user, _ = anna
    root = an_administrator()
    with pytest.raises(Refused):
        forget(acting_as(user), user=user, basis="GDPR 17(1)(b)")
    with pytest.raises(Invalid, match="yourself"):
        forget(root, user=user_of(root), basis="GDPR 17(1)(b)")
    with pytest.raises(Invalid):
        forget(root, user=user, basis=" ")
    assert User.objects.get(pk=user.pk).name == "Anna Oblonskaya"
    forget(root, user=user, basis="GDPR 17(1)(b)")
    with pytest.raises(Conflict, match="forgotten before"):
        forget(root, user=User.objects.get(pk=user.pk), basis="GDPR 17(1)(b)")


def test_two_with_like_numbers_get_names_that_differ():
    root = an_administrator()
    first = forget(root, user=a_user("Twin"), basis="GDPR 17(1)(b)")
    twin = User(id=UUID(hex=first.pk.hex[:4] + "f" * 28), email="twin@example.org", name="Twin")
    with acting(system(), "accounts.create_user") as act:
        act.speaks_of(Subject("accounts.user", twin.pk.hex))
        twin.save()
    assert forget(root, user=twin, basis="GDPR 17(1)(b)").email == f"{twin.pk.hex[:5]}@forgotten.invalid"


def test_the_commands_tell_first_and_act_when_told_to(anna, capsys):
    user, _ = anna
    team = a_team()
    join(team.project, user, Role.DATA_SCIENTIST)
    add_comment(acting_as(user), a_run(team.scientist), text="mine")
    call_command("export_person", user.email)
    told = json.loads(capsys.readouterr().out)
    assert told["account"]["email"] == user.email
    assert "password" not in told["account"]
    assert [one["name"] for one in told["earlier"]] == ["Anna Karenina", "Anna Oblonskaya"]
    assert told["tokens"][0]["name"] == "laptop"
    assert "digest" not in told["tokens"][0]
    assert [one["text"] for one in told["in projects"]["experiments.comment"]] == ["mine"]
    assert [one["role"] for one in told["roles"]] == ["data_scientist"]
    assert {"accounts.create_user", "accounts.rename_me"} <= {one["action"] for one in told["events"]}
    call_command("forget_person", user.email, "--basis", "GDPR 17(1)(b)")
    assert "Nothing was changed" in capsys.readouterr().out
    assert User.objects.get(pk=user.pk).is_active
    call_command("forget_person", user.email, "--basis", "GDPR 17(1)(b)", "--yes")
    assert "former user" in capsys.readouterr().out
    with pytest.raises(CommandError):
        call_command("forget_person", "anna.k@example.org", "--basis", "again")


def test_what_control_left_in_the_log_is_never_erased(data):  # noqa: F811 - keys and anchors of a test's own
    team = a_team()
    Sequencer().run_until_empty()
    hold = place_hold(team.manager, team.project, reason="A dispute")
    lift_hold(team.manager, hold, reason="It is over")
    change_role(team.manager, Membership.objects.get(user=user_of(team.engineer)), role=Role.DATA_SCIENTIST)
    private_file().unlink()
    replace_lost_key(operator(), reason="The disk is gone")
    Sequencer().run_until_empty()
    for verb in ("compliance.place_hold", "accounts.change_role", "ledger.replace_lost_key"):
        event = AuditEvent.objects.get(verb=verb)
        with pytest.raises(Conflict, match="on record as control"):
            erase_payloads(operator(), events=[event.pk], reason=BASIS)
    assert verify_ledger().is_sound
