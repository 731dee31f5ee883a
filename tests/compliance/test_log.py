"""The audit log of a project: who reads it, what narrows it, how it is paged, what its page says."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client

from accounts.actions.erasing import erase_payloads
from accounts.actions.members import remove_member
from accounts.models import Membership
from accounts.roles import Role, Scope
from audit.compliance.actions.assessments import assess_run
from audit.compliance.actions.exceptions import waive_rule
from audit.compliance.queries.log import check_events, log_page, standing_of_log
from audit.compliance.queries.log_question import asked_of
from audit.ledger import triggers
from audit.ledger.models import AuditEvent, AuditPayload, Pending
from audit.ledger.queries import search
from audit.ledger.queries.search import Question, values_of
from audit.ledger.sequencer import Sequencer
from experiments.actions.batches import log_batch
from experiments.actions.runs import set_tags
from kernel.actor import Door, system
from kernel.clock import now
from kernel.errors import Invalid, NotFound, Refused
from tests.factories import a_batch, a_person, a_run, a_team, a_token, acting_as, again, join, user_of, with_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    return a_team()


@pytest.fixture
def run(team):
    made = a_run(team.scientist, name="gru")
    log_batch(team.scientist, made, batch=a_batch(params={"lr": "0.125"}, loss=[0.9]))
    set_tags(with_token(team.engineer, Door.MLFLOW, name="ci-7"), made, tags={"stage": 'the "second" Ünit'})
    return made


def client_of(actor) -> Client:
    client = Client()
    client.force_login(user_of(actor))
    return client


def found(team, **asked):
    return [one.past.event for one in log_page(team.auditor, team.project, Question(**asked), limit=500).events]


def erase(event: AuditEvent) -> None:
    """Remove what an event says, as an owner of the database can."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL mled.erasing = 'on'")
        else:
            cursor.execute(f'DROP TRIGGER "{triggers.trigger_name("ledger_auditpayload", "DELETE")}"')
    AuditPayload.objects.filter(event_id=event.id).delete()


# --- Who reads it


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.PROJECT_MANAGER, Role.ML_ENGINEER])
def test_those_who_answer_for_a_project_read_its_log_and_are_led_to_it(team, run, role):
    client = client_of(team[role])
    assert client.get(f"/p/{team.project.slug}/log/").status_code == 200
    assert "Audit log" in client.get(f"/p/{team.project.slug}/members/").content.decode()
    assert client.get(f"/api/v1/projects/{team.project.slug}/log/").status_code == 200


def test_a_scientist_and_an_administrator_are_refused_and_not_led_there(team, run):
    for actor in (team.scientist, team.administrator):
        client = client_of(actor)
        for path in ("log/", "log/as-of/?what=members", "log/export.jsonl"):
            assert client.get(f"/p/{team.project.slug}/{path}").status_code == 403, path
        assert "Audit log" not in client.get(f"/p/{team.project.slug}/members/").content.decode()
        with pytest.raises(Refused):
            log_page(again(actor), team.project, Question())


def test_for_an_outsider_and_an_auditor_elsewhere_the_log_is_not_there(team, run):
    for outsider in (a_person(), a_team().auditor):
        for path in ("log/", "log/as-of/?what=members", "log/export.jsonl"):
            assert client_of(outsider).get(f"/p/{team.project.slug}/{path}").status_code == 404, path
        with pytest.raises(NotFound):
            log_page(outsider, team.project, Question())
        with pytest.raises(NotFound):
            standing_of_log(outsider, team.project)


def test_events_of_another_project_are_not_in_it(team, run):
    other = a_team()
    a_run(other.scientist, name="tcn")
    assert {event.project_id for event in found(team)} == {team.project.pk}
    assert other.scientist.user_id not in values_of(team.project.pk, "actor_id")


# --- What narrows it


