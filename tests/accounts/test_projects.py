"""Making and changing projects, and letting one person see one of them."""

import pytest

from accounts.actions.projects import create_project, edit_project, grant_sight, suggested_key, withdraw_sight
from accounts.models import Membership, Project
from accounts.queries.projects import find_project, my_projects, visible_projects
from accounts.roles import Role
from experiments.models import Experiment
from kernel.actor import operator
from kernel.errors import AlreadyExists, Invalid, NotFound, Refused, Unauthenticated
from tests.factories import a_person, a_project, again, events_since, nobody, unique, user_of


def test_whoever_makes_a_project_manages_it(team):
    project = create_project(team.administrator, slug=unique("vision"), name="Vision")
    (membership,) = Membership.objects.filter(project=project)
    assert (membership.user_id, membership.role) == (team.administrator.user_id, Role.PROJECT_MANAGER)


@pytest.mark.django_db
def test_a_project_made_by_the_operator_has_no_members():
    assert not Membership.objects.filter(project=a_project()).exists()


@pytest.mark.django_db
def test_a_project_comes_with_its_default_experiment_in_the_same_event():
    (kept,) = events_since(lambda: a_project("plant-health"))
    project = Project.objects.get(slug="plant-health")
    experiment = Experiment.objects.get(project=project)
    assert (experiment.name, experiment.is_default) == ("Default", True)
    assert (kept.verb, kept.subject, kept.event.project_id) == (
        "accounts.create_project",
        f"accounts.project {project.pk.hex}",
        project.pk,
    )
    assert kept.changed("experiments.experiment")["name"] == [None, "Default"]


@pytest.mark.django_db
@pytest.mark.parametrize("slug", ["", "Vision", "a b", "-a", "a-", "x" * 51, "a/b", "ä", "a_b", "a\n"])
def test_a_slug_is_lower_case_letters_digits_and_hyphens(slug):
    with pytest.raises(Invalid) as refused:
        create_project(operator(), slug=slug)
    assert refused.value.field == "slug"


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["A", "vis", "1AB", "ABCDEFGHIJK", "A-B", "AB\n"])
def test_a_key_is_2_to_10_capitals_and_digits(key):
    with pytest.raises(Invalid) as refused:
        create_project(operator(), slug=unique("p"), key=key)
    assert refused.value.field == "key"


@pytest.mark.django_db
@pytest.mark.parametrize("name", [" ", "x" * 121, "a\x00b", "a\ud800b"])
def test_a_name_that_cannot_be_kept_is_refused(name):
    with pytest.raises(Invalid) as refused:
        create_project(operator(), slug=unique("p"), name=name)
    assert refused.value.field == "name"


@pytest.mark.django_db
def test_slugs_and_keys_are_taken_once():
    project = a_project(key="ONCE")
    with pytest.raises(AlreadyExists):
        create_project(operator(), slug=project.slug)
    with pytest.raises(AlreadyExists):
        create_project(operator(), slug=unique("other"), key="ONCE")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("slug", "key"),
    [("vision", "VIS"), ("plant-health-survey", "PHS"), ("a", "AX"), ("x1", "X1")],
)
def test_a_key_is_suggested_from_the_slug(slug, key):
    assert suggested_key(slug) == key


@pytest.mark.django_db
def test_any_slug_gets_a_good_key():
    for slug in ["1", "9-9-9", "a-b", "-".join("abcdefghijklmnop"), "z" * 50, "7up", "0-a", "00a"]:
        project = a_project(slug)
        assert 2 <= len(project.key) <= 10, slug


@pytest.mark.django_db
def test_a_suggested_key_avoids_those_that_are_taken():
    keys = {a_project(f"forest-{number}").key for number in range(12)}
    assert len(keys) == 12


def test_only_administrators_make_projects(team, outsider):
    for actor in (team.scientist, team.engineer, team.manager, team.auditor, outsider):
        with pytest.raises(Refused, match="Administrator"):
            create_project(actor, slug=unique("mine"))
    with pytest.raises(Unauthenticated):
        create_project(nobody(), slug=unique("mine"))


