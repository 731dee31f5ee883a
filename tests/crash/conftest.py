"""Something of everything in a log that is sound, for those who then tamper with it."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings

from accounts.actions.projects import grant_sight
from accounts.roles import Role
from audit.ledger.sequencer import Sequencer
from audit.ledger.verify import verify_ledger
from experiments.actions.experiments import grant_access
from experiments.actions.runs import update_run
from experiments.actions.seals import seal_run
from experiments.values import RunStatus
from kernel.actor import system
from tests.factories import Everything, a_group, a_person, a_quota, a_team, a_token, everything, join, user_of


@pytest.fixture(scope="package")
def stock(
    databases, django_db_setup, django_db_blocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Everything, Path]]:
    """Made once, in a database of this directory's own; what a test does there is rolled back. The path: its data."""
    place, data = databases.committed(), tmp_path_factory.mktemp("stock")
    with django_db_blocker.unblock():
        place.__enter__()
        with override_settings(MLED_DATA=data):
            made = _everything_in_a_log()
    yield made, data
    with django_db_blocker.unblock():
        place.__exit__(None, None, None)


def _everything_in_a_log() -> Everything:
    team = a_team()
    thing = everything(team.scientist, team.project, "leaf")
    a_quota(team.project)
    a_token(team.scientist, projects=[team.project], default_project=team.project)
    guest = a_person("Gus")
    join(team.project, a_group(guest), Role.ML_ENGINEER)
    grant_sight(team.manager, team.project, user=user_of(guest))
    grant_access(team.manager, thing.experiment, user=user_of(guest))
    update_run(team.scientist, thing.run, status=RunStatus.FINISHED)
    seal_run(system(), thing.run)
    Sequencer().run_until_empty()
    findings = verify_ledger()
    assert findings.is_sound, findings.problems
    return thing


@pytest.fixture
def full(stock: tuple[Everything, Path], db, settings, tmp_path: Path) -> Everything:
    """Something of everything, in a log of its own with keys and anchors of its own; the run is sealed."""
    made, data = stock
    settings.MLED_DATA = tmp_path / "data"
    shutil.copytree(data, settings.MLED_DATA)
    return copy.deepcopy(made)
