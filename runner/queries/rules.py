"""What a project allows its jobs, and when a silent run of it counts as dead."""

from accounts.access import require
from accounts.models import Project
from kernel.actor import Actor
from runner.models import RunnerRules


def rules_of(project: Project) -> RunnerRules:
    """The rules as they stand; the defaults, unsaved, where nobody set any."""
    found: RunnerRules | None = RunnerRules.objects.filter(project_id=project.pk).first()
    return found or RunnerRules(project=project)


def get_rules(viewer: Actor, project: Project) -> RunnerRules:
    """The same for somebody who reads them. Raises NotFound."""
    require(viewer, "projects.see", project)
    return rules_of(project)
