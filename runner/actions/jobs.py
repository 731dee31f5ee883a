"""Jobs: asked for and stopped by people, carried from state to state by the worker that has the lease."""

import logging
import shlex
from collections.abc import Mapping
from functools import partial
from uuid import UUID

from django.db import transaction

from accounts.access import roles_text
from accounts.actions.tokens import end_job_token
from accounts.decorators import action
from accounts.models import ApiToken
from artifacts.models import DatasetVersion
from artifacts.versions import require_usable
from audit.ledger.acting import current_act
from experiments.actions.batches import write_params
from experiments.actions.inputs import note_input
from experiments.actions.runs import PARENT, create_run, update_run
from experiments.conditions import BUILT_IN, UPLOADED
from experiments.models import Experiment, Run, RunTag
from experiments.queries.reproductions import LIKE, REPRODUCES
from experiments.values import RunStatus
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import Conflict, Refused
from runner.actions.recipes import keep_recipe
from runner.actions.telling import tell_owner_of_stop
from runner.checking_limits import beyond_rules
from runner.command_words import filled
from runner.hooks import over, wake
from runner.models import Job, Recipe, Sweep, Worker
from runner.names import checked_queue
from runner.queries.rules import rules_of
from runner.recipes import DEFAULT_QUEUE, Draft, draft_of

RUN_STATUS = {
    Job.State.FINISHED: RunStatus.FINISHED,
    Job.State.FAILED: RunStatus.FAILED,
    Job.State.STOPPED: RunStatus.KILLED,
}
WHY_MAX = 4000
BEFORE_A_WORKER = "It was stopped before a worker took it."
TAG_MAX = 8000

log = logging.getLogger(__name__)


class NotOurs(Conflict):
    """Another worker has the job by now, or it is over."""


@action("runner.launch", on="experiment")
def launch(
    actor: Actor,
    experiment: Experiment,
    *,
    draft: Draft,
    name: str = "",
    tags: Mapping[str, str] | None = None,
    queue: str = DEFAULT_QUEUE,
    priority: int = 0,
    retries: int = 0,
    reproduces: Run | None = None,
    sweep: Sweep | None = None,
    retry_of: Job | None = None,
) -> Job:
    """Ask for a run: it stands in the experiment at once, queued, with its id, parameters and data.

    draft: checked already (`runner.checking`). Raises Conflict for recalled data or a deleted experiment, NotFound,
    Invalid for what cannot be the name of a queue.
    """
    checked_queue(queue)
    recipe = keep_recipe(actor, experiment.project, draft)
    run = create_run(actor, experiment, name=name, tags=_tags(actor, recipe, tags or {}, reproduces))
    update_run(actor, run, status=RunStatus.SCHEDULED)
    write_params(run, [(key, param_text(value)) for key, value in _params(recipe).items()])
    _note_inputs(run, recipe)
    job = Job(
        project_id=experiment.project_id,
        experiment=experiment,
        run=run,
        recipe=recipe,
        sweep=sweep,
        reproduces=reproduces,
        retry_of=retry_of,
        retries_left=retries,
        queue=queue,
        priority=priority,
        created_by_id=actor.user_id,
    )
    job.save()
    current_act().speaks_of(run.ledger_subject, whatever_is_made=True)
    transaction.on_commit(lambda: wake(queue))
    return job


def _note_inputs(run: Run, recipe: Recipe) -> None:
    """The data of the recipe as inputs of the run; a version that it is given under two names stands there once."""
    contexts: dict[DatasetVersion, list[str]] = {}
    for one in recipe.inputs.select_related("version__dataset").order_by("name"):
        contexts.setdefault(one.version, []).append(one.context or one.name)
    for version, said in contexts.items():
        require_usable(version)
        note_input(run, version, context=", ".join(dict.fromkeys(said)), tags={})


def _params(recipe: Recipe) -> dict[str, object]:
    """What stands as the run's parameters: those of the recipe, with its seed."""
    return {**recipe.params, **({} if recipe.seed is None else {"seed": recipe.seed})}


def param_text(value: object) -> str:
    """A parameter as the run keeps it: what MLflow's client would send, str(value)."""
    return str(value)


