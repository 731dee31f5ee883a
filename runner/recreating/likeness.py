"""What a run needs to be done again here: what cannot be met, and what will not be the same, said before it starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from accounts.access import can_see, not_found
from experiments.models import Run
from experiments.queries.reproductions import LIKE
from kernel.actor import Actor
from kernel.errors import InvalidFields, MledError
from runner.checking import checked
from runner.models import Job
from runner.recipes import DEFAULT_QUEUE
from runner.recreating import machines, of_recipe, recorded
from runner.recreating.changing import Change as Change
from runner.recreating.changing import between

LIKE_TAG: Final = LIKE  # of a run that was launched like another one, with changes


@dataclass(frozen=True, slots=True)
class Likeness:
    """A run as it can be launched again. wanted: as `runner.checking` reads it; queue: of the workers that would do it.

    from_record: whether it was rebuilt from what a client logged, rather than launched here; cannot: what cannot be met
    at all, with what to do about it; differs: what will not be the same.
    """

    viewer: Actor
    run: Run
    wanted: Mapping[str, Any]
    from_record: bool
    queue: str = DEFAULT_QUEUE
    cannot: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()

    @property
    def can_be_met(self) -> bool:
        """Whether nothing stands in the way."""
        return not self.cannot


def like(viewer: Actor, run: Run, *, queue: str = "") -> Likeness:
    """How this run would be done again. queue: whose workers it would be done by; '': that of then, else the default.

    Raises NotFound for a run that the viewer may not see.
    """
    if not can_see(viewer, run):
        raise not_found(Run, run.readable_id)
    job = Job.objects.filter(run=run).select_related("recipe__environment", "recipe__project").first()
    if job is not None:
        found = of_recipe.known(job.recipe, run.uid.hex, image=job.image)
    else:
        found = recorded.known(viewer, run)
    queue = queue or (job.queue if job else DEFAULT_QUEUE)
    differs = [*found.differs, *machines.differing(viewer, run, queue)]
    cannot = found.cannot or _not_allowed(viewer, run, found.wanted)
    return Likeness(viewer, run, found.wanted, job is None, queue, tuple(cannot), tuple(differs))


def _not_allowed(viewer: Actor, run: Run, wanted: Mapping[str, Any]) -> list[str]:
    """What the project's rules, or the form of what is recorded, do not let pass."""
    try:
        checked(viewer, run.project, wanted)
    except InvalidFields as several:
        return [str(problem) for problem in several.problems]
    except MledError as error:
        return [str(error)]
    return []


def changes(found: Likeness, wanted: Mapping[str, Any]) -> list[Change]:
    """What would be another than then, if this were launched instead: shown before it is."""
    return between(found.viewer, found.run.project, found.wanted, wanted)
