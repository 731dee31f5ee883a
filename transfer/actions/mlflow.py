"""What an import from MLflow writes, each thing with the note of what it was in the source, in one act.

What a person who imports could not write by hand is refused here too: every act goes through those of the rooms below.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from django.db import transaction

from accounts.decorators import action
from accounts.models import Project
from artifacts.storage import StoredBlob
from audit.ledger.acting import current_act
from experiments import hooks
from experiments.actions.batches import write_params
from experiments.actions.experiments import create_experiment
from experiments.actions.files import put_file
from experiments.actions.inputs import DatasetInput, log_inputs
from experiments.actions.runs import create_run, delete_tag, set_tags, update_run
from experiments.actions.writable import writable_run
from experiments.metrics.batch import MetricPoint, SeriesPoints
from experiments.metrics.segments import append
from experiments.models import Experiment, Run
from experiments.values import ENDED, RunStatus
from kernel.actor import Actor
from kernel.digests import sha256_hex
from registry.actions.files import put_model_file
from registry.actions.links import log_outputs, log_run_inputs
from registry.actions.logged_models import (
    create_logged_model,
    finalize_logged_model,
    log_logged_model_params,
    set_logged_model_tags,
)
from registry.actions.model_metrics import keep_model_metrics
from registry.actions.registered_models import create_registered_model
from registry.actions.versions import create_version
from registry.models import LoggedModel, ModelVersion, RegisteredModel
from transfer.mlflow.fitting import EARLIER_ID, FittedModel, FittedRun, as_uid
from transfer.models import Moved, Transfer

MADE = "made"  # instead of the digest of an experiment: it was not here before
TARGET_MAX = 500  # characters of a name that is kept among what was moved


@dataclass(frozen=True, slots=True)
class Part:
    """Points and files that are written in one act. digest: of the whole record, where nothing follows this part."""

    series: Sequence[SeriesPoints] = ()
    files: Sequence[tuple[str, StoredBlob]] = ()
    digest: str = ""


@dataclass(frozen=True, slots=True)
class News:
    """What the source says of a run that is not here yet."""

    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    tags_gone: Sequence[str] = ()
    datasets: Sequence[DatasetInput] = ()


@dataclass(frozen=True, slots=True)
class Bringing:
    """One import under way. reason: what the events say why."""

    transfer: Transfer
    origin: str
    reason: str

    def note(self, kind: str, source_id: str, target: str, digest: str = "") -> None:
        """Part of an act: what a thing of the source is here, and the digest of what was read of it."""
        Moved.objects.update_or_create(
            project_id=self.transfer.project_id,
            origin=self.origin,
            kind=kind,
            source_id=moved_key(source_id),
            defaults={"target": target, "digest": digest, "transfer": self.transfer},
        )


@action("transfer.bring_in", on="project")
def bring_in_experiment(
    actor: Actor,
    project: Project,
    *,
    bringing: Bringing,
    key: str,
    name: str,
    tags: Mapping[str, str],
    created_ms: int | None,
) -> Experiment:
    """Make an experiment as it was in the source. Raises Invalid, AlreadyExists."""
    current_act().reason = bringing.reason
    made = create_experiment(actor, project, name=name, tags=tags, created_ms=created_ms)
    bringing.note("experiment", key, str(made.pk), MADE)
    return made


@action("transfer.bring_in", on="experiment")
def bring_in_run(
    actor: Actor,
    experiment: Experiment,
    *,
    bringing: Bringing,
    source_id: str,
    record: FittedRun,
    part: Part,
    keeps_id: bool,
) -> Run:
    """Make a run with the first part of its record, or all of it.

    Raises AlreadyExists where its id is taken and it should keep it, Invalid, Conflict.
    """
    act = current_act()
    act.reason, act.client_ms = bringing.reason, record.started_ms
    run = create_run(
        actor,
        experiment,
        name=record.name,
        started_ms=record.started_ms,
        tags=record.tags if keeps_id else {**record.tags, EARLIER_ID: source_id},
        claimed_user=record.user,
        uid=as_uid(source_id) if keeps_id else None,
    )
    if record.params:
        write_params(run, list(record.params.items()))
    if record.datasets:
        log_inputs(actor, run, inputs=record.datasets)
    _add(actor, run, bringing, source_id, record, part)
    return run


@action("transfer.bring_in", on="run")
def bring_in_more(
    actor: Actor, run: Run, *, bringing: Bringing, source_id: str, record: FittedRun, news: News, part: Part
) -> Run:
    """Add to a run that was brought in before what the source has beyond it. Raises Conflict, Locked."""
    act = current_act()
    act.reason, act.always = bringing.reason, True
    run = writable_run(run)
    if news.params:
        write_params(run, list(news.params.items()))
    if news.tags:
        set_tags(actor, run, tags=news.tags)
    for key in news.tags_gone:
        delete_tag(actor, run, key=key)
    if news.datasets:
        log_inputs(actor, run, inputs=news.datasets)
    _add(actor, run, bringing, source_id, record, part)
    return run


def _add(actor: Actor, run: Run, bringing: Bringing, source_id: str, record: FittedRun, part: Part) -> None:
    if part.series:
        append(run.pk, run.experiment_id, sorted(part.series, key=lambda series: series.key))
    for path, stored in part.files:
        put_file(actor, run, path=path, stored=stored)
        bringing.note("file", file_key(source_id, path), path[:TARGET_MAX], stored.digest)
    if part.digest:
        run.refresh_from_db()
        if (run.status, run.ended_ms) != (record.status, record.ended_ms):
            update_run(actor, run, status=RunStatus(record.status), ended_ms=record.ended_ms)
    bringing.note("run", source_id, run.uid.hex, part.digest)


def file_key(owner_id: str, path: str) -> str:
    """What names a file of a run or model among what was moved."""
    return f"{owner_id}/{path}"


def moved_key(source_id: str) -> str:
    """A name of a thing in the source as it is kept: itself, or its digest where it is long or no plain text."""
    plain = source_id.encode("utf-8", "surrogatepass")
    if len(source_id) <= TARGET_MAX and "\x00" not in source_id and plain.decode("utf-8", "replace") == source_id:
        return source_id
    owner = source_id.partition("/")[0][:40]
    return f"{owner if owner.isascii() and owner.isprintable() else ''}/sha256:{sha256_hex(plain)}"


@action("transfer.bring_in", on="experiment")
def bring_in_logged_model(
    actor: Actor,
    experiment: Experiment,
    *,
    bringing: Bringing,
    source_id: str,
    record: FittedModel,
    run: Run | None,
    points: Mapping[Run, Sequence[MetricPoint]],
    created_ms: int | None,
    keeps_id: bool,
    digest: str,
) -> LoggedModel:
    """Make a logged model with all but its files. points: its metrics by the run that measured them.

    Raises AlreadyExists where its id is taken and it should keep it, Invalid, Locked.
    """
    current_act().reason = bringing.reason
    model = create_logged_model(
        actor,
        experiment,
        name=record.name,
        model_type=record.model_type,
        source_run=run,
        params=record.params,
        tags=record.tags,
        model_id=source_id if keeps_id else "",
        created_ms=created_ms,
    )
    for measured_by, found in points.items():
        named = [point._replace(model_id=model.model_id) for point in found]
        keep_model_metrics(actor, measured_by, named)
        _seal_anew(measured_by)
    if record.status != LoggedModel.Status.PENDING:
        model = finalize_logged_model(actor, model, status=record.status)
    bringing.note("model", source_id, model.model_id, digest)
    return model


@action("transfer.bring_in", on="model")
def bring_in_model_news(
    actor: Actor,
    model: LoggedModel,
    *,
    bringing: Bringing,
    source_id: str,
    record: FittedModel,
    points: Mapping[Run, Sequence[MetricPoint]],
    digest: str,
) -> LoggedModel:
    """Add to a logged model that was brought in before what the source has beyond it. Raises Invalid, Locked."""
    current_act().reason = bringing.reason
    log_logged_model_params(actor, model, params=record.params)
    set_logged_model_tags(actor, model, tags=record.tags)
    for measured_by, found in points.items():
        named = [point._replace(model_id=model.model_id) for point in found]
        keep_model_metrics(actor, measured_by, named)
        _seal_anew(measured_by)
    if record.status not in (model.status, LoggedModel.Status.PENDING):
        finalize_logged_model(actor, model, status=record.status)
    bringing.note("model", source_id, model.model_id, digest)
    return model


@action("transfer.bring_in", on="model")
def bring_in_model_files(
    actor: Actor, model: LoggedModel, *, bringing: Bringing, source_id: str, files: Sequence[tuple[str, StoredBlob]]
) -> None:
    """Put files below a logged model that was brought in. Raises Conflict, Locked."""
    current_act().reason = bringing.reason
    for path, stored in files:
        put_model_file(actor, model, path=path, stored=stored)
        bringing.note("file", file_key(source_id, path), path[:TARGET_MAX], stored.digest)


@action("transfer.bring_in", on="run")
def bring_in_links(
    actor: Actor,
    run: Run,
    *,
    bringing: Bringing,
    inputs: Sequence[LoggedModel],
    outputs: Sequence[tuple[LoggedModel, int]],
) -> None:
    """Note the models that went into a run and came out of it. Raises Conflict, Locked."""
    current_act().reason = bringing.reason
    run = writable_run(run)
    if inputs:
        log_run_inputs(actor, run, models=inputs)
    if outputs:
        log_outputs(actor, run, outputs=outputs)
    _seal_anew(run)


def _seal_anew(run: Run) -> None:
    """Models come after the runs that are ended and perhaps sealed by then: what they add reopened the run."""
    if run.status in ENDED:
        for after in hooks.run_ended:
            transaction.on_commit(partial(after, run.uid))


@action("transfer.bring_in", on="project")
def bring_in_registered_model(
    actor: Actor,
    project: Project,
    *,
    bringing: Bringing,
    key: str,
    name: str,
    description: str,
    tags: Mapping[str, str],
    created_ms: int | None,
) -> RegisteredModel:
    """Take the name of a registered model or prompt. Raises Invalid, AlreadyExists."""
    current_act().reason = bringing.reason
    made = create_registered_model(actor, project, name=name, description=description, tags=tags, created_ms=created_ms)
    bringing.note("registered", key, str(made.pk))
    return made


@action("transfer.bring_in", on="model")
def bring_in_version(
    actor: Actor,
    model: RegisteredModel,
    *,
    bringing: Bringing,
    key: str,
    source: str,
    run: Run | None,
    logged_model: LoggedModel | None,
    run_link: str,
    description: str,
    tags: Mapping[str, str],
    number: int,
    created_ms: int | None,
) -> ModelVersion:
    """Add a version under the number that it had. Raises Invalid, AlreadyExists, NotFound, Conflict."""
    current_act().reason = bringing.reason
    made = create_version(
        actor,
        model,
        source=source,
        run=run,
        logged_model=logged_model,
        run_link=run_link,
        description=description,
        tags=tags,
        number=number,
        created_ms=created_ms,
    )
    bringing.note("version", f"{key}/{number}", str(made.pk))
    return made
