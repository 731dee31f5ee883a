"""The log as JSON Lines: what the page shows, in the order of the log, to be computed anew by whoever holds it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from django.test import Client

from accounts.roles import Role
from audit.compliance.actions.exports import export_log
from audit.compliance.queries.log import log_lines, log_page
from audit.ledger.merkle import leaf_hash
from audit.ledger.models import AuditEvent, Checkpoint, Leaf
from audit.ledger.queries import extract
from audit.ledger.queries.search import Question
from audit.ledger.sequencer import Sequencer
from experiments.actions.batches import log_batch
from experiments.actions.runs import set_tags
from kernel.digests import canonical_json, commitment
from kernel.errors import NotFound, Refused
from tests.compliance.test_log import client_of, erase
from tests.factories import a_batch, a_person, a_run, a_team, again

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    return a_team()


@pytest.fixture
def run(team):
    made = a_run(team.scientist, name="gru")
    log_batch(team.scientist, made, batch=a_batch(params={"lr": "0.1"}, loss=[0.9]))
    set_tags(team.engineer, made, tags={"note": 'Größe "1 µm"\nzwei'})
    a_run(a_team().scientist)
    Sequencer().run_until_empty()
    return made


def exported(client: Client, team, query: str = "") -> list[dict]:
    answer = client.get(f"/p/{team.project.slug}/log/export.jsonl{query}")
    assert answer.status_code == 200
    assert answer.streaming
    return [json.loads(line) for line in b"".join(answer).splitlines()]


def test_the_file_has_what_the_page_finds_in_the_order_of_the_log(team, run):
    shown = log_page(team.auditor, team.project, Question(), limit=500).events
    lines = exported(client_of(team.auditor), team)
    assert {one["leaf"]["id"] for one in lines} == {one.past.event.id.hex for one in shown}
    places = [one["seq"] for one in lines]
    assert places == sorted(places)
    assert {one["seq"]: one["leaf_hash"] for one in lines}.items() <= dict(
        Leaf.objects.values_list("seq", "leaf_hash")
    ).items()
    told = {one.past.event.id.hex: one.past for one in shown}
    for one in lines:
        changes = [[row.type, row.id, row.op] for row in told[one["leaf"]["id"]].changes]
        assert [[row["type"], row["id"], row["op"]] for row in one["payload"]["changes"]] == changes


def test_each_leaf_and_payload_can_be_computed_anew_from_its_line(team, run):
    for one in exported(client_of(team.auditor), team):
        assert leaf_hash(canonical_json(one["leaf"])).hex() == one["leaf_hash"]
        assert commitment(bytes.fromhex(one["salt"]), canonical_json(one["payload"])) == one["leaf"]["commitment"]


def test_the_filter_of_the_page_narrows_the_file_and_the_act_is_on_record(team, run):
    [line] = exported(client_of(team.auditor), team, "?action=experiments.set_tags&role=ml_engineer&q=Größe")
    assert line["payload"]["changes"][0]["fields"] == {"note": [None, 'Größe "1 µm"\nzwei']}
    [kept] = log_page(team.auditor, team.project, Question(verb="compliance.export_log")).events
    assert kept.past.event.actor_id == team.auditor.user_id
    size = Checkpoint.objects.latest("id").size
    words = "role: ml_engineer, action: experiments.set_tags, q: Größe"
    assert kept.past.reason == f"Log up to place {size - 1} as JSON Lines; {words}"


def test_what_waits_for_its_place_is_not_in_it_and_comes_with_the_next(team, run):
    client = client_of(team.auditor)
    before = len(exported(client, team))
    set_tags(team.engineer, run, tags={"late": "1"})
    assert len(exported(client, team)) == before
    Sequencer().run_until_empty()
    assert len(exported(client, team)) == before + 3  # the tag and two exports


def test_an_erased_payload_leaves_its_leaf(team, run):
    erase(AuditEvent.objects.get(verb="experiments.set_tags", subject_id=run.uid.hex))
    [line] = exported(client_of(team.auditor), team, "?action=experiments.set_tags")
    assert (line["salt"], line["payload"]) == (None, None)
    assert leaf_hash(canonical_json(line["leaf"])).hex() == line["leaf_hash"]


def test_it_is_read_in_pieces_of_the_same_size_however_long_it_is(team, run, monkeypatch):
    whole = list(log_lines(team.auditor, team.project, Question(), size=Leaf.objects.count()))
    monkeypatch.setattr(extract, "CHUNK", 3)
    lines = log_lines(team.auditor, team.project, Question(), size=Leaf.objects.count())
    assert isinstance(lines, Iterator)
    assert list(lines) == whole
    assert len(list(log_lines(team.auditor, team.project, Question(), size=0))) == 0


def test_before_the_first_head_there_is_nothing_to_export(team):
    answer = client_of(team.auditor).get(f"/p/{team.project.slug}/log/export.jsonl")
    assert answer.status_code == 409


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.PROJECT_MANAGER, Role.ML_ENGINEER])
def test_who_answers_for_the_project_may_export_it(team, run, role):
    export_log(team[role], team.project, what="Everything")
    assert AuditEvent.objects.filter(verb="compliance.export_log", actor_id=team[role].user_id).exists()


def test_others_may_not_and_leave_no_word_of_it(team, run):
    for actor, error in ((team.scientist, Refused), (team.administrator, Refused), (a_person(), NotFound)):
        with pytest.raises(error):
            export_log(again(actor), team.project, what="Everything")
        with pytest.raises(error):
            log_lines(again(actor), team.project, Question(), size=1)
    assert not AuditEvent.objects.filter(verb="compliance.export_log").exists()
