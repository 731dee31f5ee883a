"""What happened to a model or to one of its versions, from the ledger: with its aliases, card and promotions."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Q

from accounts.access import require
from accounts.queries.history import NamedEvent, with_names
from audit.ledger.models import AuditEvent
from audit.ledger.queries.history import PastEvent, with_payloads
from audit.ledger.values import plain
from kernel.actor import Actor
from registry.models import CardText, ModelAlias, ModelVersion, PromotionRequest, RegisteredModel

BATCH = 200


@dataclass(frozen=True, slots=True)
class Names:
    """What ids in events stand for: numbers of versions, names of aliases, by the id that the ledger uses."""

    versions: Mapping[str, int] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)


Rows = Mapping[str, Collection[str]]  # ledger ids by kind of row


def events_of_model(
    viewer: Actor, model: RegisteredModel, *, before: UUID | None = None, limit: int = 50
) -> list[NamedEvent]:
    """The events about a model and all that hangs on it, newest first. Raises NotFound."""
    require(viewer, "experiments.see", model)
    versions = ModelVersion.objects.filter(model=model)
    rows = {
        **_rows(RegisteredModel, [model.pk]),
        **_rows(ModelVersion, versions.values_list("pk", flat=True)),
        **_rows(CardText, CardText.objects.filter(version__model=model).values_list("pk", flat=True)),
        **_rows(ModelAlias, _aliases_ever(model_id=model.pk)),
        **_rows(PromotionRequest, PromotionRequest.objects.filter(model=model).values_list("pk", flat=True)),
    }
    return with_names(_past(rows, before, limit))


def events_of_version(
    viewer: Actor, version: ModelVersion, *, before: UUID | None = None, limit: int = 50
) -> list[NamedEvent]:
    """The events about one version, newest first: also those that moved an alias of it. Raises NotFound."""
    require(viewer, "experiments.see", version)
    own = {
        **_rows(ModelVersion, [version.pk]),
        **_rows(CardText, CardText.objects.filter(version=version).values_list("pk", flat=True)),
        **_rows(ModelAlias, _aliases_ever(version_id=version.pk)),
        **_rows(PromotionRequest, PromotionRequest.objects.filter(version=version).values_list("pk", flat=True)),
    }
    siblings = ModelVersion.objects.filter(model=version.model_id).values_list("pk", flat=True)
    wider = {**own, **_rows(RegisteredModel, [version.model_id]), **_rows(ModelVersion, siblings)}
    return with_names(_touching(own, wider, before, limit))


def names_in(viewer: Actor, model: RegisteredModel) -> Names:
    """The numbers of a model's versions and the names of its aliases, also of those that are gone. Raises NotFound."""
    require(viewer, "experiments.see", model)
    versions = ModelVersion.objects.filter(model=model).values_list("pk", "number")
    past: Any = ModelAlias.history  # type: ignore[attr-defined]  # simple-history's manager
    aliases = past.filter(model_id=model.pk).values_list("id", "name")
    return Names({str(key): number for key, number in versions}, {str(key): name for key, name in aliases})


def _rows(kind: Any, keys: Iterable[Any]) -> dict[str, set[str]]:
    """The rows of one kind as the ledger calls them."""
    return {kind._meta.label_lower: {str(plain(key)) for key in keys}}


def _aliases_ever(**which: int) -> Any:
    """The aliases that hung on it at any time, also those that are gone."""
    past: Any = ModelAlias.history  # type: ignore[attr-defined]  # simple-history's manager
    return past.filter(**which).values_list("id", flat=True).distinct()


def _past(rows: Rows, before: UUID | None, limit: int) -> list[PastEvent]:
    about = Q()
    for kind, ids in rows.items():
        about |= Q(subject_type=kind, subject_id__in=ids)
    events = AuditEvent.objects.filter(about)
    if before is not None:
        events = events.filter(id__lt=before)
    return with_payloads(list(events.order_by("-id")[:limit]))


def _touching(own: Rows, wider: Rows, before: UUID | None, limit: int) -> list[PastEvent]:
    """Of the events about the wider rows, those that speak of own ones or changed one."""
    found: list[PastEvent] = []
    while len(found) < limit:
        batch = _past(wider, before, BATCH)
        found += [one for one in batch if _concerns(one, own)]
        if len(batch) < BATCH:
            break
        before = batch[-1].event.id
    return found[:limit]


def _concerns(past: PastEvent, own: Rows) -> bool:
    if past.event.subject_id in own.get(past.event.subject_type, ()):
        return True
    return any(change.id in own.get(change.type, ()) for change in past.changes)
