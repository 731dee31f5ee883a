"""Aliases and stages that move only by promotion, in a governed project."""

import unicodedata
from collections.abc import Sequence
from urllib.parse import quote

from accounts.models import Project
from kernel.errors import Refused
from registry.models import ModelAlias, ModelVersion


def is_protected(project: Project, name: str) -> bool:
    """Whether this alias or stage moves only by promotion here. Case and look-alike forms make no difference."""
    return project.is_governed and _plain(name) in {_plain(one) for one in project.protected_names}


def refuse_protected(project: Project, model_name: str, name: str) -> None:
    """Raise Refused for a protected name, with the way to ask for it."""
    if not is_protected(project, name):
        return
    page = f"/p/{project.slug}/models/{quote(model_name, safe='')}/"
    door = f"/api/v1/projects/{project.slug}/promotions/"
    raise Refused(
        f"'{name}' is protected in project {project.slug}: it moves by an approved promotion only.",
        hint=f"Ask for the promotion on the version's page, below {page}, or by POST {door}.",
        field="alias",
    )


def refuse_if_it_moves(project: Project, versions: Sequence[ModelVersion], what: str) -> None:
    """Within an act that holds them: raise Refused where one carries a protected name, which would move with it.

    Addresses say 'model@alias' and 'model/stage', so a name moves with its model's as well. what: 'renamed'.
    """
    numbers = {version.pk: version.number for version in versions}
    carried = [(version.number, version.stage) for version in versions]
    aliases = ModelAlias.objects.filter(version__in=list(numbers)).values_list("version_id", "name")
    carried += [(numbers[version_id], name) for version_id, name in aliases]
    for number, name in sorted(carried):
        if is_protected(project, name):
            raise Refused(
                f"It cannot be {what}: version {number} carries '{name}', which is protected in {project.slug}.",
                hint="A protected name moves by promotion only, and not with its version or model.",
                field="name",
            )


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip().casefold()
