"""Searching experiments."""

import pytest

from accounts.actions.members import add_member
from accounts.roles import Role
from experiments.actions.experiments import create_experiment, delete_experiment, grant_access, set_experiment_tag
from experiments.models import Experiment
from experiments.queries.search import Dialect, View, search_runs
from experiments.queries.search_experiments import search_experiments
from experiments.search.errors import QueryError
from experiments.search.rows import load_experiment_tags
from kernel import clock
from kernel.actor import operator
from kernel.errors import Invalid
from tests.search.conftest import Team, make_team, signed_in, store
from tests.search.reference import PlainRun


@pytest.fixture
def lab(db, monkeypatch) -> Team:
    """Experiments alpha, Beta and gamma, made in this order, a second apart."""
    team = make_team("lab", [])
    for second, name in enumerate(["alpha", "Beta", "gamma%"]):
        monkeypatch.setattr(clock, "_now", lambda at=4_000_000_000 + second: float(at))
        create_experiment(operator(), team.project, name=name)
    set_experiment_tag(operator(), Experiment.objects.get(name="alpha"), key="team", value="Vision")
    set_experiment_tag(operator(), Experiment.objects.get(name="Beta"), key="team", value="sound")
    return team


def names(team: Team, text: str = "", dialect: Dialect = Dialect.MLFLOW, **more) -> list[str]:
    page = search_experiments(team.viewer, project=team.project, text=text, dialect=dialect, **more)
    return [found.name for found in page.rows if found.name not in ("Default", "first")]


@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["gamma%", "Beta", "alpha"]),
        ("name = 'alpha'", ["alpha"]),
        ("attribute.name != 'alpha'", ["gamma%", "Beta"]),
        ("name LIKE 'b%'", []),
        ("name ILIKE 'b%'", ["Beta"]),
        ("name LIKE '%\\%'", []),
        ("tags.team = 'Vision'", ["alpha"]),
        ("tag.team ILIKE 'VISION'", ["alpha"]),
        ("tags.team != 'Vision'", ["Beta"]),
        ("tags.`team` IS NULL", ["gamma%"]),
        ("creation_time > 4000000000000", ["gamma%", "Beta"]),
        ("creation_time >= 4000000001000 AND name LIKE 'B%'", ["Beta"]),
        ("last_update_time < 4000000001000", ["alpha"]),
        ("experiment_id IN ('0')", []),
    ],
)
def test_what_a_filter_finds(lab, text, expected, dialect):
    assert names(lab, text, dialect) == expected


@pytest.mark.parametrize(
    "text",
    [
        "metrics.x > 1",
        "params.x = '1'",
        "name > 'a'",
        "status = 'x'",
        "name = alpha",
        "creation_time LIKE '1'",
        "name IN ('a')",
    ],
)
def test_what_is_no_filter_is_refused(lab, text):
    with pytest.raises(QueryError):
        names(lab, text)


def test_the_wire_id_of_the_default_experiment_is_0(lab):
    [found] = search_experiments(lab.viewer, project=lab.project, text="experiment_id = '0'").rows
    assert found.is_default
    alpha = Experiment.objects.get(name="alpha")
    assert names(lab, f"experiment_id = '{alpha.pk}'") == ["alpha"]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (["name"], ["Beta", "alpha", "gamma%"]),
        (["name DESC"], ["gamma%", "alpha", "Beta"]),
        (["creation_time"], ["alpha", "Beta", "gamma%"]),
        (["attribute.experiment_id ASC"], ["alpha", "Beta", "gamma%"]),
        (["last_update_time DESC", "name"], ["gamma%", "Beta", "alpha"]),
        (["tags.team"], ["alpha", "Beta", "gamma%"]),
    ],
)
def test_the_order_of_results(lab, order, expected):
    assert names(lab, order=order) == expected


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_pages_are_disjoint_and_complete(lab, limit):
    whole = [found.name for found in search_experiments(lab.viewer, project=lab.project).rows]
    token, seen = None, []
    while True:
        page = search_experiments(lab.viewer, project=lab.project, limit=limit, after=token)
        assert page.rows
        seen += [found.name for found in page.rows]
        token = page.next_token
        if token is None:
            break
        assert len(page.rows) == limit
    assert seen == whole
    with pytest.raises(Invalid):
        search_experiments(lab.viewer, project=lab.project, after="garbage")


def test_deleted_ones_are_found_only_where_they_are_asked_for(lab):
    delete_experiment(operator(), Experiment.objects.get(name="Beta"))
    assert names(lab) == ["gamma%", "alpha"]
    assert names(lab, view=View.DELETED_ONLY) == ["Beta"]
    assert sorted(names(lab, view=View.ALL)) == ["Beta", "alpha", "gamma%"]


def test_nothing_foreign_is_found(lab):
    other = make_team("cellar", [])
    create_experiment(operator(), other.project, name="alpha")
    assert len([name for name in names(lab) if name == "alpha"]) == 1
    assert search_experiments(other.viewer, project=lab.project).rows == []
    assert {found.project_slug for found in search_experiments(other.viewer).rows} == {"cellar"}
    add_member(operator(), other.project, role=Role.DATA_SCIENTIST, user=lab.user)
    assert {found.project_slug for found in search_experiments(lab.viewer).rows} == {"cellar", "lab"}


def test_who_was_granted_one_experiment_sees_its_runs_alone(lab):
    guest = make_team("guests", []).user
    alpha, beta = Experiment.objects.get(name="alpha"), Experiment.objects.get(name="Beta")
    for experiment, name in ((alpha, "a"), (beta, "b")):
        store(experiment, [PlainRun(uid=f"{ord(name):032x}", name=f"run {name}", started_ms=1, params={"lr": "1"})])
    grant_access(operator(), alpha, user=guest)
    for asked in [{}, {"project": lab.project}, {"experiments": [alpha.pk, beta.pk]}]:
        for text in ["", "params.lr = 1", "NOT params.lr = 2"]:
            assert [run.name for run in search_runs(signed_in(guest), text=text, **asked).rows] == ["run a"]
    assert [found.name for found in search_experiments(signed_in(guest), project=lab.project).rows] == ["alpha"]


def test_tags_of_a_page_come_in_one_statement(lab, django_assert_num_queries):
    rows = search_experiments(lab.viewer, project=lab.project).rows
    with django_assert_num_queries(1):
        tags = load_experiment_tags(found.id for found in rows)
    assert [tags[found.id] for found in rows if found.name in ("alpha", "gamma%")] == [[], [("team", "Vision")]]
