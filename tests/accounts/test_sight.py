"""`can` asks about one object, `visible_to` about all of them in SQL: in any world both give the same answer."""

from __future__ import annotations

import dataclasses
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.apps import apps
from django.db import transaction
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from accounts.access import can, can_see
from accounts.models import Membership, Project, ProjectUserObjectPermission, User
from accounts.roles import Role, Scope
from accounts.scoping import ProjectScoped
from audit.ledger.acting import acting
from boards.models import ReaderPass
from experiments.models import Experiment, ExperimentUserObjectPermission, Run
from kernel.actor import Actor, ActorKind, ClaimGrant, Door, TokenGrant, anonymous, operator, system
from tests.factories import (
    a_group,
    a_person,
    a_project,
    a_quota,
    a_run,
    a_team,
    acting_as,
    again,
    default_experiment,
    everything,
    join,
    user_of,
    with_token,
)


def scoped_models() -> list[type[ProjectScoped]]:
    """Every table whose rows belong to a project."""
    return [model for model in apps.get_models() if issubclass(model, ProjectScoped)]


@dataclasses.dataclass
class World:
    projects: list[Project]
    experiments: list[Experiment]
    users: list[User]
    groups: list[Any]
    rows: dict[type[ProjectScoped], list[ProjectScoped]]


@pytest.fixture
def world(db) -> World:
    """Three projects with something in every table, and people whose roles are drawn anew for each example."""
    projects = [a_project() for _ in range(3)]
    experiments = [everything(operator(), project, "thing").experiment for project in projects]
    for project in projects:
        a_quota(project)
    people = [a_person() for _ in range(4)]
    groups = [a_group(people[0], people[1]), a_group(people[1], people[2])]
    join(projects[0], people[3], Role.PROJECT_MANAGER)
    rows = {model: list(model.objects.all()) for model in scoped_models()}
    return World(projects, experiments, [user_of(person) for person in people], groups, rows)


ROLES = st.tuples(
    st.integers(0, 5),  # four users, two groups
    st.integers(0, 3),  # three projects, or the whole site
    st.sampled_from(list(Role)),
)
TOKENS = st.none() | st.tuples(
    st.frozensets(st.sampled_from(list(Scope))),
    st.none() | st.frozensets(st.integers(0, 3)),
)


@dataclasses.dataclass(frozen=True)
class Drawn:
    """A state of all rights. Numbers are places in the world's lists; project 3 is the whole site or a stranger's."""

    roles: list[tuple[int, int, Role]]
    project_grants: list[tuple[int, int]]
    experiment_grants: list[tuple[int, int]]
    inactive: frozenset[int]
    tokens: list[Any]
    boards: frozenset[int]
    claims: list[int | None]


DRAWN = st.builds(
    Drawn,
    roles=st.lists(ROLES, max_size=6, unique=True),
    project_grants=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=3, unique=True),
    experiment_grants=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=3, unique=True),
    inactive=st.frozensets(st.integers(0, 3), max_size=1),
    tokens=st.lists(TOKENS, min_size=4, max_size=4),
    boards=st.frozensets(st.integers(0, 2), max_size=2),
    claims=st.lists(st.none() | st.integers(0, 2), min_size=5, max_size=5),
)


def bring_about(world: World, drawn: Drawn) -> None:
    """The rights as drawn, whether or not anybody could give them: reading must agree in any state."""
    with acting(system(), "test.rights"):
        for place in drawn.boards:
            project = Project.objects.get(pk=world.projects[place].pk)
            project.visibility = Project.Visibility.BOARD
            project.save()
        for holder, place, role in drawn.roles:
            who = {"user": world.users[holder]} if holder < 4 else {"group": world.groups[holder - 4]}
            where = world.projects[place] if place < 3 else None
            if not Membership.objects.filter(project=where, role=role, **who).exists():
                Membership(project=where, role=role, **who).save()
        for user, project in drawn.project_grants:
            ProjectUserObjectPermission.objects.assign_perm("view_project", world.users[user], world.projects[project])
        for user, place in drawn.experiment_grants:
            ExperimentUserObjectPermission.objects.assign_perm(
                "view_experiment", world.users[user], world.experiments[place]
            )


def viewers(world: World, drawn: Drawn) -> list[Actor]:
    found = []
    for number, (user, token) in enumerate(zip(world.users, drawn.tokens, strict=True)):
        person = holding(world, drawn.claims[number], acting_as(user))
        person = dataclasses.replace(person, is_active=number not in drawn.inactive)
        found.append(person)
        if token is not None:
            scopes, places = token
            projects = None if places is None else frozenset(_id(world, place) for place in places)
            grant = TokenGrant(uuid4(), "drawn", frozenset(scope.value for scope in scopes), projects, None)
            found.append(dataclasses.replace(person, token=grant, memo={}))
    return [*found, holding(world, drawn.claims[4], anonymous(Door.WEB)), anonymous(Door.WEB), operator()]


def holding(world: World, place: int | None, actor: Actor) -> Actor:
    """The actor with the claim token that gave an entry to the board of this project."""
    if place is None:
        return actor
    claim = ReaderPass.objects.get(board__project=world.projects[place])
    kind = ActorKind.GUEST if actor.kind is ActorKind.ANONYMOUS else actor.kind
    grant = ClaimGrant(claim.pk, world.projects[place].pk, claim.digest)
    return dataclasses.replace(actor, kind=kind, claim=grant, memo={})