def test_a_manager_of_the_whole_site_makes_no_projects_but_edits_all(team):
    everywhere = a_person(site_role=Role.PROJECT_MANAGER)
    with pytest.raises(Refused):
        create_project(everywhere, slug=unique("mine"))
    assert edit_project(everywhere, team.project, purpose="To know.").purpose == "To know."


def test_a_manager_edits_name_and_purpose(team):
    (kept,) = events_since(lambda: edit_project(team.manager, team.project, name="Eyes", purpose="See leaves."))
    project = Project.objects.get(pk=team.project.pk)
    assert (project.name, project.purpose) == ("Eyes", "See leaves.")
    assert set(kept.changed("accounts.project")) == {"name", "purpose"}
    assert kept.event.actor_roles == "project_manager"


def test_editing_to_the_same_changes_nothing(team):
    assert events_since(lambda: edit_project(team.manager, team.project, name=team.project.name)) == []


def test_members_who_do_not_manage_are_refused_and_strangers_find_nothing(team, outsider):
    for actor in (team.scientist, team.engineer, team.auditor, team.administrator):
        with pytest.raises(Refused, match="Project manager"):
            edit_project(actor, team.project, name="Mine")
    with pytest.raises(NotFound):
        edit_project(outsider, team.project, name="Mine")


def test_a_project_is_found_by_its_members_and_absent_for_others(team, outsider):
    assert find_project(team.scientist, team.project.slug) == team.project
    with pytest.raises(NotFound) as invisible:
        find_project(outsider, team.project.slug)
    with pytest.raises(NotFound) as absent:
        find_project(outsider, "no-such")
    assert str(invisible.value).replace(team.project.slug, "no-such") == str(absent.value)


def test_everybody_sees_their_own_projects(team, outsider):
    a_project()
    assert [mine.project for mine in my_projects(team.scientist)] == [team.project]
    assert my_projects(team.scientist)[0].roles == [Role.DATA_SCIENTIST]
    assert list(visible_projects(outsider)) == []


def test_a_single_person_may_be_shown_a_project(team, outsider):
    grant_sight(team.manager, team.project, user=user_of(outsider), reason="a guest of the week")
    assert find_project(again(outsider), team.project.slug) == team.project
    with pytest.raises(Refused):
        edit_project(again(outsider), team.project, name="Mine")


def test_showing_a_project_twice_changes_nothing(team, outsider):
    grant_sight(team.manager, team.project, user=user_of(outsider))
    assert events_since(lambda: grant_sight(team.manager, team.project, user=user_of(outsider))) == []


def test_what_was_shown_can_be_withdrawn(team, outsider):
    grant_sight(team.manager, team.project, user=user_of(outsider))
    (kept,) = events_since(lambda: withdraw_sight(team.manager, team.project, user=user_of(outsider), reason="over"))
    assert (kept.verb, kept.reason) == ("accounts.withdraw_sight", "over")
    with pytest.raises(NotFound):
        find_project(again(outsider), team.project.slug)


def test_only_managers_show_a_project_to_others(team, outsider):
    for actor in (team.scientist, team.engineer, team.auditor):
        with pytest.raises(Refused):
            grant_sight(actor, team.project, user=user_of(outsider))
    with pytest.raises(NotFound):
        grant_sight(outsider, team.project, user=user_of(outsider))


@pytest.mark.django_db
def test_a_taken_key_is_named_beside_the_key_and_a_taken_short_name_beside_the_short_name():
    create_project(operator(), slug="first-one", key="FST")
    with pytest.raises(AlreadyExists) as by_key:
        create_project(operator(), slug="second-one", key="FST")
    with pytest.raises(AlreadyExists) as by_slug:
        create_project(operator(), slug="first-one", key="SND")
    assert (by_key.value.field, by_slug.value.field) == ("key", "slug")
