"""What may be deleted, and what stays because something stands on it."""

import io

import pytest

from accounts.actions.governance import govern_project
from accounts.roles import Role
from artifacts.blobs import receive
from artifacts.storage import StoredBlob
from experiments.actions.experiments import delete_experiment
from experiments.actions.files import delete_files, put_file
from experiments.actions.runs import delete_run
from experiments.models import Experiment, Run
from kernel.actor import Actor, operator
from kernel.errors import Refused
from registry.actions.aliases import delete_alias
from registry.actions.files import delete_model_files, put_model_file
from registry.actions.logged_models import delete_logged_model
from registry.actions.registered_models import delete_registered_model
from registry.actions.versions import create_version, delete_version
from registry.models import LoggedModel, ModelVersion, PromotionRequest, RegisteredModel
from tests.factories import Team, a_file, a_member, a_run, again, an_experiment
from tests.factories_registry import a_logged_model, a_registered_model, a_version, a_version_of, an_alias
from tests.registry.promoting import a_governed_team, a_trained_run, approved_by, asked_for


@pytest.fixture
def credit(ada: Actor, team: Team) -> RegisteredModel:
    return a_registered_model(ada, team.project, name="credit")


@pytest.fixture
def approved(db: None) -> PromotionRequest:
    """An approved request in a governed project, about a version of a logged model."""
    team = a_governed_team()
    return approved_by(team.manager, asked_for(team))


def engineer_of(request: PromotionRequest) -> Actor:
    return a_member(request.model.project, Role.ML_ENGINEER)


def bytes_in_store(content: bytes) -> StoredBlob:
    return receive(io.BytesIO(content), expected=len(content))


# Open projects follow MLflow


def test_in_an_open_project_a_version_goes_with_its_aliases(ada: Actor, credit: RegisteredModel) -> None:
    version = a_version(ada, credit)
    an_alias(ada, version, "champion")
    delete_version(again(ada), version)
    assert list(credit.aliases.all()) == []


def test_in_an_open_project_a_model_goes_with_everything(ada: Actor, credit: RegisteredModel) -> None:
    an_alias(ada, a_version(ada, credit), "champion")
    a_version(ada, credit)
    delete_registered_model(again(ada), credit)
    assert not ModelVersion.objects.filter(model=credit, is_deleted=False).exists()
    assert list(credit.aliases.all()) == []


# Governed projects keep what something stands on


def test_in_a_governed_project_a_version_with_an_alias_stays(team: Team, ada: Actor, credit: RegisteredModel) -> None:
    version = a_version(ada, credit)
    an_alias(ada, version, "shadow")
    govern_project(operator(), team.project, is_governed=True, protected_names=["champion"])
    engineer = again(team.engineer)
    for delete, thing in ((delete_version, version), (delete_registered_model, credit)):
        with pytest.raises(Refused) as refusal:
            delete(engineer, thing)  # type: ignore[operator]
        assert "credit version 1: alias 'shadow'" in str(refusal.value)
    delete_alias(engineer, credit, alias="shadow")
    delete_version(engineer, version)
    delete_registered_model(engineer, credit)


def test_in_a_governed_project_an_approved_version_stays(approved: PromotionRequest) -> None:
    engineer = engineer_of(approved)
    what = f"{approved.model.name} version 1: approved for 'champion'"
    for delete, thing in ((delete_version, approved.version), (delete_registered_model, approved.model)):
        with pytest.raises(Refused) as refusal:
            delete(engineer, thing)  # type: ignore[operator]
        assert what in str(refusal.value)


# Runs and logged models behind a version


def test_what_was_approved_stays_when_the_project_is_opened(approved: PromotionRequest) -> None:
    team_of = engineer_of(approved)
    names = approved.model.project.protected_names
    govern_project(
        operator(), approved.model.project, is_governed=False, protected_names=names, reason="The study is over."
    )
    with pytest.raises(Refused, match="approved for 'champion'"):
        delete_version(again(team_of), approved.version)
    with pytest.raises(Refused, match="approved for 'champion'"):
        delete_registered_model(again(team_of), approved.model)