def _id(world: World, place: int) -> UUID:
    return world.projects[place].pk if place < 3 else uuid4()


def test_every_table_of_a_project_has_rows_to_ask_about(world):
    assert {model for model, rows in world.rows.items() if not rows} == set()
    for model, rows in world.rows.items():
        if model is not Membership:
            assert {row.scope_project_id for row in rows} == {project.pk for project in world.projects}, model


def test_can_and_visible_to_agree_in_every_world(world):
    @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(drawn=DRAWN)
    def agree(drawn: Drawn) -> None:
        with transaction.atomic():
            bring_about(world, drawn)
            rows = {**world.rows, Membership: list(Membership.objects.all())}
            for viewer in viewers(world, drawn):
                for model, some in rows.items():
                    asked_singly = {row.pk for row in some if can(viewer, model.see_permission, row)}
                    asked_at_once = set(visible_anew(viewer, model))
                    assert asked_at_once == asked_singly, f"{model.__name__} for {viewer}"
                    assert {row.pk for row in some if can_see(viewer, row)} == asked_singly
                    event(f"{model.__name__}: {len(asked_singly) > 0}")
            transaction.set_rollback(True)

    agree()


def visible_anew(viewer: Actor, model: type[ProjectScoped]) -> list[Any]:
    """What `visible_to` gives in a request that knows nothing yet."""
    fresh = dataclasses.replace(viewer, memo={})
    return list(model.objects.visible_to(fresh).values_list("pk", flat=True))


# --- Some of these worlds by name


def seen_runs(viewer: Actor) -> set[str]:
    return {run.name for run in Run.objects.visible_to(again(viewer))}


@pytest.mark.django_db
def test_a_grant_on_one_experiment_shows_its_runs_and_no_others():
    team, guest = a_team(), a_person()
    shown, _ = everything(team.scientist, team.project), a_run(team.scientist)
    with acting(system(), "test.grant"):
        ExperimentUserObjectPermission.objects.assign_perm("view_experiment", user_of(guest), shown.experiment)
    assert seen_runs(guest) == {"secret run"}
    assert not can(again(guest), "experiments.log_run", shown.run)
    assert not can(again(guest), "projects.see", team.project)


@pytest.mark.django_db
def test_a_token_shows_what_a_grant_opened_only_where_its_list_reaches():
    team, guest, elsewhere = a_team(), a_person(), a_project()
    shown = everything(team.scientist, team.project)
    with acting(system(), "test.grant"):
        ExperimentUserObjectPermission.objects.assign_perm("view_experiment", user_of(guest), shown.experiment)
    for projects, seen in ((None, True), ([team.project], True), ([elsewhere], False), ([], False)):
        viewer = with_token(guest, projects=projects)
        assert ("secret run" in seen_runs(viewer)) is seen
        assert bool(can(viewer, "experiments.see", shown.run)) is seen


@pytest.mark.django_db
def test_a_token_shows_a_project_that_a_grant_opened_only_where_its_list_reaches():
    team, guest, elsewhere = a_team(), a_person(), a_project()
    with acting(system(), "test.grant"):
        ProjectUserObjectPermission.objects.assign_perm("view_project", user_of(guest), team.project)
    for projects, seen in ((None, True), ([team.project], True), ([elsewhere], False)):
        viewer = with_token(guest, projects=projects)
        assert (team.project in Project.objects.visible_to(viewer)) is seen
        assert bool(can(viewer, "projects.see", team.project)) is seen


@pytest.mark.django_db
def test_a_role_on_the_site_is_not_among_the_members_that_a_token_for_one_project_shows():
    team, auditor = a_team(), a_person(site_role=Role.AUDITOR)
    everywhere, here = with_token(auditor), with_token(auditor, projects=[team.project])
    site_wide = Membership.objects.get(user_id=auditor.user_id)
    assert can(everywhere, "projects.see", site_wide)
    assert site_wide in Membership.objects.visible_to(everywhere)
    assert not can(here, "projects.see", site_wide)
    assert site_wide not in Membership.objects.visible_to(here)


@pytest.mark.django_db
def test_an_administrator_sees_projects_and_none_of_their_runs():
    team = a_team()
    a_run(team.scientist)
    assert seen_runs(team.administrator) == set()
    assert team.project in Project.objects.visible_to(team.administrator)


@pytest.mark.django_db
def test_an_auditor_of_the_site_reads_every_project_and_writes_in_none():
    team, auditor = a_team(), a_person(site_role=Role.AUDITOR)
    run = a_run(team.scientist, name="seen")
    assert "seen" in seen_runs(auditor)
    assert not can(auditor, "experiments.log_run", run)


@pytest.mark.django_db
def test_one_request_asks_for_its_rights_once(django_assert_max_num_queries):
    team = a_team()
    runs = [a_run(team.scientist) for _ in range(5)]
    viewer = again(team.scientist)
    place = default_experiment(team.project)
    with django_assert_max_num_queries(1):
        assert all(can(viewer, "experiments.log_run", run) for run in runs)
        assert can(viewer, "experiments.create", place)
