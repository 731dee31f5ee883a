"""A search finds and counts what its viewer may see, and nothing else."""

from accounts.actions.members import add_member
from accounts.roles import Role
from experiments.actions.experiments import create_experiment, delete_experiment, set_metric_direction
from experiments.queries.search import View, count_runs
from kernel.actor import operator
from tests.search.conftest import make_team, store
from tests.search.zoo import ANIMALS, found, names, plain


def test_no_experiments_hold_no_runs(zoo):
    for experiments in ([], [10**9], [10**30]):
        assert names(zoo, experiments=experiments) == []
        assert count_runs(zoo.viewer, experiments=experiments).number == 0


def test_nothing_foreign_is_found_or_counted(zoo):
    other = make_team("aquarium", [plain("shark", 50, params={"lr": "0.1"}, tags={"team": "vision"})])
    for text in ["", "params.lr = '0.1'", "NOT params.lr = 'x'", "shark", "tags.team IS NOT NULL OR params.x IS NULL"]:
        for order in [[], ["metrics.acc"], ["params.lr DESC"]]:
            seen = names(zoo, text, order=order)
            assert "shark" not in seen
            assert bool(seen) is (text != "shark")
            assert "ant" not in names(other, text, order=order)
        assert count_runs(zoo.viewer, text=text).number == len(names(zoo, text))
        for asked in [{"experiments": [other.experiment.pk]}, {"project": other.project}]:
            assert names(zoo, text, **asked) == []
            assert count_runs(zoo.viewer, text=text, **asked).number == 0
        both = [zoo.experiment.pk, other.experiment.pk]
        assert names(zoo, text, experiments=both) == names(zoo, text)
    assert names(zoo, experiments=[other.experiment.pk], project=zoo.project) == []


def test_who_belongs_to_two_projects_searches_both(zoo):
    other = make_team("aquarium", [plain("shark", 450)])
    add_member(operator(), other.project, role=Role.DATA_SCIENTIST, user=zoo.user)
    assert names(zoo, limit=3) == ["elk", "shark", "dog"]
    assert names(zoo, project=other.project) == ["shark"]
    assert names(zoo, "project = 'aquarium'") == ["shark"]


def test_directions_are_each_projects_own(zoo):
    runs = [plain("shark", 450, metrics={"acc": [0.2, 0.8]})]
    other = make_team("aquarium", runs)
    add_member(operator(), other.project, role=Role.DATA_SCIENTIST, user=zoo.user)
    set_metric_direction(operator(), zoo.project, key="acc", higher_is_better=True)
    set_metric_direction(operator(), other.project, key="acc", higher_is_better=False)
    assert found(zoo, "best(acc) = 0.2 OR best(acc) = 0.9") == "abs"
    assert names(zoo, "best(acc) > 0", order=["best(acc) DESC"]) == ["dog", "bee", "ant", "shark", "cat"]


def test_deleted_runs_are_found_only_where_they_are_asked_for(zoo):
    delete_experiment(operator(), zoo.experiment)
    assert names(zoo) == []
    assert len(names(zoo, view=View.DELETED_ONLY)) == len(names(zoo, view=View.ALL)) == len(ANIMALS)


def test_several_experiments_are_one_result(zoo):
    second = create_experiment(operator(), zoo.project, name="second")
    store(second, [plain("gnu", 250, metrics={"acc": [0.7]})])
    both = [zoo.experiment.pk, second.pk]
    assert names(zoo, experiments=both) == ["elk", "dog", "cat", "gnu", "bee", "ant", "fox"]
    assert names(zoo, "metrics.acc > 0.6", experiments=both, order=["metrics.acc"]) == ["gnu", "bee", "dog"]
