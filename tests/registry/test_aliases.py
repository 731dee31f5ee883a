"""Aliases and stages: free in an open project; in a governed one engineers' work, and protected names by promotion."""

from collections.abc import Callable

import pytest

from accounts.roles import Role
from experiments.actions.runs import delete_run
from kernel.actor import Actor
from kernel.errors import Conflict, Invalid, NotFound, Refused
from registry.actions.aliases import delete_alias, set_alias, transition_stage
from registry.actions.versions import delete_version
from registry.models import ModelAlias, ModelVersion, RegisteredModel
from registry.protected import is_protected
from registry.queries.registered_models import aliases_of
from tests.factories import Team, again, events_since
from tests.factories_registry import a_registered_model, a_version, an_alias
from tests.registry.promoting import governed

MOVES: dict[str, Callable[[Actor, ModelVersion], object]] = {
    "set alias": lambda actor, version: set_alias(actor, version.model, alias="best", version=version),
    "delete alias": lambda actor, version: delete_alias(actor, version.model, alias="best"),
    "transition stage": lambda actor, version: transition_stage(actor, version, stage="Staging"),
}
every_move = pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)


@pytest.fixture
def credit(ada: Actor, team: Team) -> RegisteredModel:
    return a_registered_model(ada, team.project, name="credit")


@pytest.fixture
def version(ada: Actor, credit: RegisteredModel) -> ModelVersion:
    return a_version(ada, credit)


def standing(viewer: Actor, model: RegisteredModel) -> dict[str, int]:
    return {alias.name: alias.version.number for alias in aliases_of(viewer, model)}


def fresh(version: ModelVersion) -> ModelVersion:
    found: ModelVersion = ModelVersion.objects.get(pk=version.pk)
    return found


@every_move
@pytest.mark.parametrize("role", [Role.DATA_SCIENTIST, Role.ML_ENGINEER])
def test_in_an_open_project_who_builds_models_moves_them(
    team: Team, version: ModelVersion, role: Role, move: Callable[..., object]
) -> None:
    move(again(team[role]), version)


@every_move
@pytest.mark.parametrize("role", [Role.PROJECT_MANAGER, Role.AUDITOR])
def test_others_do_not(team: Team, version: ModelVersion, role: Role, move: Callable[..., object]) -> None:
    with pytest.raises(Refused):
        move(team[role], version)


@every_move
def test_to_an_outsider_it_does_not_exist(outsider: Actor, version: ModelVersion, move: Callable[..., object]) -> None:
    with pytest.raises(NotFound):
        move(outsider, version)


@every_move
def test_a_deleted_version_stays_where_it_was(ada: Actor, version: ModelVersion, move: Callable[..., object]) -> None:
    delete_version(ada, version)
    if move is MOVES["delete alias"]:
        assert events_since(lambda: move(again(ada), version)) == []
        return
    with pytest.raises(NotFound):
        move(again(ada), version)


def test_an_alias_moves_and_who_moved_it_is_kept(
    team: Team, ada: Actor, credit: RegisteredModel, version: ModelVersion
) -> None:
    other = a_version(ada, credit)
    an_alias(ada, version, "best")
    [kept] = events_since(lambda: an_alias(team.engineer, other, "best"))
    assert kept.changed("registry.modelalias")["version_id"] == [version.pk, other.pk]
    assert standing(ada, credit) == {"best": 2}
    assert ModelAlias.objects.get(model=credit).set_by_id == team.engineer.user_id


def test_the_same_move_again_writes_nothing(ada: Actor, version: ModelVersion) -> None:
    an_alias(ada, version, "best")
    assert events_since(lambda: an_alias(again(ada), version, "best")) == []
    delete_alias(ada, version.model, alias="best")
    assert events_since(lambda: delete_alias(again(ada), version.model, alias="best")) == []


def test_an_alias_stands_for_versions_of_its_own_model(ada: Actor, team: Team, version: ModelVersion) -> None:
    other = a_registered_model(ada, team.project, name="other")
    with pytest.raises(NotFound):
        set_alias(ada, other, alias="best", version=version)
    assert standing(ada, other) == {}


def test_an_alias_is_not_given_where_the_run_is_gone(ada: Actor, version: ModelVersion) -> None:
    assert version.run is not None
    delete_run(ada, version.run)
    with pytest.raises(Conflict, match="is deleted"):
        an_alias(again(ada), version)


def test_stages_are_archived_in_one_act(ada: Actor, credit: RegisteredModel, version: ModelVersion) -> None:
    other = a_version(ada, credit)
    transition_stage(ada, version, stage="Production")
    [kept] = events_since(lambda: transition_stage(again(ada), other, stage="production", archive_existing=True))
    assert {change["id"] for change in kept.changes if change["type"] == "registry.modelversion"} == {
        str(version.pk),
        str(other.pk),
    }
    assert (fresh(version).stage, fresh(other).stage) == ("Archived", "Production")


# Governed


@pytest.mark.parametrize(
    "name", ["champion", "Champion", "CHAMPION", "Production", "production", "ｃhampion", "Staging"]
)
def test_a_protected_name_is_known_in_every_shape(team: Team, name: str) -> None:
    assert not is_protected(team.project, name)
    assert is_protected(governed(team), name) is (name != "Staging")


@pytest.mark.parametrize("alias", ["champion", "Champion", "CHAMPION", "production"])
def test_in_a_governed_project_nobody_sets_a_protected_alias(team: Team, version: ModelVersion, alias: str) -> None:
    project = governed(team)
    with pytest.raises(Refused) as refusal:
        set_alias(again(team.engineer), version.model, alias=alias, version=version)
    assert f"/p/{project.slug}/models/credit/" in refusal.value.hint
    assert f"POST /api/v1/projects/{project.slug}/promotions/" in refusal.value.hint
    assert not ModelAlias.objects.exists()


def test_a_protected_alias_is_not_taken_away_either(team: Team, ada: Actor, version: ModelVersion) -> None:
    an_alias(ada, version, "champion")
    governed(team)
    with pytest.raises(Refused, match="protected"):
        delete_alias(again(team.engineer), version.model, alias="champion")
    assert standing(ada, version.model) == {"champion": 1}


def test_a_protected_stage_is_neither_entered_nor_left(
    team: Team, ada: Actor, credit: RegisteredModel, version: ModelVersion
) -> None:
    other = a_version(ada, credit)
    transition_stage(ada, version, stage="Production")
    governed(team)
    engineer = again(team.engineer)
    for moved, stage in ((other, "production"), (version, "Archived"), (version, "None"), (version, "Production")):
        with pytest.raises(Refused, match="protected"):
            transition_stage(engineer, moved, stage=stage)
    transition_stage(engineer, other, stage="Staging", archive_existing=True)
    assert (fresh(version).stage, fresh(other).stage) == ("Production", "Staging")


@every_move
def test_in_a_governed_project_other_names_are_the_engineers(
    team: Team, ada: Actor, version: ModelVersion, move: Callable[..., object]
) -> None:
    governed(team)
    with pytest.raises(Refused, match="ML engineers"):
        move(again(ada), fresh(version))
    move(again(team.engineer), fresh(version))


@pytest.mark.parametrize("alias", ["latest", "v1", "a b", ""])
def test_a_reserved_alias_is_refused_before_anything_else(team: Team, version: ModelVersion, alias: str) -> None:
    with pytest.raises(Invalid):
        set_alias(team.engineer, version.model, alias=alias, version=version)
