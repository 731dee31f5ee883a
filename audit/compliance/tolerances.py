"""How far a run done again may be off, as a project's copy of its profile says."""

from collections.abc import Mapping
from typing import Any

from accounts.models import Project
from audit.compliance.models import ProfileCopy
from experiments.compare.tolerance import Tolerance


def tolerances_in(project: Project) -> dict[str, Tolerance]:
    """By metric; whoever may see the runs may know it."""
    found: Mapping[str, Any] | None = (
        ProfileCopy.objects.filter(project=project).values_list("tolerances", flat=True).first()
    )
    return read(found or {})


def read(kept: Mapping[str, Any]) -> dict[str, Tolerance]:
    """What a copy of a profile keeps, by metric."""
    return {metric: Tolerance.said(value) for metric, value in kept.items()}
