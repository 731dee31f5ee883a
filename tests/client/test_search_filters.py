"""Search: what a filter means, and what is no filter."""

from typing import Any

import pytest

from tests.client.wire import INVALID, Wire, mled_only
from tests.client.zoo import EVERYONE, Zoo, fill_zoo


@pytest.fixture(scope="module")
def zoo(wire: Wire) -> Zoo:
    return fill_zoo(wire)


FILTERS: list[tuple[str, set[str]]] = [
    # nothing asked, everything found
    ("", EVERYONE),
    # metrics: six operators, exponents, signs, bounds on both sides
    ("metrics.acc = 0.5", {"ant"}),
    ("metrics.acc > 0.5", {"bee", "dog"}),
    ("metrics.acc >= 0.5", {"ant", "bee", "dog"}),
    ("metrics.acc < 0.9", {"ant", "fox"}),
    ("metrics.acc <= 9e-1", {"ant", "bee", "fox"}),
    ("metrics.acc <= 9E-01", {"ant", "bee", "fox"}),
    ("metrics.`val loss` = -2.5", {"bee"}),
    ("metrics.`val loss` > -3 AND metrics.`val loss` < 0", {"bee"}),
    ("metrics.acc > 0.1 and metrics.acc < 0.6 and metrics.sum = 10", {"ant"}),
    # NaN satisfies only !=, and is no zero; infinities are numbers
    ("metrics.acc != 0.5", {"bee", "cat", "dog", "fox"}),
    ("metrics.acc = 0", set()),
    ("metrics.acc >= 0 and metrics.acc <= 0", set()),
    ("metrics.acc > 1e300", {"dog"}),
    ("metrics.acc < -1e300", {"fox"}),
    # a key that a run lacks satisfies nothing
    ("metrics.absent != 1", set()),
    ("params.absent != 'x'", set()),
    ("tags.absent != 'x'", set()),
    ("params.absent LIKE '%'", set()),
    ("params.lr != '9'", {"ant", "bee", "dog"}),
    # keys in any quotes
    ("metrics.'acc' = 0.5", {"ant"}),
    ("metrics.'val loss' = -2.5", {"bee"}),
    ("params.'lr' = '0.1' and tags.'team' = 'Vision'", {"ant"}),
    # params and tags
    ("params.lr = '0.1'", {"ant"}),
    ("params.lr = ''", {"dog"}),
    ("params.opt = 'adam'", {"bee"}),
    ("params.opt LIKE 'A%'", {"ant"}),
    ("params.opt LIKE 'a%'", {"bee", "dog"}),
    ("params.opt ILIKE 'A%'", {"ant", "bee", "dog"}),
    ("params.opt ilike 'ADAM'", {"ant", "bee"}),
    ("tags.team = 'Vision'", {"ant"}),
    ("tags.team != 'Vision'", {"bee", "cat", "dog"}),
    ("tags.team LIKE 'vision_a'", {"bee", "cat"}),
    ("tags.team LIKE '%i%n'", {"ant"}),
    ("tags.team LIKE 'vision'", set()),
    # quotes hold the other kind of quote and whatever else
    ('params.note = "it\'s"', {"ant"}),
    ("params.note = 'say \"hi\"'", {"bee"}),
    ('params.lr = "9"', {"cat"}),
    ("tags.team = \"sound; OR x = 'y'\"", {"dog"}),
    ("params.opt = 'SGD 100%'", {"cat"}),
    # entity words and quoting of keys
    ("metric.acc = 0.5", {"ant"}),
    ("param.lr = '9'", {"cat"}),
    ("parameter.lr = '9'", {"cat"}),
    ("parameters.lr = '9'", {"cat"}),
    ("tag.team = 'Vision'", {"ant"}),
    ("attribute.run_name = 'ant'", {"ant"}),
    ("attributes.run_name = 'ant'", {"ant"}),
    ("attr.run_name = 'ant'", {"ant"}),
    ("run.run_name = 'ant'", {"ant"}),
    ("run_name = 'ant'", {"ant"}),
    ('metrics."val loss" < 0', {"bee"}),
    ("tags.`odd-key/1` = 'odd'", {"ant"}),
    ("tags.a.b.c = 'dotted'", {"ant"}),
    ("tags.`a.b.c` = 'dotted'", {"ant"}),
    ("tags.mlflow.runName = 'ant'", {"ant"}),
    # attributes
    ("run_name LIKE '%o%'", {"dog", "fox"}),
    ("attributes.status = 'FINISHED'", {"ant"}),
    ("status != 'RUNNING'", {"ant", "bee", "cat"}),
    ("status LIKE 'F%'", {"ant", "bee"}),
    ("user_id = 'zoë'", {"elk"}),
    ("start_time > 300", {"dog", "elk", "fox"}),
    ("attributes.start_time >= 300 AND start_time < 500", {"cat", "dog"}),
    ("start_time != 100", EVERYONE - {"ant"}),
    ("end_time <= 400", {"bee", "cat"}),
    ("created = 100", {"ant"}),
    ("Created > 400", {"elk", "fox"}),
    ("`run name` = 'bee'", {"bee"}),
    ("attributes.`Run name` = 'bee'", {"bee"}),
    ("attributes.`Run Name` = 'bee'", {"bee"}),
    # IS NULL finds what is missing
    ("params.lr IS NULL", {"elk", "fox"}),
    ("params.lr IS NOT NULL", {"ant", "bee", "cat", "dog"}),
    ("tags.team is null", {"elk", "fox"}),
    ("tags.team Is Not Null AND params.note IS NULL", {"cat", "dog"}),
    # clauses are joined by AND alone, in any case
    ("params.opt = 'Adam' And metrics.acc = 0.5", {"ant"}),
    ("params.opt LIKE 'a%' AND params.opt LIKE '%m'", {"bee"}),
    ("params.lr = '9' AND params.lr = '10'", set()),
]


