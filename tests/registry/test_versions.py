"""Versions: where they come from, what they hold, who may change them."""

from collections.abc import Callable

import pytest

from accounts.roles import Role
from audit.ledger.acting import acting
from experiments.actions.runs import delete_run
from experiments.models import Run
from kernel.actor import Actor
from kernel.errors import Conflict, Invalid, NotFound, Refused
from registry.actions.logged_models import delete_logged_model
from registry.actions.tags import delete_version_tag, set_version_tags
from registry.actions.versions import create_version, delete_version, edit_version
from registry.models import ModelVersion, RegisteredModel
from registry.queries.registered_models import (
    find_by_address,
    get_version,
    latest_versions,
    version_data,
    versions_of,
)
from registry.queries.version_files import files_of_version, list_version_files, open_version_file
from registry.sources import download_address, is_outside
from tests.factories import Team, a_file, a_run, a_team, again, an_experiment, events_since
from tests.factories_registry import FILE, a_logged_model, a_registered_model, a_version, a_version_of, an_alias

WRITES: dict[str, Callable[[Actor, ModelVersion], object]] = {
    "edit": lambda actor, version: edit_version(actor, version, description="words"),
    "set tags": lambda actor, version: set_version_tags(actor, version, tags={"a": "1"}),
    "delete tag": lambda actor, version: delete_version_tag(actor, version, key="a"),
    "delete": delete_version,
}
every_write = pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)


@pytest.fixture
def credit(ada: Actor, team: Team) -> RegisteredModel:
    return a_registered_model(ada, team.project, name="credit")


@pytest.fixture
def version(ada: Actor, credit: RegisteredModel) -> ModelVersion:
    return a_version(ada, credit, tags={"a": "0"})


@every_write
def test_whoever_made_it_may(ada: Actor, version: ModelVersion, write: Callable[..., object]) -> None:
    write(again(ada), version)


@every_write
@pytest.mark.parametrize("role", [Role.PROJECT_MANAGER, Role.AUDITOR])
def test_who_does_not_build_models_may_not(
    team: Team, version: ModelVersion, role: Role, write: Callable[..., object]
) -> None:
    with pytest.raises(Refused):
        write(team[role], version)


@every_write
def test_to_an_outsider_it_does_not_exist(outsider: Actor, version: ModelVersion, write: Callable[..., object]) -> None:
    with pytest.raises(NotFound):
        write(outsider, version)


@every_write
def test_a_deleted_version_takes_no_writes(ada: Actor, version: ModelVersion, write: Callable[..., object]) -> None:
    delete_version(ada, version)
    with pytest.raises(NotFound):
        write(again(ada), version)


def test_each_write_leaves_one_event_about_the_version(ada: Actor, version: ModelVersion) -> None:
    for write in WRITES.values():
        [kept] = events_since(lambda write=write: write(again(ada), version))
        assert kept.subject == f"registry.modelversion {version.pk}"


def test_a_version_has_the_files_of_its_run_below_its_path(ada: Actor, credit: RegisteredModel, run: Run) -> None:
    for path in ("model/MLmodel", "model/data/weights.bin", "model-2/other", "notes.txt"):
        a_file(ada, run, path, path.encode())
    version = create_version(ada, credit, source=f"runs:/{run.uid.hex}/model/")
    assert [file.path for file in files_of_version(ada, version)] == ["MLmodel", "data/weights.bin"]
    assert [entry.path for entry in list_version_files(ada, version)] == ["MLmodel", "data"]
    assert [entry.path for entry in list_version_files(ada, version, "data")] == ["data/weights.bin"]
    file, reader = open_version_file(ada, version, "data/weights.bin")
    with reader:
        assert reader.read() == b"model/data/weights.bin"
    assert file.blob_id == files_of_version(ada, version)[1].digest
    for path in ("../notes.txt", "/notes.txt", "%2e%2e/notes.txt"):
        with pytest.raises(Invalid):
            open_version_file(ada, version, path)
    with pytest.raises(NotFound):
        open_version_file(ada, version, "notes.txt")


def test_a_version_has_the_files_of_its_logged_model(ada: Actor, credit: RegisteredModel, run: Run) -> None:
    logged = a_logged_model(ada, run)
    version = a_version_of(ada, credit, logged)
    assert (version.run, version.logged_model) == (run, logged)
    [file] = files_of_version(ada, version)
    assert (file.path, file.size_bytes) == ("MLmodel", len(FILE))
    assert download_address(version) == f"mlflow-artifacts:/0/models/{logged.model_id}/artifacts"


def test_a_version_registered_before_its_files_arrive_has_them_afterwards(
    ada: Actor, credit: RegisteredModel, run: Run
) -> None:
    version = create_version(ada, credit, source=f"runs:/{run.uid.hex}/model")
    assert files_of_version(ada, version) == []
    a_file(ada, run, "model/MLmodel")
    assert [file.path for file in files_of_version(ada, version)] == ["MLmodel"]


