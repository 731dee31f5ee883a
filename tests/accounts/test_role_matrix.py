"""Who may do what: the role matrix, row by row, asked of `require` with real people and objects.

yes: allowed. own: only on what one created. why: on others' things only with a reason. no: refused, in words.
404: as if it were not there. 401: who are you?
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction

from accounts.access import can, require
from accounts.decorators import ACTIONS
from accounts.roles import PERMISSIONS, REASON_NEEDED, THE_TABLE, Role
from experiments.models import Run
from kernel.actor import Actor, operator
from kernel.errors import MledError, NotFound, Refused, Unauthenticated
from registry.actions.registered_models import create_registered_model
from registry.actions.versions import create_version
from registry.models import Webhook
from tests.factories import a_person, a_run, a_team, again, an_experiment, join, nobody
from tests.factories_promotions import a_rejected_promotion
from tests.factories_runner import a_job

COLUMNS = ("scientist", "engineer", "manager", "auditor", "administrator", "outsider", "anonymous")

MATRIX = """
    experiments.see               run         yes  yes  yes  yes  404  404  401
    experiments.see               experiment  yes  yes  yes  yes  404  404  401
    experiments.download          run         yes  yes  yes  yes  404  404  401
    experiments.create            project     yes  yes  no   no   no   404  401
    experiments.create            experiment  yes  yes  no   no   404  404  401
    experiments.log_run           run         yes  yes  no   no   404  404  401
    experiments.log_run           experiment  yes  yes  no   no   404  404  401
    experiments.upload            run         yes  yes  no   no   404  404  401
    experiments.edit_notes        run         own  own  no   no   404  404  401
    experiments.lock_run          run         own  yes  why  no   404  404  401
    experiments.move_run          run         own  yes  no   no   404  404  401
    experiments.comment           run         yes  yes  yes  yes  404  404  401
    experiments.remove_comment    run         own  own  why  no   404  404  401
    experiments.star              run         yes  yes  yes  yes  404  404  401
    experiments.delete_run        run         own  own  why  no   404  404  401
    experiments.delete_experiment experiment  own  yes  why  no   404  404  401
    experiments.set_direction     project     yes  yes  yes  no   no   404  401
    experiments.grant_access      experiment  no   no   yes  no   404  404  401
    registry.log_model            experiment  yes  yes  no   no   404  404  401
    projects.see                  project     yes  yes  yes  yes  yes  404  401
    projects.edit                 project     no   no   yes  no   no   404  401
    projects.set_goal             project     no   no   yes  no   no   404  401
    projects.decide               project     no   no   yes  no   no   404  401
    projects.set_quota            project     no   no   no   no   yes  404  401
    experiments.save_view         project     yes  yes  yes  yes  no   404  401
    experiments.set_default_view  project     yes  yes  yes  no   no   404  401
    datasets.register             project     yes  yes  no   no   no   404  401
    datasets.set_alias            project     yes  yes  no   no   no   404  401
    datasets.recall               project     own  yes  yes  no   no   404  401
    registry.register             project     yes  yes  no   no   no   404  401
    registry.delete               project     own  yes  no   no   no   404  401
    registry.set_alias            project     yes  yes  no   no   no   404  401
    registry.ask_promotion        project     yes  yes  no   no   no   404  401
    registry.decide_promotion     project     no   yes  yes  no   no   404  401
    compliance.assess             run         yes  yes  yes  yes  404  404  401
    compliance.except_rule        run         own  yes  yes  no   404  404  401
    compliance.waive              run         no   no   yes  no   404  404  401
    compliance.cosign_waiver      run         no   no   no   yes  404  404  401
    compliance.set_profile        project     no   no   yes  no   no   404  401
    compliance.submit             run         own  own  no   no   404  404  401
    compliance.assign             project     no   no   no   yes  no   404  401
    compliance.decide_review      run         no   no   no   yes  404  404  401
    compliance.find               run         no   no   no   yes  404  404  401
    compliance.answer             run         yes  yes  yes  no   404  404  401
    compliance.review_trail       project     no   no   no   yes  no   404  401
    compliance.report             run         own  yes  yes  yes  404  404  401
    compliance.verified           run         own  yes  yes  yes  404  404  401
    compliance.hold               project     no   no   yes  yes  no   404  401
    compliance.purge_ask          project     no   no   yes  no   no   404  401
    compliance.purge              project     no   no   no   no   yes  404  401
    compliance.see_access         project     no   no   yes  yes  no   404  401
    compliance.review_access      project     no   no   yes  yes  no   404  401
    ledger.erase                  site        no   no   no   no   yes  no   401
    compliance.rehearse           site        no   no   no   no   yes  no   401
    webhooks.see                  project     no   yes  yes  yes  yes  404  401
    webhooks.manage               project     no   yes  yes  no   yes  404  401
    registry.ask_promotion        promotion   yes  yes  no   no   404  404  401
    registry.decide_promotion     promotion   no   yes  yes  no   404  404  401
    webhooks.see                  webhook     404  yes  yes  yes  yes  404  401
    webhooks.manage               webhook     404  yes  yes  no   yes  404  401
    runner.launch                 experiment  yes  yes  no   no   404  404  401
    runner.launch                 project     yes  yes  no   no   no   404  401
    runner.stop                   job         own  yes  no   no   404  404  401
    runner.keep_templates         project     yes  yes  no   no   no   404  401
    runner.set_rules              project     no   no   yes  no   no   404  401
    runner.keep_secrets           project     no   yes  yes  no   no   404  401
    runner.see_secrets            project     yes  yes  yes  yes  no   404  401
    runner.see_workers            project     no   yes  no   no   yes  404  401
    runner.manage_workers         project     no   yes  no   no   yes  404  401
    runner.see_workers            site        no   no   no   no   yes  no   401
    runner.manage_workers         site        no   no   no   no   yes  no   401
    runner.admit_worker           site        no   no   no   no   yes  no   401
    boards.meet                   project     yes  yes  yes  yes  no   404  401
    boards.see                    project     yes  yes  yes  yes  no   404  401
    boards.submit                 project     yes  yes  yes  no   no   404  401
    boards.keep_entry             project     own  own  own  no   no   404  401
    boards.open                   project     no   no   yes  no   no   404  401
    boards.moderate               project     no   no   yes  no   no   404  401
    transfer.see                  project     yes  yes  yes  yes  no   404  401
    transfer.export               project     yes  yes  yes  yes  no   404  401
    transfer.stop                 project     yes  yes  yes  yes  no   404  401
    transfer.bring_in             project     yes  yes  no   no   no   404  401
    projects.create               site        no   no   no   no   yes  no   401
    projects.read_log             project     no   yes  yes  yes  no   404  401
    members.manage                project     no   no   yes  no   no   404  401
    members.appoint               project     no   no   no   no   yes  404  401
    groups.manage                 site        no   no   no   no   yes  no   401
    users.create                  site        no   no   no   no   yes  no   401
    users.deactivate              site        no   no   no   no   yes  no   401
    account.edit                  site        yes  yes  yes  yes  yes  yes  401
    settings.keep                 site        yes  yes  yes  yes  yes  yes  401
    tokens.manage                 site        yes  yes  yes  yes  yes  yes  401
    tokens.revoke_others          site        no   no   no   no   yes  no   401
    console.use                   site        no   no   no   no   yes  no   401
    site.diagnose                 site        no   no   no   no   yes  no   401
    content.keep                  site        no   no   no   no   yes  no   401
    ledger.verify                 site        yes  yes  yes  yes  yes  yes  401
