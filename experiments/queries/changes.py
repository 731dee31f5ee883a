"""What happened to a project's runs since a page was drawn: new ones, and those of the page that changed."""

from collections.abc import Sequence
from uuid import UUID

from accounts.models import Project
from audit.ledger.models import AuditEvent
from experiments.models import Run
from experiments.queries.search import View, matching_runs
from experiments.search.databases import Sql, fetch
from experiments.values import RunStatus
from kernel.actor import Actor

NEW_MAX = 1_000
_SUBJECT = "experiments.run"


def last_number(viewer: Actor, project: Project) -> int:
    """The number of the project's newest run that the viewer may see; 0 for none."""
    runs = Run.objects.visible_to(viewer).filter(project=project)
    return runs.order_by("-number").values_list("number", flat=True).first() or 0


def count_new(
    viewer: Actor, project: Project, *, experiments: Sequence[int] | None, text: str, view: View, after: int
) -> int:
    """How many runs that match have a number above `after`; counting stops at NEW_MAX. Raises QueryError."""
    if last_number(viewer, project) <= after:
        return 0
    where, _ = matching_runs(viewer, project=project, experiments=experiments, text=text, view=view)
    condition = f"{where.text} AND r.number > %s"
    statement = f"SELECT COUNT(*) FROM (SELECT 1 FROM experiments_run r WHERE {condition} LIMIT %s) AS found"  # noqa: S608
    [(number,)] = fetch(Sql(statement, (*where.params, after, NEW_MAX)))
    return int(number)


def changed_numbers(viewer: Actor, project: Project, numbers: Sequence[int], *, since_ms: int) -> list[int]:
    """Those of these runs that run, or that the ledger has an event of since then. Points of metrics make no event."""
    runs = Run.objects.visible_to(viewer).filter(project=project, number__in=numbers)
    known = {uid.hex: (number, status) for uid, number, status in runs.values_list("uid", "number", "status")}
    events = AuditEvent.objects.filter(subject_type=_SUBJECT, subject_id__in=list(known), id__gt=_first_id_of(since_ms))
    told = set(events.values_list("subject_id", flat=True))
    return [number for uid, (number, status) in known.items() if status == RunStatus.RUNNING or uid in told]


def uids_of(viewer: Actor, project: Project, numbers: Sequence[int]) -> list[str]:
    """The ids of the project's runs of these numbers, as a query names them."""
    runs = Run.objects.visible_to(viewer).filter(project=project, number__in=numbers)
    return [uid.hex for uid in runs.values_list("uid", flat=True)]


def _first_id_of(ms: int) -> UUID:
    """The least id that an event of this millisecond can have: event ids begin with their time."""
    return UUID(int=(min(max(ms, 0), (1 << 48) - 1) << 80) | 0x7 << 76 | 0b10 << 62)
