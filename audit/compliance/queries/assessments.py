"""What the rules said, for those who may read the run."""

from accounts.access import not_found
from accounts.models import Project
from audit.compliance.models import Assessment, NotApplicable, ProfileCopy, RunStanding, Waiver
from experiments.models import Run
from kernel.actor import Actor


def assessment_of(viewer: Actor, run: Run) -> Assessment | None:
    """The assessment that holds for a run; None before the first."""
    standing = standing_of(viewer, run)
    return standing.assessment if standing is not None else None


def standing_of(viewer: Actor, run: Run) -> RunStanding | None:
    """How a run stands, with its newest assessment."""
    rows = RunStanding.objects.visible_to(viewer).filter(run=run)
    found: RunStanding | None = rows.select_related("assessment__asked_by").first()
    return found


def past_assessments(viewer: Actor, run: Run) -> list[Assessment]:
    """Every assessment of a run, newest first."""
    rows = Assessment.objects.visible_to(viewer).filter(run=run).select_related("asked_by")
    return list(rows.order_by("-at", "-pk"))


def exceptions_said(viewer: Actor, run: Run) -> list[NotApplicable]:
    """Which rules people said do not apply to a run."""
    return list(NotApplicable.objects.visible_to(viewer).filter(run=run).select_related("by").order_by("rule"))


def waivers_in_force(viewer: Actor, run: Run) -> list[Waiver]:
    """The waivers of a run that nobody ended, those that wait for an auditor too."""
    rows = Waiver.objects.visible_to(viewer).filter(run=run, ended_at=None)
    return list(rows.select_related("by", "cosigned_by", "run__project").order_by("rule"))


def get_waiver(viewer: Actor, run: Run, rule: str) -> Waiver:
    """The waiver of a rule that nobody ended. Raises NotFound."""
    found = next((one for one in waivers_in_force(viewer, run) if one.rule == rule), None)
    if found is None:
        raise not_found(Waiver)
    return found


def copy_of(viewer: Actor, project: Project) -> ProfileCopy | None:
    """What a project adds to its profile. None where it adds nothing, or the viewer does not see it."""
    found: ProfileCopy | None = ProfileCopy.objects.visible_to(viewer).filter(project=project).first()
    return found
