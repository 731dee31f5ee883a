"""Events of a project as lines to read: acts and things in words, old and new beside each other."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.urls import NoReverseMatch, reverse

from accounts.models import Membership, Project
from accounts.pages.history import Change, entry
from accounts.queries.history import NamedEvent
from artifacts.models import Dataset, DatasetVersion
from audit.compliance.acts import SAID
from audit.compliance.models import (
    AccessReview,
    Draw,
    Finding,
    NotApplicable,
    Report,
    Review,
    TrailReview,
    Waiver,
)
from audit.compliance.queries.log_things import Named, Thing
from audit.ledger.queries.history import RowChange
from experiments.models import Decision, Experiment, Run, SavedView
from registry.models import LoggedModel, ModelVersion, PromotionRequest, RegisteredModel, Webhook

CHANGES_MAX = 200
TEXT_MAX = 600
NOBODY: Final[Mapping[str, str]] = {}
_DULL = frozenset({"at", "id", "uid", "run", "project", "experiment", "number", "version", "created_by", "log_size"})
_ISO = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d+)?\+00:00")
_KINDS = {
    "experiments.run": "run",
    "experiments.runtag": "tag",
    "experiments.runinput": "data",
    "boards.board": "board",
    "boards.submission": "entry",
    "boards.readerpass": "claim token",
    "experiments.decision": "decision",
    "experiments.decisionrun": "run cited",
    "experiments.savedview": "view",
    "experiments.metricdirection": "metric direction",
    "artifacts.artifactfile": "file",
    "artifacts.datasetversion": "dataset version",
    "artifacts.datasetalias": "dataset alias",
    "artifacts.versionrecord": "record of a dataset version",
    "accounts.membership": "role",
    "ledger.auditpayload": "erased entry",
    "registry.registeredmodel": "model",
    "registry.modelversion": "model version",
    "registry.loggedmodel": "logged model",
    "registry.runmodel": "model of a run",
    "registry.promotionrequest": "promotion",
    "registry.modelalias": "model alias",
    "registry.cardtext": "model card",
    "compliance.notapplicable": "exception",
    "compliance.profilecopy": "rules of the project",
    "compliance.trailreview": "trail review",
    "compliance.findingnote": "finding note",
    "compliance.accessreview": "access review",
    "compliance.legalhold": "legal hold",
    "compliance.reportfile": "file of a report",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One event as a row of the page. first: the change that stands in the row; the others unfold."""

    id: str
    at: dt.datetime
    who: str
    role: str
    door: str
    did: str
    verb: str
    thing: str
    kind: str
    url: str
    first: Change | None
    changes: Sequence[Change]
    more: int
    reason: str
    place: int | None
    denied: bool
    erased: str
    commitment: str
    request_id: str
    client: str
    client_at: dt.datetime | None


def kind_words(kind: str) -> str:
    """A kind of things in words."""
    return _KINDS.get(kind) or kind.rpartition(".")[2].replace("_", " ")


def lines_of(
    project: Project | None, events: Sequence[NamedEvent], things: Mapping[Thing, Named], people: Mapping[str, str]
) -> list[Line]:
    """Events as rows of the page. people: names for ids that stand in changes."""
    return [_line(project, one, things, people) for one in events]


def _line(project: Project | None, named: NamedEvent, things: Mapping[Thing, Named], people: Mapping[str, str]) -> Line:
    event = named.past.event
    changes = [change for row in named.past.changes for change in changes_of(row, people)]
    told = entry(named, changes, SAID)
    thing = things.get((event.subject_type, event.subject_id))
    return Line(
        id=event.id.hex,
        at=event.at,
        who=named.who,
        role=told.role,
        door=told.door,
        did=told.did.rstrip(":"),
        verb=event.verb,
        thing=thing.label if thing else "",
        kind=kind_words(event.subject_type),
        url=url_of(project, thing.row) if thing and project else "",
        first=min(changes, key=_dullness) if changes else None,
        changes=changes[:CHANGES_MAX],
        more=max(0, len(changes) - CHANGES_MAX),
        reason=named.past.reason,
        place=named.past.seq,
        denied=told.denied,
        erased=named.erased,
        commitment=event.commitment,
        request_id=event.request_id,
        client=event.client,
        client_at=_moment(event.client_ms),
    )


