"""Who gives which role to whom; and that nobody both writes and audits."""

import pytest

from accounts.access import can
from accounts.actions.members import (
    add_member,
    add_to_group,
    appoint,
    appoint_member,
    change_role,
    dismiss_member,
    parsed_role,
    remove_member,
)
from accounts.models import Membership
from accounts.queries.projects import find_project, members_of
from accounts.roles import Role
from kernel.errors import AlreadyExists, Conflict, Invalid, NotFound, Refused
from tests.factories import (
    a_group,
    a_person,
    a_project,
    a_run,
    a_user,
    again,
    default_experiment,
    events_since,
    join,
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


# --- Adding


def test_a_manager_adds_a_scientist_who_then_logs(team):
    user = a_user("Nils")
    (kept,) = events_since(lambda: add_member(team.manager, team.project, role=SCIENTIST, user=user))
    assert (kept.verb, kept.event.project_id) == ("accounts.add_member", team.project.pk)
    assert kept.changed("accounts.membership")["role"] == [None, "data_scientist"]
    newcomer = a_person()
    join(team.project, newcomer, SCIENTIST)
    assert a_run(newcomer).created_by_id == newcomer.user_id


def test_a_role_by_group_is_that_of_each_person_in_it(team, outsider):
    group = a_group(outsider)
    add_member(team.manager, team.project, role=ENGINEER, group=group)
    assert a_run(again(outsider), default_experiment(team.project)).created_by_id == outsider.user_id


def test_the_same_role_twice_is_refused(team):
    with pytest.raises(AlreadyExists):
        add_member(team.manager, team.project, role=SCIENTIST, user=user_of(team.scientist))
    group = a_group()
    add_member(team.manager, team.project, role=SCIENTIST, group=group)
    with pytest.raises(AlreadyExists):
        add_member(team.manager, team.project, role=SCIENTIST, group=group)


def test_one_person_may_hold_several_roles(team):
    add_member(team.manager, team.project, role=ENGINEER, user=user_of(team.scientist))
    assert Membership.objects.filter(user_id=team.scientist.user_id, project=team.project).count() == 2


def test_either_a_user_or_a_group_is_added(team):
    for holder in ({}, {"user": a_user(), "group": a_group()}):
        with pytest.raises(Invalid):
            add_member(team.manager, team.project, role=SCIENTIST, **holder)


def test_managers_do_not_make_auditors_nor_administrators(team):
    for role in (AUDITOR, Role.ADMINISTRATOR):
        with pytest.raises(Refused, match="administrator"):
            add_member(team.manager, team.project, role=role, user=a_user())


def test_administrators_appoint_managers_and_auditors_only(team):
    assert appoint_member(team.administrator, team.project, role=AUDITOR, user=a_user()).role == AUDITOR
    assert appoint_member(team.administrator, team.project, role=MANAGER, user=a_user()).role == MANAGER
    for role in (SCIENTIST, ENGINEER):
        with pytest.raises(Refused, match="manager of the project"):
            appoint_member(team.administrator, team.project, role=role, user=a_user())


def test_nobody_gives_themselves_a_role(team):
    with pytest.raises(Refused, match="own role"):
        add_member(team.manager, team.project, role=ENGINEER, user=user_of(team.manager))
    with pytest.raises(Refused, match="own role"):
        appoint_member(team.administrator, team.project, role=AUDITOR, user=user_of(team.administrator))
    with pytest.raises(Refused, match="own role"):
        appoint(team.administrator, user=user_of(team.administrator), role=AUDITOR)


def test_others_add_nobody(team, outsider):
    for actor in (team.scientist, team.engineer, team.auditor, team.administrator):
        with pytest.raises(Refused):
            add_member(actor, team.project, role=SCIENTIST, user=a_user())
    with pytest.raises(NotFound):
        add_member(outsider, team.project, role=SCIENTIST, user=user_of(team.scientist))


def test_a_refused_addition_is_kept_with_the_project(team):
    def attempt() -> None:
        with pytest.raises(Refused):
            add_member(team.scientist, team.project, role=SCIENTIST, user=a_user())

    kept = events_since(attempt)[-1]
    assert (kept.outcome, kept.event.project_id, kept.event.actor_roles) == (
        "denied",
        team.project.pk,
        "data_scientist",
    )
    assert kept.subject == f"accounts.project {team.project.pk.hex}"


def test_a_strangers_attempt_is_kept_as_well(team, outsider):
    def attempt() -> None:
        with pytest.raises(NotFound):
            add_member(outsider, team.project, role=MANAGER, user=user_of(outsider))

    (kept,) = events_since(attempt)
    assert (kept.outcome, kept.event.actor_id) == ("denied", outsider.user_id)


# --- Writing and auditing


def test_nobody_audits_what_they_write(team):
    with pytest.raises(Conflict, match="both write and audit"):
        appoint_member(team.administrator, team.project, role=AUDITOR, user=user_of(team.scientist))
    with pytest.raises(Conflict, match="both write and audit"):
        add_member(team.manager, team.project, role=SCIENTIST, user=user_of(team.auditor))


def test_an_auditor_of_the_whole_site_writes_nowhere(team):
    auditor = a_person(site_role=AUDITOR)
    with pytest.raises(Conflict):
        add_member(team.manager, team.project, role=SCIENTIST, user=user_of(auditor))
    with pytest.raises(Conflict):
        appoint(team.administrator, user=user_of(team.scientist), role=AUDITOR)


def test_a_group_does_not_lead_around_the_separation(team):
    group = a_group()
    appoint_member(team.administrator, team.project, role=AUDITOR, group=group)
    with pytest.raises(Conflict):
        add_to_group(team.administrator, group=group, user=user_of(team.scientist))
    writers = a_group(a_person())
    add_member(team.manager, team.project, role=ENGINEER, group=writers)
    with pytest.raises(Conflict):
        appoint_member(team.administrator, team.project, role=AUDITOR, group=writers)
    with pytest.raises(Conflict):
        add_to_group(team.administrator, group=writers, user=user_of(team.auditor))


def test_one_may_audit_another_project_than_one_writes_to(team):
    other = a_project()
    appoint_member(team.administrator, other, role=AUDITOR, user=user_of(team.scientist))
    assert find_project(again(team.scientist), other.slug) == other


# --- Changing and taking away


def test_a_manager_changes_a_role_in_one_event(team):
    (kept,) = events_since(
        lambda: change_role(team.manager, membership_of(team.scientist, team.project), role=ENGINEER, reason="grown")
    )
    assert kept.changed("accounts.membership") == {"role": ["data_scientist", "ml_engineer"]}
    assert kept.reason == "grown"
    assert membership_of(team.scientist, team.project).role == ENGINEER


def test_changing_a_role_to_itself_changes_nothing(team):
    membership = membership_of(team.scientist, team.project)
    assert events_since(lambda: change_role(team.manager, membership, role=SCIENTIST)) == []


def test_an_auditors_role_is_not_a_managers_to_change(team):
    with pytest.raises(Refused):
        change_role(team.manager, membership_of(team.auditor, team.project), role=SCIENTIST)
    with pytest.raises(Refused):
        change_role(team.manager, membership_of(team.scientist, team.project), role=AUDITOR)
    with pytest.raises(Refused):
        remove_member(team.manager, membership_of(team.auditor, team.project))


def test_a_role_that_is_held_already_is_not_given_by_a_change(team):
    add_member(team.manager, team.project, role=ENGINEER, user=user_of(team.scientist))
    scientist = Membership.objects.get(user_id=team.scientist.user_id, role=SCIENTIST)
    with pytest.raises(AlreadyExists):
        change_role(team.manager, scientist, role=ENGINEER)


def test_nobody_changes_or_drops_their_own_role(team):
    mine = membership_of(team.manager, team.project)
    with pytest.raises(Refused, match="own role"):
        change_role(team.manager, mine, role=ENGINEER)
    with pytest.raises(Refused, match="own role"):
        remove_member(team.manager, mine)


def test_nobody_gives_themselves_a_role_by_a_group_that_they_are_in(team):
    ours = a_group(team.manager, team.administrator)
    with pytest.raises(Refused, match="own role"):
        add_member(team.manager, team.project, role=SCIENTIST, group=ours)
    with pytest.raises(Refused, match="own role"):
        appoint_member(team.administrator, team.project, role=MANAGER, group=ours)
    given = join(team.project, ours, SCIENTIST)
    with pytest.raises(Refused, match="own role"):
        change_role(team.manager, given, role=ENGINEER)
    with pytest.raises(Refused, match="own role"):
        remove_member(team.manager, given)
    assert not can(again(team.administrator), "members.manage", team.project)


def test_an_administrator_does_not_join_a_group_that_reads_a_project(team):
    readers = a_group()
    join(team.project, readers, SCIENTIST)
    with pytest.raises(Refused, match="puts themselves into a group"):
        add_to_group(team.administrator, group=readers, user=user_of(team.administrator))
    assert not can(again(team.administrator), "experiments.see", team.project)


def test_a_project_keeps_one_manager(team):
    mine = membership_of(team.manager, team.project)
    everywhere = a_person(site_role=MANAGER)
    with pytest.raises(Conflict, match="at least one manager"):
        remove_member(everywhere, mine)
    with pytest.raises(Conflict, match="at least one manager"):
        change_role(everywhere, mine, role=ENGINEER)
    with pytest.raises(Conflict, match="at least one manager"):
        dismiss_member(team.administrator, mine)


def test_a_removed_member_sees_nothing_from_the_next_request_on(team):
    remove_member(team.manager, membership_of(team.scientist, team.project), reason="moved on")
    with pytest.raises(NotFound):
        find_project(again(team.scientist), team.project.slug)


def test_removing_somebody_is_an_event_that_says_what_they_had(team):
    membership = membership_of(team.scientist, team.project)
    (kept,) = events_since(lambda: remove_member(team.manager, membership))
    assert kept.changed("accounts.membership")["role"] == ["data_scientist", None]


def test_an_administrator_dismisses_auditors_and_managers(team):
    join(team.project, a_person(), MANAGER)
    dismiss_member(team.administrator, membership_of(team.manager, team.project), reason="left")
    dismiss_member(team.administrator, membership_of(team.auditor, team.project), reason="left")
    with pytest.raises(Refused):
        dismiss_member(team.administrator, membership_of(team.scientist, team.project))


def test_others_remove_nobody(team, outsider):
    membership = membership_of(team.scientist, team.project)
    for actor in (team.engineer, team.auditor, team.administrator):
        with pytest.raises(Refused):
            remove_member(actor, membership)
    with pytest.raises(NotFound):
        remove_member(outsider, membership)
    with pytest.raises(Refused):
        dismiss_member(team.manager, membership_of(team.auditor, team.project))


# --- Reading


def test_members_are_listed_for_members_only(team, outsider):
    assert {row.user_id for row in members_of(team.auditor, team.project)} == {
        person.user_id for person in (team.scientist, team.engineer, team.manager, team.auditor)
    }
    assert list(members_of(outsider, team.project)) == []


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("scientist", SCIENTIST),
        ("Data-Scientist", SCIENTIST),
        ("ml engineer", ENGINEER),
        ("engineer", ENGINEER),
        ("manager", MANAGER),
        ("AUDITOR", AUDITOR),
        ("admin", Role.ADMINISTRATOR),
    ],
)
def test_roles_are_understood_as_people_say_them(text, role):
    assert parsed_role(text) is role


def test_a_word_that_is_no_role_is_refused_with_those_there_are():
    with pytest.raises(Invalid) as refused:
        parsed_role("king")
    assert "data_scientist" in refused.value.hint
