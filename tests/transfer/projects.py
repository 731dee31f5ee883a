"""A project that holds one of everything that is hard to move."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from artifacts.actions.aliases import set_dataset_alias
from artifacts.actions.recall import withdraw_version
from experiments.actions.batches import log_batch
from experiments.actions.comments import add_comment
from experiments.actions.experiments import delete_experiment, set_experiment_tag, set_metric_direction
from experiments.actions.inputs import DatasetInput
from experiments.actions.runs import delete_run, update_run
from experiments.actions.saved_views import save_view
from experiments.metrics.batch import Batch, MetricPoint, by_series
from experiments.metrics.segments import append
from experiments.models import Run
from experiments.values import RunStatus
from kernel.actor import Actor
from registry.actions.aliases import set_alias, transition_stage
from registry.actions.cards import write_card
from registry.actions.files import put_model_file
from registry.actions.links import log_outputs, log_run_inputs
from registry.actions.logged_models import create_logged_model, finalize_logged_model
from registry.actions.registered_models import create_registered_model
from registry.actions.versions import create_version, delete_version
from tests.factories import (
    STARTED_MS,
    Team,
    a_batch,
    a_dataset,
    a_file,
    a_run,
    a_team,
    a_version,
    an_experiment,
    receive,
)
from tests.factories import default_experiment as the_default

VALUES = (0.1, math.nan, math.inf, -math.inf, 0.0, -0.0, 5e-324, 1.7976931348623157e308, 0.1 + 0.2)


@dataclass(frozen=True)
class Rich:
    """The team and its runs."""

    team: Team
    parent: Run
    child: Run
    deleted: Run


def a_rich_project(long: int = 3000) -> Rich:
    """long: points of its longest series."""
    team = a_team()
    ada, project = team.scientist, team.project
    vision = an_experiment(ada, name="Vision/größer 漢字 \U0001f52c", tags={"team": "Überwachung"})
    set_experiment_tag(ada, vision, key="mlflow.note.content", value="# Why\n\n" + "long " * 200)
    gone = an_experiment(ada, name="Given up")
    data = a_dataset(ada, name="wards/2026", description="Every bed, \n every hour.")
    first = a_version(
        ada, data, files={"a.csv": b"x,y\n1,2\n", "deep/er/b.csv": b"x\n1\n"}, record={"licence": "CC0-1.0"}
    )
    second = a_version(ada, data, files={"a.csv": b"x,y\n1,3\n"}, record={"personal_data": "none", "note": "Fixed."})
    set_dataset_alias(ada, data, name="current", version=second)
    # The parent comes second, as where a run was put below another later on.
    child = a_run(ada, vision, name="child")
    parent = a_run(ada, vision, name="parent \U0001f9ea", tags={"mlflow.user": "ada@lab", "free": "líne\nbreak"})
    log_batch(ada, child, batch=Batch(tags=[("mlflow.parentRunId", parent.uid.hex)]))
    points = [MetricPoint("odd", value, STARTED_MS + at, at - 2) for at, value in enumerate(VALUES)]
    log_batch(ada, child, batch=Batch(metrics=points, params=[("lr", "1e-3"), ("optimiser", "Ünïcode ☃")]))
    long_one = [MetricPoint("val/loss", 1 / (1 + step), STARTED_MS + step, step) for step in range(long)]
    append(child.pk, child.experiment_id, list(by_series(long_one)))
    log_run_inputs(
        ada, child, datasets=[DatasetInput(data.name, first.digest[:36], tags={"mlflow.data.context": "train"})]
    )
    log_run_inputs(
        ada,
        parent,
        datasets=[DatasetInput("outside", "abc123", "http", "https://example.org/d", '{"columns": []}', "{}")],
    )
    a_file(ada, child, "plots/Größe.txt", b"shared content")
    a_file(ada, parent, "same.txt", b"shared content")
    a_file(ada, parent, "empty.bin", b"")
    _models(ada, team, child, parent)
    add_comment(ada, child, text="Look at **step 3**.")
    add_comment(team.manager, child, text="Why does it stop?\n\nSee the log.")
    save_view(
        ada, project, name="Best", query=f"q=metrics.odd < 1&experiment={vision.pk}&sort=-created", is_shared=True
    )
    save_view(team.engineer, project, name="Mine alone", query="q=x")
    set_metric_direction(ada, project, key="val/loss", higher_is_better=False)
    withdraw_version(ada, first, reason="Two beds were counted twice.")
    update_run(ada, child, status=RunStatus.FINISHED, ended_ms=STARTED_MS + 60_000)
    update_run(ada, parent, status=RunStatus.FAILED)
    deleted = a_run(ada, the_default(project), name="a mistake", started_ms=None)
    log_batch(ada, deleted, batch=a_batch(loss=[3, 2], params={"lr": "7"}))
    delete_run(ada, deleted)
    a_run(ada, gone, name="in a deleted experiment", status=RunStatus.KILLED)
    delete_experiment(ada, gone)
    return Rich(team, parent, child, deleted)


def _models(ada: Actor, team: Team, child: Run, parent: Run) -> None:
    model = create_logged_model(
        ada,
        child.experiment,
        name="forest",
        model_type="agent",
        source_run=child,
        params={"depth": "3"},
        tags={"a": "b"},
    )
    put_model_file(ada, model, path="model/MLmodel", stored=_stored(b"flavors: {}\n"))
    points = [
        MetricPoint("auc", value, STARTED_MS, step, model.model_id, "wards/2026", "d1") for step, value in _steps()
    ]
    log_batch(ada, child, batch=Batch(metrics=points))
    finalize_logged_model(ada, model, status="READY")
    log_outputs(ada, child, outputs=[(model, 7)])
    log_run_inputs(ada, parent, models=[model])
    create_logged_model(ada, child.experiment, name="never finished")
    wards = create_registered_model(ada, team.project, name="ward model", description="For all wards.", tags={"t": "1"})
    one = create_version(ada, wards, source=f"models:/{model.model_id}", description="first", tags={"k": "v"})
    gap = create_version(ada, wards, source=f"runs:/{child.uid.hex}/plots", run=child)
    delete_version(ada, gap)
    three = create_version(
        ada, wards, source=f"mlflow-artifacts:/{child.experiment_id}/{child.uid.hex}/artifacts/plots", run=child
    )
    set_alias(ada, wards, alias="best", version=three)
    transition_stage(ada, one, stage="Staging")
    write_card(ada, three, section="intended_use", text="Night shifts only.")


def _steps() -> Sequence[tuple[int, float]]:
    return list(enumerate((0.5, math.nan, 0.75)))


def _stored(content: bytes):
    import io

    return receive(io.BytesIO(content), expected=len(content))
