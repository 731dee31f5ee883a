"""Roles on the whole site, and groups of people who get roles together."""

import pytest

from accounts.actions.members import (
    add_to_group,
    appoint,
    create_group,
    dismiss,
    remove_from_group,
)
from accounts.models import Group, GroupMember, Membership
from accounts.queries.projects import find_project
from accounts.roles import Role
from kernel.actor import operator
from kernel.errors import AlreadyExists, Conflict, Invalid, NotFound, Refused
from tests.factories import (
    a_group,
    a_person,
    a_user,
    again,
    an_administrator,
    events_since,
    join,
    unique,
    user_of,
)

SCIENTIST, ENGINEER, MANAGER, AUDITOR = (
    Role.DATA_SCIENTIST,
    Role.ML_ENGINEER,
    Role.PROJECT_MANAGER,
    Role.AUDITOR,
)


def membership_of(person, project) -> Membership:
    return Membership.objects.get(user_id=person.user_id, project=project)


# --- The whole site


@pytest.mark.django_db
def test_an_administrator_appoints_site_wide():
    admin, user = an_administrator(), a_user()
    (kept,) = events_since(lambda: appoint(admin, user=user, role=AUDITOR, reason="yearly audit"))
    assert (kept.verb, kept.reason) == ("accounts.appoint", "yearly audit")
    assert Membership.objects.get(user=user).project_id is None


@pytest.mark.django_db
def test_site_roles_are_administrator_auditor_and_manager():
    admin = an_administrator()
    for role in (SCIENTIST, ENGINEER):
        with pytest.raises(Invalid) as refused:
            appoint(admin, user=a_user(), role=role)
        assert refused.value.field == "role"


@pytest.mark.django_db
def test_a_site_role_is_given_once():
    admin, user = an_administrator(), a_user()
    appoint(admin, user=user, role=AUDITOR)
    with pytest.raises(AlreadyExists):
        appoint(admin, user=user, role=AUDITOR)


def test_only_administrators_appoint_site_wide(team, outsider):
    for actor in (team.manager, team.auditor, outsider, a_person(site_role=MANAGER)):
        with pytest.raises(Refused):
            appoint(actor, user=a_user(), role=AUDITOR)


@pytest.mark.django_db
def test_one_administrator_always_stays():
    first, second = an_administrator(), an_administrator()
    dismiss(first, membership=Membership.objects.get(user_id=second.user_id), reason="left")
    with pytest.raises(Refused):
        dismiss(again(second), membership=Membership.objects.get(user_id=first.user_id))
    with pytest.raises(Refused, match="own role"):
        dismiss(first, membership=Membership.objects.get(user_id=first.user_id))
    with pytest.raises(Conflict, match="One administrator"):
        dismiss(operator(), membership=Membership.objects.get(user_id=first.user_id))


def test_a_role_in_a_project_is_not_dismissed_site_wide(team):
    with pytest.raises(Invalid):
        dismiss(team.administrator, membership=membership_of(team.scientist, team.project))


# --- Groups


@pytest.mark.django_db
def test_groups_are_made_filled_and_emptied_by_administrators():
    admin, person = an_administrator(), a_person()
    group = create_group(admin, name=f" {unique('Vision lab')} ")
    add_to_group(admin, group=group, user=user_of(person))
    with pytest.raises(AlreadyExists):
        add_to_group(admin, group=group, user=user_of(person))
    (kept,) = events_since(lambda: remove_from_group(admin, group=group, user=user_of(person)))
    assert kept.subject == f"accounts.group {group.pk.hex}"
    assert not GroupMember.objects.filter(group=group).exists()
    with pytest.raises(NotFound):
        remove_from_group(admin, group=group, user=user_of(person))


@pytest.mark.django_db
def test_a_groups_name_is_taken_once_and_not_blank():
    admin = an_administrator()
    group = create_group(admin, name=unique("lab"))
    with pytest.raises(AlreadyExists):
        create_group(admin, name=f" {group.name} ")
    for name in ("", "  ", "x" * 121, "a\x00"):
        with pytest.raises(Invalid):
            create_group(admin, name=name)
    assert Group.objects.filter(name__startswith=group.name).count() == 1


def test_others_make_no_groups(team, outsider):
    group = a_group()
    for actor in (team.manager, team.auditor, outsider):
        with pytest.raises(Refused):
            create_group(actor, name=unique("mine"))
        with pytest.raises(Refused):
            add_to_group(actor, group=group, user=user_of(actor))


def test_leaving_a_group_ends_its_roles(team, outsider):
    group = a_group(outsider)
    join(team.project, group, SCIENTIST)
    assert find_project(again(outsider), team.project.slug)
    remove_from_group(team.administrator, group=group, user=user_of(outsider))
    with pytest.raises(NotFound):
        find_project(again(outsider), team.project.slug)