def _tags(actor: Actor, recipe: Recipe, tags: Mapping[str, str], reproduces: Run | None) -> dict[str, str]:
    own = {"mled.recipe": recipe.digest}
    if roles := roles_text(actor, recipe.project_id):
        own["mled.role"] = roles  # at launch: it may be another one later
    own |= _known_beforehand(recipe)
    if recipe.commit:
        own |= {"mlflow.source.git.commit": recipe.commit, "mlflow.source.git.repoURL": recipe.repository}
    if reproduces is not None:
        own[REPRODUCES] = reproduces.uid.hex
    return {**tags, **own}


def _known_beforehand(recipe: Recipe) -> dict[str, str]:
    """Its code and its command, by the tags under which a worker notes what it really did: a job that never comes that
    far is known by them."""
    values = {**({} if recipe.seed is None else {"seed": recipe.seed}), **recipe.params}
    known = {}
    if recipe.words:
        known = {"mlflow.source.name": shlex.join(filled(recipe.words, values))[:TAG_MAX], "mlflow.source.type": "JOB"}
    if recipe.kind == Recipe.Kind.TRAINER:
        known[BUILT_IN] = f"{recipe.trainer} sha256:{recipe.trainer_digest}"
    elif recipe.code_id:
        known[UPLOADED] = f"sha256:{recipe.code_id}"
    return known


@action("runner.stop", on="job")
def stop_job(actor: Actor, job: Job, *, reason: str = "") -> Job:
    """Stop a job: one that waits is over at once, one under way as soon as its worker hears of it. Raises Conflict."""
    held = _locked(job.pk)
    if not held.is_open:
        raise Conflict("It is over already.", hint="Start it again if you need it.")
    if held.stop_asked_at is None:
        held.stop_asked_at, held.stop_asked_by_id = now(), actor.user_id
        if held.sweep is None or held.sweep.state == Sweep.State.RUNNING:  # one that is stopped is told of once
            tell_owner_of_stop(actor, held.run, held.created_by, "job", reason)
    if held.state == Job.State.QUEUED:
        _end(actor, held, Job.State.STOPPED, Job.Cause.STOP, reason or BEFORE_A_WORKER)
    else:
        held.why = reason[:WHY_MAX]  # until its worker says how it ended, which names this
        held.save()
    return held


@action("runner.launch", on="job")
def retry_job(actor: Actor, job: Job, *, retries: int | None = None) -> Job:
    """Try a job again that failed or was stopped: the same recipe in a new job with a new run, once for each job.

    retries: what is left of them; without it as the project's rules say. Raises Conflict for a job that is not over,
    finished, was tried again already, or asks for more than the project's rules allow by now.
    """
    held = _locked(job.pk)
    if held.is_open:
        raise Conflict("It is not over yet.", hint="Stop it first, or wait until it ends.")
    if held.state == Job.State.FINISHED:
        raise Conflict("It finished: there is nothing to try again.", hint="Recreate its run to do it once more.")
    again = Job.objects.filter(retry_of=held).select_related("run__project").first()
    if again is not None:
        words = f"It was tried again already, as {again.run.readable_id}."
        raise Conflict(words, hint="If that one failed too, try that one again.")
    rules, draft = rules_of(held.project), draft_of(held.recipe)
    if words := beyond_rules(rules, has_network=draft.has_network, resources=draft.resources):
        raise Conflict(words, hint="Recreate its run with less, or have a manager of the project change its rules.")
    return launch(
        actor,
        held.experiment,
        draft=draft,
        name=held.run.name,
        tags=_tags_of_person(held.run),
        queue=held.queue,
        priority=held.priority,
        retries=rules.retries if retries is None else retries,
        reproduces=held.reproduces,
        sweep=held.sweep,
        retry_of=held,
    )


def _tags_of_person(run: Run) -> dict[str, str]:
    """The tags that came with the launch: what people gave, where the run is nested, and which one it is like; not what
    a client noted."""
    tags = dict(RunTag.objects.filter(run=run).values_list("key", "value"))
    kept = (PARENT, LIKE)
    return {key: value for key, value in tags.items() if key in kept or not key.startswith(("mlflow.", "mled."))}


