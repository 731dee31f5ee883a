"""A run that was launched here: its recipe says all of it."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from kernel.errors import NotFound
from runner.checking_secrets import secrets_gone
from runner.models import Recipe, RecipeInput
from runner.recipes import resources_of
from runner.recreating.told import Told, data_not_there


def known(recipe: Recipe, uid: str, *, image: str = "") -> Told:
    """What its recipe says, and what of it is gone. uid: of its run, by which code is named that lies here; image: that
    it ran in, with its digest."""
    inputs = list(recipe.inputs.select_related("version__dataset", "version__record__state_by").order_by("name"))
    told = Told(wanted_of(recipe, uid, inputs, image=image))
    environment = recipe.environment
    secrets = [recipe.repository_secret, environment.secret if environment else ""]
    told.cannot += data_not_there([one.version for one in inputs])
    told.cannot += [
        f"Secret: {name} is not kept in this project any more. Whoever keeps its secrets can set it again."
        for name in secrets_gone(recipe.project, [*recipe.secrets, *filter(None, secrets)])
    ]
    if recipe.kind == Recipe.Kind.TRAINER:
        told.cannot += _trainer_gone(recipe)
    if recipe.seed is None and recipe.kind != Recipe.Kind.TRAINER:
        told.differs.append("Seed: none is recorded; what its code draws may fall differently.")
    return told


def wanted_of(recipe: Recipe, uid: str, inputs: Sequence[RecipeInput], *, image: str = "") -> dict[str, Any]:
    """A kept recipe as `runner.checking` reads it."""
    wanted: dict[str, Any] = _source(recipe, uid)
    if recipe.kind != Recipe.Kind.TRAINER:
        wanted["words"] = list(recipe.words)
        if recipe.folder:
            wanted["folder"] = recipe.folder
    if recipe.environment_id and recipe.kind != Recipe.Kind.TRAINER:
        wanted["environment"] = _image(recipe, image) if image else str(recipe.environment_id)
    return {
        **wanted,
        "params": dict(recipe.params),
        "seed": recipe.seed,
        "inputs": {one.name: str(one.version_id) for one in inputs},
        "resources": asdict(resources_of(recipe)),
        "network": recipe.has_network,
        "secrets": list(recipe.secrets),
    }


def _image(recipe: Recipe, image: str) -> dict[str, str]:
    secret = recipe.environment.secret if recipe.environment else ""
    return {"image": image, **({"secret": secret} if secret else {})}


def _source(recipe: Recipe, uid: str) -> dict[str, Any]:
    if recipe.kind == Recipe.Kind.TRAINER:
        return {"trainer": recipe.trainer}
    if recipe.kind == Recipe.Kind.REPOSITORY and recipe.repository:
        named = {"url": recipe.repository, "commit": recipe.commit}
        if recipe.repository_secret:
            named["secret"] = recipe.repository_secret
        found: dict[str, Any] = {"repository": named}
        return {**found, "code_of": uid} if recipe.patch_id or recipe.code_id else found
    return {"code_of": uid}


def _trainer_gone(recipe: Recipe) -> list[str]:
    from runner.trainers import trainer

    try:
        now = trainer(recipe.trainer)
    except NotFound:
        return [f"Code: there is no built-in trainer '{recipe.trainer}' any more. Its bundle holds that of then."]
    if now.digest == recipe.trainer_digest:
        return []
    parted = f"{recipe.trainer_digest[:12]} then, {now.digest[:12]} now"
    words = f"the built-in trainer '{recipe.trainer}' is another one since MLED was updated ({parted})"
    return [f"Code: {words}. Run it with changes, on that of now, or take its bundle: it holds that of then."]
