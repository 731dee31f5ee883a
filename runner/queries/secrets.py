"""Which secrets a project keeps, by name; their values only for the worker that has the job."""

from collections.abc import Sequence

from django.db.models import QuerySet

from accounts.access import require
from accounts.models import Project
from kernel.actor import Actor
from kernel.errors import Conflict, Refused
from runner.models import Job, Recipe, Secret
from runner.sealing import SecretLost, unsealed

SEE = "runner.see_secrets"


def secrets_of(viewer: Actor, project: Project) -> QuerySet[Secret]:
    """The secrets that are kept now, by name, for who may launch, keep or review them. Raises NotFound, Refused."""
    require(viewer, SEE, project)
    rows: QuerySet[Secret] = Secret.objects.visible_to(viewer)
    return rows.filter(project=project, removed_at=None).select_related("created_by").defer("sealed").order_by("name")


def values_of(viewer: Actor, job: Job) -> dict[str, str]:
    """What the secrets of a job hold, by name, for the worker that executes it.

    Raises Refused for a person, Conflict where one is not kept any more or cannot be opened.
    """
    if viewer.is_person:
        raise Refused("What a secret holds is read by nobody.")
    return {
        name: _opened(name, secret.sealed) for name, secret in _kept(viewer, job.recipe, job.recipe.secrets).items()
    }


def repository_secret_of(viewer: Actor, recipe: Recipe) -> tuple[int, str] | None:
    """What opens the repository of a recipe, for the worker that fetches it: the number of the secret, which is another
    one once it is set again, and what it holds. None where the recipe names none.

    Raises Refused for a person, Conflict where it is not kept any more or cannot be opened.
    """
    found = _alone(viewer, recipe, recipe.repository_secret)
    return (found[0].pk, found[1]) if found else None


def registry_secret_of(viewer: Actor, recipe: Recipe) -> tuple[str, str] | None:
    """What opens the registry of a recipe's image, in the same way: the name of the secret, and what it holds."""
    found = _alone(viewer, recipe, recipe.environment.secret if recipe.environment else "")
    return (found[0].name, found[1]) if found else None


def _alone(viewer: Actor, recipe: Recipe, name: str) -> tuple[Secret, str] | None:
    if viewer.is_person:
        raise Refused("What a secret holds is read by nobody.")
    if not name:
        return None
    kept = _kept(viewer, recipe, [name])[name]
    return kept, _opened(name, kept.sealed)


def _kept(viewer: Actor, recipe: Recipe, wanted: Sequence[str]) -> dict[str, Secret]:
    """Those of these names, in their order. Raises Conflict."""
    rows = Secret.objects.visible_to(viewer).filter(project_id=recipe.project_id, removed_at=None, name__in=wanted)
    kept = {one.name: one for one in rows}
    missing = [name for name in wanted if name not in kept]
    if missing:
        raise Conflict(
            f"The secret '{missing[0][:60]}' is not kept in this project any more.",
            hint="An ML engineer or manager sets it on the page Secrets.",
            field="secrets",
        )
    return {name: kept[name] for name in wanted}


def _opened(name: str, stored: str) -> str:
    try:
        return unsealed(stored)
    except SecretLost:
        raise Conflict(
            f"The secret '{name}' cannot be opened with this server's key.",
            hint="Set it again: the server's SECRET_KEY was changed.",
            field="secrets",
        ) from None
