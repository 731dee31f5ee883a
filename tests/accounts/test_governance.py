"""Open or governed: who may say so, what names are protected, and why rules got looser."""

import pytest

from accounts.actions.governance import govern_project
from accounts.models import Project
from kernel.errors import Invalid, NotFound, Refused
from tests.factories import Team, a_person, a_team, events_since


@pytest.fixture
def team(db) -> Team:
    return a_team()


def test_a_manager_governs_a_project_and_it_is_on_record(team):
    [kept] = events_since(
        lambda: govern_project(
            team.manager, team.project, is_governed=True, protected_names=["Champion", " production", "champion"]
        )
    )
    project = Project.objects.get(pk=team.project.pk)
    assert (project.is_governed, project.protected_names) == (True, ["champion", "production"])
    assert kept.verb == "accounts.govern_project"
    assert kept.changed("accounts.project")["is_governed"] == [False, True]


@pytest.mark.parametrize("who", ["scientist", "engineer", "auditor", "administrator"])
def test_nobody_else_does(team, who):
    with pytest.raises(Refused):
        govern_project(getattr(team, who), team.project, is_governed=True, protected_names=["production"])
    with pytest.raises(NotFound):
        govern_project(a_person(), team.project, is_governed=True, protected_names=["production"])
    assert not Project.objects.get(pk=team.project.pk).is_governed


@pytest.mark.parametrize(
    "looser", [{"is_governed": False, "protected_names": ["champion", "production"]},
               {"is_governed": True, "protected_names": ["champion"]}]
)  # fmt: skip
def test_looser_rules_need_a_reason(team, looser):
    govern_project(team.manager, team.project, is_governed=True, protected_names=["champion", "production"])
    with pytest.raises(Invalid, match="Say why") as refused:
        govern_project(team.manager, team.project, reason="  ", **looser)
    assert refused.value.field == "reason"
    [kept] = events_since(lambda: govern_project(team.manager, team.project, reason="the trial is over", **looser))
    assert kept.reason == "the trial is over"


def test_governing_again_changes_nothing(team):
    for _ in range(2):
        govern_project(team.manager, team.project, is_governed=True, protected_names=["production"], reason="so it is")
    assert Project.objects.get(pk=team.project.pk).protected_names == ["production"]


@pytest.mark.parametrize("names", [[], ["x" * 256], [" "], ["a\x00b"], [f"n{i}" for i in range(21)]])
def test_names_that_cannot_be_kept_are_refused(team, names):
    with pytest.raises(Invalid) as refused:
        govern_project(team.manager, team.project, is_governed=True, protected_names=names)
    assert refused.value.field == "protected_names"
