"""What a process keeps of people and rights: read once, and given up at the first change of anybody's rights."""

import pytest
from django.db import transaction

from accounts.access import can, find_project, roles_in
from accounts.actions.members import remove_member
from accounts.actions.projects import edit_project
from accounts.actions.tokens import revoke_token
from accounts.actions.users import deactivate_user
from accounts.authentication import actor_for_token
from accounts.facts import facts
from accounts.models import Membership
from accounts.roles import Role
from audit.ledger.acting import acting
from kernel.actor import Door, operator
from kernel.errors import Conflict, Unauthenticated
from tests.factories import a_member, a_project, a_token, a_user, acting_as, user_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return a_project()


@pytest.fixture
def ada(project):
    return a_member(project)


@pytest.fixture
def secret(ada):
    return a_token(ada)[1]


def request_with(secret, project):
    """What each call of a script asks first."""
    actor = actor_for_token(secret, Door.MLFLOW)
    return find_project(actor, project.slug), roles_in(actor, project.pk)


def test_a_second_request_reads_one_stamp_and_nothing_else(secret, project, django_assert_num_queries):
    request_with(secret, project)
    with django_assert_num_queries(1):
        found, roles = request_with(secret, project)
    assert found == project
    assert roles == {Role.DATA_SCIENTIST}


def test_a_role_that_was_taken_away_is_gone_at_the_next_request(secret, ada, project):
    request_with(secret, project)
    remove_member(operator(), Membership.objects.get(user_id=ada.user_id, project=project))
    assert not can(actor_for_token(secret, Door.MLFLOW), "experiments.log_run", project)


def test_a_revoked_token_is_dead_at_the_next_request(ada, project):
    token, secret = a_token(ada)
    request_with(secret, project)
    revoke_token(ada, token=token)
    with pytest.raises(Unauthenticated):
        actor_for_token(secret, Door.MLFLOW)


def test_a_deactivated_owner_is_out_at_the_next_request(secret, ada, project):
    request_with(secret, project)
    deactivate_user(operator(), user=user_of(ada), reason="left")
    with pytest.raises(Unauthenticated):
        actor_for_token(secret, Door.MLFLOW)


def test_a_renamed_project_has_its_new_name_at_the_next_request(secret, project):
    request_with(secret, project)
    edit_project(operator(), project, name="Another name")
    assert request_with(secret, project)[0].name == "Another name"


def test_what_was_read_inside_a_change_that_was_rolled_back_is_not_kept(secret, ada, project):
    request_with(secret, project)
    with transaction.atomic():
        remove_member(operator(), Membership.objects.get(user_id=ada.user_id, project=project))
        assert request_with_role(secret, project) == set()
        transaction.set_rollback(True)
    assert request_with_role(secret, project) == {Role.DATA_SCIENTIST}


def test_a_role_that_an_act_gave_and_took_back_is_not_kept(project):
    nils = a_user("Nils")

    def give_in_vain():
        with acting(operator(), "test.given_in_vain"):
            Membership(project=project, user=nils, role=Role.DATA_SCIENTIST).save()
            assert roles_in(acting_as(nils), project.pk) == {Role.DATA_SCIENTIST}
            raise Conflict("Somebody else was first.")

    with pytest.raises(Conflict):
        give_in_vain()
    assert roles_in(acting_as(nils), project.pk) == set()


def request_with_role(secret, project):
    return roles_in(actor_for_token(secret, Door.MLFLOW), project.pk)


def test_rows_changed_by_hand_count_after_a_minute_at_the_latest(secret, project, monkeypatch):
    request_with(secret, project)
    kept = facts()
    monkeypatch.setattr("accounts.facts.time.monotonic", lambda: kept.since + 61)
    assert facts() is not kept
