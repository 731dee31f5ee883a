"""Two people doing the same thing to the same thing at the same moment, on a database that commits."""

from functools import partial

import pytest

from accounts.access import can
from accounts.actions.members import add_member, add_to_group, dismiss, remove_member
from accounts.actions.setup import issue_setup_link, use_setup_link
from accounts.actions.users import create_user
from accounts.models import Membership, User
from accounts.roles import Role
from kernel.actor import operator
from kernel.errors import AlreadyExists, Conflict, NotFound
from tests.factories import (
    PASSWORD,
    a_group,
    a_person,
    a_project,
    a_team,
    a_user,
    again,
    an_administrator,
    events,
    join,
    user_of,
)
from tests.together import errors, together, values

pytestmark = pytest.mark.usefixtures("committed_db")


def test_an_address_goes_to_one():
    outcomes = together(*[partial(create_user, operator(), email="ada@example.org") for _ in range(6)])
    assert len(values(outcomes)) == 1
    assert all(isinstance(error, AlreadyExists) for error in errors(outcomes))


def test_the_set_up_link_makes_one_administrator():
    secret = issue_setup_link().split("/")[2]
    outcomes = together(
        *[
            partial(use_setup_link, secret, email=f"root{number}@example.org", name="Root", password=PASSWORD)
            for number in range(4)
        ]
    )
    assert len(values(outcomes)) == 1
    assert all(isinstance(error, NotFound) for error in errors(outcomes))
    assert User.objects.count() == 1
    assert len(events(verb="accounts.set_up")) == 1


def test_a_role_is_given_once():
    team, user = a_team(), a_user()
    acts = [partial(add_member, again(team.manager), team.project, role=Role.ML_ENGINEER, user=user) for _ in range(4)]
    outcomes = together(*acts)
    assert len(values(outcomes)) == 1
    assert all(isinstance(error, AlreadyExists) for error in errors(outcomes))


def test_two_managers_cannot_leave_a_project_without_one():
    project, people = a_project(), [a_person(), a_person()]
    first, second = [join(project, person, Role.PROJECT_MANAGER) for person in people]
    acting = [again(person) for person in people]
    assert all(can(actor, "members.manage", project) for actor in acting)  # both came in while they were managers
    outcomes = together(partial(remove_member, acting[0], second), partial(remove_member, acting[1], first))
    assert Membership.objects.filter(project=project, role=Role.PROJECT_MANAGER).count() == 1
    assert [type(error) for error in errors(outcomes)] == [Conflict]


def test_two_administrators_cannot_leave_the_site_without_one():
    people = [an_administrator(), an_administrator()]
    first, second = [Membership.objects.get(user_id=person.user_id) for person in people]
    acting = [again(person) for person in people]
    assert all(can(actor, "users.create") for actor in acting)
    outcomes = together(partial(dismiss, acting[0], membership=second), partial(dismiss, acting[1], membership=first))
    assert Membership.objects.filter(project=None, role=Role.ADMINISTRATOR).count() == 1
    assert [type(error) for error in errors(outcomes)] == [Conflict]


def test_two_roles_that_exclude_each_other_are_not_given_at_once():
    team, person = a_team(), a_person()
    outcomes = together(
        partial(add_member, operator(), team.project, role=Role.DATA_SCIENTIST, user=user_of(person)),
        partial(join, team.project, person, Role.AUDITOR),
    )
    assert len(values(outcomes)) == 1
    assert [type(error) for error in errors(outcomes)] == [Conflict]


def test_a_group_does_not_join_while_somebody_joins_it():
    """Whoever comes second is refused: nobody writes by a group and audits by another."""
    team, person = a_team(), a_person()
    writers, auditors = a_group(), a_group(person)
    join(team.project, auditors, Role.AUDITOR)
    together(
        partial(add_member, operator(), team.project, role=Role.ML_ENGINEER, group=writers),
        partial(add_to_group, operator(), group=writers, user=user_of(person)),
    )
    roles = set(
        Membership.objects.filter(project=team.project, group__members__user=user_of(person)).values_list(
            "role", flat=True
        )
    )
    assert roles != {Role.AUDITOR, Role.ML_ENGINEER}