@pytest.mark.parametrize(("filter", "expected"), FILTERS, ids=[filter or "nothing" for filter, _ in FILTERS])
def test_a_filter_finds_exactly_these_runs(zoo: Zoo, filter: str, expected: set[str]) -> None:
    assert zoo.found(filter) == expected


def test_run_ids_can_be_listed(zoo: Zoo) -> None:
    ant, bee = zoo.ids["ant"], zoo.ids["bee"]
    assert zoo.found(f"run_id = '{ant}'") == {"ant"}
    assert zoo.found(f"run_id != '{ant}'") == EVERYONE - {"ant"}
    assert zoo.found(f"attributes.run_id IN ('{ant}', '{bee}')") == {"ant", "bee"}
    assert zoo.found(f"run_id NOT IN ('{ant}', '{bee}')") == EVERYONE - {"ant", "bee"}
    assert zoo.found(f"run_id IN ('{ant}')") == {"ant"}
    assert zoo.found(f"run_id LIKE '{ant[:30]}%'") == {"ant"}


def test_the_artifact_uri_can_be_searched(zoo: Zoo) -> None:
    uri = zoo.wire.run(zoo.ids["cat"])["info"]["artifact_uri"]
    assert zoo.found(f"artifact_uri = '{uri}'") == {"cat"}
    assert zoo.found(f"artifact_uri LIKE '%{zoo.ids['cat']}%'") == {"cat"}


@mled_only
@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        ("params.opt LIKE 'a\\b'", {"dog"}),
        ("params.opt LIKE '%\\%'", {"dog"}),
        ("tags.team LIKE 'VISION%'", set()),
        ("user_id ILIKE 'ZOË'", {"elk"}),
    ],
)
def test_in_like_only_two_signs_are_special(zoo: Zoo, filter: str, expected: set[str]) -> None:
    assert zoo.found(filter) == expected


NO_FILTERS = [
    "metrics.acc > 0.1 OR metrics.acc < 5",
    "(metrics.acc > 0.1 AND metrics.acc < 5)",
    "metrics.acc > 0.1; DROP TABLE runs",
    "metrics.acc > 0.1 nonsense",
    "nonsense",
    "metrics.acc >",
    "metrics.acc",
    "> 5",
    "AND",
    "metrics.acc > 0.1 AND",
    "metrics.acc > '0.1'",
    'metrics.acc > "0.1"',
    "metrics.acc LIKE '1%'",
    "metrics.acc > abc",
    "params.lr = 9",
    "params.lr = nine",
    "params.lr > '9'",
    "params.lr IN '9'",
    "tags.team = 5",
    "tags.team >= 'a'",
    "wrong.key = 'x'",
    "attributes.colour = 'blue'",
    "colour = 'blue'",
    "start_time LIKE '1%'",
    "start_time > 'soon'",
    "status > 'F'",
    "run_id > 'a'",
    "run_id IN ()",
    "run_id IN 'a'",
    "run_id IN (5)",
    "metrics.acc ~ 5",
    "metrics.acc == 0.5",
    "params.lr = 'unclosed",
    "`unclosed = 'x'",
    "datasets.colour = 'x'",
    "datasets.name > 'x'",
    "metrics.acc IS NULLISH",
]
# MLflow itself accepts these; a search that says nothing must not find everything.
LENIENT = {
    "AND",
    "metrics.acc > 0.1 AND",
    "params.lr IN '9'",
    "run_id IN 'a'",
    "metrics.acc IS NULLISH",
    "metrics.acc == 0.5",
}


@pytest.mark.parametrize(
    "filter", [pytest.param(text, marks=mled_only) if text in LENIENT else text for text in NO_FILTERS]
)
def test_what_is_no_filter_is_refused(zoo: Zoo, filter: str) -> None:
    assert zoo.wire.refused("runs/search", experiment_ids=[zoo.experiment_id], filter=filter) == INVALID


def test_a_filter_sees_the_latest_value_not_the_history(wire: Wire, experiment: str) -> None:
    run = wire.new_run(experiment)
    wire.log(run, "acc", 0.9, step=1)
    wire.log(run, "acc", 0.2, step=2)
    wire.log(run, "acc", 0.7, step=0)
    for filter, expected in [("metrics.acc > 0.5", []), ("metrics.acc = 0.2", [run])]:
        found = wire.post("runs/search", experiment_ids=[experiment], filter=filter).get("runs", [])
        assert [one["info"]["run_id"] for one in found] == expected


