"""Logged models, searches of the registry and two versions compared, over REST."""

import pytest

from accounts.actions.members import add_member
from accounts.roles import Role, Scope
from experiments.actions.batches import log_batch
from experiments.metrics.batch import Batch, MetricPoint
from kernel.actor import operator
from registry.actions.aliases import set_alias
from tests import factories as make
from tests.factories_registry import FILE, a_logged_model, a_registered_model, a_version, a_version_of
from tests.rest.conftest import Api, token_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    return make.a_team()


@pytest.fixture
def api(team):
    return Api(token_of(make.user_of(team.engineer)))


@pytest.fixture
def outsider():
    return Api(token_of(make.user_of(make.a_team().engineer)))


@pytest.fixture
def auditor(team):
    return Api(token_of(make.user_of(team.auditor)))


@pytest.fixture
def logged(team):
    run = make.a_run(team.scientist, name="gru")
    return a_logged_model(team.scientist, run, name="early-warning")


@pytest.fixture
def where(team, logged):
    return f"projects/{team.project.slug}/logged-models/{logged.model_id}/"


def test_a_logged_model_is_found_with_all_that_hangs_on_it(api, team, logged, where):
    version = a_version_of(team.scientist, a_registered_model(team.scientist, team.project, name="ward"), logged)
    (listed,) = api.get(f"projects/{team.project.slug}/logged-models/", name="EARLY", status=logged.status)["results"]
    assert (listed["id"], listed["source_run"]) == (logged.model_id, logged.source_run.uid.hex)
    api.post(f"{where}params/", {"params": {"depth": "3"}})
    shown = api.post(f"{where}tags/", {"tags": {"team": "icu"}})
    assert (shown["params"], shown["tags"]) == ({"depth": "3"}, {"team": "icu"})
    assert shown["registrations"] == [{"model": "ward", "number": version.number}]
    assert api.get(where) == shown
    assert api.get(f"projects/{team.project.slug}/logged-models/", name="nothing")["results"] == []


def test_params_of_a_logged_model_are_never_overwritten(api, where):
    api.post(f"{where}params/", {"params": {"depth": "3"}})
    assert api.post(f"{where}params/", {"params": {"depth": "3"}})["params"] == {"depth": "3"}, "again is nothing new"
    api.post(f"{where}params/", {"params": {"width": "9", "depth": "4"}}, expecting=400)
    assert api.get(where)["params"] == {"depth": "3"}
    for wrong in ({}, {"params": {"a": None}}, {"params": {"": "1"}}, {"params": ["a"]}):
        api.post(f"{where}params/", wrong, expecting=400)


def test_metrics_of_a_logged_model_name_the_run_that_measured(api, team, logged, where):
    points = [MetricPoint("auroc", 0.87, 5, 1, model_id=logged.model_id), MetricPoint("loss", 0.1, 6)]
    log_batch(team.scientist, logged.source_run, batch=Batch(points))
    (measured,) = api.get(where)["metrics"]
    assert (measured["key"], measured["value"], measured["run"]) == ("auroc", 0.87, logged.source_run.uid.hex)


def test_files_of_a_logged_model_are_listed_and_read_in_part(api, where):
    (file,) = api.get(f"{where}files/")
    assert (file["path"], file["size_bytes"]) == ("MLmodel", len(FILE))
    whole = api.client.get(f"/api/v1/{where}files/MLmodel")
    assert whole.getvalue() == FILE
    part = api.client.get(f"/api/v1/{where}files/MLmodel", headers={"range": "bytes=1-3"})
    assert (part.status_code, part.getvalue()) == (206, FILE[1:4])
    api.get(f"{where}files/nothing.txt", expecting=404)


def test_a_tag_goes_and_a_model_goes(api, where):
    api.post(f"{where}tags/", {"tags": {"a/b": "1"}})
    assert api.client.delete(f"/api/v1/{where}tags/a/b/").status_code == 204
    api.send("DELETE", f"{where}tags/a/b/", expecting=404)
    assert api.client.delete(f"/api/v1/{where}").status_code == 204
    api.get(where, expecting=404)
    api.send("DELETE", where, expecting=404)


def test_a_model_that_something_stands_on_stays(api, team, logged, where):
    version = a_version_of(team.scientist, a_registered_model(team.scientist, team.project), logged)
    set_alias(team.engineer, version.model, alias="champion", version=version)
    refused = api.send("DELETE", where, expecting=api.client.delete(f"/api/v1/{where}").status_code)
    assert refused["status"] in (403, 409)
    api.get(where)


def test_others_read_and_do_not_write(team, logged, where, auditor, outsider):
    reader = Api(token_of(make.user_of(team.engineer), scopes=[Scope.READ]))
    for asker, reads, writes in ((auditor, 200, 403), (reader, 200, 403), (outsider, 404, 404)):
        asker.get(where, expecting=reads)
        asker.get(f"projects/{team.project.slug}/logged-models/", expecting=reads)
        asker.post(f"{where}tags/", {"tags": {"a": "1"}}, expecting=writes)
        asker.post(f"{where}params/", {"params": {"a": "1"}}, expecting=writes)
        asker.send("DELETE", where, expecting=writes)


def test_models_and_versions_are_found_by_a_line(api, team, outsider):
    at = f"projects/{team.project.slug}/"
    for name in ("ward", "icu", "early warning"):
        a_version(team.scientist, a_registered_model(team.scientist, team.project, name=name, tags={"kind": name[:1]}))
    found = api.get(f"{at}model-search/", q="name LIKE '%a%'", order="name DESC", limit=1)
    assert [one["name"] for one in found["results"]] == ["ward"]
    below = api.get(f"{at}model-search/", q="name LIKE '%a%'", order="name DESC", limit=1, after=found["next"])
    assert ([one["name"] for one in below["results"]], below["next"]) == (["early warning"], None)
    versions = api.get(f"{at}model-version-search/", q="name = 'icu'")["results"]
    assert [(one["model"], one["number"]) for one in versions] == [("icu", 1)]
    for wrong in ({"q": "name !"}, {"order": "shoe size"}, {"limit": 0}, {"after": "x"}):
        assert api.get(f"{at}model-search/", expecting=400, **wrong)["status"] == 400
        api.get(f"{at}model-version-search/", expecting=400, **wrong)
    outsider.get(f"{at}model-search/", expecting=404)
    outsider.get(f"{at}model-version-search/", expecting=404)


def test_two_versions_side_by_side(api, team, outsider):
    model = a_registered_model(team.scientist, team.project, name="ward")
    for depth, auroc in (("3", 0.8), ("4", 0.9)):
        version = a_version(team.scientist, model)
        batch = Batch([MetricPoint("auroc", auroc, 1)], params=[("depth", depth)])
        log_batch(team.scientist, version.run, batch=batch)
    at = f"projects/{team.project.slug}/models/ward/compare/"
    told = api.get(at, old=1, new=2)
    assert {"key": "auroc", "old": 0.8, "new": 0.9} in told["metrics"]
    assert {"key": "depth", "old": "3", "new": "4"} in told["params"]
    assert [one["key"] for one in told["files"]] == ["MLmodel"]
    api.get(at, old=1, new=9, expecting=404)
    assert api.get(at, old=1, expecting=400)["field"] == "new"
    outsider.get(at, old=1, new=2, expecting=404)


def test_a_guest_of_the_project_sees_its_logged_models(team, logged, where):
    stranger = make.a_person()
    add_member(operator(), team.project, role=Role.DATA_SCIENTIST, user=make.user_of(stranger))
    assert Api(token_of(make.user_of(stranger))).get(where)["name"] == "early-warning"
