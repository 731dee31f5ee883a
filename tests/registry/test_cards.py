"""A model card says what the record holds and what people wrote, and shows each gap as one."""

import pytest

from accounts.roles import Role
from experiments.actions.batches import log_batch
from experiments.actions.inputs import DatasetInput, log_inputs
from experiments.metrics.batch import Batch, MetricPoint
from experiments.models import Run
from kernel.actor import Actor
from kernel.errors import Invalid, NotFound, Refused
from registry.actions.cards import write_card
from registry.actions.versions import create_version
from registry.cards import NOT_RECORDED, WRITTEN
from registry.models import ModelVersion, RegisteredModel
from registry.queries.cards import card_of
from tests.factories import STARTED_MS, Team, a_batch, a_run, again, events_since
from tests.factories_registry import a_logged_model, a_registered_model, a_version_of
from tests.registry.promoting import a_governed_team, approved_by, asked_for


@pytest.fixture
def credit(ada: Actor, team: Team) -> RegisteredModel:
    return a_registered_model(ada, team.project, name="credit")


@pytest.fixture
def run(ada: Actor) -> Run:
    made = a_run(ada, tags={"mlflow.source.git.commit": "c" * 40, "mlflow.source.name": "train.py"})
    log_batch(ada, made, batch=a_batch(params={"lr": "0.1", "seed": "7"}, auc=[0.8, 0.9]))
    dataset = DatasetInput(
        "loans", "abc123", "local", "x", profile='{"num_rows": 1200}', tags={"mlflow.data.context": "train"}
    )
    log_inputs(ada, made, inputs=[dataset])
    return made


@pytest.fixture
def version(ada: Actor, credit: RegisteredModel, run: Run) -> ModelVersion:
    logged = a_logged_model(ada, run)
    point = MetricPoint("accuracy", 0.875, STARTED_MS, model_id=logged.model_id, dataset_name="loans test")
    log_batch(ada, run, batch=Batch(metrics=[point]))
    return a_version_of(ada, credit, logged, tags={"licence": "Apache-2.0"})


def facts(viewer: Actor, version: ModelVersion, section: str) -> dict[str, str]:
    return {fact.label: fact.shown for fact in card_of(viewer, version)[section].facts}


def test_a_card_is_filled_from_the_record(ada: Actor, team: Team, version: ModelVersion, run: Run) -> None:
    origin = facts(ada, version, "origin")
    assert origin["Run"] == f"{run.readable_id} {run.name}"
    assert origin["Trained by"] == origin["Registered by"] == ada.user_name
    assert origin["Trained from"] == "2023-11-14 22:13 UTC"
    assert (origin["Code commit"], origin["Started from"]) == ("c" * 40, "train.py")
    data = facts(ada, version, "data")
    assert data["train"] == "loans v1"
    assert (data["loans v1: digest"], data["loans v1: rows"]) == ("abc123", "1,200")
    assert facts(ada, version, "params") == {"lr": "0.1", "seed": "7"}
    assert facts(ada, version, "metrics") == {"accuracy on loans test": "0.875"}
    assert facts(ada, version, "environment")["Seed"] == "seed = 7"
    assert facts(ada, version, "files") == {"Files": "1", "Size": "12 bytes", "Licence": "Apache-2.0"}


def test_what_nobody_recorded_is_a_gap_and_not_invented(ada: Actor, credit: RegisteredModel) -> None:
    bare = create_version(ada, credit, source="s3://bucket/model")
    card = card_of(ada, bare)
    for key in ("data", "params", "metrics", "environment", "approvals", *WRITTEN):
        assert card[key].is_gap, key
    assert facts(ada, bare, "data") == {"Datasets": NOT_RECORDED}
    assert facts(ada, bare, "origin")["Run"] == NOT_RECORDED
    assert facts(ada, bare, "files") == {"Files": NOT_RECORDED, "Size": NOT_RECORDED, "Licence": NOT_RECORDED}
    assert card.gaps == sum(section.gaps for section in card.sections) > len(WRITTEN)


def test_a_known_dataset_without_rows_and_licence_shows_both_as_gaps(ada: Actor, version: ModelVersion) -> None:
    [licence] = [fact for fact in card_of(ada, version)["data"].facts if fact.label == "loans v1: licence"]
    assert licence.is_gap
    assert licence.shown == NOT_RECORDED


def test_people_write_sections_over_and_back(ada: Actor, team: Team, version: ModelVersion) -> None:
    before = card_of(ada, version).gaps
    write_card(ada, version, section="limits", text="Fails on new customers.")
    limits = card_of(ada, version)["limits"]
    assert (limits.text, limits.written_by, limits.is_gap) == ("Fails on new customers.", ada.user_name, False)
    assert card_of(ada, version).gaps == before - 1
    [kept] = events_since(lambda: write_card(again(team.engineer), version, section="limits", text=""))
    assert kept.changed("registry.cardtext")["text"] == ["Fails on new customers.", ""]
    assert card_of(ada, version).gaps == before


def test_the_same_words_again_write_nothing(ada: Actor, version: ModelVersion) -> None:
    write_card(ada, version, section="limits", text="x")
    assert events_since(lambda: write_card(again(ada), version, section="limits", text="x")) == []


@pytest.mark.parametrize(("section", "text"), [("origin", "x"), ("", "x"), ("poetry", "x"), ("limits", "a\x00b")])
def test_other_sections_and_texts_that_cannot_be_kept_are_refused(
    ada: Actor, version: ModelVersion, section: str, text: str
) -> None:
    with pytest.raises(Invalid):
        write_card(ada, version, section=section, text=text)


@pytest.mark.parametrize("role", [Role.PROJECT_MANAGER, Role.AUDITOR])
def test_who_does_not_build_models_reads_the_card_and_does_not_write_it(
    team: Team, version: ModelVersion, role: Role
) -> None:
    assert card_of(team[role], version).sections
    with pytest.raises(Refused):
        write_card(team[role], version, section="limits", text="x")


def test_to_an_outsider_there_is_no_card(outsider: Actor, version: ModelVersion) -> None:
    with pytest.raises(NotFound):
        card_of(outsider, version)
    with pytest.raises(NotFound):
        write_card(outsider, version, section="limits", text="x")


def test_an_approval_stands_on_the_card(db: None) -> None:
    team = a_governed_team()
    approved = approved_by(team.manager, asked_for(team))
    found = facts(team.auditor, approved.version, "approvals")
    assert found["For alias 'champion'"].startswith(f"{team.manager.user_name}, ")
