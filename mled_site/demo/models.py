"""The demonstration's models: logged by their runs, registered, described, promoted by two people."""

import io
import json
from collections.abc import Mapping

import numpy as np

from accounts.actions.governance import govern_project
from accounts.models import Project
from accounts.signing import prove
from artifacts import blobs
from artifacts.models import DatasetVersion
from audit.ledger.sequencer import run_once
from experiments.actions.batches import log_batch
from experiments.metrics.batch import Batch, MetricPoint
from experiments.models import Run
from experiments.queries.runs import series_of
from kernel.actor import Actor
from kernel.clock import now_ms
from mled_site.demo.networks import Network
from registry.actions.aliases import set_alias, transition_stage
from registry.actions.cards import write_card
from registry.actions.files import put_model_file
from registry.actions.links import log_outputs
from registry.actions.logged_models import create_logged_model, finalize_logged_model
from registry.actions.promotions import ask_promotion, decide_promotion
from registry.actions.registered_models import create_registered_model
from registry.actions.versions import create_version
from registry.models import LoggedModel, ModelVersion, RegisteredModel
from registry.queries.logged_models import models_of_run
from registry.tasks import apply_covered_promotions

CARD = {
    "intended_use": "Warns the maintenance team a day before a bearing fails. Not for stopping a pump by itself.",
    "limits": "Trained on 40 pumps of two makers; calibration drifts above 0.7.",
    "oversight": "The shift lead sees each alarm and confirms it before anybody is sent.",
    "how_to_use": "Load weights.npz and settings.json; give it the 12 bands of one minute.",
}


def logged_model(
    actor: Actor, run: Run, network: Network, data: DatasetVersion, measured: Mapping[str, float]
) -> LoggedModel:
    """The network as a model of its run, with its weights and what was measured of it."""
    name = network.settings.architecture
    model = create_logged_model(
        actor, run.experiment, name=name, model_type="network", source_run=run, params=network.settings.params()
    )
    weights = io.BytesIO()
    first = np.zeros((0, 0)) if network.first is None else network.first
    np.savez(weights, first=first, bias=network.bias, last=network.last, offset=network.offset)
    about = {
        "flavors": {"numpy_network": {"weights": "weights.npz"}},
        "model_id": model.model_id,
        "run_id": run.uid.hex,
    }
    files = {
        "MLmodel": json.dumps(about, indent=2).encode(),
        "settings.json": json.dumps(network.settings.params(), indent=2).encode(),
        "weights.npz": weights.getvalue(),
    }
    for path, content in files.items():
        put_model_file(actor, model, path=path, stored=blobs.receive(io.BytesIO(content)))
    log_outputs(actor, run, outputs=[(model, 0)])
    ended_at = max((one.last_step for one in series_of(actor, run)), default=0)
    points = [
        MetricPoint(
            key,
            value,
            now_ms(),
            ended_at,
            model_id=model.model_id,
            dataset_name=data.dataset.name,
            dataset_digest=data.digest[:32],
        )
        for key, value in measured.items()
    ]
    log_batch(actor, run, batch=Batch(metrics=points))
    return finalize_logged_model(actor, model, status="READY")


def registered(actor: Actor, model: RegisteredModel, run: Run, words: str) -> ModelVersion:
    """The run's model as the next version."""
    [logged] = models_of_run(actor, run)
    return create_version(
        actor, model, source=f"models:/{logged.model_id}", run=run, logged_model=logged, description=words
    )


def pump_models(ada: Actor, tomas: Actor, priya: Actor, project: Project, runs: list[Run], password: str) -> None:
    """Three versions in a governed project: one is promoted, one asks to be. runs: linear, best of the sweep, long."""
    model = create_registered_model(
        ada, project, name="bearing-alarm", description="Tells worn bearings from sound ones.", tags={"team": "pumps"}
    )
    linear, swept, long = (
        registered(ada, model, run, words)
        for run, words in zip(
            runs,
            ("A linear model, to compare with.", "Best of the sweep over width and rate.", "Three times the epochs."),
            strict=True,
        )
    )
    for section, text in CARD.items():
        write_card(ada, swept, section=section, text=text)
    write_card(ada, long, section="intended_use", text=CARD["intended_use"])
    set_alias(ada, model, alias="baseline", version=linear)
    set_alias(ada, model, alias="candidate", version=long)
    govern_project(priya, project, is_governed=True, protected_names=["champion", "production"])
    asked = ask_promotion(
        ada, swept, kind="alias", target="champion", comment="Best on the test rows; the team agreed on Monday."
    )
    proof = prove(tomas, password, email="tomas@demo.mled")
    decide_promotion(tomas, asked, approve=True, comment="Checked against the test bench of May.", proof=proof)
    _until_in_effect(swept)
    ask_promotion(
        ada, long, kind="alias", target="champion", comment="Better on the test rows, but calibration drifts above 0.7."
    )


def _until_in_effect(version: ModelVersion) -> None:
    """A promotion takes effect once the log covers its signature: number what waits, then carry it out."""
    while run_once():
        pass
    apply_covered_promotions()
    version.refresh_from_db()


def bed_models(tomas: Actor, project: Project, runs: list[Run]) -> None:
    """Two versions in an open project; the stages move as the engineer says."""
    model = create_registered_model(tomas, project, name="bed-forecast", description="Beds needed tomorrow.")
    first, second = (registered(tomas, model, run, "") for run in runs)
    transition_stage(tomas, first, stage="Archived")
    transition_stage(tomas, second, stage="Production", archive_existing=True)
    set_alias(tomas, model, alias="champion", version=second)
