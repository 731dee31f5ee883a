"""What is done to many runs at once: one act and one event for each, and told for each where it was refused."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from experiments.actions.moves import move_run
from experiments.actions.runs import delete_run, delete_tag, lock_run, restore_run, set_tags, unlock_run
from experiments.hooks import bulk_acts
from experiments.models import Experiment, Run
from kernel.actor import Actor
from kernel.errors import Invalid, MledError


@dataclass(frozen=True, slots=True)
class Wish:
    """What the form says besides the runs. to: where they move; back: where each came from, by readable id."""

    reason: str
    key: str
    value: str
    to: Experiment | None = None
    back: Mapping[str, Experiment] = field(default_factory=dict)

    def place_of(self, run: Run) -> Experiment:
        """Where the run is to move. Raises Invalid where the form does not say."""
        place = self.back.get(run.readable_id, self.to)
        if place is None:
            raise Invalid("Nobody said where to.", hint="Choose an experiment.", field="to")
        return place


@dataclass(frozen=True, slots=True)
class BulkAct:
    """done: "locked", as in "17 runs locked"; is_so: whether a run is that already; undo: the act that undoes it."""

    do: Callable[[Actor, Run, Wish], Any]
    done: str
    permission: str
    is_so: Callable[[Run, Wish], bool] = lambda run, wish: False
    undo: str = ""


@dataclass(slots=True)
class Outcome:
    """What came of it. left: the experiment that each was in, by readable id; refused: each with the reason why."""

    done: list[Run] = field(default_factory=list)
    left: dict[str, Experiment] = field(default_factory=dict)
    already: list[Run] = field(default_factory=list)
    refused: list[tuple[Run, MledError]] = field(default_factory=list)


class AllOrNothing(Exception):
    """One run of an act on all or none was refused."""


BULK: dict[str, BulkAct] = {
    "lock": BulkAct(
        lambda actor, run, wish: lock_run(actor, run, reason=wish.reason),
        "locked",
        "experiments.lock_run",
        lambda run, wish: run.is_locked,
        "unlock",
    ),
    "unlock": BulkAct(
        lambda actor, run, wish: unlock_run(actor, run, reason=wish.reason),
        "unlocked",
        "experiments.lock_run",
        lambda run, wish: not run.is_locked,
        "lock",
    ),
    "delete": BulkAct(
        lambda actor, run, wish: delete_run(actor, run, reason=wish.reason),
        "deleted",
        "experiments.delete_run",
        lambda run, wish: run.is_deleted,
        "restore",
    ),
    "restore": BulkAct(
        lambda actor, run, wish: restore_run(actor, run, reason=wish.reason),
        "restored",
        "experiments.delete_run",
        lambda run, wish: not run.is_deleted,
        "delete",
    ),
    "move": BulkAct(
        lambda actor, run, wish: move_run(actor, run, experiment=wish.place_of(run), reason=wish.reason),
        "moved",
        "experiments.move_run",
        lambda run, wish: wish.place_of(run).pk == run.experiment_id,
        "move",
    ),
    "tag": BulkAct(
        lambda actor, run, wish: set_tags(actor, run, tags={wish.key: wish.value}),
        "tagged",
        "experiments.log_run",
    ),
    "untag": BulkAct(lambda actor, run, wish: delete_tag(actor, run, key=wish.key), "untagged", "experiments.log_run"),
}


def act_of(verb: str) -> BulkAct | None:
    """The act of a verb: ours, or one that a room above registered."""
    offer = bulk_acts.get(verb)
    if offer is None:
        return BULK.get(verb)
    return BulkAct(
        lambda actor, run, wish: offer.do(actor, run, wish.reason),
        offer.done,
        offer.permission,
        lambda run, wish: offer.is_so(run),
    )


def do_to_all(viewer: Actor, runs: Sequence[Run], bulk: BulkAct, wish: Wish, *, atomic: bool = False) -> Outcome:
    """One act for each run, each with its own event; one that is refused leaves the others as they are.

    In one order whoever asks, so that of two who ask for the same runs neither holds what the other waits for. Call it
    outside a transaction, or each run stays locked until the last. atomic: where one is refused, nothing is done to
    any, and no event is left.
    """
    outcome = Outcome()
    runs = sorted(runs, key=lambda run: run.pk)
    if not atomic:
        _do(viewer, runs, bulk, wish, outcome)
        return outcome
    try:
        with transaction.atomic():
            _do(viewer, runs, bulk, wish, outcome)
            if outcome.refused:
                raise AllOrNothing
    except AllOrNothing:
        return Outcome(already=outcome.already, refused=outcome.refused)
    return outcome


def _do(viewer: Actor, runs: Sequence[Run], bulk: BulkAct, wish: Wish, outcome: Outcome) -> None:
    for run in runs:
        place = run.experiment
        try:
            if bulk.is_so(run, wish):
                outcome.already.append(run)
                continue
            bulk.do(viewer, run, wish)
            outcome.done.append(run)
            outcome.left[run.readable_id] = place
        except MledError as error:
            outcome.refused.append((run, error))
