"""What a report is asked about: which kinds speak of which scopes, and which words a question may hold."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

from accounts.models import User
from audit.compliance.models import Report, ReportFile
from audit.ledger.models import Checkpoint
from experiments.queries.search import View
from kernel.actor import Actor, ActorKind, Door, system
from kernel.clock import now
from kernel.errors import Invalid

Kind, Scope = Report.Kind, Report.Scope
PDF, CSV, JSON, BUNDLE = "pdf", "csv", "json", "mledlog"
FORMATS: Final = (PDF, CSV, JSON, BUNDLE)
TITLE_MAX = 200
RUNS_MAX = 20_000

# Which kinds can be asked about what.
SCOPES: Final[Mapping[str, Sequence[str]]] = {
    Kind.COMPLIANCE: (Scope.PROJECT, Scope.RUNS, Scope.RUN, Scope.VERSION),
    Kind.REPRODUCIBILITY: (Scope.PROJECT, Scope.RUNS, Scope.RUN, Scope.VERSION),
    Kind.TRAIL: (Scope.PROJECT, Scope.RUNS, Scope.RUN, Scope.VERSION),
    Kind.MODEL_CARD: (Scope.PROJECT, Scope.RUNS, Scope.RUN, Scope.VERSION),
    Kind.ACCESS: (Scope.PROJECT,),
}
LIFECYCLES: Final[Mapping[str, View]] = {
    "active": View.ACTIVE_ONLY,
    "deleted": View.DELETED_ONLY,
    "all": View.ALL,
}
READ_LOG, SEE_ACCESS = "projects.read_log", "compliance.see_access"
# Kinds that show more of the log than of runs, or who may do what: the rights that they take beside that to report.
NEEDS: Final[Mapping[str, Sequence[str]]] = {Kind.TRAIL: (READ_LOG,), Kind.ACCESS: (READ_LOG, SEE_ACCESS)}
EXPERIMENTS_MAX = 500
BUNDLE_HOLDS = "bundle_holds"  # beside the formats: what of these rights the events in the bundle take


def checked_choice(text: str, known: Sequence[str], *, field: str) -> str:
    """One of these words. Raises Invalid."""
    if text not in known:
        raise Invalid(f"'{field}' is one of {', '.join(known)}.", field=field)
    return text


def checked_formats(formats: Sequence[str]) -> list[str]:
    """The wanted formats in their order, at least one. Raises Invalid."""
    wrong = next((one for one in formats if one not in FORMATS), None)
    if wrong is not None or not formats:
        raise Invalid(f"'formats' are some of {', '.join(FORMATS)}.", field="formats")
    return [one for one in FORMATS if one in formats]


def checked_runs_question(given: Mapping[str, Any]) -> dict[str, Any]:
    """{"query", "experiments", "lifecycle"} in their types; the query itself is checked where it is asked."""
    unknown = sorted(given.keys() - {"query", "experiments", "lifecycle"})
    if unknown:
        words = f"A question has query, experiments and lifecycle, and no '{str(unknown[0])[:40]}'."
        raise Invalid(words, field="question")
    query, experiments = given.get("query", ""), given.get("experiments") or []
    if not isinstance(query, str):
        raise Invalid("'query' is a text.", field="query")
    if not isinstance(experiments, list) or any(type(one) is not int for one in experiments):
        raise Invalid("'experiments' is a list of their numbers.", field="experiments")
    if len(experiments) > EXPERIMENTS_MAX or any(not 0 <= one < 2**63 for one in experiments):
        raise Invalid(f"'experiments' are at most {EXPERIMENTS_MAX:,} numbers.", field="experiments")
    lifecycle = checked_choice(str(given.get("lifecycle", "active")), list(LIFECYCLES), field="lifecycle")
    return {"query": query.strip(), "experiments": sorted(set(experiments)), "lifecycle": lifecycle}


def checked_moment(as_of: dt.datetime | None) -> dt.datetime | None:
    """A moment that the log has a signed head for. Raises Invalid for the future, and where there was no head yet."""
    if as_of is None:
        return None
    if as_of.tzinfo is None:
        raise Invalid("The moment names no time zone.", hint="Write it as 2026-11-20T12:00:00Z.", field="as_of")
    if as_of > now():
        raise Invalid("A report cannot speak of the future.", hint="Leave the moment out for now.", field="as_of")
    if head_at(as_of) is None:
        raise Invalid("The log had no signed head yet at that moment.", hint="Choose a later one.", field="as_of")
    return as_of


def head_at(moment: dt.datetime) -> Checkpoint | None:
    """The newest head that was signed at that moment or before."""
    return Checkpoint.objects.filter(at__lte=moment).order_by("-size", "-id").first()


def requester_of(report: Report) -> Actor:
    """Whoever asked for a report, with the rights that they have now, as a task acts for them."""
    user: User | None = report.requested_by
    if user is None:
        return system()
    return Actor(ActorKind.USER, Door.TASK, user_id=user.pk, user_name=str(user), is_active=user.is_active)


def formats_of(report: Report) -> list[str]:
    """Which formats were asked for."""
    return list(report.question.get("formats", FORMATS))


def bundle_holds(report: Report) -> Sequence[str]:
    """The rights that the events in the report's bundle take beside that to report, as it was asked for."""
    return tuple(report.question.get(BUNDLE_HOLDS, (READ_LOG, SEE_ACCESS)))


def question_of(report: Report) -> dict[str, Any]:
    """What was asked, without what files were: part of what the digest covers."""
    return {name: value for name, value in report.question.items() if name not in ("formats", BUNDLE_HOLDS)}


def saved_as(file: ReportFile) -> str:
    """What a file of a report is called where it is saved, such as pump-alarms-2026-11-22-model-card-report.csv."""
    report = file.report
    day = report.head_at or report.requested_at
    return f"{report.project.slug}-{day:%Y-%m-%d}-{report.kind.replace('_', '-')}-{file.name}"