def changes_of(row: RowChange, people: Mapping[str, str]) -> list[Change]:
    """What changed in one record, column by column; columns that hold nothing before and after are left out."""
    kind = "" if row.type == "experiments.run" else kind_words(row.type)
    pairs = ((name, words(old, people), words(new, people)) for name, (old, new) in row.fields.items())
    said = ((name if name == kind else f"{kind} {_label(name)}".strip(), old, new) for name, old, new in pairs)
    return [Change(name, old, new) for name, old, new in said if old != new]


def words(value: Any, people: Mapping[str, str] = NOBODY) -> str:
    """A recorded value as a person reads it. people: names for ids that stand in it."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        text = ", ".join(f"{key} {words(item, people)}" for key, item in value.items() if item not in (None, "", {}))
    elif isinstance(value, list):
        text = ", ".join(words(item, people) for item in value)
    else:
        text = people.get(value) or _ISO.sub(r"\1 \2 UTC", value) if isinstance(value, str) else str(value)
    return text if len(text) <= TEXT_MAX else f"{text[:TEXT_MAX]}…"


def url_of(project: Project, row: Any) -> str:
    """The page of a thing; empty where it has none."""
    slug = project.slug
    try:
        match row:
            case Run():
                return reverse("experiments:run", args=[row.readable_id])
            case Project():
                return reverse("experiments:project", args=[slug])
            case Decision():
                return reverse("experiments:decision", args=[slug, row.number])
            case Experiment():
                return reverse("experiments:experiments", args=[slug])
            case Membership():
                return reverse("accounts:members", args=[slug])
            case Dataset():
                return reverse("artifacts:dataset", args=[slug, row.pk])
            case DatasetVersion():
                return reverse("artifacts:version", args=[slug, row.dataset_id, row.number])
            case RegisteredModel():
                return reverse("registry:model", args=[slug, row.name])
            case ModelVersion():
                return reverse("registry:version", args=[slug, row.model.name, row.number])
            case PromotionRequest():
                return reverse("registry:promotion", args=[slug, row.pk])
            case LoggedModel():
                return reverse("registry:logged_model", args=[slug, row.model_id])
            case Review():
                return reverse("compliance:review", args=[slug, row.pk])
            case Finding():
                return reverse("compliance:run_review", args=[row.run.uid.hex]) + f"#finding-{row.pk}"
            case Waiver() | NotApplicable():
                return reverse("compliance:run_rules", args=[row.run.uid.hex])
            case Draw() | TrailReview():
                return reverse("compliance:queue", args=[slug])
            case Report():
                return reverse("compliance:report", args=[project.slug, row.pk])
            case AccessReview():
                return reverse("compliance:access_signed", args=[slug, row.pk])
            case Webhook():
                return reverse("registry:webhook", args=[slug, row.pk])
            case SavedView():
                return reverse("experiments:runs", args=[slug]) + f"?view={row.pk}"
            case _ if row._meta.label_lower == "boards.submission":
                return reverse("boards:entry", args=[slug, row.number])
    except NoReverseMatch:  # a name with a slash has no page of its own
        return ""
    return ""


def _dullness(change: Change) -> tuple[bool, bool]:
    """What goes first in a row: a value that moved before one that came, a word before an id, a digest or a time."""
    name = change.name.rpartition(" ")[2]
    is_dull = name in _DULL or name.endswith(("_at", "_ms", "_id", "digest")) or change.new.endswith(" UTC")
    return is_dull, not change.old


def _label(name: str) -> str:
    return name.removesuffix("_id") if name.endswith("_id") else name


def _moment(ms: int | None) -> dt.datetime | None:
    try:
        return None if ms is None else dt.datetime.fromtimestamp(ms / 1000, dt.UTC)
    except (OverflowError, OSError, ValueError):
        return None
