"""What came from what: the graph between data, runs, models, versions and aliases, as far as its viewer sees."""

from __future__ import annotations

import dataclasses
import time

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from artifacts.actions.recall import withdraw_version
from artifacts.models import DatasetVersion
from audit.ledger.acting import acting
from experiments.actions.inputs import DatasetInput
from experiments.models import Run, RunInput
from kernel.actor import Actor, system
from kernel.errors import Invalid, NotFound
from registry.actions.aliases import delete_alias, set_alias
from registry.actions.links import log_outputs, log_run_inputs
from registry.actions.logged_models import create_logged_model, delete_logged_model
from registry.actions.registered_models import create_registered_model
from registry.actions.versions import create_version, delete_version
from registry.models import LoggedModel, ModelAlias, ModelVersion
from registry.queries.lineage import Flag, Graph, Ref, find_start, lineage_of
from tests.factories import Team, a_run


def uses(
    actor: Actor, run: Run, name: str = "icu-vitals", digest: str = "d1", context: str = "train"
) -> DatasetVersion:
    """A dataset version that went into the run."""
    log_run_inputs(
        actor,
        run,
        datasets=[DatasetInput(name, digest, "local", name, tags={"mlflow.data.context": context})],
        models=[],
    )
    return DatasetVersion.objects.get(dataset__project=run.project, dataset__name=name, digest=digest)


def makes(actor: Actor, run: Run, name: str = "net") -> LoggedModel:
    """A model that the run made."""
    return create_logged_model(actor, run.experiment, name=name, source_run=run)


@dataclasses.dataclass(frozen=True)
class Chain:
    """Data, run, logged model, model version, alias: each from the one before."""

    data: DatasetVersion
    run: Run
    model: LoggedModel
    version: ModelVersion
    alias: ModelAlias


@pytest.fixture
def chain(team: Team, ada: Actor, run: Run) -> Chain:
    data, model = uses(ada, run), makes(ada, run)
    registered = create_registered_model(ada, team.project, name="sepsis-risk")
    version = create_version(ada, registered, source=f"models:/{model.model_id}", run=run, logged_model=model)
    alias = set_alias(ada, registered, alias="challenger", version=version)
    return Chain(data, run, model, version, alias)


def around(viewer: Actor, ref: str, **more) -> Graph:
    found = Ref.parse(ref)
    return lineage_of(viewer, (found.kind, find_start(viewer, found)), **more)


def data_ref(version: DatasetVersion) -> str:
    return f"dataset:{version.pk}"


def shape(graph: Graph) -> set[tuple[str, str]]:
    """The edges by the kinds of their ends."""
    kinds = {node.key: node.kind for node in graph.nodes}
    return {(kinds[edge.above], kinds[edge.below]) for edge in graph.edges}


def labels(graph: Graph) -> set[str]:
    return {node.label for node in graph.nodes}


# --- What is in it

WHOLE = {("dataset", "run"), ("run", "model"), ("model", "version"), ("version", "alias")}


@pytest.mark.parametrize("start", ["data", "run", "model", "version", "alias"])
def test_the_whole_chain_is_found_from_each_of_its_links(ada, chain, start):
    row = getattr(chain, start)
    ref = {
        "data": data_ref(chain.data),
        "run": f"run:{chain.run.uid.hex}",
        "model": f"model:{chain.model.model_id}",
        "version": f"version:{chain.version.pk}",
        "alias": f"alias:{chain.alias.pk}",
    }[start]
    graph = around(ada, ref, up=4, down=4)
    assert shape(graph) == WHOLE
    assert len(graph.nodes) == 5
    assert graph.start == ref
    assert graph.node(ref).depth == 0
    assert row is not None


def test_two_steps_reach_from_data_to_model_versions_and_say_what_lies_beyond(ada, chain):
    graph = around(ada, data_ref(chain.data))
    assert labels(graph) == {"icu-vitals v1", chain.run.name, "net", "sepsis-risk v1"}
    assert shape(graph) == WHOLE - {("version", "alias")}
    assert graph.node(f"version:{chain.version.pk}").more == 1


def test_a_node_that_is_opened_is_followed_a_step_further(ada, chain):
    graph = around(ada, data_ref(chain.data), opened=[f"version:{chain.version.pk}"])
    assert shape(graph) == WHOLE
    assert graph.node(f"version:{chain.version.pk}").more == 0


def test_no_steps_leave_the_start_alone(ada, chain):
    graph = around(ada, f"run:{chain.run.uid.hex}", up=0, down=0)
    assert labels(graph) == {chain.run.name}
    assert graph.nodes[0].more == 3


