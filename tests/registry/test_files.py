"""The files of a logged model."""

import io

import pytest

from artifacts.blobs import receive
from experiments.actions.runs import lock_run
from experiments.models import Run
from kernel.actor import Actor
from kernel.errors import Invalid, Locked, NotFound, Refused
from registry.actions.files import delete_model_files, expect_file, put_model_file
from registry.actions.logged_models import delete_logged_model
from registry.models import LoggedModel
from registry.queries.files import list_model_files, open_model_file
from tests.factories import Team, events_since


def put(actor: Actor, model: LoggedModel, path: str, content: bytes = b"weights") -> None:
    expect_file(actor, model, path)
    put_model_file(actor, model, path=path, stored=receive(io.BytesIO(content), expected=len(content)))


def fresh(model: LoggedModel) -> LoggedModel:
    return LoggedModel.objects.get(pk=model.pk)


def test_what_is_put_can_be_listed_and_read(ada: Actor, model: LoggedModel) -> None:
    put(ada, model, "data/weights.bin")
    assert [(entry.path, entry.is_folder) for entry in list_model_files(ada, fresh(model))] == [("data", True)]
    file, reader = open_model_file(ada, fresh(model), "data/weights.bin")
    with reader:
        assert (file.size_bytes, reader.read()) == (7, b"weights")


def test_a_model_without_files_has_none(ada: Actor, model: LoggedModel) -> None:
    assert list_model_files(ada, model) == []
    with pytest.raises(NotFound):
        open_model_file(ada, model, "a")
    with pytest.raises(NotFound):
        delete_model_files(ada, model, path="a")


def test_a_file_goes_with_its_folder(ada: Actor, model: LoggedModel) -> None:
    for path in ("data/a", "data/b", "c"):
        put(ada, model, path)
    assert delete_model_files(ada, fresh(model), path="data") == 2
    assert [entry.path for entry in list_model_files(ada, fresh(model))] == ["c"]


def test_each_file_is_on_record_once(ada: Actor, model: LoggedModel) -> None:
    (event,) = events_since(lambda: put(ada, model, "a"))
    assert event.verb == "registry.put_model_file"
    assert event.changed("artifacts.artifactfile")["a"][1]["size_bytes"] == 7
    assert events_since(lambda: put(ada, fresh(model), "a")) == []


@pytest.mark.parametrize("path", ["", "../a", "/a", "a/../../b", "%2e%2e/a", "a//b"])
def test_no_path_leads_out(ada: Actor, model: LoggedModel, path: str) -> None:
    with pytest.raises(Invalid):
        put(ada, model, path)


def test_strangers_and_readers_put_nothing(team: Team, outsider: Actor, model: LoggedModel) -> None:
    with pytest.raises(NotFound):
        put(outsider, model, "a")
    with pytest.raises(Refused):
        put(team.auditor, model, "a")
    with pytest.raises(NotFound):
        list_model_files(outsider, model)


def test_locked_and_deleted_models_take_no_files(ada: Actor, run: Run, model: LoggedModel) -> None:
    put(ada, model, "a")
    lock_run(ada, run)
    with pytest.raises(Locked):
        put(ada, fresh(model), "b")
    with pytest.raises(Locked):
        delete_model_files(ada, fresh(model), path="a")
    assert [entry.path for entry in list_model_files(ada, fresh(model))] == ["a"]


def test_a_deleted_model_takes_no_files(ada: Actor, model: LoggedModel) -> None:
    delete_logged_model(ada, model)
    with pytest.raises(NotFound):
        put(ada, fresh(model), "a")