def test_a_run_behind_an_alias_stays_until_the_alias_is_gone(ada: Actor, credit: RegisteredModel) -> None:
    version = a_version(ada, credit)
    an_alias(ada, version, "best")
    run = version.run
    assert run is not None
    with pytest.raises(Refused, match="credit version 1: alias 'best'"):
        delete_run(again(ada), run)
    delete_alias(ada, credit, alias="best")
    assert delete_run(again(ada), run).is_deleted


def test_a_run_behind_a_logged_model_behind_an_alias_stays(ada: Actor, credit: RegisteredModel, run: Run) -> None:
    logged = a_logged_model(ada, run)
    an_alias(ada, a_version_of(ada, credit, logged), "best")
    with pytest.raises(Refused, match="alias 'best'"):
        delete_run(again(ada), run)
    with pytest.raises(Refused, match="alias 'best'"):
        delete_logged_model(again(ada), logged)
    delete_alias(ada, credit, alias="best")
    delete_logged_model(again(ada), LoggedModel.objects.get(pk=logged.pk))


def test_an_experiment_with_such_a_run_stays_whole(ada: Actor, credit: RegisteredModel) -> None:
    experiment = an_experiment(ada)
    kept, other = a_run(ada, experiment), a_run(ada, experiment)
    a_file(ada, kept, "model/MLmodel")
    an_alias(ada, a_version(ada, credit, run=kept), "best")
    with pytest.raises(Refused, match="alias 'best'"):
        delete_experiment(again(ada), experiment)
    assert Experiment.objects.get(pk=experiment.pk).lifecycle == "active"
    assert not Run.objects.get(pk=other.pk).is_deleted
    delete_alias(ada, credit, alias="best")
    delete_experiment(again(ada), experiment)


def test_a_run_behind_a_deleted_version_goes(ada: Actor, credit: RegisteredModel) -> None:
    version = a_version(ada, credit)
    an_alias(ada, version, "best")
    delete_version(ada, version)
    assert version.run is not None
    assert delete_run(again(ada), version.run).is_deleted


def test_a_run_and_a_model_behind_an_approved_version_stay(approved: PromotionRequest) -> None:
    engineer = engineer_of(approved)
    logged, run = approved.version.logged_model, approved.version.run
    assert logged is not None
    assert run is not None
    with pytest.raises(Refused, match="approved for 'champion'"):
        delete_logged_model(engineer, logged)
    with pytest.raises(Refused, match="approved for 'champion'"):
        delete_run(again(operator()), run)


# Files of an approved version


def test_the_files_of_an_approved_version_do_not_change(approved: PromotionRequest) -> None:
    engineer, logged = engineer_of(approved), approved.version.logged_model
    assert logged is not None
    for path in ("model.bin", "another.bin"):
        with pytest.raises(Refused, match="is approved"):
            put_model_file(engineer, logged, path=path, stored=bytes_in_store(b"other"))
    for path in ("", "model.bin"):
        with pytest.raises(Refused, match="is approved"):
            delete_model_files(engineer, logged, path=path)


def test_of_a_run_only_the_folder_that_was_approved_is_closed(db: None) -> None:
    team = a_governed_team()
    trained = a_trained_run(team.scientist)
    a_file(team.scientist, trained, "model/weights.bin", b"weights")
    a_file(team.scientist, trained, "plots/loss.png", b"png")
    model = a_registered_model(team.scientist, team.project, name="credit")
    version = create_version(team.scientist, model, source=f"runs:/{trained.uid.hex}/model", run=trained)
    approved_by(team.manager, asked_for(team, version))
    scientist = again(team.scientist)
    for path in ("model/weights.bin", "model/new.bin"):
        with pytest.raises(Refused, match="is approved"):
            put_file(scientist, trained, path=path, stored=bytes_in_store(b"other"))
    for path in ("", "model", "model/weights.bin"):
        with pytest.raises(Refused, match="is approved"):
            delete_files(scientist, trained, path=path)
    put_file(scientist, trained, path="model/weights.bin", stored=bytes_in_store(b"weights"))
    put_file(scientist, trained, path="model2.txt", stored=bytes_in_store(b"x"))
    delete_files(scientist, trained, path="plots")
