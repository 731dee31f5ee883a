"""The token of a job: it reads what its owner sees in the project and writes the job's own run, at whichever door."""

import datetime as dt
import inspect
import io
import typing
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps
from django.core.cache import cache
from django.test import Client

from accounts.access import can, sight
from accounts.actions.members import remove_member
from accounts.actions.tokens import create_job_token, create_token, end_job_token, new_secret, revoke_token
from accounts.actions.users import deactivate_user
from accounts.authentication import actor_for_token
from accounts.decorators import ACTIONS
from accounts.models import ApiToken, Membership
from accounts.one_run import READS, WRITES
from accounts.queries.projects import find_my_token, my_job_tokens, my_tokens
from accounts.roles import PERMISSIONS, Role
from accounts.scoping import ProjectScoped
from artifacts.blobs import receive
from audit.ledger.models import AuditEvent
from experiments.actions.batches import log_batch
from experiments.actions.files import put_file
from experiments.actions.inputs import DatasetInput, log_inputs
from experiments.actions.lost import take_for_dead
from experiments.actions.runs import create_run, set_tags, update_run
from experiments.metrics.batch import Batch, MetricPoint
from experiments.models import Run, RunTag
from experiments.queries.runs import get_run
from experiments.values import RunStatus
from kernel import clock
from kernel.actor import Actor, Door, operator, system
from kernel.clock import now
from kernel.errors import MledError, NotFound, Refused, Unauthenticated
from registry.actions.links import log_outputs
from registry.actions.logged_models import create_logged_model, finalize_logged_model
from tests.factories import (
    Team,
    a_batch,
    a_run,
    a_team,
    a_user,
    again,
    an_experiment,
    default_experiment,
    events_since,
    everything,
    join,
    user_of,
)
from tests.isolation.asking import Ids, ids_of, mlflow_requests, rest_requests

pytestmark = pytest.mark.django_db

# What may be recorded by reading: that somebody took a file with data away.
RECORDS_OF_READING = {"experiments.note_export", "experiments.note_export_of", "runner.note_bundle_of"}
# What anybody with the right to log passes, and what then says no to everybody but MLED itself.
BY_MLED = {"experiments.take_for_dead"}
ON_ITS_RUN = {
    "experiments.delete_files",
    "experiments.delete_tag",
    "experiments.edit_notes",
    "experiments.log_batch",
    "experiments.log_inputs",
    "experiments.note_export_of",
    "runner.note_bundle_of",
    "experiments.put_file",
    "experiments.set_tags",
    "experiments.update_run",
    "registry.log_outputs",
    "registry.log_run_inputs",
}
ON_ITS_MODEL = {
    "registry.delete_logged_model",
    "registry.delete_logged_model_tag",
    "registry.delete_model_files",
    "registry.finalize_logged_model",
    "registry.log_logged_model_params",
    "registry.put_model_file",
    "registry.set_logged_model_tags",
}


@dataclass(frozen=True)
class JobOf:
    """A job's run and token. actor: whoever holds the token, in one request."""

    team: Team
    run: Run
    token: ApiToken
    secret: str

    @property
    def actor(self) -> Actor:
        return actor_for_token(self.secret, Door.MLFLOW)


@pytest.fixture
def job() -> JobOf:
    """Launched by somebody who has every role of the project."""
    cache.clear()
    team = a_team()
    for role in (Role.ML_ENGINEER, Role.PROJECT_MANAGER):
        join(team.project, team.scientist, role)
    return a_job_of(team, again(team.scientist))


def a_job_of(team: Team, owner: Actor) -> JobOf:
    run = a_run(owner, default_experiment(team.project))
    until = now() + dt.timedelta(hours=1)
    token, secret = create_job_token(
        system(), owner=user_of(owner), project=team.project, run_uid=run.uid.hex, name="job", until=until
    )
    return JobOf(team, run, token, secret)


def a_stored(content: bytes = b"weights") -> Any:
    return receive(io.BytesIO(content))


# --- What it opens


def test_its_own_run_takes_everything_that_a_training_script_logs(job):
    actor, run = job.actor, job.run
    log_batch(actor, run, batch=a_batch(params={"lr": "0.1"}, tags={"a": "b"}, loss=[2, 1]))
    set_tags(actor, run, tags={"mlflow.note.content": "as it went"})
    log_inputs(actor, run, inputs=[DatasetInput("vitals", "d1", "local", "x")])
    put_file(actor, run, path="model.bin", stored=a_stored())
    model = create_logged_model(actor, run.experiment, name="net", source_run=run, params={"depth": "3"})
    log_batch(actor, run, batch=Batch(metrics=[MetricPoint("auc", 0.5, 1, model_id=model.model_id)]))
    log_outputs(actor, run, outputs=[(model, 1)])
    finalize_logged_model(actor, model, status="READY")
    update_run(actor, run, status=RunStatus.FINISHED, ended_ms=5)
    assert get_run(actor, run.uid.hex).status == RunStatus.FINISHED


