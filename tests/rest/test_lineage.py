"""Lineage over REST: nodes and edges around one thing."""

import pytest

from accounts.models import Project
from experiments.actions.inputs import DatasetInput, log_inputs
from registry.actions.logged_models import create_logged_model
from tests import world

LINEAGE = "projects/vision/lineage/"


@pytest.fixture
def of(ada, run):
    """The run, with data that went in and a model that came out."""
    log_inputs(ada, run, inputs=[DatasetInput("scans", "d1", "local", "x", tags={"mlflow.data.context": "train"})])
    create_logged_model(ada, run.experiment, name="net", source_run=run)
    return f"run:{run.uid.hex}"


def test_nodes_and_edges_around_a_run(api, of, run):
    answer = api("ada").get(LINEAGE, of=of)
    assert answer["start"] == of
    assert [(node["kind"], node["label"], node["depth"]) for node in answer["nodes"]] == [
        ("dataset", "scans v1", -1),
        ("run", run.name, 0),
        ("model", "net", 1),
    ]
    kinds = {node["key"]: node["kind"] for node in answer["nodes"]}
    edges = {(kinds[edge["above"]], kinds[edge["below"]], edge["role"]) for edge in answer["edges"]}
    assert edges == {("dataset", "run", "train"), ("run", "model", "")}
    assert answer["cut"] == 0


def test_steps_and_limit_are_kept(api, of, ada, run):
    assert len(api("ada").get(LINEAGE, of=of, up=0)["nodes"]) == 2
    for number in range(5):
        create_logged_model(ada, run.experiment, name=f"net {number}", source_run=run)
    answer = api("ada").get(LINEAGE, of=of, up=0, limit=2)
    assert [(node["label"], node["count"]) for node in answer["nodes"]][1:] == [("6 more logged models", 6)]
    assert answer["cut"] == 6


def test_what_is_opened_is_followed(api, of, run):
    data = api("ada").get(LINEAGE, of=of)["nodes"][0]["key"]
    assert [node["more"] for node in api("ada").get(LINEAGE, of=data, down=1)["nodes"]] == [0, 1]
    assert len(api("ada").get(LINEAGE, of=data, down=1, open=of)["nodes"]) == 3


@pytest.mark.parametrize("name", ["bob", "mia", "ann"])
def test_whoever_reads_runs_reads_their_lineage(api, of, name):
    assert len(api(name).get(LINEAGE, of=of)["nodes"]) == 3


@pytest.mark.parametrize("name", ["eve", "kim"])
def test_nobody_else_does(api, of, name):
    api(name).get(LINEAGE, of=of, expecting=404)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "of"),
        ({"of": "run"}, "of"),
        ({"of": "city:berlin"}, "of"),
        ({"of": "run:1", "up": -1}, "up"),
        ({"of": "run:1", "down": "many"}, "down"),
        ({"of": "run:1", "limit": 100_000}, "limit"),
    ],
)
def test_bad_input_is_named(api, of, query, field):
    assert field in str(api("ada").get(LINEAGE, expecting=400, **query))


def test_a_thing_of_another_project_is_not_there(api, of, people):
    elsewhere = world.default_experiment(Project.objects.get(slug="other"))
    other = world.run(world.at(people["eve"]), elsewhere)
    api("ada").get(LINEAGE, of=f"run:{other.uid.hex}", expecting=404)
