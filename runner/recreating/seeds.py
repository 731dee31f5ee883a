"""Runs that were launched here and differ only in their seed, as their recipes say."""

from typing import Final

from experiments.models import Run
from runner.models import Job, Recipe

READ_MAX: Final = 200  # recipes that are looked at, the newest


def siblings_by_seed(run: Run) -> dict[object, int] | None:
    """Of a run that was launched here: by seed a run whose recipe differs only in that. None for one of elsewhere."""
    recipe = Recipe.objects.filter(jobs__run=run).first()
    if recipe is None:
        return None
    alike = Recipe.objects.filter(
        project=recipe.project_id,
        kind=recipe.kind,
        trainer_digest=recipe.trainer_digest,
        repository=recipe.repository,
        commit=recipe.commit,
        code=recipe.code_id,
        patch=recipe.patch_id,
        folder=recipe.folder,
        environment=recipe.environment_id,
        has_network=recipe.has_network,
    ).exclude(seed=recipe.seed)
    mine = _but_seed(recipe)
    newest_first = alike.order_by("-created_at").prefetch_related("inputs")[:READ_MAX]
    same = [one for one in newest_first if _but_seed(one) == mine]
    finished = Job.objects.filter(recipe__in=[one.pk for one in same], state=Job.State.FINISHED)
    newest = dict(finished.order_by("created_at").values_list("recipe_id", "run_id"))  # the last one of each counts
    found: dict[object, int] = {}
    for other in same:
        if other.pk in newest:
            found.setdefault(other.seed, newest[other.pk])
    return found


def _but_seed(recipe: Recipe) -> tuple[object, ...]:
    inputs = sorted((one.name, str(one.version_id), one.context) for one in recipe.inputs.all())
    return (recipe.words, recipe.params, inputs)