def test_the_files_of_an_experiment_outside_are_named_and_never_opened(ada: Actor, credit: RegisteredModel) -> None:
    run = a_run(ada, an_experiment(ada, artifact_location="s3://bucket/place"))
    version = create_version(ada, credit, source=f"runs:/{run.uid.hex}/model")
    assert download_address(version) == f"s3://bucket/place/{run.uid.hex}/artifacts/model"
    assert files_of_version(ada, version) == []


def test_a_source_outside_is_kept_marked_and_refused_where_the_project_says_so(
    ada: Actor, credit: RegisteredModel
) -> None:
    version = create_version(ada, credit, source="s3://bucket/model")
    assert is_outside(version)
    assert files_of_version(ada, version) == []
    credit.project.refuses_outside_locations = True
    with acting(ada, "tests.change"):
        credit.project.save()
    with pytest.raises(Invalid, match="inside MLED only"):
        create_version(again(ada), RegisteredModel.objects.get(pk=credit.pk), source="s3://bucket/model")


def test_a_run_of_another_team_is_no_source(ada: Actor, credit: RegisteredModel) -> None:
    theirs = a_run(a_team().scientist)
    for source in (f"runs:/{theirs.uid.hex}/model", f"mlflow-artifacts:/0/{theirs.uid.hex}/artifacts/model"):
        with pytest.raises(Invalid) as refusal:
            create_version(ada, credit, source=source)
        assert theirs.name not in str(refusal.value)
    assert not ModelVersion.objects.filter(model=credit).exists()


def test_an_artifact_uri_of_the_wrong_experiment_is_no_source(ada: Actor, credit: RegisteredModel, run: Run) -> None:
    with pytest.raises(Invalid):
        create_version(ada, credit, source=f"mlflow-artifacts:/12345/{run.uid.hex}/artifacts/model")


@pytest.mark.parametrize("path", ["../x", "a/../../x", "%2e%2e/x", "a//b", "a/./b", "x\x00y", "x" * 1001])
def test_a_path_that_climbs_or_is_odd_is_no_source(ada: Actor, credit: RegisteredModel, run: Run, path: str) -> None:
    with pytest.raises(Invalid):
        create_version(ada, credit, source=f"runs:/{run.uid.hex}/{path}")


def test_a_deleted_run_or_model_is_no_source(team: Team, ada: Actor, credit: RegisteredModel, run: Run) -> None:
    logged = a_logged_model(ada, run)
    delete_logged_model(ada, logged)
    with pytest.raises(Invalid):
        create_version(ada, credit, source=f"models:/{logged.model_id}")
    delete_run(ada, run)
    with pytest.raises(Invalid):
        create_version(ada, credit, source=f"runs:/{run.uid.hex}/model")
    with pytest.raises(Conflict):
        create_version(ada, credit, source="s3://bucket/m", run=Run.objects.get(pk=run.pk))


def test_numbers_are_not_used_again(ada: Actor, credit: RegisteredModel, version: ModelVersion) -> None:
    delete_version(ada, version)
    assert a_version(ada, credit).number == 2


def test_an_address_finds_a_version_by_number_alias_stage_or_as_the_latest(
    ada: Actor, team: Team, credit: RegisteredModel, version: ModelVersion
) -> None:
    newest = a_version(ada, credit)
    an_alias(ada, version, "best")
    for address, number in (("credit/1", 1), ("credit@best", 1), ("credit/latest", 2), ("credit/None", 2)):
        found = find_by_address(ada, team.project, address)
        assert found is not None
        assert found.number == number
    assert latest_versions(ada, credit) == [newest]
    for address in ("credit/7", "credit@nobody", "credit/Production", "nothing/1"):
        with pytest.raises(NotFound):
            find_by_address(ada, team.project, address)
    assert find_by_address(ada, team.project, "credit") is None


def test_reading_a_version_gives_its_tags_and_aliases(
    ada: Actor, credit: RegisteredModel, version: ModelVersion
) -> None:
    an_alias(ada, version, "b")
    an_alias(ada, version, "a")
    data = version_data(ada, [version])[version.pk]
    assert (data.tags, data.aliases) == ({"a": "0"}, ["a", "b"])
    with pytest.raises(Invalid):
        get_version(ada, credit, "one")


def test_an_outsider_sees_no_version_and_no_file(
    outsider: Actor, credit: RegisteredModel, version: ModelVersion
) -> None:
    assert list(versions_of(outsider, credit)) == []
    assert files_of_version(outsider, version) == []
    with pytest.raises(NotFound):
        list_version_files(outsider, version)
