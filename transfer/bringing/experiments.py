"""Experiments: made under their names, or those of the project that have the name already."""

from experiments.models import Experiment
from experiments.values import EXPERIMENT_TAG_MAX, Lifecycle
from kernel.errors import Conflict
from transfer.actions.mlflow import bring_in_experiment
from transfer.bringing.under_way import EXPERIMENT, UnderWay
from transfer.mlflow.fitting import fitting_pairs
from transfer.mlflow.records import NotReadable, SourceExperiment


def bring_experiments(way: UnderWay) -> list[SourceExperiment]:
    """Make what is missing, and say which are brought along. Raises NotReadable where one that is wanted is missing."""
    found = [one for one in way.source.experiments() if not way.wanted or {one.name, one.id} & way.wanted]
    missing = way.wanted - {one.name for one in found} - {one.id for one in found}
    if missing:
        raise NotReadable(
            f"The source has no experiment '{min(missing)[:80]}'.", hint="Name those that it has, or leave it out."
        )
    way.tally.counts["experiments_held"] = len(found)
    for one in found:
        way.progress.at("experiments", len(way.experiments), len(found))
        row = way.told(f"experiment {one.name[:80]}", lambda one=one: _here(way, one))  # type: ignore[misc]
        if row is not None:
            way.experiments[one.id] = row
    return [one for one in found if one.id in way.experiments]


def _here(way: UnderWay, one: SourceExperiment) -> Experiment:
    """The experiment here: brought before, of that name, or new. Raises Conflict for a deleted one of that name."""
    moved = way.moved(EXPERIMENT, one.key)
    rows = Experiment.objects.select_related("project").filter(project=way.project)
    known: Experiment | None = rows.filter(pk=moved.target).first() if moved else None
    if known is not None:
        way.tally.counts["experiments_there"] += 1
        return known
    named: Experiment | None = rows.filter(name=one.name).first()
    if named is not None:
        if named.lifecycle != Lifecycle.ACTIVE:
            raise Conflict(
                "An experiment of this name is deleted here.", hint="Restore or rename it, and import again."
            )
        way.bringing.note(EXPERIMENT, one.key, str(named.pk))
        way.tally.counts["experiments_there"] += 1
        return named
    made = bring_in_experiment(
        way.actor,
        way.project,
        bringing=way.bringing,
        key=one.key,
        name=one.name,
        tags=fitting_pairs(one.tags, f"experiment {one.name[:80]}", "tag", way.tally.tell, EXPERIMENT_TAG_MAX),
        created_ms=one.created_ms,
    )
    way.tally.counts["experiments"] += 1
    return made
