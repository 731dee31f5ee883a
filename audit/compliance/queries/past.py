"""The history of any tracked object, for whoever sees the object: each event about it, with old and new values."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Q

from accounts.access import not_found
from accounts.models import ApiToken, Project
from accounts.queries.history import NamedEvent, with_names
from artifacts.models import DatasetVersion
from audit.compliance.kinds import kinds
from audit.compliance.queries.log_things import names_of, people_in
from audit.ledger.models import AuditEvent
from audit.ledger.queries.history import PastEvent, RowChange, with_payloads
from experiments.models import Run, RunInput
from kernel.actor import Actor
from kernel.errors import NotFound
from registry.models import LoggedModel

ALSO_MAX = 2000
_BIND = ("experiments.log_inputs", "registry.log_run_inputs")
# Rows that protocols and events call by another column than their key.
_KEYS: Mapping[type, str] = {Run: "uid", LoggedModel: "model_id"}


@dataclass(frozen=True, slots=True)
class PastPage:
    """A page of an object's history, newest first. next_id: the page below begins under it; None: there is none."""

    events: Sequence[NamedEvent]
    next_id: UUID | None


def past_of(
    viewer: Actor, project: Project, kind: str, thing: str, *, before: UUID | None = None, limit: int = 50
) -> tuple[Any, PastPage]:
    """One object of a project, by its kind and the id that events use, with a page of its history.

    Events about something else that changed it tell only what they say of it. Raises NotFound, absent and unseen alike.
    """
    row = _find(viewer, project, kind, thing)
    return row, _page_of(row, before, limit)


def past_of_token(
    viewer: Actor, token_id: UUID, *, before: UUID | None = None, limit: int = 50
) -> tuple[ApiToken, PastPage]:
    """One of the viewer's own tokens with a page of its history. Raises NotFound."""
    found: ApiToken | None = ApiToken.objects.filter(user=viewer.user_id, pk=token_id).first()
    if found is None or viewer.user_id is None:
        raise NotFound("No such token was found.")
    page = _page_of(found, before, limit)
    return found, replace(page, events=[replace(one, past=_without_digest(one.past)) for one in page.events])


def _without_digest(past: PastEvent) -> PastEvent:
    """The digest of a secret tells its owner nothing."""
    kept = [
        RowChange(one.type, one.id, one.op, {name: pair for name, pair in one.fields.items() if name != "digest"})
        for one in past.changes
    ]
    return replace(past, changes=kept)


def _find(viewer: Actor, project: Project, kind: str, thing: str) -> Any:
    model = kinds().get(kind)
    if model is None:
        raise NotFound(f"There is no history of a '{kind[:40]}'.")
    column = _KEYS.get(model, "pk")
    field = model._meta.pk if column == "pk" else model._meta.get_field(column)
    try:
        key = UUID(hex=thing) if field.get_internal_type() == "UUIDField" else field.to_python(thing)
    except (ValueError, TypeError, ValidationError):
        raise not_found(model) from None
    row = model.objects.visible_to(viewer).filter(**{column: key}).first()
    if row is None or row.scope_project_id != project.pk:
        raise not_found(model)
    return row


def _page_of(row: Any, before: UUID | None, limit: int) -> PastPage:
    subject = row.ledger_subject
    told = Q(subject_type=subject.kind, subject_id=subject.id)
    also = _events_that_changed(row)
    events = AuditEvent.objects.filter(told | Q(pk__in=also) if also else told)
    if before is not None:
        events = events.filter(id__lt=before)
    found = list(events.order_by("-id")[: limit + 1])
    told_here = [_about(one, subject.kind, subject.id) for one in with_payloads(found[:limit])]
    past = [one for one in told_here if one.changes or one.is_erased or one.event.subject_type == subject.kind]
    return PastPage(with_names(past), found[limit - 1].id if len(found) > limit else None)


def _events_that_changed(row: Any) -> list[UUID]:
    """Ids of the newest events that changed the row, whatever they speak of: its own history names them."""
    if isinstance(row, DatasetVersion):
        return _events_that_bound(row)
    past = row.history
    named = past.exclude(history_change_reason=None).order_by("-history_id")
    return [UUID(hex=one) for one in named.values_list("history_change_reason", flat=True)[:ALSO_MAX] if one]


def _events_that_bound(version: DatasetVersion) -> list[UUID]:
    """Ids of the events in which a run named this data first: what a client logs is registered on the way."""
    first = RunInput.objects.filter(dataset_version=version).select_related("run").order_by("pk").first()
    if first is None:
        return []
    subject = first.run.ledger_subject
    events = AuditEvent.objects.filter(subject_type=subject.kind, subject_id=subject.id, verb__in=_BIND)
    return list(events.order_by("id").values_list("id", flat=True)[:ALSO_MAX])


def _about(past: PastEvent, kind: str, key: str) -> PastEvent:
    if (past.event.subject_type, past.event.subject_id) == (kind, key):
        return past
    return replace(past, changes=[one for one in past.changes if _speaks_of(one, kind, key)])


def _speaks_of(change: RowChange, kind: str, key: str) -> bool:
    """Whether a change is of the object, or of a row that belongs to it."""
    model = kind.rpartition(".")[2]
    is_part = any(name == f"{model}_id" and pair[1] == key for name, pair in change.fields.items())
    return is_part or (change.type == kind and change.id == key)


def people_meant(events: Iterable[NamedEvent]) -> dict[str, str]:
    """Names for the ids of people in these events, which whoever is shown the object reads there."""
    return names_of(people_in(events))
