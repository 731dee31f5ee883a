"""Nested runs as a tree under any order and filter."""

from collections.abc import Mapping
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from experiments.actions.batches import log_batch
from experiments.actions.moves import move_run
from experiments.actions.runs import create_run, delete_run, set_tags
from experiments.models import Experiment, Run
from experiments.queries.nested import TreePage, has_nested, search_tree
from experiments.queries.search import View
from kernel.errors import Invalid
from tests.factories import a_batch, a_person, a_run, a_team, again, an_experiment, default_experiment

pytestmark = pytest.mark.django_db

PARENT = "mlflow.parentRunId"


@pytest.fixture
def team():
    return a_team()


@pytest.fixture
def ada(team):
    return team.scientist


@pytest.fixture
def place(ada) -> Experiment:
    return an_experiment(ada)


def nested(actor, place: Experiment, shape: Mapping[str, Any], parent: Run | None = None) -> dict[str, Run]:
    """Runs by name: {"sweep": {"trial 1": {}, "trial 2": {"fold": {}}}}. The digits of a name are its loss."""
    made: dict[str, Run] = {}
    for name, below in shape.items():
        run = create_run(actor, place, name=name, tags={PARENT: parent.uid.hex} if parent else None, started_ms=1)
        loss = float("".join(filter(str.isdigit, name)) or 0)
        log_batch(actor, run, batch=a_batch(loss=[loss], params={"deep": str(parent is not None)}))
        made |= {name: run, **nested(actor, place, below, run)}
    return made


def tree(viewer, place: Experiment, text: str = "", order: str = "metrics.loss ASC", **more) -> TreePage:
    return search_tree(viewer, experiments=[place.pk], text=text, order=[order], **{"limit": 50, **more})


def names(found: TreePage) -> list[str]:
    return [run.name for run in found.page.rows]


def said(found: TreePage) -> list[str]:
    """Each row as `name`, in brackets where it only stands over a match, with +n for what matches below."""
    more = {run.id: f" +{found.below[run.id]}" if run.id in found.below else "" for run in found.page.rows}
    return [(run.name if run.id in found.matching else f"({run.name})") + more[run.id] for run in found.page.rows]


SWEEPS = {"a1": {"b9": {}, "b7": {"c8": {"d5": {}}}}, "a3": {"e6": {}}, "a2": {}}


def test_roots_and_children_are_sorted_alike(ada, place):
    runs = nested(ada, place, SWEEPS)
    assert said(tree(ada, place)) == ["a1 +4", "a2", "a3 +1"]
    assert said(tree(ada, place, order="metrics.loss DESC")) == ["a3 +1", "a2", "a1 +4"]
    assert said(tree(ada, place, parent=runs["a1"].pk)) == ["b7 +2", "b9"]
    assert said(tree(ada, place, parent=runs["a1"].pk, order="name DESC")) == ["b9", "b7 +2"]
    assert said(tree(ada, place, parent=runs["c8"].pk)) == ["d5"]
    assert said(tree(ada, place, parent=runs["d5"].pk)) == []


def test_a_filter_keeps_what_stands_over_a_match(ada, place):
    runs = nested(ada, place, SWEEPS)
    assert said(tree(ada, place, "metrics.loss = 5")) == ["(a1) +1"]
    assert said(tree(ada, place, "metrics.loss = 5", parent=runs["a1"].pk)) == ["(b7) +1"]
    assert said(tree(ada, place, "metrics.loss = 5", parent=runs["b7"].pk)) == ["(c8) +1"]
    assert said(tree(ada, place, "metrics.loss = 5", parent=runs["c8"].pk)) == ["d5"]
    assert said(tree(ada, place, "metrics.loss <= 6")) == ["a1 +1", "a2", "a3 +1"]
    assert said(tree(ada, place, "params.deep = 'True'")) == ["(a1) +4", "(a3) +1"]
    assert said(tree(ada, place, "metrics.loss = 99")) == []


