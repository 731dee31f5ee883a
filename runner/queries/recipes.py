"""Recipes and environments that were kept, for those who see their project."""

from uuid import UUID

from django.db.models import Prefetch, QuerySet

from accounts.access import not_found
from accounts.models import Project
from experiments.models import Run
from experiments.queries.files import find_file
from kernel.actor import Actor
from kernel.errors import MledError, NotFound
from runner.models import Environment, Recipe, RecipeInput
from runner.recipes import Draft, draft_of

PATCH_OF_RUN = "code/changes.patch"


def find_recipe(viewer: Actor, uid: UUID, *, project: Project | None = None) -> Recipe:
    """One by its id, of this project if given. Raises NotFound."""
    rows = _recipes(viewer).filter(pk=uid)
    found = (rows if project is None else rows.filter(project=project)).first()
    if found is None:
        raise not_found(Recipe, uid)
    return found


def visible_environments(viewer: Actor, project: Project) -> QuerySet[Environment]:
    """The environments of a project, the newest first."""
    return _environments(viewer).filter(project=project).order_by("-created_at", "pk")


def find_environment(viewer: Actor, uid: UUID, *, project: Project | None = None) -> Environment:
    """One by its id, of this project if given. Raises NotFound."""
    rows = _environments(viewer).filter(pk=uid)
    found = (rows if project is None else rows.filter(project=project)).first()
    if found is None:
        raise not_found(Environment, uid)
    return found


def code_of_run(viewer: Actor, run: Run) -> Draft:
    """What code a run was done with: that of its recipe, or the changes that are kept with its files.

    Raises NotFound where neither is there.
    """
    kept = _recipes(viewer).filter(jobs__run=run).first()
    if kept is not None:
        return draft_of(kept)
    try:
        patch = find_file(viewer, run, PATCH_OF_RUN).blob_id
    except MledError:
        raise NotFound(f"No code is kept with the run {run.readable_id}.", field="code_of") from None
    return Draft(Recipe.Kind.REPOSITORY, patch=patch)


def _recipes(viewer: Actor) -> QuerySet[Recipe]:
    rows: QuerySet[Recipe] = Recipe.objects.visible_to(viewer)
    inputs = RecipeInput.objects.select_related("version__dataset").order_by("name")
    return rows.select_related("project", "environment", "created_by").prefetch_related(Prefetch("inputs", inputs))


def _environments(viewer: Actor) -> QuerySet[Environment]:
    rows: QuerySet[Environment] = Environment.objects.visible_to(viewer)
    return rows.select_related("project", "lock", "project_file", "created_by")
