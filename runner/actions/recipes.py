"""Recipes are kept once for each content, as part of the act that needs them."""

from dataclasses import asdict
from uuid import UUID

from accounts.access import can_see
from accounts.models import Project
from artifacts.models import DatasetVersion
from kernel.actor import Actor
from kernel.errors import NotFound
from runner.actions.environments import keep_packages
from runner.models import Environment, Recipe, RecipeInput
from runner.recipes import Draft, digest_of


def keep_recipe(actor: Actor, project: Project, draft: Draft) -> Recipe:
    """Part of an action: the recipe of this content, made where it is new.

    Raises NotFound for an input or an environment that is not of this project.
    """
    versions = {one.version: _version(actor, project, one.version) for one in draft.inputs}
    environment = _environment(actor, project, draft)
    digest = digest_of(
        draft,
        version_digests={uid: version.digest for uid, version in versions.items()},
        environment_digest=environment.digest if environment else "",
    )
    known = Recipe.objects.filter(project=project, digest=digest).first()
    if known is not None:
        return known
    recipe = Recipe(
        project=project,
        digest=digest,
        kind=draft.kind,
        trainer=draft.trainer,
        trainer_digest=draft.trainer_digest,
        repository=draft.repository,
        repository_secret=draft.repository_secret,
        commit=draft.commit,
        code_id=draft.code or None,
        code_name=draft.code_name,
        patch_id=draft.patch or None,
        folder=draft.folder,
        words=list(draft.words),
        params=dict(draft.params),
        seed=draft.seed,
        environment=environment,
        resources=asdict(draft.resources),
        has_network=draft.has_network,
        secrets=sorted(draft.secrets),
        created_by_id=actor.user_id,
    )
    recipe.save()
    for one in draft.inputs:
        RecipeInput(recipe=recipe, name=one.name, version=versions[one.version], context=one.context).save()
    return recipe


def _version(actor: Actor, project: Project, uid: UUID) -> DatasetVersion:
    found = DatasetVersion.objects.filter(pk=uid, dataset__project=project).select_related("dataset").first()
    if found is None or not can_see(actor, found):
        raise NotFound("No such dataset version was found in this project.", field="inputs")
    return found


def _environment(actor: Actor, project: Project, draft: Draft) -> Environment | None:
    if draft.packages is not None:
        return keep_packages(actor, project, draft.packages)
    if draft.environment is None:
        return None
    found = Environment.objects.filter(pk=draft.environment, project=project).first()
    if found is None:
        raise NotFound("No such environment was found in this project.", field="environment")
    return found
