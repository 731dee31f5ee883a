"""A project's first page."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.access import can, find_project
from accounts.models import Project
from accounts.pages.doors import actor_of, sees_experiments, signed_in
from accounts.queries.people import people_in
from accounts.queries.projects import members_of
from experiments.pages.decisions import decisions_context
from experiments.pages.experiments import folder_lines
from experiments.pages.goal import goal_context
from experiments.pages.listing import lines_of, tracking_uri
from experiments.pages.slots import project_panels_of
from experiments.queries.overview import Numbers, experiments_with_runs, newest_runs, numbers_of
from experiments.queries.recalls import recalled_in_use
from experiments.values import Lifecycle

LATEST = 8
EXPERIMENTS_SHOWN = 12


@require_safe
@signed_in
def overview(request: HttpRequest, slug: str) -> HttpResponse:
    """Numbers, the goal, latest runs, experiments, people."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    reads = sees_experiments(viewer, project)
    numbers = numbers_of(viewer, project)
    experiments = experiments_with_runs(viewer, project, lifecycle=Lifecycle.ACTIVE, limit=EXPERIMENTS_SHOWN)
    uri = tracking_uri(request, project)
    context = {
        "at": "overview",
        "project": project,
        "tiles": tiles_of(project, numbers),
        "rows": lines_of(viewer, newest_runs(viewer, project=project, limit=LATEST)),
        "reads": reads,
        "no_runs": reads and not numbers.runs.number,
        "folders": folder_lines(experiments),
        "experiment_count": numbers.experiments,
        "panels": project_panels_of(request, viewer, project) if reads else [],
        "people": people_in(members_of(viewer, project)),
        "tracking_uri": uri,
        "tracking_line": f"export MLFLOW_TRACKING_URI={uri}",
        "recalled": recalled_in_use(viewer, project),
        "may_log": bool(can(viewer, "experiments.log_run", project)),
    }
    if reads:
        context |= goal_context(viewer, project) | decisions_context(viewer, project)
    return render(request, "experiments/project.html", context)


def tiles_of(project: Project, numbers: Numbers) -> list[dict[str, str]]:
    """Each number leads to the rows behind it."""
    runs = reverse("experiments:runs", args=[project.slug])
    week, running, failed_runs = "created > '7d'", "status = 'running'", "status = 'failed' AND created > '7d'"
    among = f"the newest {numbers.week.number:,}" if numbers.week.at_least else f"{numbers.week.number:,}"
    failed = round(100 * numbers.failed / numbers.week.number) if numbers.week.number else 0
    return [
        {"label": "Runs", "value": str(numbers.runs), "foot": "not deleted", "url": runs},
        {
            "label": "Runs this week",
            "value": str(numbers.week),
            "foot": "started in 7 days",
            "url": f"{runs}?{urlencode({'q': week})}",
        },
        {
            "label": "Going now",
            "value": str(numbers.running),
            "foot": "status running",
            "url": f"{runs}?{urlencode({'q': running})}",
        },
        {
            "label": "Failed this week",
            "value": f"{failed} %",
            "foot": f"{numbers.failed:,} of {among}",
            "url": f"{runs}?{urlencode({'q': failed_runs})}",
        },
        {
            "label": "Experiments",
            "value": f"{numbers.experiments:,}",
            "foot": "slashes show as folders",
            "url": reverse("experiments:experiments", args=[project.slug]),
        },
    ]