"""
ROWS = [line.split() for line in MATRIX.strip().splitlines()]

# The whole directory is for those who look after the whole site; a project's members are seen by its members.
BEYOND_A_PROJECT = {"users.see": {Role.ADMINISTRATOR, Role.AUDITOR}}


@dataclass(frozen=True)
class World:
    people: dict[str, Actor]
    theirs: dict[str, Any]
    own: dict[tuple[str, str], Any]


@pytest.fixture(scope="module")
def made(databases, django_db_setup, django_db_blocker) -> Iterator[World]:
    """Made once for all rows, and never committed: a question changes nothing."""
    with django_db_blocker.unblock(), databases.committed(), transaction.atomic():
        yield a_world()
        transaction.set_rollback(True)


@pytest.fixture
def world(made: World, django_db_blocker) -> Iterator[World]:
    """The same for each row, everybody in a new request."""
    people = {name: again(actor) for name, actor in made.people.items()}
    with django_db_blocker.unblock(), transaction.atomic():
        yield World(people, made.theirs, made.own)
        transaction.set_rollback(True)


def a_world() -> World:
    """A team; a run and an experiment of somebody else in it; and for each who may, one of their own."""
    team = a_team()
    people = {
        **{name: getattr(team, name) for name in COLUMNS[:5]},
        "outsider": a_person(),
        "anonymous": nobody(),
    }
    experiment = an_experiment(operator(), team.project)
    run = a_run(operator(), experiment)
    registered = create_registered_model(operator(), team.project, name="vitals")
    version = create_version(operator(), registered, source=f"runs:/{run.uid.hex}/model", run=run)
    promotion = a_rejected_promotion(operator(), version, "word")
    theirs = {
        "run": run,
        "experiment": experiment,
        "project": team.project,
        "promotion": promotion,
        "webhook": Webhook.objects.get(project=team.project),
        "job": a_job(operator(), experiment),
        "site": None,
    }
    own: dict[tuple[str, str], Any] = {}
    for name in ("scientist", "engineer"):
        place = an_experiment(people[name])
        own |= {(name, "experiment"): place, (name, "run"): a_run(people[name], place)}
        own[name, "job"] = a_job(people[name], place)
    return World(people, theirs, own)


def asked(actor: Actor, permission: str, subject: Any) -> str:
    try:
        verdict = require(actor, permission, subject)
    except Unauthenticated:
        return "401"
    except NotFound:
        return "404"
    except Refused:
        return "no"
    return "why" if verdict.needs_reason else "yes"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]} on {row[1]}")
def test_the_matrix_holds(world, row):
    permission, kind, *expected = row
    for name, cell in zip(COLUMNS, expected, strict=True):
        answer = asked(world.people[name], permission, world.theirs[kind])
        assert answer == ("no" if cell == "own" else cell), f"{name}: {permission} on somebody's {kind}"
        mine = world.own.get((name, kind))
        if mine is not None and cell in ("own", "yes"):
            assert asked(world.people[name], permission, mine) == "yes", f"{name}: {permission} on their own {kind}"


def test_every_permission_has_its_row():
    assert {row[0] for row in ROWS} | set(BEYOND_A_PROJECT) == set(PERMISSIONS)


def test_the_directory_of_users_is_for_those_who_look_after_the_site():
    for permission, roles in BEYOND_A_PROJECT.items():
        assert {role for role in Role if permission in THE_TABLE[role]} == roles


def test_every_action_asks_for_a_permission_of_the_matrix():
    assert {action.permission for action in ACTIONS.values()} <= {row[0] for row in ROWS}


def test_nobody_holds_a_permission_that_does_not_exist():
    for grants in THE_TABLE.values():
        assert set(grants) <= set(PERMISSIONS)
    assert {permission for _, permission in REASON_NEEDED} <= set(PERMISSIONS)


def test_the_operator_of_the_machine_may_all(world):
    for permission, kind, *_ in ROWS:
        assert asked(operator(), permission, world.theirs[kind]) == "yes"


# --- What a refusal says


@pytest.mark.django_db
def test_a_refusal_names_what_was_asked_the_role_held_and_whom_to_ask():
    team = a_team()
    run = a_run(team.scientist)
    with pytest.raises(Refused) as refused:
        require(team.auditor, "experiments.log_run", run)
    told = refused.value
    assert "create runs or log params, metrics or tags" in told.message
    assert "Auditor" in told.message
    assert "Data scientist or ML engineer" in told.message
    assert told.hint == "Ask a manager of the project, or an administrator."
    with pytest.raises(Refused) as refused:
        require(team.administrator, "projects.read_log", team.project)
    assert refused.value.hint == "Ask somebody who has that role: keeping the system does not bring it."


@pytest.mark.django_db
def test_a_refusal_on_what_others_made_says_just_that():
    team = a_team()
    run = a_run(team.engineer)
    with pytest.raises(Refused, match="As Data scientist you may lock and unlock runs only where you created them"):
        require(team.scientist, "experiments.lock_run", run)


@pytest.mark.django_db
def test_somebody_with_two_roles_is_told_both():
    team = a_team()
    run = a_run(team.engineer)
    join(team.project, team.scientist, Role.ML_ENGINEER)
    with pytest.raises(Refused, match="As Data scientist and ML engineer you may delete"):
        require(again(team.scientist), "experiments.delete_run", run)


@pytest.mark.django_db
def test_a_stranger_learns_nothing_from_a_refusal():
    run = a_run(a_team().scientist)
    with pytest.raises(NotFound) as invisible:
        require(a_person(), "experiments.log_run", run)
    assert run.name not in str(invisible.value)


@pytest.mark.django_db
def test_every_denial_has_words(world):
    for permission, kind, *_ in ROWS:
        for actor in world.people.values():
            verdict = can(actor, permission, world.theirs[kind])
            if not verdict:
                assert isinstance(verdict.error, MledError)
                assert verdict.reason.endswith(".")


def test_a_run_belongs_to_whom_created_it(world):
    run = world.own["scientist", "run"]
    assert isinstance(run, Run)
    assert run.owner_id == world.people["scientist"].user_id