def test_runs_begun_within_its_run_are_its_own_too_however_deep(job):
    """As MLflow's client does it for nested=True, and its autologging for a search over parameters."""
    actor, run = job.actor, job.run
    child = create_run(actor, run.experiment, name="fold 1", tags={"mlflow.parentRunId": run.uid.hex})
    deeper = create_run(actor, an_experiment(operator(), job.team.project), tags={"mlflow.parentRunId": child.uid.hex})
    log_batch(actor, deeper, batch=a_batch(loss=[1]))
    create_logged_model(actor, run.experiment, name="net", source_run=deeper)
    update_run(actor, child, status=RunStatus.FINISHED)
    assert child.created_by_id == job.token.user_id
    for tags in (
        {},
        {"mlflow.parentRunId": "nonsense"},
        {"mlflow.parentRunId": a_run(operator(), run.experiment).uid.hex},
    ):
        with pytest.raises(Refused, match="writes its own run only"):
            create_run(actor, run.experiment, tags=tags)


def test_somebody_elses_run_put_below_its_run_is_not_its_own(job):
    theirs = a_run(job.team.engineer, job.run.experiment, tags={"mlflow.parentRunId": job.run.uid.hex})
    with pytest.raises(Refused):
        log_batch(job.actor, theirs, batch=a_batch(loss=[1]))


def test_it_reads_what_its_owner_sees_in_this_project_and_nothing_of_another(job):
    other = a_team()
    join(other.project, job.team.scientist, Role.ML_ENGINEER)
    elsewhere = a_run(other.engineer)
    beside = a_run(job.team.engineer)
    assert get_run(job.actor, beside.uid.hex) == beside
    with pytest.raises(NotFound):
        get_run(job.actor, elsewhere.uid.hex)
    assert sight(job.actor, "experiments.see").projects == {job.team.project.pk}
    assert not sight(job.actor, "projects.read_log").projects


def test_points_for_a_model_of_another_run_are_refused_with_their_batch(job):
    model = create_logged_model(
        operator(), job.run.experiment, name="old", source_run=a_run(operator(), job.run.experiment)
    )
    with pytest.raises(Refused):
        log_batch(job.actor, job.run, batch=Batch(metrics=[MetricPoint("auc", 0.5, 1, model_id=model.model_id)]))
    with pytest.raises(Refused):
        create_logged_model(job.actor, job.run.experiment, name="loose")


# --- What it does not open: every action, every permission, every door


def rows_of(project_id: Any) -> list[Any]:
    """Some rows of every table that belongs to the project."""
    tables = [model for model in apps.get_models() if issubclass(model, ProjectScoped)]
    return [row for model in tables for row in model.objects.filter(**{model.project_path or "pk": project_id})[:3]]


def subject_of(verb: str) -> Any:
    """The kind of row that the action is on."""
    act = ACTIONS[verb]
    return typing.get_type_hints(inspect.unwrap(act.function))[str(act.on)]


def passes(actor: Actor, verb: str, row: Any = None) -> bool:
    """Whether the action lets this actor in; it fails behind that where more is to be given."""
    act = ACTIONS[verb].function
    try:
        act(actor) if row is None else act(actor, row)
    except MledError:
        return False
    except TypeError:
        return True
    return True


def test_every_action_refuses_it_on_everything_but_its_own_run(job):
    everything(job.team.scientist, job.team.project)
    rows = [row for row in rows_of(job.team.project.pk) if row != job.run]
    actor, asked = job.actor, set()
    for verb, act in ACTIONS.items():
        if act.on is None:
            assert not passes(actor, verb), verb
            asked.add(verb)
        elif verb not in RECORDS_OF_READING:
            for row in (row for row in rows if isinstance(row, subject_of(verb))):
                assert not passes(actor, verb, row), f"{verb} on {row!r}"
                asked.add(verb)
    assert set(ACTIONS) - asked == RECORDS_OF_READING


def test_on_its_own_run_and_models_it_may_exactly_what_training_needs(job):
    model = create_logged_model(job.actor, job.run.experiment, name="net", source_run=job.run)
    allowed = {
        what: {verb for verb, act in ACTIONS.items() if can(job.actor, act.permission, row) and act.on in kinds}
        for what, row, kinds in (("run", job.run, {"run"}), ("model", model, {"model"}))
    }
    assert allowed["run"] == ON_ITS_RUN | BY_MLED
    with pytest.raises(Refused, match="MLED finds out"):
        take_for_dead(job.actor, job.run, since=now())
    of_logged_models = {verb for verb in allowed["model"] if ACTIONS[verb].permission != "experiments.see"}
    assert of_logged_models == ON_ITS_MODEL


def test_each_permission_that_it_may_be_asked_is_named(job):
    for name in PERMISSIONS:
        if name not in READS | WRITES:
            assert not can(job.actor, name, job.run), name
            assert not can(job.actor, name), name
            assert not sight(job.actor, name).everything
            assert not sight(job.actor, name).projects


