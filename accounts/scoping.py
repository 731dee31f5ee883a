"""What a viewer may see, as a queryset. `visible_to` says in SQL what `access.can` says for one object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.db.models.manager import BaseManager
from guardian.managers import UserObjectPermissionManager

from audit.ledger.tracking import TrackedQuerySet
from kernel.actor import Actor

if TYPE_CHECKING:
    from accounts.access import Sight

T = TypeVar("T", bound="models.Model")


class ScopedQuerySet(TrackedQuerySet[Any]):  # type: ignore[override, unused-ignore]  # by the order of its reading
    """A queryset that knows the way to the project of its rows."""

    def visible_to(self, viewer: Actor) -> ScopedQuerySet:
        """Only the rows that this viewer may see; none for a stranger."""
        from accounts.access import sight

        model: type[ProjectScoped] = self.model
        seen = sight(viewer, model.see_permission)
        if seen.everything:
            return self.all()
        return self.filter(seen_rows(model, seen))


class GrantManager(UserObjectPermissionManager):  # type: ignore[type-arg]  # generic only in its stubs
    """guardian's words, over rows that change singly and on record."""

    def get_queryset(self) -> TrackedQuerySet[Any]:
        return TrackedQuerySet(self.model, using=self._db)


def seen_rows(model: type[ProjectScoped], seen: Sight) -> Q:
    """The condition that keeps the rows in sight: by project, by a grant on their experiment, or as one's own."""
    rows = Q(**{f"{model.project_path or 'pk'}__in": seen.projects})
    if model.experiment_path and seen.experiments:
        rows |= Q(**{f"{model.experiment_path}__in": seen.experiments})
    if model.owner_path and seen.own_in:
        rows |= Q(**{f"{model.project_path or 'pk'}__in": seen.own_in, model.owner_path: seen.viewer_id})
    return rows


class ProjectScoped(models.Model):
    """Base of rows that belong to a project.

    project_path: the lookup that leads to it ('' for the project itself); experiment_path: the one that leads to the
    experiment, where a grant on a single experiment reaches this row; see_permission: what it takes to see it;
    owner_path: the lookup that leads to the user whose own it is, where that permission reaches only so far for some.
    """

    project_path: ClassVar[str] = "project"
    experiment_path: ClassVar[str] = ""
    see_permission: ClassVar[str] = "experiments.see"
    owner_path: ClassVar[str] = ""

    objects: ClassVar[BaseManager[Any]] = ScopedQuerySet.as_manager()

    class Meta:
        abstract = True

    @property
    def scope_project_id(self) -> UUID | None:
        """The id of the project that this row belongs to; None for what belongs to the site."""
        if not self.project_path:
            return cast("UUID", self.pk)
        row: Any = self
        *way, last = self.project_path.split("__")
        for step in way:
            row = getattr(row, step)
        found: UUID | None = getattr(row, f"{last}_id")
        return found

    @property
    def scope_experiment_id(self) -> int | None:
        """The id of the experiment that this row belongs to, where it does."""
        if not self.experiment_path:
            return None
        if self.experiment_path == "pk":
            return self.pk  # type: ignore[no-any-return]
        row: Any = self
        *way, last = self.experiment_path.split("__")
        for step in way:
            row = getattr(row, step)
        found: int | None = getattr(row, f"{last}_id")
        return found

    @property
    def owner_id(self) -> UUID | None:
        """The id of the user whose own this row is, for permissions that reach only so far."""
        row: Any = self
        *way, last = (self.owner_path or "created_by").split("__")
        for step in way:
            row = getattr(row, step)
        return getattr(row, f"{last}_id", None)
