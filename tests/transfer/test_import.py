"""An archive comes in whole: the same values under new or the same ids, once, and compared at the end."""

from __future__ import annotations

import pytest

from accounts.actions.governance import govern_project
from experiments.actions.runs import update_run
from experiments.models import Comment, Param, Run, RunTag
from experiments.values import RunStatus
from kernel.actor import operator
from registry.actions.aliases import set_alias
from registry.actions.links import log_outputs, log_run_inputs
from registry.actions.logged_models import create_logged_model, finalize_logged_model
from registry.actions.registered_models import create_registered_model
from registry.actions.versions import create_version
from registry.models import ModelAlias
from tests.factories import a_batch, a_project, a_run, a_team, an_experiment, log_batch
from tests.transfer.moving import content, exported, imported
from tests.transfer.projects import a_rich_project
from transfer.models import Moved, Transfer


def test_an_empty_mled_holds_the_same_afterwards_and_exports_the_same_digest(databases, django_db_blocker):
    """Under the same ids, with the same members to the byte; and a second import of it brings nothing."""
    with django_db_blocker.unblock(), databases.committed():
        rich = a_rich_project(long=100_000)
        first = exported(rich.team.manager, rich.team.project, with_log=True)
        archive, readable_id = content(first), rich.child.readable_id
        assert first.state == "done", first.failure
        assert first.counts["points"] == 100_014
    with django_db_blocker.unblock(), databases.committed():
        project = a_project()
        done = imported(operator(), project, archive)
        assert (done.state, done.problems, done.digest) == ("done", [], first.digest), done.failure
        again = exported(operator(), project)
        assert again.digest == first.digest
        assert again.counts == first.counts
        child = Run.objects.get(uid=rich.child.uid)
        assert child.parent.uid == rich.parent.uid
        assert RunTag.objects.get(run=child, key="mled.import.author").value == "Ada"
        assert RunTag.objects.get(run=child, key="mled.import.id").value == readable_id
        assert Comment.objects.get(run=child, text__startswith="> Written by Mona on 20").created_by is None
        twice = imported(operator(), project, archive)
        assert (twice.state, twice.problems) == ("done", [])
        assert {kind: told["new"] for kind, told in twice.counts.items() if isinstance(told, dict)} == dict.fromkeys(
            (kind for kind, told in twice.counts.items() if isinstance(told, dict)), 0
        )
        assert exported(operator(), project).digest == first.digest


@pytest.mark.django_db
def test_everything_comes_in_beside_the_original_under_new_ids():
    rich = a_rich_project()
    before = exported(rich.team.scientist, rich.team.project)
    archive = content(before)
    other = a_team()
    foreseen = imported(other.scientist, other.project, archive, dry_run=True)
    assert (foreseen.state, foreseen.problems) == ("done", []), foreseen.failure
    assert foreseen.counts["runs"] == {"held": 4, "new": 4, "there": 0, "refused": 0}
    assert not Run.objects.filter(project=other.project).exists()
    assert not Moved.objects.filter(project=other.project).exists()
    done = imported(other.scientist, other.project, archive)
    assert (done.state, done.problems) == ("done", []), done.failure
    assert done.counts == foreseen.counts
    assert done.digest == before.digest
    child = Run.objects.get(project=other.project, name="child")
    assert child.uid != rich.child.uid
    assert child.parent == Run.objects.get(project=other.project, name__startswith="parent")
    assert child.created_by_id == other.scientist.user_id
    assert Transfer.objects.filter(project=rich.team.project, kind="archive").count() == 0


@pytest.mark.django_db
def test_what_a_run_cannot_be_linked_with_is_told_and_the_rest_of_it_comes():
    """Part of a project whose run used a model of another experiment; a protected alias beside a free one."""
    team, other = a_team(), a_team()
    one, two = an_experiment(team.scientist, name="one"), an_experiment(team.scientist, name="two")
    model = create_logged_model(team.scientist, two, name="base")
    finalize_logged_model(team.scientist, model, status="READY")
    run = a_run(team.scientist, name="tuned", experiment=one)
    log_batch(team.scientist, run, batch=a_batch(loss=[2, 1], params={"lr": "0.1"}))
    log_run_inputs(team.scientist, run, models=[model])
    log_outputs(team.scientist, run, outputs=[(model, 3)])
    update_run(team.scientist, run, status=RunStatus.FINISHED, ended_ms=1_800_000_000_000)
    net = create_registered_model(team.scientist, team.project, name="net")
    version = create_version(team.scientist, net, source="s3://elsewhere/net")
    for alias in ("best", "production"):
        set_alias(team.scientist, net, alias=alias, version=version)
    archive = content(exported(team.scientist, team.project, experiments=[one.pk]))
    whole = content(exported(team.scientist, team.project))

    done = imported(other.scientist, other.project, archive)
    here = Run.objects.get(project=other.project, name="tuned")
    assert (here.status, Param.objects.get(run=here).value) == ("FINISHED", "0.1")
    assert str(done.problems).count(f"Its logged model '{model.model_id}' is not here.") == 2
    governed = a_team()
    govern_project(operator(), governed.project, is_governed=True, protected_names=["production"])
    done = imported(governed.engineer, governed.project, whole)
    assert "'production' is protected" in str(done.problems)
    names = ModelAlias.objects.filter(model__project=governed.project).values_list("name", flat=True)
    assert list(names) == ["best"]
