"""Registered models: who may, in which state, what the ledger keeps, and what reading gives."""

from collections.abc import Callable

import pytest

from accounts.roles import Role
from audit.ledger.sequencer import Sequencer
from audit.ledger.verify import verify_ledger
from kernel.actor import Actor
from kernel.errors import AlreadyExists, Invalid, NotFound, Refused
from registry.actions.registered_models import (
    create_registered_model,
    delete_registered_model,
    edit_registered_model,
    rename_registered_model,
)
from registry.actions.tags import delete_model_tag, set_model_tags
from registry.actions.versions import create_version
from registry.models import RegisteredModel
from registry.queries.model_lines import model_lines
from registry.queries.registered_models import find_model, model_data, versions_of
from registry.queries.search_registered import search_registered_models
from tests.factories import Team, a_member, a_project, again, events_since, join
from tests.factories_registry import a_registered_model, a_version, an_alias

WRITES: dict[str, Callable[[Actor, RegisteredModel], object]] = {
    "rename": lambda actor, model: rename_registered_model(actor, model, name="other"),
    "edit": lambda actor, model: edit_registered_model(actor, model, description="words"),
    "set tags": lambda actor, model: set_model_tags(actor, model, tags={"a": "1"}),
    "delete tag": lambda actor, model: delete_model_tag(actor, model, key="a"),
    "add a version": lambda actor, model: create_version(actor, model, source="s3://bucket/m"),
    "delete": delete_registered_model,
}
every_write = pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)


@pytest.fixture
def credit(ada: Actor, team: Team) -> RegisteredModel:
    return a_registered_model(ada, team.project, name="credit", tags={"a": "0"})


def test_a_name_is_taken_for_a_line_of_versions(ada: Actor, team: Team) -> None:
    made = create_registered_model(ada, team.project, name="credit", description="who pays", tags={"team": "risk"})
    found = find_model(again(ada), team.project, "credit")
    assert (found.pk, found.description, found.created_by_id) == (made.pk, "who pays", ada.user_id)
    assert found.created_ms == found.updated_ms
    assert model_data(ada, [found])[found.pk].tags == {"team": "risk"}


def test_a_name_is_taken_once_in_a_project_and_again_in_another(ada: Actor, team: Team, outsider: Actor) -> None:
    a_registered_model(ada, team.project, name="credit")
    with pytest.raises(AlreadyExists, match="credit"):
        create_registered_model(ada, team.project, name="credit")
    elsewhere = a_project()
    join(elsewhere, ada, Role.DATA_SCIENTIST)
    assert create_registered_model(again(ada), elsewhere, name="credit").project == elsewhere


@every_write
def test_a_scientist_of_the_project_may(ada: Actor, credit: RegisteredModel, write: Callable[..., object]) -> None:
    write(again(ada), credit)


@every_write
@pytest.mark.parametrize("role", [Role.PROJECT_MANAGER, Role.AUDITOR])
def test_who_does_not_build_models_may_not(
    team: Team, credit: RegisteredModel, role: Role, write: Callable[..., object]
) -> None:
    with pytest.raises(Refused):
        write(team[role], credit)


@every_write
def test_to_an_outsider_it_does_not_exist(
    outsider: Actor, credit: RegisteredModel, write: Callable[..., object]
) -> None:
    with pytest.raises(NotFound):
        write(outsider, credit)


@every_write
def test_a_deleted_model_takes_no_writes(ada: Actor, credit: RegisteredModel, write: Callable[..., object]) -> None:
    delete_registered_model(ada, credit)
    with pytest.raises(NotFound):
        write(again(ada), credit)


@pytest.mark.parametrize("name", ["rename", "edit", "set tags", "delete tag"])
def test_each_write_leaves_one_event_that_names_it(ada: Actor, credit: RegisteredModel, team: Team, name: str) -> None:
    [kept] = events_since(lambda: WRITES[name](again(ada), credit))
    assert kept.subject == f"registry.registeredmodel {credit.pk}"
    assert kept.event.project_id == team.project.pk
    assert kept.event.actor_id == ada.user_id


