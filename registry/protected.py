"""Aliases and stages that move only by promotion, in a governed project."""

import unicodedata
from urllib.parse import quote

from accounts.models import Project
from kernel.errors import Refused


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


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip().casefold()
