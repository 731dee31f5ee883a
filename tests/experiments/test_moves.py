"""Runs that move to another experiment of their project, with all that is theirs."""

from functools import partial

import pytest

from accounts.actions.members import add_member
from accounts.roles import Role
from audit.ledger.sequencer import Sequencer
from audit.ledger.verify import verify_ledger
from experiments.actions.batches import log_batch
from experiments.actions.experiments import delete_experiment, grant_access
from experiments.actions.moves import move_run
from experiments.actions.runs import create_run, delete_run, lock_run, update_run
from experiments.actions.seals import seal_run
from experiments.metrics.batch import Batch
from experiments.models import Experiment, MetricSeries, Param, Run, RunTag
from experiments.queries.search import search_runs
from experiments.values import RunStatus
from kernel.actor import operator, system
from kernel.errors import Conflict, Invalid, Locked, NotFound, Refused
from registry.actions.logged_models import create_logged_model
from registry.models import LoggedModel
from tests.factories import (
    a_batch,
    a_file,
    a_member,
    a_person,
    a_run,
    a_team,
    again,
    an_experiment,
    events,
    events_since,
    points,
    user_of,
)  # fmt: skip
from tests.together import errors, together


@pytest.fixture
def place(ada) -> Experiment:
    return an_experiment(ada, name="The other place")


@pytest.fixture
def full(ada, run) -> Run:
    log_batch(ada, run, batch=a_batch(loss=[2, 1], params={"lr": "0.1"}, tags={"team": "blue"}))
    a_file(ada, run)
    return update_run(ada, run, status=RunStatus.FINISHED)


def found(viewer, experiment: Experiment, text: str = "") -> list[str]:
    page = search_runs(viewer, experiments=[experiment.pk], text=text, order=["metrics.loss ASC"])
    return [run.name for run in page.rows]


@pytest.fixture(autouse=True)
def data(settings, tmp_path):
    """A log of its own: what is anchored here is not looked for by other tests."""
    settings.MLED_DATA = tmp_path


def test_all_that_is_the_runs_goes_with_it(ada, full, place):
    left = full.experiment
    model = create_logged_model(ada, left, name="m", source_run=full)
    elsewhere = create_logged_model(ada, an_experiment(ada), name="by the same run", source_run=full)
    (kept,) = events_since(lambda: move_run(ada, full, experiment=place, reason="tidying up"))
    assert (kept.verb, kept.reason) == ("experiments.move_run", "tidying up")
    assert kept.subject == f"experiments.run {full.uid.hex}"
    assert kept.changed("experiments.run") == {"experiment_id": [left.pk, place.pk]}
    assert kept.changed("registry.loggedmodel") == {"experiment_id": [left.pk, place.pk]}
    for copies in (MetricSeries, Param, RunTag):
        assert set(copies.objects.filter(run=full).values_list("experiment_id", flat=True)) == {place.pk}
    assert LoggedModel.objects.get(pk=model.pk).experiment_id == place.pk
    assert LoggedModel.objects.get(pk=elsewhere.pk).experiment_id == elsewhere.experiment_id
    asked = "metrics.loss = 1 AND params.lr = '0.1' AND tags.team = 'blue'"
    assert found(ada, place, asked) == ["first try"]
    assert found(ada, left) == []


def test_moving_where_it_is_changes_nothing(ada, full):
    assert events_since(lambda: move_run(ada, full, experiment=full.experiment)) == []


def test_a_seal_says_nothing_of_the_experiment_and_the_ledger_verifies(ada, full, place):
    sealed = seal_run(system(), full)
    moved = move_run(ada, Run.objects.get(pk=full.pk), experiment=place)
    assert moved.seal == sealed.seal != ""
    Sequencer().run_until_empty()
    findings = verify_ledger()
    assert findings.is_sound, findings.problems


def test_nested_runs_stay_and_keep_their_parent(ada, run, place):
    left = run.experiment
    child = create_run(ada, left, tags={"mlflow.parentRunId": run.uid.hex})
    move_run(ada, run, experiment=place)
    child = Run.objects.get(pk=child.pk)
    assert (child.experiment_id, child.parent_id) == (left.pk, run.pk)