def test_each_narrowing_finds_what_it_says_and_nothing_else(team, run):
    waive_rule(team.manager, run, rule="D1", reason="Bought.", until=now().date())
    with pytest.raises(Refused):
        waive_rule(team.scientist, run, rule="D2", reason="Mine.", until=now().date())
    [denied] = found(team, outcome="denied")
    assert (denied.verb, denied.actor_id) == ("compliance.waive_rule", team.scientist.user_id)
    assert {event.actor_id for event in found(team, actor=team.manager.user_id)} == {team.manager.user_id}
    assert {event.verb for event in found(team, role="ml_engineer")} == {"experiments.set_tags"}
    assert found(team, role="engineer") == []
    assert {event.verb for event in found(team, door="mlflow")} == {"experiments.set_tags"}
    assert len(found(team, verb="compliance.waive_rule")) == 2
    assert {event.actor_kind for event in found(team, actor_kind="operator")} == {"operator"}
    about = found(team, subject_type="experiments.run", subject_id=run.uid.hex)
    assert {event.verb for event in about} >= {"experiments.create_run", "experiments.log_batch"}
    assert {event.subject_id for event in about} == {run.uid.hex}
    assert {event.subject_type for event in found(team, subject_type="accounts.membership")} == {"accounts.membership"}
    assert len(found(team, verb="compliance.waive_rule", actor=team.manager.user_id, outcome="done")) == 1
    assert found(team, actor=a_person().user_id) == []


def test_a_text_is_found_in_values_and_reasons_whatever_it_is_made_of(team, run):
    waive_rule(team.manager, run, rule="D1", reason="Bought from the registry.", until=now().date())
    assert [event.verb for event in found(team, text="bought from")] == ["compliance.waive_rule"]
    assert [event.verb for event in found(team, text="0.125")] == ["experiments.log_batch"]
    assert [event.verb for event in found(team, text='the "second" Ünit')] == ["experiments.set_tags"]
    assert found(team, text="100%_sure") == []


def test_days_are_whole_and_both_ends_are_in(team, run):
    today, day = now().date(), dt.timedelta(days=1)
    total = len(found(team))

    def between(first, last):
        asked = asked_of(team.auditor, team.project, {"from": str(first), "to": str(last)})
        return len(log_page(team.auditor, team.project, asked.question, limit=500).events)

    assert between(today - day, today + day) == total
    assert between(today - 9 * day, today - 2 * day) == 0
    assert between(today + 2 * day, today + 9 * day) == 0


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"actor": "ada"}, "actor"),
        ({"role": "king"}, "role"),
        ({"door": "window"}, "door"),
        ({"outcome": "maybe"}, "outcome"),
        ({"from": "yesterday"}, "from"),
        ({"to": "0001-01-01"}, "to"),
        ({"to": "9999-12-31"}, "to"),
        ({"from": "2026-11-20", "to": "2026-11-01"}, "from"),
        ({"q": "x" * 201}, "q"),
    ],
)
def test_a_filter_that_says_nothing_is_named(team, given, field):
    with pytest.raises(Invalid) as caught:
        asked_of(team.auditor, team.project, given)
    assert caught.value.field == field
    client = client_of(team.auditor)
    answer = client.get(f"/p/{team.project.slug}/log/", given)
    assert answer.status_code == 400
    assert caught.value.message.replace("'", "&#x27;") in answer.content.decode()
    assert client.get(f"/api/v1/projects/{team.project.slug}/log/", given).status_code == 400


def test_a_run_may_be_named_as_people_call_it(team, run):
    for name in (run.readable_id, run.uid.hex):
        asked = asked_of(team.auditor, team.project, {"object": name})
        assert asked.question.subject_id == run.uid.hex
    other = a_run(a_team().scientist)
    assert asked_of(team.auditor, team.project, {"object": other.readable_id}).question.subject_type == ""


# --- How it is paged


def walked(team, question, *, limit, between=lambda: None):
    seen, before = [], None
    while True:
        page = log_page(team.auditor, team.project, question, before=before, limit=limit)
        seen += [one.past.event.id for one in page.events]
        if page.next_id is None:
            return seen
        before = page.next_id
        between()


