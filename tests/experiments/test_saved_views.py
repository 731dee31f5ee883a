"""Views of the run table that people keep: whose they are, and what happens when two change one."""

import pytest

from experiments.actions.saved_views import change_view, delete_view, save_view, set_default_view
from experiments.models import SavedView
from experiments.queries.saved_views import get_view, views_of
from kernel.errors import AlreadyExists, Conflict, Invalid, NotFound, Refused
from tests.factories import a_member, a_person, a_team, events_since

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    return a_team()


def kept(team, name="best", who=None, **more):
    return save_view(who or team.scientist, team.project, name=name, query="q=metrics.loss < 1&sort=-created", **more)


def names(viewer, team):
    return [view.name for view in views_of(viewer, team.project)]


def test_a_view_is_its_owners_alone_until_it_is_shared(team):
    view = kept(team)
    assert names(team.scientist, team) == ["best"]
    assert names(team.engineer, team) == []
    change_view(team.scientist, view, version=1, is_shared=True)
    assert names(team.engineer, team) == ["best"]


def test_it_holds_the_question_and_nothing_else_of_an_address(team):
    view = save_view(
        team.scientist, team.project, name="x", query="?q=a&after=token&columns=metrics.loss&evil=1&saved=7"
    )
    assert view.query == "q=a&columns=metrics.loss"


def test_everybody_in_the_project_may_keep_views_also_who_only_reads(team):
    for who in (team.scientist, team.engineer, team.manager, team.auditor):
        assert kept(team, who=who).created_by_id == who.user_id


def test_outsiders_and_administrators_keep_none(team):
    with pytest.raises(NotFound):
        kept(team, who=a_person())
    with pytest.raises(Refused):
        kept(team, who=team.administrator)


def test_a_name_is_taken_once_for_each_person(team):
    kept(team)
    with pytest.raises(AlreadyExists):
        kept(team)
    kept(team, who=team.engineer)


@pytest.mark.parametrize("name", ["", "   ", "x" * 121, "nul\x00"])
def test_a_name_that_is_none_is_refused(team, name):
    with pytest.raises(Invalid):
        kept(team, name=name)
    assert not SavedView.objects.exists()


def test_a_query_too_long_is_refused(team):
    with pytest.raises(Invalid):
        save_view(team.scientist, team.project, name="x", query="q=" + "a" * 8_001)


def test_of_two_who_change_one_view_the_second_is_told_and_nothing_is_lost(team):
    view = kept(team)
    change_view(team.scientist, view, version=1, query="q=first")
    with pytest.raises(Conflict, match="changed meanwhile"):
        change_view(team.scientist, view, version=1, query="q=second")
    assert get_view(team.scientist, team.project, view.pk).query == "q=first"


def test_a_change_that_changes_nothing_leaves_no_event_and_keeps_the_version(team):
    view = kept(team)
    assert not events_since(lambda: change_view(team.scientist, view, version=1, query=view.query))
    assert get_view(team.scientist, team.project, view.pk).version == 1


def test_only_the_owner_changes_or_deletes_a_shared_view(team):
    view = kept(team, is_shared=True)
    for act in (lambda who: change_view(who, view, version=1, name="mine"), lambda who: delete_view(who, view)):
        with pytest.raises(Refused):
            act(team.engineer)
        with pytest.raises(NotFound):
            act(a_team().scientist)


def test_somebody_elses_own_view_is_as_if_it_were_not_there(team):
    view = kept(team)
    with pytest.raises(NotFound):
        get_view(team.engineer, team.project, view.pk)
    with pytest.raises(NotFound):
        delete_view(team.engineer, view)


def test_a_project_has_at_most_one_default_and_it_is_shared(team):
    first, second = kept(team, "first", is_shared=True), kept(team, "second", is_shared=True)
    set_default_view(team.manager, team.project, view=first)
    set_default_view(team.manager, team.project, view=second)
    assert [view.is_default for view in views_of(team.scientist, team.project)] == [True, False]
    assert not events_since(lambda: set_default_view(team.manager, team.project, view=second))
    with pytest.raises(Conflict, match="Share it first"):
        set_default_view(team.manager, team.project, view=kept(team, "mine", who=team.manager))
    set_default_view(team.manager, team.project, view=None)
    assert not SavedView.objects.filter(is_default=True).exists()


def test_the_default_is_neither_deleted_nor_taken_back_from_the_project(team):
    view = kept(team, is_shared=True)
    set_default_view(team.scientist, team.project, view=view)
    with pytest.raises(Conflict):
        delete_view(team.scientist, view)
    with pytest.raises(Conflict):
        change_view(team.scientist, view, version=1, is_shared=False)


def test_an_auditor_does_not_choose_the_default(team):
    view = kept(team, who=team.auditor, is_shared=True)
    with pytest.raises(Refused):
        set_default_view(team.auditor, team.project, view=view)


def test_a_view_of_another_project_cannot_be_the_default(team):
    other = a_team()
    foreign = kept(other, is_shared=True)
    with pytest.raises(NotFound):
        set_default_view(team.manager, team.project, view=foreign)


def test_deleting_twice_finds_nothing_the_second_time(team):
    view = kept(team)
    delete_view(team.scientist, view)
    with pytest.raises(NotFound):
        delete_view(team.scientist, view)


def test_a_view_stays_when_its_owner_leaves_the_project(team):
    from accounts.actions.members import remove_member
    from accounts.models import Membership
    from kernel.actor import operator

    gone = a_member(team.project)
    kept(team, who=gone, is_shared=True)
    membership = Membership.objects.get(user_id=gone.user_id)
    remove_member(operator(), membership)
    assert names(team.scientist, team) == ["best"]
