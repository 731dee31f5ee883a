"""Reading experiments."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.access import can_see, not_found
from accounts.models import Project
from experiments.models import Experiment, ExperimentTag, MetricDirection
from experiments.queries.prepared import Prepared
from experiments.refs import number_in
from kernel.actor import Actor

DEFAULT_WIRE_ID = "0"
_BY_KEY = Prepared(lambda key: Experiment.objects.filter(pk=key), int)
_DEFAULT_OF = Prepared(lambda project: Experiment.objects.filter(project=project, is_default=True), UUID)


def wire_id(experiment: Experiment) -> str:
    """The id on the MLflow wire: '0' for a project's Default experiment, else its key."""
    return DEFAULT_WIRE_ID if experiment.is_default else str(experiment.pk)


def visible_experiments(viewer: Actor, project: Project) -> QuerySet[Experiment]:
    """The experiments of a project that the viewer may see, deleted ones too."""
    return Experiment.objects.visible_to(viewer).filter(project=project)


def get_experiment(viewer: Actor, wire: str, *, project: Project) -> Experiment:
    """The experiment by its id on the wire. Raises NotFound, the same for absent and invisible."""
    found = _by_wire_id(wire, project)
    if found is None or found.project_id != project.pk or not can_see(viewer, found):
        raise not_found(Experiment, wire[:80])
    found.project = project
    return found


def _by_wire_id(wire: str, project: Project) -> Experiment | None:
    if wire == DEFAULT_WIRE_ID:
        return next(iter(_DEFAULT_OF(project.pk)), None)
    key = number_in(wire)
    if key is not None:
        found = next(iter(_BY_KEY(key)), None)
        return None if found is None or found.is_default else found
    return None


def experiments_named(viewer: Actor, project: Project | None, wires: Sequence[str]) -> list[int] | None:
    """Experiments by their ids on the wire, as searches take them: unknown ones hold nothing; none named, no limit."""
    if not wires:
        return None
    named = Q(pk__in=[key for wire in wires if (key := number_in(wire))], is_default=False)
    if DEFAULT_WIRE_ID in wires:
        named |= Q(is_default=True)
    rows = Experiment.objects.visible_to(viewer).filter(named)
    return list((rows.filter(project=project) if project else rows).values_list("pk", flat=True))


def get_experiment_by_name(viewer: Actor, name: str, *, project: Project) -> Experiment:
    """The experiment by its exact name, deleted ones too. Raises NotFound."""
    found = Experiment.objects.filter(project=project, name=name).select_related("project").first()
    if found is None or not can_see(viewer, found):
        raise not_found(Experiment, name[:80])
    experiment: Experiment = found
    return experiment


def experiment_tags(viewer: Actor, experiments: Sequence[Experiment]) -> Mapping[int, dict[str, str]]:
    """The tags of several experiments by experiment id, in one query."""
    found: dict[int, dict[str, str]] = {experiment.pk: {} for experiment in experiments}
    rows = ExperimentTag.objects.visible_to(viewer).filter(experiment__in=list(found)).order_by("key")
    for experiment_id, key, value in rows.values_list("experiment_id", "key", "value"):
        found[experiment_id][key] = value
    return found


def experiment_names(viewer: Actor, experiments: Collection[int]) -> dict[int, str]:
    """The names of experiments by primary key, of those that the viewer may see."""
    return dict(Experiment.objects.visible_to(viewer).filter(pk__in=experiments).values_list("pk", "name"))


def metric_directions(viewer: Actor, project: Project) -> dict[str, bool]:
    """Which metrics of the project are better high (True) or low (False)."""
    rows = MetricDirection.objects.visible_to(viewer).filter(project=project)
    return dict(rows.values_list("key", "higher_is_better"))
