"""Runs by the models that were made of them: `model = 'triage'` for any version, or `model = 'triage v3'`."""

from collections import Counter
from collections.abc import Sequence

from experiments.hooks import column_values
from experiments.search.columns import Column, Kind
from experiments.search.vocabularies import RUNS
from kernel.actor import Actor
from registry.models import LoggedModel, ModelVersion

_VERSIONS = (
    "FROM registry_modelversion n JOIN registry_registeredmodel m ON m.id = n.model_id"
    " WHERE n.run_id = r.id AND m.project_id = r.project_id AND NOT n.is_deleted AND NOT m.is_deleted"
)
_LOGGED = "FROM registry_loggedmodel l WHERE l.source_run_id = r.id AND NOT l.is_deleted"


def register() -> None:
    """Make models known to the search of runs."""
    source = (
        f"SELECT m.name AS value {_VERSIONS} UNION ALL SELECT m.name || ' v' || n.number {_VERSIONS}"
        f" UNION ALL SELECT l.name {_LOGGED}"
    )
    RUNS.register(Column("model", Kind.SET, source))
    column_values["model"] = models_of


def models_of(viewer: Actor, runs: Sequence[int]) -> Counter[str]:
    """The models of these runs by how many have them."""
    found: Counter[str] = Counter()
    versions = ModelVersion.objects.visible_to(viewer).filter(run__in=runs, is_deleted=False, model__is_deleted=False)
    for name, number in versions.values_list("model__name", "number"):
        found.update((name, f"{name} v{number}"))
    logged = LoggedModel.objects.visible_to(viewer).filter(source_run__in=runs, is_deleted=False)
    found.update(logged.values_list("name", flat=True))
    return found
