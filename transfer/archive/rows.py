"""What a viewer may see of a project as records, kind after kind, each in an order that no server chooses."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import parse_qsl

from django.db.models import Q, QuerySet

from accounts.models import Project
from artifacts.models import Dataset, DatasetAlias, DatasetVersion
from artifacts.records import FIELDS
from artifacts.versions import is_withdrawn, record_of
from experiments.gone import without_gone
from experiments.locations import ARTIFACTS, file_place
from experiments.models import (
    Comment,
    Experiment,
    ExperimentTag,
    MetricDirection,
    Param,
    Run,
    RunInput,
    RunTag,
)
from experiments.queries.saved_views import views_of
from experiments.values import Lifecycle
from kernel.actor import Actor
from registry.models import (
    CardText,
    LoggedModel,
    LoggedModelParam,
    LoggedModelTag,
    ModelAlias,
    ModelVersion,
    ModelVersionTag,
    RegisteredModel,
    RegisteredModelTag,
    RunModel,
)
from transfer.archive.claims import People, without_said_by
from transfer.archive.files import files_of_roots
from transfer.archive.records import (
    CommentRecord,
    DatasetRecord,
    DirectionRecord,
    ExperimentRecord,
    InputRecord,
    LoggedModelRecord,
    ModelVersionRecord,
    RegisteredModelRecord,
    RunRecord,
    VersionRecord,
    ViewRecord,
)

AT_ONCE = 200


class Rows:
    """A project as this viewer sees it. experiments: only these, with what belongs to them; None for all.

    Series, and the points of models, are filled in by whoever reads points: `of_runs` gives records without them.
    """

    def __init__(self, viewer: Actor, project: Project, *, experiments: Sequence[int] | None = None) -> None:
        self.viewer, self.project, self.people = viewer, project, People()
        rows = Experiment.objects.visible_to(viewer).filter(project=project)
        self._experiments: QuerySet[Experiment] = rows if experiments is None else rows.filter(pk__in=experiments)
        self._is_part = experiments is not None
        self.names: dict[int, str] = dict(self._experiments.values_list("pk", "name"))

    def run_keys(self) -> list[int]:
        """Primary keys of the runs that were not purged, by their outer id."""
        rows = Run.objects.visible_to(self.viewer).filter(project=self.project, experiment__in=list(self.names))
        found = without_gone(rows).values_list("pk", "uid")
        return [pk for _, pk in sorted((uid.hex, pk) for pk, uid in found.iterator())]

    def model_keys(self) -> list[int]:
        """Primary keys of the logged models that were not deleted, by their id."""
        rows = LoggedModel.objects.visible_to(self.viewer).filter(project=self.project, is_deleted=False)
        rows = rows.filter(experiment__in=list(self.names))
        return [pk for _, pk in sorted(rows.values_list("model_id", "pk").iterator())]

    def of_experiments(self) -> Iterator[ExperimentRecord]:
        """By name."""
        tags = _pairs(ExperimentTag.objects.filter(experiment__in=list(self.names)), "experiment_id")
        for one in sorted(self._experiments, key=lambda row: row.name):
            yield ExperimentRecord(
                name=one.name,
                is_default=one.is_default,
                deleted=one.lifecycle == Lifecycle.DELETED,
                artifact_location=one.artifact_location,
                tags=tags[one.pk],
                claims=self.people.claim(id=one.pk, created_by=one.created_by_id, created_at=one.created_at),
            )

    def _datasets(self) -> list[Dataset]:
        rows = Dataset.objects.visible_to(self.viewer).filter(project=self.project)
        if self._is_part:
            used = RunInput.objects.filter(run__experiment__in=list(self.names))
            rows = rows.filter(pk__in=used.values("dataset_version__dataset"))
        return sorted(rows, key=lambda row: row.name)

    def of_datasets(self) -> Iterator[DatasetRecord]:
        """By name."""
        found = self._datasets()
        aliases: dict[Any, dict[str, int]] = defaultdict(dict)
        rows = DatasetAlias.objects.filter(dataset__in=found).values_list("dataset_id", "name", "version__number")
        for dataset_id, name, number in rows:
            aliases[dataset_id][name] = number
        for one in found:
            yield DatasetRecord(
                name=one.name,
                description=one.description,
                aliases=aliases[one.pk],
                claims=self.people.claim(id=one.pk.hex, created_by=one.created_by_id, created_at=one.created_at),
            )

    def of_dataset_versions(self) -> Iterator[VersionRecord]:
        """By dataset and number."""
        for dataset in self._datasets():
            rows = DatasetVersion.objects.filter(dataset=dataset).select_related("record", "dataset")
            versions = list(rows.order_by("number"))
            files = files_of_roots(self.viewer, [one.root_id for one in versions])
            for one in versions:
                record = record_of(one)
                said = {name: str(getattr(record, name)) for name in FIELDS if record and getattr(record, name)}
                yield VersionRecord(
                    dataset=dataset.name,
                    number=one.number,
                    digest=one.digest,
                    source_type=one.source_type,
                    source=one.source,
                    schema=one.schema,
                    profile=one.profile,
                    files=files[one.root_id] if one.root_id else None,
                    record=said,
                    recalled=record.state_reason if record and is_withdrawn(one) else None,
                    claims=self.people.claim(
                        id=one.pk.hex,
                        created_by=one.created_by_id,
                        created_at=one.created_at,
                        recalled_by=record.state_by_id if record else None,
                        recalled_at=record.state_at if record else None,
                    ),
                )

    def of_runs(self, keys: Sequence[int]) -> list[RunRecord]:
        """These runs, in this order; their series are still empty."""
        found = {run.pk: run for run in Run.objects.filter(pk__in=keys).select_related("project")}
        params = _pairs(Param.objects.filter(run__in=keys), "run_id")
        tags = _pairs(RunTag.objects.filter(run__in=keys), "run_id")
        inputs, links = _inputs(keys), _links(keys)
        files = files_of_roots(self.viewer, [run.artifact_root_id for run in found.values()])
        return [
            RunRecord(
                id=run.uid.hex,
                experiment=self.names[run.experiment_id],
                name=run.name,
                status=run.status,
                deleted=run.is_deleted,
                started_ms=run.started_ms,
                ended_ms=run.ended_ms,
                claimed_user=run.claimed_user,
                params=params[run.pk],
                tags=tags[run.pk],
                inputs=inputs[run.pk],
                models_in=[model for way, model, _ in links[run.pk] if way == RunModel.Way.INPUT],
                outputs=[(model, step) for way, model, step in links[run.pk] if way == RunModel.Way.OUTPUT],
                files=files[run.artifact_root_id] if run.artifact_root_id else [],
                claims=self._claims_of(run),
            )
            for run in (found[key] for key in keys)
        ]

    def _claims_of(self, run: Run) -> dict[str, Any]:
        return self.people.claim(
            readable_id=run.readable_id,
            created_by=run.created_by_id,
            created_at=run.created_at,
            locked_by=run.locked_by_id,
            locked_at=run.locked_at,
            deleted_at=run.deleted_at,
            review_state=run.review_state,
            seal=run.seal,
            sealed_at=run.sealed_at,
        )

    def of_logged_models(self, keys: Sequence[int]) -> list[LoggedModelRecord]:
        """These models, in this order; their points are still unknown."""
        found = {one.pk: one for one in LoggedModel.objects.filter(pk__in=keys).select_related("source_run")}
        params = _pairs(LoggedModelParam.objects.filter(model__in=keys), "model_id")
        tags = _pairs(LoggedModelTag.objects.filter(model__in=keys), "model_id")
        files = files_of_roots(self.viewer, [one.artifact_root_id for one in found.values()])
        return [
            LoggedModelRecord(
                id=one.model_id,
                experiment=self.names[one.experiment_id],
                name=one.name,
                type=one.model_type,
                run=one.source_run.uid.hex if one.source_run else None,
                status=one.status,
                params=params[one.pk],
                tags=tags[one.pk],
                files=files[one.artifact_root_id] if one.artifact_root_id else [],
                claims=self.people.claim(
                    created_by=one.created_by_id, created_at=one.created_at, created_ms=one.created_ms
                ),
            )
            for one in (found[key] for key in keys)
        ]

    def _versions(self) -> QuerySet[ModelVersion]:
        rows = ModelVersion.objects.visible_to(self.viewer).filter(model__project=self.project)
        rows = rows.filter(is_deleted=False, model__is_deleted=False)
        if self._is_part:
            names = list(self.names)
            rows = rows.filter(Q(run__experiment__in=names) | Q(logged_model__experiment__in=names))
        return rows

    def of_registered_models(self) -> Iterator[RegisteredModelRecord]:
        """By name; deleted ones are left out."""
        rows = RegisteredModel.objects.visible_to(self.viewer).filter(project=self.project, is_deleted=False)
        if self._is_part:
            rows = rows.filter(pk__in=self._versions().values("model"))
        found = sorted(rows, key=lambda row: row.name)
        tags = _pairs(RegisteredModelTag.objects.filter(model__in=found), "model_id")
        aliases: dict[int, dict[str, int]] = defaultdict(dict)
        told = ModelAlias.objects.filter(model__in=found, version__in=self._versions().values("pk"))
        for model_id, name, number in told.values_list("model_id", "name", "version__number"):
            aliases[model_id][name] = number
        for one in found:
            yield RegisteredModelRecord(
                name=one.name,
                description=one.description,
                tags=tags[one.pk],
                aliases=aliases[one.pk],
                claims=self.people.claim(
                    created_by=one.created_by_id, created_at=one.created_at, created_ms=one.created_ms
                ),
            )

    def of_model_versions(self) -> Iterator[ModelVersionRecord]:
        """By model and number; deleted ones are left out."""
        rows = self._versions().select_related("model", "run", "logged_model", "root")
        keys = [pk for *_, pk in sorted(rows.values_list("model__name", "number", "pk"))]
        for start in range(0, len(keys), AT_ONCE):
            some = keys[start : start + AT_ONCE]
            found = {one.pk: one for one in rows.filter(pk__in=some)}
            tags = _pairs(ModelVersionTag.objects.filter(version__in=some), "version_id")
            cards = _pairs(CardText.objects.filter(version__in=some), "version_id", "section", "text")
            for key in some:
                yield self._version(found[key], tags[key], {name: text for name, text in cards[key].items() if text})

    def _version(self, one: ModelVersion, tags: dict[str, str], card: dict[str, str]) -> ModelVersionRecord:
        source = plain_source(one)
        return ModelVersionRecord(
            model=one.model.name,
            number=one.number,
            source=source,
            run=one.run.uid.hex if one.run else None,
            logged_model=one.logged_model.model_id if one.logged_model and not one.logged_model.is_deleted else None,
            run_link=one.run_link,
            description=one.description,
            stage=one.stage,
            tags=tags,
            card=card,
            claims=self.people.claim(
                source=one.source if one.source != source else "",
                created_by=one.created_by_id,
                created_at=one.created_at,
                created_ms=one.created_ms,
            ),
        )

    def of_comments(self, keys: Sequence[int]) -> Iterator[CommentRecord]:
        """What was said about these runs and not taken back, by id."""
        rows = Comment.objects.visible_to(self.viewer).filter(run__in=keys, removed_at=None).select_related("run")
        for one in sorted(rows, key=lambda row: row.pk.hex):
            text, by, on = without_said_by(one.text)
            claims = self.people.claim(created_by=one.created_by_id, created_at=one.created_at, edited_at=one.edited_at)
            if by:
                claims |= {"written_by_name": by, "written_on": on}
            yield CommentRecord(id=one.pk.hex, run=one.run.uid.hex, text=text, claims=claims)

    def of_views(self) -> Iterator[ViewRecord]:
        """Shared ones, by name. One's own stay: an archive is for everybody who may export."""
        rows = sorted(views_of(self.viewer, self.project).filter(is_shared=True), key=lambda row: (row.name, row.query))
        for one in rows if not self._is_part else ():
            pairs = [
                (name, self.names.get(int(text), "") if name == "experiment" and text.isdigit() else text)
                for name, text in parse_qsl(one.query)
            ]
            claims = self.people.claim(created_by=one.created_by_id, created_at=one.created_at)
            shown = {"shared": one.is_shared, "default": one.is_default}
            yield ViewRecord(name=one.name, query=pairs, claims=claims, **shown)

    def of_directions(self) -> Iterator[DirectionRecord]:
        """By key."""
        rows = MetricDirection.objects.visible_to(self.viewer).filter(project=self.project)
        for one in sorted(rows, key=lambda row: row.key):
            yield DirectionRecord(key=one.key, higher_is_better=one.higher_is_better)


