"""Who can see or do what in a project and why: the table, what is wrong with it, and signing it off."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actions.members import change_role, remove_member
from accounts.actions.projects import grant_sight
from accounts.actions.tokens import revoke_others_token
from accounts.actions.users import deactivate_user
from accounts.models import ApiToken, Group, Membership, User
from accounts.roles import PERMISSIONS, THE_TABLE, Role
from audit.compliance.access_table import (
    PersonAccess,
    as_table,
    digest_of_grants,
    digest_of_table,
    due_at,
    is_dormant,
    notes_on,
    since_sign_off,
)
from audit.compliance.actions.access import review_access
from audit.compliance.models import AccessReview
from audit.compliance.queries.access import access_of, get_sign_off, sign_offs
from audit.compliance.rights import Area, Extent, area_of, extent_of, project_permissions, rights_of
from experiments.actions.experiments import grant_access
from kernel.actor import operator
from kernel.clock import now
from kernel.errors import Conflict, Invalid, NotFound, Refused
from tests.factories import (
    a_group,
    a_person,
    a_team,
    a_token,
    a_user,
    again,
    an_experiment,
    events_since,
    join,
    user_of,
    with_token,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    return a_team()


def of(people: list[PersonAccess], who) -> PersonAccess:
    user = who if isinstance(who, User) else user_of(who)
    (found,) = [one for one in people if one.user.pk == user.pk]
    return found


def may(person: PersonAccess, area: Area) -> dict[str, Extent]:
    (found,) = [one for one in person.rights if one.area is area]
    return {one.permission: one.extent for one in found.rights}


# --- Rights in words


def test_every_right_of_a_project_is_one_kind_of_work_and_goes_as_far_as_the_role_table_says():
    named = [right.permission for area in rights_of(list(Role)) for right in area.rights]
    assert sorted(named) == sorted(set(project_permissions()) & {name for held in THE_TABLE.values() for name in held})
    assert {area_of(name) for name in project_permissions()} == set(Area)
    assert not any(PERMISSIONS[name].site for name in project_permissions())
    assert extent_of([Role.DATA_SCIENTIST], "compliance.submit") is Extent.OWN
    assert extent_of([Role.PROJECT_MANAGER], "experiments.delete_run") is Extent.REASON
    assert extent_of([Role.DATA_SCIENTIST, Role.ML_ENGINEER], "experiments.lock_run") is Extent.ALL
    assert extent_of([Role.AUDITOR], "experiments.log_run") is None
    assert extent_of([], "experiments.see", sees_experiments=True) is Extent.ONE
    assert extent_of([], "experiments.log_run", sees_project=True) is None


def test_an_area_is_said_in_a_word_or_two():
    words = {area.area: area.words for area in rights_of([Role.AUDITOR])}
    assert words[Area.REVIEWS] == "all"
    assert words[Area.LOGS] == "no"
    assert words[Area.READS].endswith(f"of {len([n for n in project_permissions() if area_of(n) is Area.READS])}")
    guest = {area.area: area.words for area in rights_of([], sees_experiments=True)}
    assert guest[Area.READS] == "one experiment"


# --- Who and why


def test_each_person_stands_there_once_with_every_way_they_came_to_their_rights(team):
    grace, guest, peeker = a_person("Grace"), a_person("Gus"), a_person("Pip")
    site_auditor, root = a_person("Olga", site_role=Role.AUDITOR), a_person("Rob", site_role=Role.ADMINISTRATOR)
    group = a_group(grace, team.scientist, name="platform-" + team.project.slug)
    join(team.project, Group.objects.get(pk=group.pk), Role.ML_ENGINEER)
    grant_sight(team.manager, team.project, user=user_of(guest))
    alarms = an_experiment(team.scientist, team.project, name="alarms")
    grant_access(team.manager, alarms, user=user_of(peeker))
    people = access_of(team.auditor, team.project)
    assert len({one.user.pk for one in people}) == len(people)
    ada = of(people, team.scientist)
    assert [way.words for way in ada.ways] == ["Data scientist", f"ML engineer, by group {group.name}"]
    assert may(ada, Area.LOGS)["experiments.log_run"] is Extent.ALL
    assert [way.words for way in of(people, grace).ways] == [f"ML engineer, by group {group.name}"]
    assert may(of(people, guest), Area.READS)["experiments.see"] is Extent.ALL
    assert not may(of(people, guest), Area.LOGS)
    assert [way.words for way in of(people, peeker).ways] == ["Guest: sees alarms"]
    assert may(of(people, peeker), Area.READS) == {
        "experiments.see": Extent.ONE, "experiments.download": Extent.ONE,
    }  # fmt: skip
    assert of(people, site_auditor).ways[0].words == "Auditor, on the whole site"
    assert not may(of(people, root), Area.REVIEWS)
    assert a_person("Stranger").user_id not in {one.user.pk for one in people}


def test_since_when_and_by_whom_is_what_the_log_says(team):
    member = join(team.project, a_person("Nia"), Role.DATA_SCIENTIST)
    change_role(again(team.manager), member, role=Role.ML_ENGINEER)
    (way,) = of(access_of(team.manager, team.project), member.user).ways
    assert way.by == team.manager.user_id.hex
    assert way.since > member.since_at
    guest = a_person("Gus")
    grant_sight(operator(), team.project, user=user_of(guest))
    assert of(access_of(team.manager, team.project), guest).ways[0].by == "operator"


def test_only_managers_and_auditors_see_it_and_strangers_do_not_learn_that_there_is_a_project(team):
    for person in (team.scientist, team.engineer, team.administrator):
        with pytest.raises(Refused):
            access_of(person, team.project)
    with pytest.raises(NotFound):
        access_of(a_person(), team.project)
    assert access_of(with_token(team.auditor, scopes=("read",)), team.project)


def test_tokens_are_shown_to_auditors_and_those_of_service_accounts_to_managers_too(team):
    robot = a_user("ci-trainer", is_service=True)
    join(team.project, robot, Role.DATA_SCIENTIST)
    a_token(robot, name="nightly")
    mine, _ = a_token(user_of(team.scientist), name="laptop")
    elsewhere = a_team()
    a_token(user_of(team.scientist), name="other project", projects=[elsewhere.project])
    seen = of(access_of(team.auditor, team.project), team.scientist)
    assert [one.name for one in seen.tokens] == ["laptop"]
    assert not hasattr(seen.tokens[0], "digest")
    by_manager = access_of(team.manager, team.project)
    assert of(by_manager, team.scientist).tokens == ()
    assert of(by_manager, team.scientist).hidden_tokens == 1
    assert [one.name for one in of(by_manager, robot).tokens] == ["nightly"]
    revoke_others_token(team.administrator, token=mine, reason="lost")
    assert of(access_of(team.auditor, team.project), team.scientist).token_ids == ()


def test_an_account_that_nobody_used_for_ninety_days_is_dormant_until_a_token_is_used(team):
    long_ago, user = now() - dt.timedelta(days=91), user_of(team.scientist)
    assert not of(access_of(team.auditor, team.project), user).is_dormant  # made just now
    assert is_dormant(User(joined_at=long_ago), None)
    user.last_login = long_ago
    user.save()
    person = of(access_of(team.auditor, team.project), user)
    assert (person.is_dormant, person.last_seen_at) == (True, long_ago)
    token = ApiToken.objects.get(pk=a_token(user, name="used")[0].pk)
    token.last_used_at = now()
    token.save()
    assert not of(access_of(team.auditor, team.project), user).is_dormant


def test_what_is_wrong_with_rights_is_said(team):
    robot = a_user("robot", is_service=True)
    join(team.project, robot, Role.PROJECT_MANAGER)
    join(team.project, a_person("Ida"), Role.PROJECT_MANAGER)
    deactivate_user(team.administrator, user=user_of(team.engineer), reason="left")
    people = access_of(team.auditor, team.project)
    assert of(people, robot).conflicts == ("A service account decides about people or verdicts.",)
    assert of(people, team.engineer).conflicts == ("The account is deactivated, yet its roles still stand.",)
    assert not any(area.rights for area in of(people, team.engineer).rights)
    assert notes_on(people, team.project) == ["3 people manage the project; 2 are enough."]
    assert of(people, team.scientist).conflicts == ()
    assert "Nobody manages the project." in notes_on([of(people, team.scientist)], team.project)


def test_the_questions_to_the_database_do_not_grow_with_the_people(team):
    def asked() -> int:
        with CaptureQueriesContext(connection) as found:
            access_of(again(team.auditor), team.project)
        return len(found)

    before = asked()
    for number in range(4):
        person = a_person(f"P{number}")
        join(team.project, person, Role.DATA_SCIENTIST)
        a_token(person)
    assert asked() == before


# --- Signing off


def test_a_sign_off_keeps_the_table_by_ids_and_its_digest_and_is_on_record(team):
    seen = digest_of_grants(as_table(access_of(team.manager, team.project)))
    (kept,) = events_since(lambda: review_access(team.manager, team.project, note=" All as it should be. ", seen=seen))
    assert kept.verb == "compliance.review_access"
    review = AccessReview.objects.get(project=team.project)
    assert review.note == "All as it should be."
    assert review.digest == digest_of_table(review.table)
    assert {row["user"] for row in review.table} >= {team.scientist.user_id.hex, team.auditor.user_id.hex}
    assert user_of(team.scientist).email not in str(review.table)
    assert user_of(team.scientist).name not in str(review.table)
    assert get_sign_off(team.auditor, team.project, review.pk) == review
    assert due_at(team.project, review) - review.at == dt.timedelta(days=90)
    assert due_at(team.project, None) - team.project.created_at == dt.timedelta(days=90)


def test_signing_off_needs_a_note_the_right_and_rights_as_they_were_seen(team):
    seen = digest_of_grants(as_table(access_of(team.auditor, team.project)))
    with pytest.raises(Invalid):
        review_access(team.auditor, team.project, note="  ")
    with pytest.raises(Refused):
        review_access(team.scientist, team.project, note="Fine.")
    with pytest.raises(NotFound):
        review_access(a_person(), team.project, note="Fine.")
    with pytest.raises(Refused):
        review_access(with_token(team.auditor, scopes=("read", "manage")), team.project, note="Fine.")
    join(team.project, a_person("Late"), Role.DATA_SCIENTIST)
    with pytest.raises(Conflict):
        review_access(team.auditor, team.project, note="Fine.", seen=seen)
    assert not AccessReview.objects.filter(project=team.project).exists()


def test_what_came_and_went_since_the_last_sign_off_is_marked(team):
    review_access(team.auditor, team.project, note="Fine.")
    last = sign_offs(team.auditor, team.project)[0]
    assert since_sign_off(access_of(team.auditor, team.project), last).count == 0
    assert since_sign_off(access_of(team.auditor, team.project), None).count == 0
    newcomer = a_person("Nia")
    join(team.project, newcomer, Role.DATA_SCIENTIST)
    a_token(team.scientist)
    member = Membership.objects.get(project=team.project, user=team.engineer.user_id)
    remove_member(team.manager, member)
    manager_too = join(team.project, a_person("Ida"), Role.PROJECT_MANAGER)
    since = since_sign_off(access_of(team.auditor, team.project), last)
    assert since.by_user == {
        newcomer.user_id.hex: ["New."],
        manager_too.user.pk.hex: ["New."],
        team.scientist.user_id.hex: ["1 new token."],
    }
    assert since.gone == [team.engineer.user_id.hex]


def test_a_sign_off_of_another_project_is_absent(team):
    other = a_team()
    review = review_access(other.auditor, other.project, note="Fine.")
    with pytest.raises(NotFound):
        get_sign_off(team.auditor, team.project, review.pk)