def test_who_may_move_what(team, ada, run, place):
    ben = a_member(team.project, name="Ben")
    with pytest.raises(Refused, match="only where you created them"):
        move_run(ben, run, experiment=place)
    for actor in (team.manager, team.auditor):
        with pytest.raises(Refused):
            move_run(actor, run, experiment=place)
    with pytest.raises(NotFound):
        move_run(a_person(), run, experiment=place)
    assert Run.objects.get(pk=run.pk).experiment_id != place.pk
    assert move_run(team.engineer, run, experiment=place).experiment_id == place.pk


def test_a_run_stays_in_its_project(ada, run):
    other = a_team()
    hidden = an_experiment(other.scientist)
    with pytest.raises(NotFound):
        move_run(ada, run, experiment=hidden)
    add_member(operator(), other.project, role=Role.DATA_SCIENTIST, user=user_of(ada))
    with pytest.raises(Invalid, match="belongs to another project"):
        move_run(again(ada), run, experiment=hidden)


def test_locked_and_deleted_things_stay_where_they_are(ada, run, place):
    delete_run(ada, run)
    with pytest.raises(Conflict, match="is deleted"):
        move_run(ada, run, experiment=place)
    locked = a_run(ada)
    lock_run(ada, locked)
    for read in (locked, Run.objects.get(pk=locked.pk)):
        with pytest.raises(Locked):
            move_run(ada, read, experiment=place)
    free = a_run(ada)
    stale = Run.objects.get(pk=free.pk)
    lock_run(ada, free)
    with pytest.raises(Locked):
        move_run(ada, stale, experiment=place)
    delete_experiment(ada, place)
    with pytest.raises(Conflict, match="'The other place' is deleted"):
        move_run(ada, a_run(ada), experiment=place)


def test_files_outside_mled_cannot_follow(ada, run):
    outside = an_experiment(ada, artifact_location="s3://bucket/somewhere")
    with pytest.raises(Conflict, match="lie outside MLED"):
        move_run(ada, run, experiment=outside)
    there = a_run(ada, outside)
    with pytest.raises(Conflict, match="lie outside MLED"):
        move_run(ada, there, experiment=run.experiment)


def test_a_guest_sees_the_runs_of_their_experiment_and_no_other(team, ada, full, place):
    guest = a_person("Gerd")
    grant_access(team.manager, place, user=user_of(guest), reason="a look")
    assert found(guest, place) == []
    move_run(ada, full, experiment=place)
    assert found(again(guest), place, "params.lr = 0.1") == ["first try"]
    move_run(ada, full, experiment=an_experiment(ada))
    assert found(again(guest), place) == []
    assert not Param.objects.visible_to(again(guest)).exists()


@pytest.fixture
def busy(committed_db):
    return a_team()


def test_batches_logged_meanwhile_arrive_where_the_run_is(busy):
    ada = busy.scientist
    run = a_run(ada)
    home, away = run.experiment, an_experiment(ada)

    def log(writer: int) -> None:
        mine = Run.objects.get(pk=run.pk)  # read once, while the run moves to and fro
        for part in range(6):
            log_batch(again(ada), mine, batch=Batch(metrics=points(f"m{writer}-{part}", [1.0, 2.0])))
            log_batch(
                again(ada), mine, batch=a_batch(params={f"p{writer}-{part}": "1"}, tags={f"t{writer}": str(part)})
            )

    def move() -> None:
        for target in (away, home) * 3 + (away,):
            move_run(again(ada), Run.objects.get(pk=run.pk), experiment=target)

    assert errors(together(*(partial(log, writer) for writer in range(3)), move)) == []
    assert Run.objects.get(pk=run.pk).experiment_id == away.pk
    for copies in (MetricSeries, Param, RunTag):
        assert set(copies.objects.filter(run=run).values_list("experiment_id", flat=True)) == {away.pk}
    assert MetricSeries.objects.filter(run=run).count() == 18
    assert len(events(verb="experiments.move_run")) == 7