def plain_source(version: ModelVersion) -> str:
    """The source of a version without the numbers of this server: artifact URIs as runs:/ or models:/."""
    if not version.source.startswith(ARTIFACTS):
        return version.source
    place = file_place(version.source.removeprefix(ARTIFACTS).strip("/"))
    if place is None:
        return version.source
    return f"{'models' if place.is_model else 'runs'}:/{place.owner}" + (f"/{place.path}" if place.path else "")


def _pairs(rows: QuerySet[Any], owner: str, key: str = "key", value: str = "value") -> defaultdict[Any, dict[str, str]]:
    found: defaultdict[Any, dict[str, str]] = defaultdict(dict)
    for owner_id, name, text in rows.values_list(owner, key, value).iterator():
        found[owner_id][name] = text
    return found


def _inputs(keys: Iterable[int]) -> defaultdict[int, list[InputRecord]]:
    found: defaultdict[int, list[InputRecord]] = defaultdict(list)
    rows = RunInput.objects.filter(run__in=list(keys)).select_related("dataset_version__dataset")
    for one in rows:
        version = one.dataset_version
        told = InputRecord(
            dataset=version.dataset.name,
            digest=version.digest,
            context=one.context,
            tags={str(key): str(text) for key, text in one.tags.items()},
        )
        found[one.run_id].append(told)
    for told_of_run in found.values():
        told_of_run.sort(key=lambda one: (one.dataset, one.digest))
    return found


def _links(keys: Iterable[int]) -> defaultdict[int, list[tuple[str, str, int]]]:
    found: defaultdict[int, list[tuple[str, str, int]]] = defaultdict(list)
    rows = RunModel.objects.filter(run__in=list(keys), model__is_deleted=False)
    for run_id, way, model_id, step in rows.values_list("run_id", "way", "model__model_id", "step"):
        found[run_id].append((way, model_id, step))
    for told in found.values():
        told.sort()
    return found