@action("runner.launch", on="job")
def start_job(actor: Actor, job: Job, *, lease: UUID, worker: Worker, token: ApiToken | None) -> Job:
    """A worker took it: it prepares. Called by the system; NotOurs for who lost the lease."""
    held = _leased(actor, job.pk, lease)
    held.state, held.worker, held.token, held.started_at = Job.State.PREPARING, worker, token, now()
    held.save()
    return held


@action("runner.launch", on="job")
def put_back_job(actor: Actor, job: Job, *, lease: UUID, reason: str) -> Job:
    """Its worker is gone before the command began: it waits again, in its old place, or is over where somebody asked it
    to stop. Called by the system; NotOurs.

    Raises Conflict once the command began: then something of it may be in the run.
    """
    held = _leased(actor, job.pk, lease)
    if held.state == Job.State.RUNNING:
        raise Conflict("Its command began; it cannot go back.", hint="End it, and try it again in a new run.")
    if held.stop_asked_at is not None:
        return _end(actor, held, Job.State.STOPPED, Job.Cause.STOP, "It was stopped before its command began.")
    _end_token(actor, held)
    held.state, held.worker, held.token, held.started_at = Job.State.QUEUED, None, None, None
    held.stage, held.lease, held.lease_until = "", None, None
    held.save()
    transaction.on_commit(partial(wake, held.queue))
    return held


@action("runner.launch", on="job")
def begin_job(actor: Actor, job: Job, *, lease: UUID, image: str = "") -> Job:
    """Its command runs now, and so does its run. image: that it runs in, with its digest. Called by the system;
    NotOurs.
    """
    held = _leased(actor, job.pk, lease)
    held.state, held.image = Job.State.RUNNING, image
    held.save()
    held.run.refresh_from_db()
    run = update_run(actor, held.run, status=RunStatus.RUNNING)
    run.started_ms = int(now().timestamp() * 1000)
    run.save()
    return held


@action("runner.launch", on="job")
def end_job(
    actor: Actor,
    job: Job,
    *,
    lease: UUID,
    state: Job.State,
    cause: Job.Cause,
    why: str = "",
    exit_code: int | None = None,
) -> Job:
    """It is over, and so is its run. Called by the system; NotOurs for who lost the lease."""
    held = _leased(actor, job.pk, lease)
    held.exit_code = exit_code
    return _end(actor, held, state, cause, why)


def _end(actor: Actor, held: Job, state: Job.State, cause: Job.Cause, why: str) -> Job:
    held.state, held.cause, held.why = state, cause, why[:WHY_MAX]
    held.ended_at, held.stage, held.lease, held.lease_until = now(), "", None, None
    held.save()
    _end_run(actor, held.run, RUN_STATUS[state])
    _end_token(actor, held)
    transaction.on_commit(partial(over, held.pk))
    return held


def _end_run(actor: Actor, run: Run, status: RunStatus) -> None:
    """The run is over as well; one that was deleted or locked meanwhile stays as it is, and the job ends."""
    run.refresh_from_db()
    try:
        with transaction.atomic():
            update_run(actor, run, status=status, ended_ms=int(now().timestamp() * 1000))
    except (Conflict, Refused) as error:
        log.info("Run %s stays as it is: %s", run.uid.hex, error)


def _end_token(actor: Actor, held: Job) -> None:
    if held.token is not None:
        end_job_token(actor, token=held.token)


def _leased(actor: Actor, job_id: UUID, lease: UUID) -> Job:
    if actor.is_person:
        raise Refused("This is what a worker says of its job.")
    held = _locked(job_id)
    if held.lease != lease or not held.is_open:
        raise NotOurs("Another worker has this job by now, or it is over.")
    return held


def _locked(job_id: UUID) -> Job:
    rows = Job.objects.select_for_update(of=("self",), no_key=True).select_related("run", "project", "experiment")
    held = rows.get(pk=job_id)
    current_act().speaks_of(held.run.ledger_subject)  # what is done with a job is told with its run
    return held
