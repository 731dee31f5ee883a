"""Who gets what: members all of it, the log only its readers, guests their experiment, outsiders nothing."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from accounts.actions.members import remove_member
from accounts.models import Membership
from accounts.roles import Scope
from experiments.actions.experiments import grant_access
from experiments.actions.saved_views import save_view
from kernel.actor import operator
from kernel.errors import NotFound, Refused
from tests.factories import a_member, a_person, a_run, a_team, a_token, again, an_experiment, events, user_of
from tests.transfer.moving import carried, content, exported, imported, lines, opened
from transfer.actions.transfers import begin, fail_transfer
from transfer.giving import give_out
from transfer.models import Transfer
from transfer.queries.transfers import files_of, get_transfer
from transfer.running import carry

pytestmark = pytest.mark.django_db


def test_the_log_goes_out_to_its_readers_alone(rf):
    team = a_team()
    a_run(team.scientist, name="one")
    with pytest.raises(Refused, match="log"):
        begin(team.scientist, team.project, kind="export", options={"with_log": True})
    whole = exported(team.manager, team.project, with_log=True)
    plain = exported(team.manager, team.project)
    assert "ledger/project.mledlog" in opened(whole).namelist()
    assert "ledger/project.mledlog" not in opened(plain).namelist()
    for reader in (team.manager, team.engineer, team.auditor):
        assert [one.name for one in files_of(reader, whole)] != []
    assert files_of(team.scientist, whole) == []
    assert len(files_of(team.scientist, plain)) == 1
    name = files_of(team.manager, whole)[0].name
    with pytest.raises(Refused, match="Export the project yourself"):
        give_out(rf.get("/"), team.scientist, whole, name)
    part = give_out(rf.get("/", HTTP_RANGE="bytes=0-3"), team.manager, whole, name)
    assert (part.status_code, b"".join(part)) == (206, content(whole)[:4])
    taken = events(project_id=team.project.pk, verb="transfer.download_transfer_file")
    assert [(one.event.actor_id, one.reason.startswith(name)) for one in taken] == [(team.manager.user_id, True)]


def test_views_that_are_nobody_elses_business_stay_out_of_archives():
    team = a_team()
    save_view(team.manager, team.project, name="who to let go", query="q=params.x = '1'")
    save_view(team.manager, team.project, name="best", query="q=metrics.loss < 1", is_shared=True)
    done = exported(team.manager, team.project)
    assert files_of(team.scientist, done) != []
    assert [one["name"] for one in lines(opened(done), "views.jsonl")] == ["best"]


def test_outsiders_and_those_who_keep_the_system_get_nothing():
    team, stranger = a_team(), a_person()
    done = exported(team.manager, team.project)
    for outside in (stranger, team.administrator):
        with pytest.raises((NotFound, Refused)):
            begin(outside, team.project, kind="export")
        with pytest.raises(NotFound):
            get_transfer(outside, done.pk)
        assert files_of(outside, done) == []
    with pytest.raises(Refused):
        imported(team.manager, team.project, content(done))


def test_an_export_holds_what_its_requester_sees_when_it_is_made():
    """Who lost the project meanwhile gets nothing; a choice of experiments leaves the others out."""
    team = a_team()
    kept, other = an_experiment(team.scientist, name="kept"), an_experiment(team.scientist, name="other")
    run = a_run(team.scientist, kept)
    a_run(team.scientist, other)
    part = opened(exported(team.engineer, team.project, experiments=[kept.pk]))
    assert [one["name"] for one in lines(part, "experiments.jsonl")] == ["kept"]
    assert [one["id"] for one in lines(part, "runs.jsonl")] == [run.uid.hex]
    assert json.loads(part.read("manifest.json"))["counts"]["runs"] == 1
    leaving = a_member(team.project)
    transfer = begin(leaving, team.project, kind="export")
    remove_member(operator(), Membership.objects.get(user_id=leaving.user_id))
    assert carry(transfer.pk)
    transfer.refresh_from_db()
    assert transfer.state == "failed"
    assert files_of(again(leaving), transfer) == []


def test_a_guest_of_one_experiment_neither_sees_nor_begins_transfers_of_the_project():
    team, guest = a_team(), a_person()
    experiment = an_experiment(team.scientist)
    grant_access(team.manager, experiment, user=user_of(guest))
    done = exported(team.manager, team.project)
    guest = again(guest)
    with pytest.raises((NotFound, Refused)):
        begin(guest, team.project, kind="export")
    with pytest.raises(NotFound):
        get_transfer(guest, done.pk)


def test_rest_asks_for_exports_tells_how_far_they_are_and_gives_them_out():
    team = a_team()
    a_run(team.scientist, name="one")
    _, secret = a_token(team.manager)
    client, head = Client(), {"authorization": f"Bearer {secret}"}
    made = client.post(
        f"/api/v1/projects/{team.project.slug}/exports/", "{}", content_type="application/json", headers=head
    )
    assert made.status_code == 201, made.content
    one = f"/api/v1/transfers/{made.json()['id']}/"
    assert client.get(one, headers=head).json()["state"] == "waiting"
    done = carried(Transfer.objects.get(pk=made.json()["id"]))
    told = client.get(one, headers=head).json()
    assert (told["state"], told["words"], told["digest"]) == ("done", "Finished.", done.digest)
    (file,) = told["files"]
    answer = client.get(f"{one}files/{file['name']}", headers={**head, "range": "bytes=0-1"})
    assert (answer.status_code, answer.getvalue()) == (206, b"PK")
    listed = client.get(f"/api/v1/projects/{team.project.slug}/transfers/", headers=head).json()
    assert [row["id"] for row in listed["results"]] == [told["id"]]
    reading = {"authorization": f"Bearer {a_token(team.manager, scopes=[Scope.READ])[1]}"}
    assert client.get(one, headers=reading).status_code == 200
    assert client.post(f"{one}cancellation/", headers=reading).status_code == 403, "A token that reads stops nothing."
    with pytest.raises(Refused, match="MLED itself"):
        fail_transfer(team.scientist, done, failure="Mine.")
    refused = client.post(f"{one}cancellation/", headers=head)
    assert (refused.status_code, refused.json()["code"]) == (409, "CONFLICT")
    bad = client.post(
        f"/api/v1/projects/{team.project.slug}/archive-imports/",
        '{"upload": "nothing"}',
        content_type="application/json",
        headers=head,
    )
    assert bad.status_code == 403, "A manager reads and stops, and brings nothing in."