def log_dataset(wire: Wire, run: str, name: str, digest: str, context: str) -> None:
    dataset = {"name": name, "digest": digest, "source_type": "local", "source": "{}"}
    tags = [{"key": "mlflow.data.context", "value": context}]
    wire.post("runs/log-inputs", run_id=run, datasets=[{"dataset": dataset, "tags": tags}])


@pytest.fixture(scope="module")
def runs_on_data(wire: Wire) -> tuple[str, dict[str, str]]:
    """An experiment with two runs that used data, one of them twice, and one that used none."""
    experiment = wire.new_experiment()
    runs = {name: wire.new_run(experiment, run_name=name) for name in ("both", "iris", "none")}
    log_dataset(wire, runs["both"], "iris", "d1", "training")
    log_dataset(wire, runs["both"], "iris", "d2", "eval")
    log_dataset(wire, runs["iris"], "iris", "d1", "eval")
    return experiment, runs


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        ("datasets.name = 'iris'", ["both", "iris"]),
        ("dataset.name LIKE 'ir%'", ["both", "iris"]),
        ("datasets.name ILIKE 'IRIS'", ["both", "iris"]),
        ("datasets.digest = 'd2'", ["both"]),
        ("datasets.digest IN ('d1', 'd9')", ["both", "iris"]),
        ("dataset.digest NOT IN ('d1')", ["both"]),
        ("datasets.context = 'training'", ["both"]),
        ("datasets.context != 'training'", ["both", "iris"]),
        ("dataset.context = 'eval' AND dataset.name = 'iris'", ["both", "iris"]),
        ("datasets.name = 'wine'", []),
    ],
)
def test_runs_are_found_by_their_data_each_once(
    wire: Wire, runs_on_data: tuple[str, dict[str, str]], filter: str, expected: list[str]
) -> None:
    found = wire.post("runs/search", experiment_ids=[runs_on_data[0]], filter=filter).get("runs", [])
    assert sorted(run["info"]["run_name"] for run in found) == expected


@pytest.mark.parametrize("ids", [[], ["999999999"], pytest.param(["nonsense"], marks=mled_only)])
def test_no_experiment_means_nothing_is_found(zoo: Zoo, ids: list[str]) -> None:
    answer = zoo.wire.post("runs/search", experiment_ids=ids)
    assert (answer.get("runs", []), answer.get("next_page_token")) == ([], None)


def test_an_unknown_experiment_beside_a_known_one_does_no_harm(zoo: Zoo) -> None:
    found = zoo.wire.post("runs/search", experiment_ids=["999999999", zoo.experiment_id])["runs"]
    assert len(found) == len(EVERYONE)


def test_several_experiments_are_searched_at_once(wire: Wire) -> None:
    experiments = [wire.new_experiment(), wire.new_experiment()]
    runs = {wire.new_run(experiment) for experiment in experiments}
    found = wire.post("runs/search", experiment_ids=experiments)["runs"]
    assert {run["info"]["run_id"] for run in found} == runs


def test_what_is_found_is_the_whole_run(wire: Wire, experiment: str) -> None:
    run = wire.new_run(experiment, run_name="whole", start_time=5, user_id="ada")
    wire.post("runs/log-parameter", run_id=run, key="p", value="1")
    wire.log(run, "m", 1)
    wire.log(run, "m", 2, step=1)
    wire.post("runs/set-tag", run_id=run, key="t", value="1")
    log_dataset(wire, run, "iris", "d1", "training")
    model = wire.post("logged-models", experiment_id=experiment, name="net", source_run_id=run)["model"]["info"]
    wire.post("runs/outputs", run_id=run, models=[{"model_id": model["model_id"], "step": 3}])
    [found] = wire.post("runs/search", experiment_ids=[experiment])["runs"]
    assert comparable(found) == comparable(wire.run(run))
    assert found["inputs"]["dataset_inputs"][0]["dataset"]["name"] == "iris"
    assert found["outputs"]["model_outputs"] == [{"model_id": model["model_id"], "step": 3}]


def comparable(run: Any) -> Any:
    """A run with its unordered lists in one order."""
    data = {kind: sorted(entries, key=str) for kind, entries in run["data"].items()}
    return {**run, "data": data}


@pytest.mark.parametrize(
    ("view", "expected"),
    [(None, {"kept"}), ("ACTIVE_ONLY", {"kept"}), ("DELETED_ONLY", {"gone"}), ("ALL", {"kept", "gone"})],
)
def test_the_view_decides_about_deleted_runs(wire: Wire, experiment: str, view: str | None, expected: set[str]) -> None:
    wire.new_run(experiment, run_name="kept")
    wire.post("runs/delete", run_id=wire.new_run(experiment, run_name="gone"))
    found = wire.post("runs/search", experiment_ids=[experiment], run_view_type=view)["runs"]
    assert {run["info"]["run_name"] for run in found} == expected
