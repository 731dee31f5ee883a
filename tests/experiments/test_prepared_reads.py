"""Reads that are compiled once give what the same query gives when it is written anew."""

import uuid

import pytest
from django.db.models import Q

from accounts.models import Membership
from experiments.models import Run
from experiments.queries.prepared import Prepared
from experiments.queries.runs import get_run, get_run_to_log
from kernel.errors import NotFound
from tests.factories import a_member, a_project, a_run, a_team

pytestmark = pytest.mark.django_db


def test_each_value_finds_its_own_row() -> None:
    team = a_team()
    runs = [a_run(team.scientist, name=name) for name in "abc"]
    by_uid = Prepared(lambda uid: Run.objects.select_related("project", "created_by").filter(uid=uid), uuid.UUID)
    for _ in range(2):
        for run in runs:
            (found,) = by_uid(run.uid)
            assert (found, found.name, found.project, found.created_by_id) == (
                run, run.name, team.project, team.scientist.user_id,
            )  # fmt: skip
    assert list(by_uid(uuid.uuid4())) == []


def test_a_row_found_so_is_recorded_when_it_changes() -> None:
    team = a_team()
    run = get_run_to_log(team.scientist, a_run(team.scientist).uid.hex, project=team.project)
    assert run._stored["name"] == run.name


def test_values_may_be_read_so_and_stand_in_two_places() -> None:
    team = a_team()

    def memberships(user: uuid.UUID) -> object:
        mine = Q(user_id=user) | Q(group__members__user_id=user)
        return Membership.objects.filter(mine).values_list("project_id", "role")

    prepared = Prepared(memberships, uuid.UUID)  # type: ignore[arg-type]
    for person in (team.scientist, team.manager):
        assert list(prepared(person.user_id)) == [*memberships(person.user_id)]  # type: ignore[misc]


def test_what_has_no_open_value_cannot_be_prepared() -> None:
    with pytest.raises(TypeError):
        list(Prepared(lambda uid: Run.objects.filter(name="x"), uuid.UUID)(uuid.uuid4()))


@pytest.mark.parametrize("read", [get_run, get_run_to_log])
def test_a_run_is_found_by_both_its_ids_in_its_own_project_only(read: object) -> None:
    team, elsewhere = a_team(), a_project()
    run, zoe = a_run(team.scientist), a_member(elsewhere)
    for name in (run.uid.hex, str(run.uid), run.readable_id, run.readable_id.lower()):
        assert read(team.auditor, name, project=team.project) == run  # type: ignore[operator]
        for viewer, project in ((zoe, team.project), (zoe, elsewhere), (team.auditor, elsewhere)):
            with pytest.raises(NotFound):
                read(viewer, name, project=project)  # type: ignore[operator]