def test_pages_have_each_event_once_while_others_come_in(team, run):
    there = [event.id for event in found(team)]
    made = walked(team, Question(), limit=3, between=lambda: set_tags(team.scientist, run, tags={"n": str(now())}))
    assert made == there
    assert len(found(team)) > len(there)


def test_a_narrowing_without_an_index_looks_at_a_stretch_and_goes_on_from_its_end(team, run, monkeypatch):
    for number in range(12):
        set_tags(team.scientist, run, tags={"n": str(number)})
    monkeypatch.setattr(search, "STRETCH", 5)
    monkeypatch.setattr(search, "TEXT_STRETCH", 4)
    page = log_page(team.auditor, team.project, Question(door="mlflow"))
    assert (list(page.events), page.searched) == ([], 5)
    assert page.next_id is not None
    mlflow = [event.id for event in AuditEvent.objects.filter(project_id=team.project.pk, door="mlflow")]
    assert walked(team, Question(door="mlflow"), limit=50) == mlflow
    every = list(AuditEvent.objects.filter(project_id=team.project.pk).order_by("-id").values_list("id", flat=True))
    assert walked(team, Question(text="changes"), limit=2) == every
    client = client_of(team.auditor)
    text = client.get(f"/p/{team.project.slug}/log/?door=mlflow").content.decode()
    assert "Not among the 5 events looked at" in text
    assert "Look further back" in text


@pytest.mark.parametrize("asked", [{"verb": "experiments.set_tags"}, {"outcome": "denied"}, {"subject_type": "x.y"}])
def test_a_narrowing_with_an_index_answers_for_the_whole_log(team, run, asked):
    assert Question(**asked).stretch is None
    assert Question(**asked, door="web").stretch == search.STRETCH


# --- What the page says


def test_the_page_says_who_in_which_role_through_which_door_old_and_new(team, run):
    set_tags(team.scientist, run, tags={"stage": "candidate"})
    Sequencer().run_until_empty()
    text = client_of(team.auditor).get(f"/p/{team.project.slug}/log/?object={run.readable_id}").content.decode()
    assert "Emil" in text
    assert "ML engineer" in text
    assert "MLflow client, token ci-7" in text
    assert f'<a href="/r/{run.readable_id}/">{run.readable_id}</a>' in text
    assert "tag stage" in text
    assert '<span class="new">candidate</span>' in text
    assert '<span class="old">the &quot;second&quot; Ünit</span>' in text
    assert 'value="' + run.readable_id + '"' in text
    assert "events of the whole log signed" in text


def test_a_member_who_left_is_named_by_the_event(team):
    zoe = a_person("Zoe Leaves")
    membership = join(team.project, user_of(zoe), Role.DATA_SCIENTIST)
    remove_member(team.manager, Membership.objects.get(pk=membership.pk))
    text = client_of(team.auditor).get(f"/p/{team.project.slug}/log/?action=accounts.remove_member").content.decode()
    assert "removed a member" in text
    assert "Zoe Leaves" in text


def test_a_denied_act_and_an_erased_payload_say_so(team, run):
    with pytest.raises(Refused):
        waive_rule(team.scientist, run, rule="D2", reason="Mine.", until=now().date())
    tags = AuditEvent.objects.get(verb="experiments.set_tags", subject_id=run.uid.hex)
    erase_payloads(team.administrator, events=[tags.pk], reason="GDPR 17(1)(d)")
    client = client_of(team.auditor)
    assert "refused" in client.get(f"/p/{team.project.slug}/log/?outcome=denied").content.decode()
    text = client.get(f"/p/{team.project.slug}/log/?action=experiments.set_tags").content.decode()
    assert f"redacted by Root on {now():%Y-%m-%d}, basis: GDPR 17(1)(d)" in text
    assert "Ünit" not in text


