"""The life of a logged model: who may, in which state, and what the ledger keeps."""

import re
from collections.abc import Callable

import pytest

from accounts.roles import Role
from experiments.actions.experiments import delete_experiment
from experiments.actions.runs import lock_run, unlock_run
from experiments.models import Run
from kernel.actor import Actor
from kernel.errors import Conflict, Invalid, Locked, NotFound, Refused
from registry.actions.logged_models import (
    create_logged_model,
    delete_logged_model,
    delete_logged_model_tag,
    finalize_logged_model,
    log_logged_model_params,
    set_logged_model_tags,
)
from registry.models import LoggedModel
from registry.queries.logged_models import get_logged_model, get_logged_models, model_data
from tests.factories import Team, a_run, again, an_experiment, events_since

WRITES: dict[str, Callable[[Actor, LoggedModel], object]] = {
    "finalize": lambda actor, model: finalize_logged_model(actor, model, status="READY"),
    "set tags": lambda actor, model: set_logged_model_tags(actor, model, tags={"a": "1"}),
    "delete tag": lambda actor, model: delete_logged_model_tag(actor, model, key="a"),
    "log params": lambda actor, model: log_logged_model_params(actor, model, params={"a": "1"}),
    "delete": delete_logged_model,
}
every_write = pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)


def tags_of(viewer: Actor, model: LoggedModel) -> dict[str, str]:
    return dict(model_data(viewer, [model])[model.pk].tags)


def params_of(viewer: Actor, model: LoggedModel) -> dict[str, str]:
    return dict(model_data(viewer, [model])[model.pk].params)


def test_a_new_model_waits_for_its_files(ada: Actor, run: Run, team: Team) -> None:
    made = create_logged_model(ada, run.experiment, name="net", model_type="cnn", source_run=run, tags={"a": "1"})
    found = get_logged_model(ada, made.model_id, project=team.project)
    assert re.fullmatch("m-[0-9a-f]{32}", found.model_id)
    assert (found.name, found.model_type, found.status, found.source_run) == ("net", "cnn", "PENDING", run)
    assert found.created_by_id == ada.user_id
    assert tags_of(ada, found) == {"a": "1"}


def test_without_a_name_it_gets_one(ada: Actor, run: Run) -> None:
    assert create_logged_model(ada, run.experiment).name


@pytest.mark.parametrize("name", [" ", "a/b", "a:b", "a.b", "a%b", 'a"b', "a'b", "x" * 501, "a\x00b"])
def test_a_name_that_would_break_an_address_is_refused(ada: Actor, run: Run, name: str) -> None:
    with pytest.raises(Invalid):
        create_logged_model(ada, run.experiment, name=name)
    assert not LoggedModel.objects.exists()


def test_a_deleted_experiment_takes_no_models(team: Team) -> None:
    experiment = an_experiment(team.engineer)
    delete_experiment(team.engineer, experiment)
    with pytest.raises(Conflict):
        create_logged_model(team.engineer, experiment, name="net")


@every_write
def test_a_stranger_finds_no_model_to_change(
    outsider: Actor, model: LoggedModel, write: Callable[[Actor, LoggedModel], object]
) -> None:
    with pytest.raises(NotFound):
        write(outsider, model)


@every_write
@pytest.mark.parametrize("role", [Role.AUDITOR, Role.PROJECT_MANAGER])
def test_who_only_reads_is_told_so(
    team: Team, model: LoggedModel, role: Role, write: Callable[[Actor, LoggedModel], object]
) -> None:
    with pytest.raises(Refused):
        write(team[role], model)


@every_write
def test_a_deleted_model_is_gone_for_writers_too(
    ada: Actor, model: LoggedModel, write: Callable[[Actor, LoggedModel], object]
) -> None:
    delete_logged_model(ada, model)
    with pytest.raises(NotFound):
        write(ada, model)


@every_write
def test_the_model_of_a_locked_run_is_locked(
    ada: Actor, run: Run, model: LoggedModel, write: Callable[[Actor, LoggedModel], object]
) -> None:
    set_logged_model_tags(ada, model, tags={"a": "0"})
    stale = LoggedModel.objects.select_related("source_run").get(pk=model.pk)
    lock_run(ada, run)
    for known in (LoggedModel.objects.get(pk=model.pk), stale):
        with pytest.raises(Locked):
            write(again(ada), known)
    assert tags_of(ada, model) == {"a": "0"}
    unlock_run(ada, run)
    write(again(ada), LoggedModel.objects.get(pk=model.pk))


def test_a_locked_run_makes_no_models(ada: Actor, run: Run) -> None:
    lock_run(ada, run)
    with pytest.raises(Locked):
        create_logged_model(ada, run.experiment, name="net", source_run=run)


def test_tags_overwrite_and_go_once(ada: Actor, model: LoggedModel) -> None:
    set_logged_model_tags(ada, model, tags={"a": "1", "b": "x"})
    set_logged_model_tags(ada, model, tags={"a": "2"})
    assert tags_of(ada, model) == {"a": "2", "b": "x"}
    delete_logged_model_tag(ada, model, key="a")
    assert tags_of(ada, model) == {"b": "x"}
    with pytest.raises(NotFound):
        delete_logged_model_tag(ada, model, key="a")


def test_params_are_set_once_and_all_or_none(ada: Actor, model: LoggedModel) -> None:
    log_logged_model_params(ada, model, params={"depth": "3", "width": "2"})
    with pytest.raises(Invalid, match="depth"):
        log_logged_model_params(ada, model, params={"new": "1", "depth": "4"})
    assert params_of(ada, model) == {"depth": "3", "width": "2"}


@pytest.mark.parametrize("key", ["", "a//b", "x" * 251, "a\nb"])
def test_keys_are_those_of_runs(ada: Actor, model: LoggedModel, key: str) -> None:
    with pytest.raises(Invalid):
        set_logged_model_tags(ada, model, tags={key: "1"})
    with pytest.raises(Invalid):
        log_logged_model_params(ada, model, params={key: "1"})


def test_each_act_leaves_one_event_that_says_what_changed(ada: Actor, model: LoggedModel) -> None:
    (event,) = events_since(lambda: set_logged_model_tags(ada, model, tags={"a": "1"}))
    assert (event.verb, event.subject) == ("registry.set_logged_model_tags", f"registry.loggedmodel {model.model_id}")
    assert event.changed("registry.loggedmodeltag") == {"a": [None, "1"]}
    (event,) = events_since(lambda: set_logged_model_tags(ada, model, tags={"a": "2"}))
    assert event.changed("registry.loggedmodeltag") == {"a": ["1", "2"]}
    (event,) = events_since(lambda: log_logged_model_params(ada, model, params={"b": "1"}))
    assert event.changed("registry.loggedmodelparam") == {"b": [None, "1"]}


def test_a_model_is_found_in_its_own_project_only(ada: Actor, outsider: Actor, model: LoggedModel) -> None:
    elsewhere = a_run(outsider).project
    for viewer, project in ((outsider, model.project), (outsider, elsewhere), (ada, elsewhere)):
        with pytest.raises(NotFound):
            get_logged_model(viewer, model.model_id, project=project)
        with pytest.raises(NotFound):
            get_logged_models(viewer, [model.model_id], project=project)
    assert model_data(outsider, [model])[model.pk].params == []