def test_an_edge_says_in_which_role(ada, chain):
    graph = around(ada, data_ref(chain.data))
    assert [edge.words for edge in graph.edges if edge.above == data_ref(chain.data)] == ["train"]


def test_a_version_without_a_logged_model_hangs_on_its_run(ada, team, run):
    registered = create_registered_model(ada, team.project, name="plain")
    create_version(ada, registered, source=f"runs:/{run.uid.hex}/model", run=run)
    assert shape(around(ada, f"run:{run.uid.hex}")) == {("run", "version")}


def test_a_model_that_goes_into_a_later_run_leads_on_to_it(ada, chain):
    later = a_run(ada, name="evaluation")
    log_run_inputs(ada, later, datasets=[], models=[chain.model])
    graph = around(ada, f"model:{chain.model.model_id}")
    assert ("model", "run") in shape(graph)
    assert "evaluation" in labels(graph)


def test_a_run_that_reads_the_model_it_made_is_no_endless_walk(ada, chain):
    log_outputs(ada, chain.run, outputs=[(chain.model, 1)])
    log_run_inputs(ada, chain.run, datasets=[], models=[chain.model])
    assert len(around(ada, data_ref(chain.data), up=12, down=12).nodes) == 5


def test_a_deleted_model_is_not_in_it(ada, chain):
    delete_alias(ada, chain.version.model, alias="challenger")
    delete_version(ada, chain.version)
    delete_logged_model(ada, chain.model)
    graph = around(ada, data_ref(chain.data))
    assert shape(graph) == {("dataset", "run")}


def test_a_deleted_version_is_not_in_it(ada, team, run):
    registered = create_registered_model(ada, team.project, name="plain")
    version = create_version(ada, registered, source=f"runs:/{run.uid.hex}/model", run=run)
    delete_version(ada, version)
    assert shape(around(ada, f"run:{run.uid.hex}")) == set()
    with pytest.raises(NotFound):
        around(ada, f"version:{version.pk}")


# --- Recall


def test_a_recall_marks_the_data_and_all_that_stands_on_it(team, ada, chain):
    clean = a_run(ada, name="clean")
    other = uses(ada, clean, "lab-codes", "d2")
    withdraw_version(team.engineer, chain.data, reason="Units were mixed.")
    graph = around(ada, data_ref(chain.data), down=4)
    flags = {node.kind: node.flag for node in graph.nodes}
    assert flags.pop("dataset") == Flag.RECALLED
    assert set(flags.values()) == {Flag.BUILT_ON}
    assert {node.flag for node in around(ada, data_ref(other)).nodes} == {Flag.NONE}


def test_a_recall_out_of_the_picture_still_marks(team, ada, chain):
    withdraw_version(team.engineer, chain.data, reason="Units were mixed.")
    (alias,) = around(ada, f"alias:{chain.alias.pk}", up=0).nodes
    assert alias.flag == Flag.BUILT_ON


def test_what_stands_on_a_model_from_recalled_data_is_marked_too(team, ada, chain):
    later = a_run(ada, name="fine-tuned")
    log_run_inputs(ada, later, datasets=[], models=[chain.model])
    withdraw_version(team.engineer, chain.data, reason="Units were mixed.")
    graph = around(ada, data_ref(chain.data), down=3)
    assert graph.node(f"run:{later.uid.hex}").flag == Flag.BUILT_ON


# --- Many


