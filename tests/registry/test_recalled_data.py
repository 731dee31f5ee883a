"""Models that stand on a dataset version: they are counted and listed with it, and a recall reaches their makers."""

import pytest

from accounts.models import Notice
from artifacts.actions.recall import withdraw_version
from artifacts.models import DatasetVersion
from artifacts.queries.datasets import dataset_table
from artifacts.queries.uses import uses_of
from experiments.actions.inputs import DatasetInput, log_inputs
from kernel.actor import Actor
from registry.actions.aliases import set_alias
from registry.actions.registered_models import delete_registered_model
from registry.models import ModelVersion
from registry.queries.built_on import models_on_version
from tests import factories
from tests.factories import Team, a_dataset, a_person, a_run, user_of
from tests.factories_registry import a_logged_model, a_registered_model, a_run_with_a_model, a_version, a_version_of


@pytest.fixture
def data(team: Team) -> DatasetVersion:
    return factories.a_version(team.scientist, a_dataset(team.scientist, name="churn"))


def use(actor: Actor, run: object, data: DatasetVersion) -> None:
    log_inputs(actor, run, inputs=[DatasetInput("churn", data.digest[:36])])


@pytest.fixture
def by_run(team: Team, data: DatasetVersion) -> ModelVersion:
    """Registered by the engineer, of a run on the data."""
    run = a_run_with_a_model(team.scientist, team.project)
    use(team.scientist, run, data)
    return a_version(team.engineer, a_registered_model(team.engineer, team.project, name="net"), run=run)


def models(viewer: Actor, data: DatasetVersion) -> list[str]:
    (found,) = [one for one in uses_of(viewer, data) if one.kind == "models"]
    assert found.total == len(found.newest)
    return [one.label for one in found.newest]


def test_a_model_stands_on_the_data_of_its_run(team: Team, data: DatasetVersion, by_run: ModelVersion) -> None:
    a_version(team.engineer, by_run.model)  # of another run, on nothing
    assert models(team.manager, data) == ["net v1"]
    assert list(models_on_version(team.manager, data)) == [by_run]
    (row,), _ = dataset_table(team.manager, team.project)
    assert row.uses == {"runs": 1, "models": 1}
    (use,) = next(one.newest for one in uses_of(team.manager, data) if one.kind == "models")
    assert (use.url, use.who) == (f"/p/{team.project.slug}/models/net/v/1/", "Emil")


def test_a_model_stands_on_the_data_of_its_logged_model_s_run(team: Team, data: DatasetVersion) -> None:
    run = a_run(team.scientist)
    use(team.scientist, run, data)
    logged = a_logged_model(team.scientist, run)
    model = a_registered_model(team.engineer, team.project, name="net")
    a_version_of(team.engineer, model, logged)
    assert models(team.manager, data) == ["net v1"]
    assert dataset_table(team.manager, team.project)[0][0].uses["models"] == 1


def test_deleted_models_and_those_of_others_are_not_told(
    team: Team, data: DatasetVersion, by_run: ModelVersion
) -> None:
    assert list(models_on_version(a_person(), data)) == []
    delete_registered_model(team.engineer, by_run.model)
    assert models(team.manager, data) == []


def test_a_recall_reaches_who_registered_a_model(team: Team, data: DatasetVersion, by_run: ModelVersion) -> None:
    withdraw_version(team.manager, data, reason="wrong labels")
    (notice,) = Notice.objects.filter(user=user_of(team.engineer))
    assert "wrong labels. Models that you registered stand on it." in notice.text
    assert not Notice.objects.filter(user=user_of(team.manager)).exists()


def test_the_uses_of_a_catalogue_page_cost_the_same_for_any_number(
    team: Team, data: DatasetVersion, by_run: ModelVersion, django_assert_max_num_queries: object
) -> None:
    for _ in range(4):
        a_version(team.engineer, by_run.model, run=by_run.run)
    with django_assert_max_num_queries(16):
        (row,), _ = dataset_table(team.manager, team.project)
    assert row.uses == {"runs": 1, "models": 5}


def test_a_version_built_on_data_comes_with_its_aliases(team: Team, data: DatasetVersion, by_run: ModelVersion) -> None:
    (found,) = [one for one in uses_of(team.auditor, data) if one.kind == "models"]
    assert [one.words for one in found.newest] == [""]
    set_alias(team.engineer, by_run.model, alias="champion", version=by_run)
    (found,) = [one for one in uses_of(team.auditor, data) if one.kind == "models"]
    assert [one.words for one in found.newest] == ["champion"]