def test_verifying_proves_the_events_shown_and_finds_one_that_was_changed(team, run):
    url = f"/p/{team.project.slug}/log/?verify=1"
    client = client_of(team.auditor)
    assert "Nothing to verify yet." in client.get(url).content.decode()
    Sequencer().run_until_empty()
    set_tags(team.scientist, run, tags={"late": "1"})
    text = client.get(url).content.decode()
    assert "Whole:" in text
    assert "1 waits for its place" in text
    with connection.cursor() as cursor:
        trigger = triggers.trigger_name("ledger_auditevent", "UPDATE")
        on = ' ON "ledger_auditevent"' if connection.vendor == "postgresql" else ""
        cursor.execute(f'DROP TRIGGER "{trigger}"{on}')
        cursor.execute("UPDATE ledger_auditevent SET door = 'admin' WHERE verb = 'experiments.log_batch'")
    assert "is not the one that was put into the log" in client.get(url).content.decode()
    token = acting_as(user_of(team.auditor))
    events = [one.past for one in log_page(token, team.project, Question()).events]
    checked = check_events(token, team.project, events)
    assert checked is not None
    assert checked.wrong


def test_events_that_wait_a_minute_are_an_alarm(team, run, monkeypatch):
    assert not standing_of_log(team.auditor, team.project).troubles
    assert Pending.objects.exists()
    late = now() + dt.timedelta(seconds=61)
    monkeypatch.setattr("audit.ledger.queries.health.now", lambda: late)
    text = client_of(team.auditor).get(f"/p/{team.project.slug}/log/").content.decode()
    assert "The sequencer is late: " in text
    assert "waiting for a place in the log" in text


def test_a_filter_that_finds_nothing_says_what_to_do(team, run):
    text = client_of(team.auditor).get(f"/p/{team.project.slug}/log/?action=no.such").content.decode()
    assert "Nothing matches" in text
    assert "Take a filter away" in text


def test_rest_answers_the_same_pages_and_names_a_bad_word(team, run):
    client, url = client_of(team.auditor), f"/api/v1/projects/{team.project.slug}/log/"
    seen, before = [], ""
    while before is not None:
        answer = client.get(url, {"limit": "4", "before": before}).json()
        seen += [UUID(one["id"]) for one in answer["results"]]
        before = answer["next"]
    assert seen == [event.id for event in found(team)]
    [tagged] = client.get(url, {"action": "experiments.set_tags", "object": run.readable_id}).json()["results"]
    assert tagged["changes"][0]["fields"] == {"stage": [None, 'the "second" Ünit']}
    for bad in ({"limit": "0"}, {"limit": "many"}, {"before": "here"}):
        assert client.get(url, bad).status_code == 400
    _, secret = a_token(team.auditor, scopes=[Scope.LOG])
    assert Client().get(url, headers={"Authorization": f"Bearer {secret}"}).status_code == 403


def test_what_mled_itself_asks_the_rules_is_left_out_until_somebody_wants_it(team):
    run = a_run(team.scientist, name="gru")
    assess_run(system(), run)
    set_tags(team.scientist, run, tags={"seed": "17"})
    assess_run(team.auditor, run)
    page, url = client_of(team.auditor), f"/p/{team.project.slug}/log/"
    text = page.get(url).content.decode()
    rows = text.partition("m-log-t")[2]
    assert "1 hidden" in text
    assert f'href="{url}?all=1">Show' in text
    assert rows.count('title="compliance.assess_run"') == 1  # the auditor's own
    whole = page.get(f"{url}?all=1").content.decode()
    assert whole.partition("m-log-t")[2].count('title="compliance.assess_run"') == 2
    assert "Hide what MLED itself asked the rules" in whole
    for narrowed in ("action=compliance.assess_run", "actor=system", "door=task&all=0", "kind=compliance.assessment"):
        assert "1 hidden" not in page.get(f"{url}?{narrowed}").content.decode()
    today = now().date().isoformat()
    assert "1 hidden" in page.get(f"{url}?from={today}").content.decode()
    answer = page.get(f"/api/v1/projects/{team.project.slug}/log/").json()
    assert sum(one["verb"] == "compliance.assess_run" for one in answer["results"]) == 2