def many_runs(run: Run, data: DatasetVersion, count: int) -> None:
    """Runs on one dataset version, put in by few statements."""
    same = {"project": run.project, "experiment": run.experiment}
    with acting(system(), "test.seed"):
        runs = [Run(**same, number=1_000 + number, name=f"many {number}") for number in range(count)]
        QuerySet.bulk_create(Run.objects.all(), runs, batch_size=2_000)
        inputs = [RunInput(run=one, dataset_version=data, context="train") for one in runs]
        QuerySet.bulk_create(RunInput.objects.all(), inputs, batch_size=2_000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as the database does by itself before long


def test_ten_thousand_runs_on_one_dataset_are_one_node_that_says_which_models_stand_on_them(ada, chain):
    many_runs(chain.run, chain.data, 10_000)
    before = time.perf_counter()
    graph = around(ada, data_ref(chain.data), down=4)
    took = time.perf_counter() - before
    assert labels(graph) == {"icu-vitals v1", "10,001 runs", "net", "sepsis-risk v1", "challenger"}
    assert shape(graph) == WHOLE
    assert took < 15  # 0.6 s on two quiet cores; comparing each with each takes minutes
    (fold,) = [node for node in graph.nodes if node.is_fold]
    opened = around(ada, data_ref(chain.data), opened=[fold.key])
    assert sum(node.count for node in opened.nodes if node.kind == "run") == 10_001
    assert len(opened.nodes) < 210


def test_a_recall_counts_those_in_a_fold(team, ada, run):
    data, other = uses(ada, run), uses(ada, run, "lab-codes", "d2")
    for number in range(20):
        one = a_run(ada, name=f"sweep {number}")
        uses(ada, one)
        if number < 3:
            uses(ada, one, "lab-codes", "d2")
    withdraw_version(team.engineer, other, reason="Units were mixed.")
    (fold,) = [node for node in around(ada, data_ref(data)).nodes if node.is_fold]
    assert (fold.count, fold.flag, fold.flagged) == (21, Flag.BUILT_ON, 4)


def test_many_runs_on_one_dataset_fold_into_one_node(ada, run):
    data = uses(ada, run)
    for number in range(14):
        one = a_run(ada, name=f"sweep {number}")
        uses(ada, one)
        if number < 2:
            makes(ada, one, f"kept {number}")
    graph = around(ada, data_ref(data))
    (fold,) = [node for node in graph.nodes if node.is_fold]
    assert fold.label == "15 runs"
    assert fold.words == "15 running"
    assert {("run", "model")} < shape(graph)
    assert {edge.above for edge in graph.edges if edge.below.startswith("model:")} == {fold.key}
    opened = around(ada, data_ref(data), opened=[fold.key])
    assert sum(node.kind == "run" for node in opened.nodes) == 15
    assert not any(node.is_fold for node in opened.nodes)


def test_an_opened_fold_keeps_to_the_limit(ada, run):
    data = uses(ada, run)
    for number in range(29):
        uses(ada, a_run(ada, name=f"sweep {number}"))
    (fold,) = [node for node in around(ada, data_ref(data)).nodes if node.is_fold]
    graph = around(ada, data_ref(data), opened=[fold.key], limit=21)
    (rest,) = [node for node in graph.nodes if node.is_fold]
    assert rest.rest
    assert sum(node.count for node in graph.nodes if node.kind == "run") == 30
    assert len(graph.nodes) <= 22
    assert graph.cut == rest.count
    assert rest.label == f"{rest.count} more runs"
    assert "sweep 28" in labels(graph)
    assert "sweep 0" not in labels(graph)


def test_there_is_no_more_than_one_node_of_a_kind_beyond_the_limit(ada, run):
    data = uses(ada, run)
    makes(ada, run, "first")
    for number in range(5):
        one = a_run(ada, name=f"sweep {number}")
        uses(ada, one)
        makes(ada, one, f"model {number}")
    graph = around(ada, data_ref(data), limit=4)
    assert sorted(node.label for node in graph.nodes if node.is_fold) == ["6 more logged models", "6 more runs"]


def statements(ada: Actor, ref: str, **more) -> int:
    around(ada, ref, **more)
    with CaptureQueriesContext(
        connection,
    ) as said:
        around(ada, ref, **more)
    return len(said)


def test_the_number_of_statements_does_not_grow_with_the_nodes(ada, run):
    data = uses(ada, run)
    makes(ada, run)
    few = statements(ada, data_ref(data))
    for number in range(20):
        one = a_run(ada, name=f"sweep {number}")
        uses(ada, one)
        makes(ada, one)
    graph = around(ada, data_ref(data))
    folds = [node.key for node in graph.nodes if node.is_fold]
    assert len(folds) == 2
    assert statements(ada, data_ref(data)) <= few
    assert statements(ada, data_ref(data), opened=folds) == few


# --- Who may see


def test_a_stranger_is_told_that_there_is_nothing(outsider, chain):
    for ref in (data_ref(chain.data), f"run:{chain.run.uid.hex}", f"version:{chain.version.pk}"):
        with pytest.raises(NotFound):
            around(outsider, ref)


@pytest.mark.parametrize(
    "ref",
    [
        "run:" + "0" * 32,
        "run:nonsense",
        "dataset:1",
        "version:0",
        "version:99999999999999999999",
        "version:x",
        "model:m-1",
    ],
)
def test_what_is_not_there_is_not_found(ada, ref):
    with pytest.raises(NotFound):
        around(ada, ref)


@pytest.mark.parametrize("ref", ["", "run", "run:", ":1", "city:berlin"])
def test_a_reference_that_names_nothing_says_so(ada, ref):
    with pytest.raises(Invalid):
        around(ada, ref)
