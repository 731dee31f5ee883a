"""What a report is asked about: its runs or model versions, within the sight and the reach of who asks."""

from collections.abc import Sequence

from accounts.access import not_found, sight
from accounts.models import Project
from audit.compliance.models import Report
from audit.compliance.reports.asked import LIFECYCLES, RUNS_MAX
from experiments.models import Run
from experiments.queries.runs import get_run
from experiments.queries.search import matching_runs
from experiments.search.databases import Sql, fetch
from kernel.actor import Actor
from kernel.errors import Invalid, Refused
from registry.models import ModelVersion
from registry.queries.registered_models import find_by_address, models_in

_AT_ONCE = 500


def runs_asked(viewer: Actor, report: Report) -> list[int]:
    """The runs that a report is asked about, by primary key in the order of their numbers, within the viewer's sight.

    Raises NotFound for a run or version that is not there, QueryError, Invalid for too many.
    """
    scope = Report.Scope
    if report.scope == scope.RUN:
        return [get_run(viewer, report.subject, project=report.project).pk]
    if report.scope == scope.VERSION:
        version = version_asked(viewer, report)
        seen = Run.objects.visible_to(viewer).filter(pk__in=[pk for pk in _runs_behind(version) if pk])
        return list(seen.order_by("number").values_list("pk", flat=True))
    asked = report.question
    where, _ = matching_runs(
        viewer,
        project=report.project,
        experiments=asked.get("experiments") or None,
        text=asked.get("query", ""),
        view=LIFECYCLES[asked.get("lifecycle", "active")],
    )
    statement = f"SELECT r.id FROM experiments_run r WHERE {where.text} ORDER BY r.number LIMIT %s"  # noqa: S608 - compiled
    found = [int(row[0]) for row in fetch(Sql(statement, (*where.params, RUNS_MAX + 1)))]
    if len(found) > RUNS_MAX:
        raise Invalid(f"A report speaks of at most {RUNS_MAX:,} runs.", hint="Ask for fewer.", field="question")
    return found


def _runs_behind(version: ModelVersion) -> list[int | None]:
    return [version.run_id, version.logged_model.source_run_id if version.logged_model else None]


def version_asked(viewer: Actor, report: Report) -> ModelVersion:
    """The model version that a report is asked about, by its key or as 'name/3'. Raises NotFound."""
    text = report.subject
    if text.isascii() and text.isdigit() and len(text) < 19:
        rows = ModelVersion.objects.visible_to(viewer).filter(model__project=report.project, is_deleted=False)
        found: ModelVersion | None = rows.filter(pk=int(text)).select_related("model__project", "logged_model").first()
    else:
        found = find_by_address(viewer, report.project, text)
    if found is None:
        raise not_found(ModelVersion, text[:80])
    return found


def versions_asked(viewer: Actor, report: Report) -> list[int]:
    """The model versions that a report is asked about, by primary key: all of a project, or those of its runs."""
    if report.scope == Report.Scope.VERSION:
        return [version_asked(viewer, report).pk]
    rows = ModelVersion.objects.visible_to(viewer).filter(model__project=report.project, is_deleted=False)
    if report.scope == Report.Scope.PROJECT:
        return list(rows.order_by("pk").values_list("pk", flat=True)[: RUNS_MAX + 1])
    runs, found = runs_asked(viewer, report), set[int]()
    for start in range(0, len(runs), _AT_ONCE):
        some = runs[start : start + _AT_ONCE]
        found |= set(rows.filter(run__in=some).values_list("pk", flat=True))
        found |= set(rows.filter(logged_model__source_run__in=some).values_list("pk", flat=True))
    return sorted(found)


def require_reach(viewer: Actor, report: Report, subject: str) -> str:
    """The subject's id, after looking whether the viewer may report on everything in scope.

    Raises NotFound, QueryError, Invalid where nothing is in scope, Refused where somebody else's runs are.
    """
    report.subject = subject.strip()
    if report.kind == Report.Kind.ACCESS or (report.kind == Report.Kind.TRAIL and report.scope == Report.Scope.PROJECT):
        return ""
    if report.scope == Report.Scope.RUN:
        report.subject = get_run(viewer, report.subject, project=report.project).uid.hex
    elif report.scope == Report.Scope.VERSION:
        report.subject = str(version_asked(viewer, report).pk)
    else:
        report.subject = ""
    found = versions_asked(viewer, report) if report.kind == Report.Kind.MODEL_CARD else runs_asked(viewer, report)
    if not found:
        what = "model version" if report.kind == Report.Kind.MODEL_CARD else "run"
        raise Invalid(f"There is no {what} in it.", hint="Ask for more.", field="question")
    refuse_others(viewer, report, found)
    return report.subject


def refuse_others(viewer: Actor, report: Report, found: Sequence[int]) -> None:
    """Raise Refused where whoever reports on their own alone asks about what others made."""
    if reaches_all(viewer, report.project):
        return
    model: type[Run] | type[ModelVersion] = ModelVersion if report.kind == Report.Kind.MODEL_CARD else Run
    for start in range(0, len(found), _AT_ONCE):
        rows = model.objects.filter(pk__in=found[start : start + _AT_ONCE])  # type: ignore[attr-defined]
        if rows.exclude(created_by=viewer.user_id).exists():
            raise Refused(
                "As a data scientist you report on your own runs only, and some of these are somebody else's.",
                hint="Narrow it to your own, or ask an engineer, a manager or an auditor.",
            )


def reaches_all(viewer: Actor, project: Project) -> bool:
    """Whether the viewer may report on everything in a project, and not on what is their own alone."""
    seen = sight(viewer, "compliance.report")
    return seen.everything or project.pk in seen.projects


def versions_to_offer(viewer: Actor, project: Project, *, most: int = 100) -> list[str]:
    """The newest versions of the project's models by name, to help typing."""
    rows = ModelVersion.objects.visible_to(viewer).filter(model__in=models_in(viewer, project), is_deleted=False)
    return [f"{one.model.name} v{one.number}" for one in rows.select_related("model").order_by("-pk")[:most]]
