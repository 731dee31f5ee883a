"""Archiving run after run, by the clock or for an operator: what one run refuses holds up no other."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from artifacts.storage.base import BlobDamaged
from experiments.actions.archives import archive_run
from experiments.models import Run
from kernel.actor import Actor
from kernel.errors import Conflict, MledError, NotFound

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Archived:
    """What became of one run. error: why it stays as it is; changed: it was written to meanwhile, or is gone."""

    run: Run
    points: int = 0
    size_bytes: int = 0
    error: str = ""
    changed: bool = False


def archive_each(actor: Actor, runs: Iterable[Run]) -> Iterator[Archived]:
    """Archive these runs, each in a transaction of its own, and tell of each."""
    for run in runs:
        try:
            made = archive_run(actor, run)
        except (Conflict, NotFound) as error:
            yield Archived(run, error=str(error), changed=True)
        except MledError as error:
            log.error("Run %s cannot be archived: %s", run.uid.hex, error)
            yield Archived(run, error=str(error))
            if not isinstance(error, BlobDamaged):
                return  # the store is full or away: the others would fail alike
        else:
            if made is not None:
                yield Archived(run, made.points, made.size_bytes)
