"""Which secrets a project keeps, asked before something is given them. Only whether they are there."""

from collections.abc import Sequence

from accounts.models import Project
from kernel.errors import Invalid
from runner.models import Secret


def secrets_gone(project: Project, names: Sequence[str]) -> list[str]:
    """Which of these the project does not keep, or not any more."""
    if not names:
        return []
    there = Secret.objects.filter(project=project, name__in=list(names), removed_at=None)
    return sorted(set(names) - set(there.values_list("name", flat=True)))


def require_secret(project: Project, name: str, field: str) -> None:
    """Raise Invalid where one is named that the project does not keep."""
    if name and secrets_gone(project, [name]):
        raise no_secret(name, field)


def no_secret(name: str, field: str) -> Invalid:
    """What is said of one that is not kept."""
    hint = "An ML engineer or a manager of the project can keep one."
    return Invalid(f"This project keeps no secret '{name[:60]}'.", hint=hint, field=field)
