"""Runs that are gone for good, though their row stays: no door gives them out, and nobody writes to them.

A room above that removes what is in a run leaves a mark, a row whose primary key is the run, and registers its table.
"""

from typing import TYPE_CHECKING, Any

from django.db import models

from experiments.models import Run
from experiments.search.databases import TRUE, Sql, joined
from kernel.actor import Actor
from kernel.errors import MledError, NotFound

if TYPE_CHECKING:
    from audit.ledger.tracking import TrackedQuerySet

_marks: list[type[models.Model]] = []


class Gone(NotFound):
    """The run was removed for good; run: what is left of it, for the page that says so."""

    def __init__(self, run: Run) -> None:
        super().__init__(
            f"Run {run.readable_id} was purged after its retention ran out.",
            hint=f"What is left of it stands on the page Keeping of the project {run.project.name}.",
        )
        self.run = run


def register_mark(mark: type[models.Model]) -> None:
    """Say which table marks runs as gone. Its primary key is the run."""
    _marks.append(mark)


def is_gone(run: Run) -> bool:
    """Whether the run was removed for good; asks only about deleted ones."""
    return run.is_deleted and any(mark._base_manager.filter(pk=run.pk).exists() for mark in _marks)


def without_gone(runs: "TrackedQuerySet[Run]") -> "TrackedQuerySet[Run]":
    """The runs that are still there."""
    for mark in _marks:
        runs = runs.exclude(pk__in=mark._base_manager.values("pk"))
    return runs


def still_there(alias: str) -> Sql:
    """The same as a condition on runs under an alias."""
    pieces = [
        Sql(f"NOT EXISTS (SELECT 1 FROM {mark._meta.db_table} gone WHERE gone.{_key(mark)} = {alias}.id)")  # noqa: S608
        for mark in _marks
    ]
    return joined("AND", pieces) if pieces else TRUE


def _key(mark: type[models.Model]) -> str:
    field: Any = mark._meta.pk
    return str(field.column)


def refuse_gone(actor: Actor, permission: str, run: Run) -> MledError | None:
    """What everybody is told who would do anything to a run that is gone."""
    return Gone(run) if permission != run.see_permission and is_gone(run) else None
