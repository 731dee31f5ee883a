"""Runs that differ only in their seed: how far a result moves by chance alone."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from experiments.compare.reproduction import last_value
from experiments.conditions import SEED_NAMES
from experiments.hooks import siblings_by_seed
from experiments.models import MetricSeries, Param, Run, RunInput
from experiments.values import Lifecycle, RunStatus
from kernel.actor import Actor

READ_MAX: Final = 200  # runs that are looked at, the newest


def values_by_seed(viewer: Actor, first: Run) -> dict[tuple[str, str], list[float]]:
    """By key and context of a metric what each seed gave, the run's own among them: one value for each seed."""
    runs = [first.pk, *siblings_of(viewer, first)]
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for one in MetricSeries.objects.filter(run__in=runs):
        found[one.key, one.context].append(last_value(one))
    return found


def siblings_of(viewer: Actor, first: Run) -> list[int]:
    """Finished runs (primary keys) that differ from this one only in their seed, one for each further seed.

    What rooms above know better of runs that they made, they say; else the record decides: the same commit, command,
    data and params but for the seed. Without a commit nothing says that the code was the same.
    """
    seen = Run.objects.visible_to(viewer).filter(
        project=first.project_id, lifecycle=Lifecycle.ACTIVE, status=RunStatus.FINISHED
    )
    for ask in siblings_by_seed:
        known = ask(first)
        if known is not None:
            there = set(seen.filter(pk__in=known.values()).values_list("pk", flat=True))
            return [pk for pk in known.values() if pk in there]
    if not first.git_commit:
        return []
    alike = seen.filter(git_commit=first.git_commit, source_name=first.source_name).exclude(pk=first.pk)
    return _alike(first, list(alike.order_by("-pk").values_list("pk", flat=True)[:READ_MAX]))


def _alike(first: Run, others: Sequence[int]) -> list[int]:
    params: dict[int, dict[str, str]] = defaultdict(dict)
    for run, key, value in Param.objects.filter(run__in=[first.pk, *others]).values_list("run", "key", "value"):
        params[run][key] = value
    inputs: dict[int, set[object]] = defaultdict(set)
    for run, version in RunInput.objects.filter(run__in=[first.pk, *others]).values_list("run", "dataset_version"):
        inputs[run].add(version)
    mine, own_seed = _parted(params[first.pk])
    by_seed: dict[tuple[tuple[str, str], ...], int] = {}
    for run in others:
        plain, seed = _parted(params[run])
        if seed and seed != own_seed and plain == mine and inputs[run] == inputs[first.pk]:
            by_seed.setdefault(seed, run)
    return list(by_seed.values())


def _parted(params: Mapping[str, str]) -> tuple[dict[str, str], tuple[tuple[str, str], ...]]:
    """Params without the seeds, and the seeds."""
    seeds = {key for key in params if key.rsplit("/", 1)[-1].rsplit(".", 1)[-1].lower() in SEED_NAMES}
    plain = {key: value for key, value in params.items() if key not in seeds}
    return plain, tuple(sorted((key, params[key]) for key in seeds))
