"""What the form for runs that are over offers: versions of the catalogue, experiments, an earlier run as template."""

from django.db.models import QuerySet

from accounts.models import Project
from artifacts.models import DatasetVersion, VersionRecord
from experiments.models import Experiment, RecordedOnce, Run
from experiments.queries.runs import inputs_of, params_of, tags_of
from experiments.recording.naming import name_and_number
from experiments.recording.wanted import ARCHITECTURE, DATASET_MAX, EMAIL, ROWS_MAX, TAGS_MAX, Wanted
from experiments.values import Lifecycle
from kernel.actor import Actor

VERSIONS_OFFERED = 100
EXPERIMENTS_OFFERED = 200


def versions_offered(viewer: Actor, project: Project, text: str = "") -> list[DatasetVersion]:
    """Versions of the catalogue that may be used, newest first. text: part of the name, maybe with a number behind."""
    name, number = name_and_number(text[:DATASET_MAX])
    rows = _usable(viewer, project)
    if name:
        rows = rows.filter(dataset__name__icontains=name)
    if number is not None:
        rows = rows.filter(number=number)
    return list(rows.order_by("-created_at", "-number")[:VERSIONS_OFFERED])


def version_named(viewer: Actor, project: Project, text: str) -> DatasetVersion | None:
    """The version of the catalogue that a text names exactly, if it may be used."""
    name, number = name_and_number(text[: DATASET_MAX + 1])
    if number is None or len(text) > DATASET_MAX:
        return None
    return _usable(viewer, project).filter(dataset__name=name, number=number).first()


def _usable(viewer: Actor, project: Project) -> QuerySet[DatasetVersion]:
    rows: QuerySet[DatasetVersion] = DatasetVersion.objects.visible_to(viewer).filter(dataset__project=project)
    return rows.exclude(record__state=VersionRecord.State.WITHDRAWN).select_related("dataset")


def experiments_offered(viewer: Actor, project: Project) -> list[Experiment]:
    """The experiments that a run can go to, those with the newest runs first."""
    seen = Experiment.objects.visible_to(viewer).filter(project=project, lifecycle=Lifecycle.ACTIVE)
    newest = Run.objects.visible_to(viewer).filter(project=project).order_by("-id").values_list("experiment_id")
    order = {pk: place for place, (pk,) in reversed(list(enumerate(newest[:EXPERIMENTS_OFFERED])))}
    rows = list(seen.order_by("name")[:EXPERIMENTS_OFFERED])
    return sorted(rows, key=lambda one: (order.get(one.pk, len(order)), one.name))


def recorded_before(viewer: Actor, project: Project, key: str) -> RecordedOnce | None:
    """What came of one's own form or call with this key."""
    if viewer.user_id is None or not key:
        return None
    return RecordedOnce.objects.filter(user_id=viewer.user_id, project=project, key=key).first()


def as_template(viewer: Actor, run: Run) -> Wanted:
    """The run without what belongs to it alone: its results, times, notes and files."""
    params, tags, inputs = params_of(viewer, run), tags_of(viewer, run), inputs_of(viewer, run)
    own = [(key, value) for key, value in tags.items() if not key.startswith(("mlflow.", "mled."))]
    others = [(key, value) for key, value in params.items() if key != ARCHITECTURE]
    return Wanted(
        experiment=run.experiment.name,
        name=run.name,
        architecture=params.get(ARCHITECTURE, ""),
        dataset=str(inputs[0].dataset_version) if inputs else "",
        params=others[:ROWS_MAX],
        tags=own[:TAGS_MAX],
        commit=run.git_commit,
        command=run.source_name,
        container=tags.get("mlflow.docker.image.name", ""),
        email=tags.get(EMAIL, ""),
    )