def test_what_is_there_already_is_written_once(ada: Actor, credit: RegisteredModel) -> None:
    set_model_tags(ada, credit, tags={"a": "1"})
    assert events_since(lambda: set_model_tags(again(ada), credit, tags={"a": "1"})) == []
    assert events_since(lambda: rename_registered_model(again(ada), credit, name="credit")) == []
    assert events_since(lambda: delete_model_tag(again(ada), credit, key="nothing")) == []


def test_a_colleague_deletes_only_what_she_made(team: Team, credit: RegisteredModel) -> None:
    with pytest.raises(Refused, match="only where you created them"):
        delete_registered_model(a_member(team.project, name="Bea"), credit)
    delete_registered_model(team.engineer, credit)


def test_a_deleted_models_name_begins_anew_while_the_old_one_stays_on_record(
    ada: Actor, team: Team, credit: RegisteredModel
) -> None:
    version = a_version(ada, credit)
    an_alias(ada, version, "best")
    delete_registered_model(ada, credit)
    new = a_registered_model(ada, team.project, name="credit")
    assert new.pk != credit.pk
    assert list(versions_of(ada, new)) == []
    assert model_data(ada, [new])[new.pk].aliases == []
    version.refresh_from_db()
    assert version.is_deleted


@pytest.mark.parametrize("tags", [{"a\nb": "1"}, {"../x": "1"}, {"a": "x\x00y"}, {"a": "x" * 100_001}])
def test_tags_that_cannot_be_kept_are_refused_whole(ada: Actor, credit: RegisteredModel, tags: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        set_model_tags(ada, credit, tags={"fine": "1"} | tags)
    assert model_data(ada, [credit])[credit.pk].tags == {"a": "0"}


def test_the_table_has_a_row_for_each_model_in_few_queries(
    ada: Actor, team: Team, django_assert_max_num_queries: Callable[..., object]
) -> None:
    for name in ("b", "a"):
        model = a_registered_model(ada, team.project, name=name)
        for _ in range(2):
            a_version(ada, model)
        an_alias(ada, versions_of(ada, model).get(number=1), "best")
    a_registered_model(ada, team.project, name="empty")
    a_registered_model(ada, team.project, name="greeting", tags={"mlflow.prompt.is_prompt": "true"})
    with django_assert_max_num_queries(10):  # type: ignore[attr-defined]
        lines = sorted(model_lines(again(ada), team.project), key=lambda line: line.model.name)
    aliases = [[(alias.name, alias.version.number) for alias in line.aliases] for line in lines]
    assert [(line.model.name, line.versions, said) for line, said in zip(lines, aliases, strict=True)] == [
        ("a", 2, [("best", 1)]),
        ("b", 2, [("best", 1)]),
        ("empty", 0, []),
    ]
    assert [line.latest.number if line.latest else None for line in lines] == [2, 2, None]
    asked = search_registered_models(ada, project=team.project, text="tags.`mlflow.prompt.is_prompt` = 'true'")
    assert [model.name for model in asked.models] == ["greeting"]


def test_an_outsider_sees_no_models(outsider: Actor, team: Team, credit: RegisteredModel) -> None:
    assert model_lines(outsider, team.project) == []
    assert search_registered_models(outsider, project=team.project).models == []
    with pytest.raises(NotFound):
        find_model(outsider, team.project, "credit")


def test_the_past_of_a_model_is_as_the_log_says(
    ada: Actor, team: Team, credit: RegisteredModel, settings: object, tmp_path: object
) -> None:
    settings.MLED_DATA = tmp_path  # type: ignore[attr-defined]
    version = a_version(ada, credit, tags={"k": "größer\n"})
    an_alias(ada, version, "best")
    set_model_tags(ada, credit, tags={"a": "2", "b": ""})
    delete_model_tag(ada, credit, key="a")
    rename_registered_model(ada, credit, name="credit 2")
    delete_registered_model(ada, credit)
    Sequencer().run_until_empty()
    findings = verify_ledger()
    assert findings.problems == []
    assert findings.is_sound
