"""What came out when runs were done again, for those who may see them."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final

from experiments.hooks import KeptCheck
from experiments.metrics.seal import seals_of
from experiments.models import Run, RunTag
from experiments.queries.reproductions import LIKE, REPRODUCES
from experiments.values import ENDED, Lifecycle
from kernel.actor import Actor
from kernel.clock import now
from runner.models import Job, RecreationCheck
from runner.recreating.rows import read

LATELY: Final = dt.timedelta(days=2)
AT_ONCE: Final = 200


def checks_of(viewer: Actor, runs: Sequence[int]) -> Mapping[int, KeptCheck]:
    """By the run (primary key) that does another one again: what was kept of that."""
    rows = RecreationCheck.objects.visible_to(viewer).filter(again__in=list(runs))
    found = list(rows.select_related("again__project", "first__project"))
    moved = _changed_since(found)
    return {
        one.again_id: KeptCheck(one.verdict, read(one.rows), one.changed, one.with_changes, one.made_at, moved[one.pk])
        for one in found
    }


def _changed_since(checks: Sequence[RecreationCheck]) -> dict[int, list[str]]:
    """By check: which of its two runs is not any more what was compared. A run that is sealed says it at once."""
    unsealed = {run.pk: run for check in checks for run in (check.again, check.first) if not run.seal}
    seals = {run.pk: seal for run, seal in seals_of(unsealed.values())} if unsealed else {}
    found: dict[int, list[str]] = {}
    for check in checks:
        both = ((check.first, check.first_seal), (check.again, check.again_seal))
        found[check.pk] = [
            f"{run.readable_id} was changed since: compared as {kept[:12]}, now {(run.seal or seals[run.pk])[:12]}."
            for run, kept in both
            if (run.seal or seals[run.pk]) != kept
        ]
    return found


def waiting_for_check(viewer: Actor) -> list[Run]:
    """Runs that ended lately, do another one again, and were not compared yet."""
    lately = int((now() - LATELY).timestamp() * 1000)
    ended = Run.objects.visible_to(viewer).filter(
        lifecycle=Lifecycle.ACTIVE, status__in=ENDED, ended_ms__gte=lately, recreation_check=None
    )
    naming = RunTag.objects.filter(key__in=(REPRODUCES, LIKE), run__in=ended.values("pk"))
    going_on = Job.objects.filter(state__in=Job.OPEN).values("run")
    return list(ended.filter(pk__in=naming.values("run")).exclude(pk__in=going_on).order_by("-pk")[:AT_ONCE])
