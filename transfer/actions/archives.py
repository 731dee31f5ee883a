"""Bringing in one thing of an archive: made by the actions of its room, and written down as moved, in one act."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from accounts.access import can_see
from accounts.decorators import action
from accounts.models import Project
from artifacts.actions.aliases import set_dataset_alias
from artifacts.actions.datasets import create_dataset
from artifacts.actions.recall import withdraw_version
from artifacts.actions.records import put_record
from artifacts.actions.versions import add_version, used_version
from artifacts.models import Dataset, DatasetAlias, DatasetVersion
from artifacts.records import checked_record
from artifacts.storage import StoredBlob
from experiments.actions.comments import add_comment
from experiments.actions.experiments import (
    create_experiment,
    delete_experiment,
    rename_experiment,
    set_experiment_tag,
    set_metric_direction,
)
from experiments.actions.runs import create_run, delete_run
from experiments.actions.saved_views import save_view, set_default_view
from experiments.models import Comment, Experiment, MetricDirection, Run, SavedView
from kernel.actor import Actor
from kernel.errors import Conflict, MledError, TooMany, Unavailable
from registry.actions.aliases import set_alias, transition_stage
from registry.actions.cards import write_card
from registry.actions.logged_models import create_logged_model
from registry.actions.registered_models import create_registered_model
from registry.actions.versions import create_version
from registry.models import LoggedModel, ModelAlias, ModelVersion, RegisteredModel, Stage
from transfer.archive.claims import said_by
from transfer.archive.ids import Ids
from transfer.archive.layout import BY_IMPORT
from transfer.archive.records import (
    CommentRecord,
    DatasetRecord,
    DirectionRecord,
    ExperimentRecord,
    LoggedModelRecord,
    ModelVersionRecord,
    Record,
    RegisteredModelRecord,
    RunRecord,
    VersionRecord,
    ViewRecord,
    fact_digest,
)
from transfer.archive.rows import plain_source
from transfer.models import Transfer

PARENT = "mlflow.parentRunId"


@dataclass
class Bringing:
    """What the acts of one import share. names: of people by id, as the archive claims them; stored: its content."""

    ids: Ids
    project: Project
    origin_slug: str
    names: Mapping[str, str]
    stored: dict[str, StoredBlob] = field(default_factory=dict)

    def tags(self, record: Any) -> dict[str, str]:
        """The tags of a record, with those that say where it came from; what an earlier import said of it stays."""
        claims = record.claims
        said = {
            "author": self.names.get(str(claims.get("created_by", "")), ""),
            "id": str(claims.get("readable_id", "")),
            "from": self.origin_slug,
        }
        return {f"{BY_IMPORT}{name}": text[:500] for name, text in said.items() if text} | dict(record.tags)

    def experiment(self, name: str) -> Experiment:
        """The experiment here. Raises Conflict where it could not be brought in."""
        return _row(Experiment, self.ids.of("experiments", name), "experiment", name)

    def run(self, uid: str) -> Run:
        """The run here. Raises Conflict."""
        here = self.ids.of("runs", uid)
        return _row(Run, here and UUID(hex=here), "run", uid, by="uid", related=("project", "experiment"))

    def model(self, model_id: str) -> LoggedModel:
        """The logged model here. Raises Conflict."""
        return _row(LoggedModel, self.ids.of("logged_models", model_id), "logged model", model_id, by="model_id")

    def dataset(self, name: str) -> Dataset:
        """The dataset here. Raises Conflict."""
        return _row(Dataset, self.ids.of("datasets", name), "dataset", name, related=("project",))

    def registered(self, name: str) -> RegisteredModel:
        """The registered model here. Raises Conflict."""
        return _row(RegisteredModel, self.ids.of("registered_models", name), "model", name, related=("project",))


def _row(
    model: type[Any], here: Any, noun: str, name: str, *, by: str = "pk", related: Sequence[str] = ("project",)
) -> Any:
    found = model.objects.filter(**{by: here}).select_related(*related).first() if here else None
    if found is None:
        raise Conflict(f"Its {noun} '{name[:80]}' is not here.")
    return found


@action("transfer.bring_in", on="transfer")
def bring_in_record(
    actor: Actor, transfer: Transfer, *, kind: str, key: str, record: Record, bringing: Bringing
) -> tuple[str, bool]:
    """Make what a record speaks of, or find it here; its id here, and whether it was made.

    Raises what the actions of its room raise: Invalid, Conflict, Refused, AlreadyExists.
    """
    target, made = _BEGIN[kind](actor, bringing, record)
    bringing.ids.keep(kind, key, target, digest=fact_digest(record) if made else "")
    return target, made


@action("transfer.bring_in", on="transfer")
def finish_record(
    actor: Actor, transfer: Transfer, *, kind: str, key: str, record: Record, bringing: Bringing
) -> list[str]:
    """What can only be done once all else is here: aliases, deletion, recalls. Raises what those actions raise.

    Returns why some aliases were left out.
    """
    told = _FINISH[kind](actor, bringing, record) or []
    bringing.ids.keep(f"{kind}:end", key, "")
    return told


def or_told(told: list[str], act: Callable[[], object]) -> None:
    """Part of an act that may be left out: a refusal, which comes before anything is written, is told instead."""
    try:
        act()
    except (Unavailable, TooMany):
        raise
    except MledError as refusal:
        told.append(str(refusal))


def _experiment(actor: Actor, bringing: Bringing, record: ExperimentRecord) -> tuple[str, bool]:
    rows = Experiment.objects.filter(project=bringing.project)
    here: Experiment | None = (
        rows.filter(is_default=True) if record.is_default else rows.filter(name=record.name)
    ).first()
    if here is None:
        made = create_experiment(
            actor,
            bringing.project,
            name=record.name,
            artifact_location=record.artifact_location,
            tags=record.tags,
            created_ms=_created_ms(record),
        )
        return str(made.pk), True
    if record.is_default and not here.runs.exists():
        if here.name != record.name:
            rename_experiment(actor, here, name=record.name)
        for key, text in record.tags.items():
            set_experiment_tag(actor, here, key=key, value=text)
    return str(here.pk), False


def _dataset(actor: Actor, bringing: Bringing, record: DatasetRecord) -> tuple[str, bool]:
    here = Dataset.objects.filter(project=bringing.project, name=record.name).first()
    if here is not None:
        return here.pk.hex, False
    made = create_dataset(actor, bringing.project, name=record.name, description=record.description)
    return made.pk.hex, True


def _dataset_version(actor: Actor, bringing: Bringing, record: VersionRecord) -> tuple[str, bool]:
    dataset = bringing.dataset(record.dataset)
    here = DatasetVersion.objects.filter(dataset=dataset, digest=record.digest).first()
    if here is not None:
        return here.pk.hex, False
    if record.files is not None:
        files = [(path, bringing.stored[digest]) for path, digest, _ in record.files]
        version = add_version(actor, dataset, files=files, record=record.record)
        if version.digest != record.digest:
            raise Conflict(f"Its files make the digest {version.digest[:12]}…, not the one that it claims.")
        return version.pk.hex, True
    version = used_version(
        actor,
        bringing.project,
        name=dataset.name,
        digest=record.digest,
        source_type=record.source_type,
        source=record.source,
        schema=record.schema,
        profile=record.profile,
    )
    put_record(version, checked_record(record.record))
    return version.pk.hex, True


def _run(actor: Actor, bringing: Bringing, record: RunRecord) -> tuple[str, bool]:
    uid = UUID(hex=record.id)
    there: Run | None = Run.objects.filter(uid=uid).first()
    if there is not None and there.project_id == bringing.project.pk and can_see(actor, there):
        return there.uid.hex, False
    tags = bringing.tags(record)
    if PARENT in tags:
        tags[PARENT] = bringing.ids.parent(tags[PARENT])
    made = create_run(
        actor,
        bringing.experiment(record.experiment),
        name=record.name,
        started_ms=record.started_ms,
        tags=tags,
        claimed_user=record.claimed_user,
        uid=None if there is not None else uid,
    )
    return made.uid.hex, True


def _logged_model(actor: Actor, bringing: Bringing, record: LoggedModelRecord) -> tuple[str, bool]:
    there: LoggedModel | None = LoggedModel.objects.filter(model_id=record.id).first()
    if there is not None and there.project_id == bringing.project.pk and can_see(actor, there):
        return there.model_id, False
    made = create_logged_model(
        actor,
        bringing.experiment(record.experiment),
        name=record.name,
        model_type=record.type,
        source_run=bringing.run(record.run) if record.run else None,
        params=record.params,
        tags=bringing.tags(record),
        model_id="" if there is not None else record.id,
        created_ms=_created_ms(record),
    )
    return made.model_id, True


def _registered_model(actor: Actor, bringing: Bringing, record: RegisteredModelRecord) -> tuple[str, bool]:
    rows = RegisteredModel.objects.filter(project=bringing.project, is_deleted=False)
    here: RegisteredModel | None = rows.filter(name=record.name).first()
    if here is not None:
        return str(here.pk), False
    made = create_registered_model(
        actor,
        bringing.project,
        name=record.name,
        description=record.description,
        tags=bringing.tags(record),
        created_ms=_created_ms(record),
    )
    return str(made.pk), True


def _model_version(actor: Actor, bringing: Bringing, record: ModelVersionRecord) -> tuple[str, bool]:
    model, source = bringing.registered(record.model), bringing.ids.source(record.source)
    versions = ModelVersion.objects.filter(model=model)
    same: ModelVersion | None = versions.filter(number=record.number).first()
    if same is not None and plain_source(same) == source and not same.is_deleted:
        return str(same.pk), False
    last = versions.order_by("-number").values_list("number", flat=True).first() or 0
    made = create_version(
        actor,
        model,
        source=source,
        run=bringing.run(record.run) if record.run else None,
        logged_model=bringing.model(record.logged_model) if record.logged_model else None,
        run_link=record.run_link,
        description=record.description,
        tags=bringing.tags(record),
        number=record.number if record.number > last else None,
        created_ms=_created_ms(record),
    )
    for section, text in record.card.items():
        write_card(actor, made, section=section, text=text)
    return str(made.pk), True


def _comment(actor: Actor, bringing: Bringing, record: CommentRecord) -> tuple[str, bool]:
    run, key = bringing.run(record.run), UUID(hex=record.id)
    there: Comment | None = Comment.objects.filter(pk=key).select_related("run").first()
    if there is not None and there.run_id == run.pk:
        return there.pk.hex, False
    claims = record.claims
    by = str(claims.get("written_by_name") or bringing.names.get(str(claims.get("created_by", "")), ""))
    on = str(claims.get("written_on") or claims.get("created_at", ""))[:10]
    text = said_by(record.text, by, on) if on else record.text
    made = add_comment(actor, run, text=text, key=None if there is not None else key)
    return made.pk.hex, True


def _view(actor: Actor, bringing: Bringing, record: ViewRecord) -> tuple[str, bool]:
    pairs = [
        (name, bringing.ids.of("experiments", text) or "" if name == "experiment" else text)
        for name, text in record.query
    ]
    query = urlencode([(name, text) for name, text in pairs if text])
    rows = SavedView.objects.filter(project=bringing.project, created_by_id=actor.user_id, name=record.name)
    here: SavedView | None = rows.first()
    if here is not None:
        return str(here.pk), False
    made = save_view(actor, bringing.project, name=record.name, query=query, is_shared=record.shared)
    if record.default and not SavedView.objects.filter(project=bringing.project, is_default=True).exists():
        set_default_view(actor, bringing.project, view=made)
    return str(made.pk), True


def _direction(actor: Actor, bringing: Bringing, record: DirectionRecord) -> tuple[str, bool]:
    here = MetricDirection.objects.filter(project=bringing.project, key=record.key).first()
    if here is not None:
        return str(here.pk), False
    made = set_metric_direction(actor, bringing.project, key=record.key, higher_is_better=record.higher_is_better)
    return str(made.pk), True


def _created_ms(record: Record) -> int | None:
    told = record.claims.get("created_ms")
    return told if isinstance(told, int) and 0 <= told < 2**53 else None


def _end_experiment(actor: Actor, bringing: Bringing, record: ExperimentRecord) -> None:
    if record.deleted:
        delete_experiment(actor, bringing.experiment(record.name), reason=_WHY)


def _end_dataset(actor: Actor, bringing: Bringing, record: DatasetRecord) -> list[str]:
    """Aliases that stand for nothing here yet."""
    told: list[str] = []
    dataset = bringing.dataset(record.name)
    taken = set(DatasetAlias.objects.filter(dataset=dataset).values_list("name", flat=True))
    for name, number in record.aliases.items():
        version = DatasetVersion.objects.filter(dataset=dataset, number=number).first()
        if name not in taken and version is not None:
            or_told(told, partial(set_dataset_alias, actor, dataset, name=name, version=version))
    return told


def _end_dataset_version(actor: Actor, bringing: Bringing, record: VersionRecord) -> None:
    if record.recalled is not None:
        dataset = bringing.dataset(record.dataset)
        version = DatasetVersion.objects.select_related("dataset__project").get(dataset=dataset, digest=record.digest)
        withdraw_version(actor, version, reason=record.recalled or _WHY)


def _end_run(actor: Actor, bringing: Bringing, record: RunRecord) -> None:
    if record.deleted:
        delete_run(actor, bringing.run(record.id), reason=_WHY)


def _end_registered_model(actor: Actor, bringing: Bringing, record: RegisteredModelRecord) -> list[str]:
    """Aliases that stand for nothing here yet."""
    told: list[str] = []
    model = bringing.registered(record.name)
    taken = set(ModelAlias.objects.filter(model=model).values_list("name", flat=True))
    for name, number in record.aliases.items():
        here = bringing.ids.of("model_versions", f"{record.name}\n{number}")
        if name not in taken and here is not None:
            version = ModelVersion.objects.select_related("model__project").get(pk=int(here))
            or_told(told, partial(set_alias, actor, model, alias=name, version=version))
    return told


def _end_model_version(actor: Actor, bringing: Bringing, record: ModelVersionRecord) -> None:
    here = bringing.ids.of("model_versions", f"{record.model}\n{record.number}")
    if record.stage != Stage.NONE and here is not None:
        version = ModelVersion.objects.select_related("model__project").get(pk=int(here))
        transition_stage(actor, version, stage=record.stage)


_WHY = "It was so where it was brought in from."
_BEGIN: dict[str, Callable[[Actor, Bringing, Any], tuple[str, bool]]] = {
    "experiments": _experiment,
    "datasets": _dataset,
    "dataset_versions": _dataset_version,
    "runs": _run,
    "logged_models": _logged_model,
    "registered_models": _registered_model,
    "model_versions": _model_version,
    "comments": _comment,
    "views": _view,
    "directions": _direction,
}
_FINISH: dict[str, Callable[[Actor, Bringing, Any], list[str] | None]] = {
    "datasets": _end_dataset,
    "registered_models": _end_registered_model,
    "model_versions": _end_model_version,
    "runs": _end_run,
    "experiments": _end_experiment,
    "dataset_versions": _end_dataset_version,
}
