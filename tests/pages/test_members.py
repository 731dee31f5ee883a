"""Members: managers add, change and remove; administrators appoint; everybody sees who is in and what roles may do."""

import pytest

from accounts.models import Membership
from accounts.roles import Role
from tests.factories import Team, a_group, a_user, join, user_of
from tests.pages.conftest import Browser, address


@pytest.fixture
def mona(team: Team) -> Browser:
    """The project's manager at her browser."""
    return Browser(team.manager)


def membership_of(team: Team, who) -> Membership:
    return Membership.objects.get(project=team.project, user_id=who.user_id)


def test_members_see_each_other_and_the_matrix(ada: Browser, team: Team):
    page = ada.get(address(team.project, "members/"))
    for name in ("Ada", "Emil", "Mona", "Otto"):
        assert name in page
    assert "What each role may do" in page
    assert "Add member" not in page
    assert "/remove/" not in page.source


def test_a_manager_adds_somebody_by_e_mail(mona: Browser, team: Team):
    user = a_user("Nina")
    page = mona.follow(address(team.project, "members/"), email=user.email, role="ml_engineer")
    assert "Nina is now ML engineer here" in page


def test_an_unknown_address_is_explained_and_kept(mona: Browser, team: Team):
    page = mona.post(address(team.project, "members/"), expecting=200, email="ghost@example.org", role="ml_engineer")
    assert "There is no user 'ghost@example.org'" in page
    assert page.field("id_email") == "ghost@example.org"


def test_adding_twice_is_explained(mona: Browser, team: Team):
    email = user_of(team.scientist).email
    page = mona.post(address(team.project, "members/"), expecting=200, email=email, role="data_scientist")
    assert "has that role already" in page


def test_nobody_both_writes_and_audits(team: Team):
    page = Browser(team.administrator).post(
        address(team.project, "members/"), expecting=200, email=user_of(team.scientist).email, role="auditor"
    )
    assert "would both write and audit" in page


def test_a_manager_is_not_offered_the_auditors_role(mona: Browser, team: Team):
    form = mona.get(address(team.project, "members/")).source.split("Add member</h2>")[1]
    assert 'value="data_scientist"' in form
    assert 'value="auditor"' not in form
    mona.post(address(team.project, "members/"), expecting=200, email=a_user().email, role="auditor")
    assert Membership.objects.filter(project=team.project, role="auditor").count() == 1


def test_an_administrator_appoints_an_auditor(team: Team):
    user = a_user("Aude")
    page = Browser(team.administrator).follow(address(team.project, "members/"), email=user.email, role="auditor")
    assert "Aude is now Auditor here" in page


def test_a_group_is_added_as_one(mona: Browser, team: Team):
    from tests.factories import a_person

    group = a_group(a_person("Gil"), a_person("Gus"))
    page = mona.follow(address(team.project, "members/"), email="", group=group.pk, role="data_scientist")
    assert group.name in page
    assert "Gil, Gus" in page
    both = mona.post(
        address(team.project, "members/"), expecting=200, email="x@example.org", group=group.pk, role="data_scientist"
    )
    assert "Name one person or one group" in both


def test_a_manager_changes_a_role(mona: Browser, team: Team):
    pk = membership_of(team, team.scientist).pk
    page = mona.follow(address(team.project, f"members/{pk}/role/"), role="ml_engineer")
    assert "Ada is now ML engineer here" in page
    assert membership_of(team, team.scientist).role == Role.ML_ENGINEER


def test_a_manager_removes_somebody(mona: Browser, team: Team):
    page = mona.follow(address(team.project, f"members/{membership_of(team, team.engineer).pk}/remove/"))
    assert "Emil is no longer in this project in that role" in page
    assert not Membership.objects.filter(project=team.project, user_id=team.engineer.user_id).exists()


def test_nobody_changes_their_own_role(mona: Browser, team: Team):
    pk = membership_of(team, team.manager).pk
    assert "Nobody changes their own role" in mona.follow(
        address(team.project, f"members/{pk}/role/"), role="data_scientist"
    )


@pytest.mark.parametrize("way", ["role", "remove"])
def test_a_scientist_changes_nobody(ada: Browser, team: Team, way):
    pk = membership_of(team, team.engineer).pk
    ada.follow(address(team.project, f"members/{pk}/{way}/"), role="auditor")
    assert membership_of(team, team.engineer).role == Role.ML_ENGINEER


def test_a_member_of_another_project_is_not_found(mona: Browser, team: Team):
    from tests.factories import a_project

    foreign = join(a_project(), a_user(), Role.DATA_SCIENTIST)
    mona.post(address(team.project, f"members/{foreign.pk}/remove/"), expecting=404)
    assert Membership.objects.filter(pk=foreign.pk).exists()