def test_pages_of_the_top_and_of_children_miss_nothing(ada, place):
    runs = nested(ada, place, {f"s{at}": {} for at in range(7)} | {"s7": {f"t{at}": {} for at in range(5)}})
    for parent, expected in ((None, [f"s{at}" for at in range(8)]), (runs["s7"].pk, [f"t{at}" for at in range(5)])):
        read: list[str] = []
        after = None
        while True:
            found = tree(ada, place, limit=3, after=after, parent=parent)
            read += names(found)
            after = found.page.next_token
            if after is None:
                break
        assert read == expected
    token = tree(ada, place, limit=3).page.next_token
    with pytest.raises(Invalid):
        tree(ada, place, limit=3, after=token, parent=runs["s7"].pk)


def test_loops_of_parents_hang_nothing_and_every_run_has_a_place(ada, place):
    runs = nested(ada, place, {"x1": {}, "x2": {}, "x3": {"x4": {}}, "x5": {}})
    for child, parent in (("x1", "x2"), ("x2", "x3"), ("x3", "x1"), ("x5", "x5")):
        set_tags(ada, runs[child], tags={PARENT: runs[parent].uid.hex})
    top = tree(ada, place)
    seen, waiting = [], [*top.page.rows]
    while waiting:
        run = waiting.pop()
        seen.append(run.name)
        waiting += tree(ada, place, parent=run.id).page.rows
    assert sorted(seen) == ["x1", "x2", "x3", "x4", "x5"]
    assert sum(top.below.values()) + len(top.page.rows) == 5
    assert "x4" in said(tree(ada, place, "metrics.loss = 4", parent=runs["x3"].pk))


def test_a_parent_that_came_later_is_no_loop(ada, place):
    runs = nested(ada, place, {"child1": {}, "late2": {}})
    set_tags(ada, runs["child1"], tags={PARENT: runs["late2"].uid.hex})
    assert said(tree(ada, place)) == ["late2 +1"]


def test_a_run_whose_parent_is_elsewhere_stands_at_the_top(team, ada, place):
    runs = nested(ada, place, {"gone1": {"left2": {}}, "moved3": {"left4": {}}})
    other = a_team()
    foreign = a_run(other.scientist)
    create_run(ada, place, name="stray5", tags={PARENT: foreign.uid.hex})
    create_run(ada, place, name="wrong6", tags={PARENT: "no id at all"})
    delete_run(ada, runs["gone1"])
    away = an_experiment(ada)
    move_run(ada, runs["moved3"], experiment=away)
    assert said(tree(ada, place, order="name ASC")) == ["left2", "left4", "stray5", "wrong6"]
    assert said(tree(ada, place, order="name ASC", view=View.ALL)) == ["gone1 +1", "left4", "stray5", "wrong6"]
    assert said(tree(ada, away)) == ["moved3"]
    whole = search_tree(ada, project=team.project, order=["name"], limit=50)
    assert said(whole) == ["left2", "moved3 +1", "stray5", "wrong6"]


def test_nobody_sees_more_of_a_tree_than_of_its_runs(team, ada, place):
    runs = nested(ada, place, SWEEPS)
    stranger = a_person()
    assert said(tree(stranger, place)) == said(tree(stranger, place, parent=runs["a1"].pk)) == []
    assert not has_nested(stranger, project=team.project)
    assert not has_nested(stranger, experiments=[place.pk])


def test_whether_anything_is_nested(team, ada, place):
    nested(ada, place, {"a": {}})
    assert not has_nested(ada, project=team.project)
    nested(ada, place, {"b": {"c": {}}})
    assert has_nested(ada, project=team.project)
    assert has_nested(ada)
    assert has_nested(ada, experiments=[place.pk, 2**70])
    assert not has_nested(ada, experiments=[default_experiment(team.project).pk])


def test_a_page_of_the_tree_takes_as_many_statements_for_many_runs_as_for_few(ada, place):
    nested(ada, place, {"s1": {"t2": {}}})
    tree(again(ada), place, "metrics.loss >= 0")
    with CaptureQueriesContext(connection) as few:
        tree(again(ada), place, "metrics.loss >= 0")
    nested(ada, place, {f"s{at}": {f"t{at}": {"u": {}}} for at in range(12)})
    with CaptureQueriesContext(connection) as many:
        tree(again(ada), place, "metrics.loss >= 0")
    assert len(many) <= len(few) + 1
    assert len(few) < 14