@pytest.mark.once
def test_no_address_changes_anything_but_its_own_run(job):
    thing = everything(job.team.scientist, job.team.project)
    ids: Ids = ids_of(thing)
    at = f"/mlflow/{ids.slug}"
    before, answered = snapshot(job), 0
    for asked in [*rest_requests(ids), *mlflow_requests(ids, at=at)]:
        answer = asked.by(Client(), job.secret)
        assert answer.status < 500 or answer.status == 501, f"{asked}: {answer.status} {answer.text[:300]}"
        answered += answer.status == 200
    assert answered > 40  # it reads
    assert snapshot(job) == before


def snapshot(job: JobOf) -> dict[str, Any]:
    """All that is stored of the project, and all tokens, but for its own last use."""
    tables = [model for model in apps.get_models() if issubclass(model, ProjectScoped)]
    found: dict[str, Any] = {
        model._meta.label: list(
            model.objects.filter(**{model.project_path or "pk": job.team.project.pk}).order_by("pk").values_list()
        )
        for model in tables
    }
    events = AuditEvent.objects.filter(outcome="done").exclude(verb__in=RECORDS_OF_READING)
    return found | {"tokens": ApiToken.objects.count(), "events": events.count()}


# --- How it ends


def test_it_ends_with_the_job_and_ending_it_again_changes_nothing(job):
    (event,) = events_since(lambda: end_job_token(system(), token=job.token))
    assert (event.verb, event.event.project_id) == ("accounts.take_job_token", job.team.project.pk)
    with pytest.raises(Unauthenticated):
        _ = job.actor
    assert events_since(lambda: end_job_token(system(), token=job.token)) == []


def test_it_ends_where_its_owner_may_not_launch_any_more_or_is_gone():
    team = a_team()
    removed, moved, gone = (
        a_job_of(team, again(team[role])) for role in (Role.DATA_SCIENTIST, Role.ML_ENGINEER, Role.DATA_SCIENTIST)
    )
    for held in (removed, moved):
        membership = Membership.objects.get(project=team.project, user_id=held.token.user_id)
        remove_member(operator(), membership)
    join(team.project, user_of(team.engineer), Role.PROJECT_MANAGER)  # who sees everything, and launches nothing
    for held in (removed, moved):
        with pytest.raises(Unauthenticated):
            _ = held.actor
    join(team.project, user_of(team.scientist), Role.DATA_SCIENTIST)
    assert gone.actor.user_id == team.scientist.user_id
    deactivate_user(operator(), user=user_of(team.scientist), reason="left")
    with pytest.raises(Unauthenticated):
        _ = gone.actor


def test_it_ends_by_the_clock(job, monkeypatch):
    assert job.actor.token is not None
    at = clock._now()
    monkeypatch.setattr(clock, "_now", lambda: at + 3601)
    with pytest.raises(Unauthenticated):
        _ = job.actor


def test_only_mled_makes_and_ends_one_and_only_for_who_may_launch(job):
    given = {"project": job.team.project, "run_uid": job.run.uid.hex, "name": "x", "until": now()}
    with pytest.raises(Refused, match="by MLED"):
        create_job_token(again(job.team.scientist), owner=user_of(job.team.scientist), **given)
    with pytest.raises(Refused, match="by MLED"):
        end_job_token(again(job.team.scientist), token=job.token)
    for owner in (user_of(job.team.auditor), a_user()):
        with pytest.raises(Refused, match="may not have jobs"):
            create_job_token(system(), owner=owner, **given)
    own = create_token(again(job.team.scientist), name="own", secret=new_secret())
    with pytest.raises(Refused, match="not the token of a job"):
        end_job_token(system(), token=own)


# --- Who sees it


def test_it_is_listed_as_a_jobs_and_its_owner_may_revoke_it(job):
    owner = again(job.team.scientist)
    assert job.token not in my_tokens(owner)
    assert list(my_job_tokens(owner)) == [job.token]
    client = Client()
    client.force_login(user_of(owner), backend="accounts.backends.EmailBackend")
    page = client.get("/me/tokens/").content.decode()
    assert "Held by your jobs" in page
    assert f"/r/{job.run.uid.hex}" in page
    assert client.get("/api/v1/tokens/").json()["results"] == []
    (listed,) = client.get("/api/v1/tokens/?jobs=true").json()["results"]
    assert listed["run"] == job.run.uid.hex
    revoke_token(owner, token=find_my_token(owner, job.token.pk))
    assert list(my_job_tokens(owner)) == []
    assert "Held by your jobs" not in client.get("/me/tokens/").content.decode()


def test_it_is_told_whose_it_is_and_which_run_it_writes(job):
    told = Client().get("/api/v1/me/", headers={"Authorization": f"Bearer {job.secret}"}).json()
    assert told["token"]["run"] == job.run.uid.hex
    assert [one["slug"] for one in told["projects"]] == [job.team.project.slug]


def test_a_refusal_says_that_it_is_a_jobs(job):
    answer = Client().post(
        f"/mlflow/{job.team.project.slug}/api/2.0/mlflow/experiments/create",
        {"name": "new"},
        content_type="application/json",
        headers={"Authorization": f"Bearer {job.secret}"},
    )
    assert answer.status_code == 403
    assert "is a job's: it reads, and writes its own run" in answer.json()["message"]
    assert RunTag.objects.filter(run=job.run, key="mlflow.parentRunId").count() == 0
