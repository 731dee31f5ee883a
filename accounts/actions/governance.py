"""Whether a project is open or governed, and which names move by promotion only."""

from collections.abc import Sequence

from accounts.decorators import action
from accounts.models import Project
from accounts.texts import checked_line
from kernel.actor import Actor
from kernel.errors import Conflict, Invalid

NAMES_MAX = 20
NAME_MAX = 255


@action("projects.edit", on="project")
def govern_project(
    actor: Actor, project: Project, *, is_governed: bool, protected_names: Sequence[str], reason: str = ""
) -> Project:
    """Set a project's rules for promotion. Raises Invalid, also where rules get looser without a reason; Conflict for
    a public board."""
    project = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    if is_governed and project.is_board:
        raise Conflict("A public board cannot be governed.", hint="End the board first.", field="is_governed")
    names = checked_names(protected_names)
    if _is_looser(project, is_governed, names) and not reason.strip():
        raise Invalid(
            "Say why the rules get looser.",
            hint="From then on aliases and stages move without a second person.",
            field="reason",
        )
    if is_governed and not names:
        raise Invalid(
            "A governed project protects at least one name.", hint="For example: production.", field="protected_names"
        )
    project.is_governed, project.protected_names = is_governed, names
    project.save()
    return project


def _is_looser(project: Project, is_governed: bool, names: Sequence[str]) -> bool:
    lost = set(project.protected_names) - set(names)
    return project.is_governed and (not is_governed or bool(lost))


def checked_names(given: Sequence[str]) -> list[str]:
    """Names of aliases and stages in lower case, each once. Raises Invalid."""
    names = [checked_line(name, "A protected name", NAME_MAX, field="protected_names").lower() for name in given]
    unique = list(dict.fromkeys(names))
    if len(unique) > NAMES_MAX:
        raise Invalid(f"At most {NAMES_MAX} names are protected.", field="protected_names")
    return unique
