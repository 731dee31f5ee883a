"""How the things that events speak of are called today, as far as the viewer sees them."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from accounts.access import require
from accounts.hooks import called_in_log
from accounts.models import Membership, Project, User
from accounts.queries.history import NamedEvent
from artifacts.models import Dataset, DatasetVersion
from audit.compliance.models import Assessment, Draw, Finding, Report, Review, Waiver
from audit.compliance.queries.log import READS
from audit.ledger.values import plain
from experiments.models import Comment, Decision, Experiment, Run
from kernel.actor import Actor
from registry.models import LoggedModel, ModelVersion, PromotionRequest, RegisteredModel

HEX = frozenset("0123456789abcdef")
Thing = tuple[str, str]
"""Kind and id, as events name them."""


@dataclass(frozen=True, slots=True)
class Named:
    """What a thing is called; row: itself, or the run that it belongs to, for whoever links to it."""

    label: str
    row: Any


@dataclass(frozen=True, slots=True)
class _Kind:
    model: Any
    label: Callable[[Any], str]
    row: Callable[[Any], Any]
    related: Sequence[str] = ()
    key: str = "pk"


def _itself(row: Any) -> Any:
    return row


def _of_run(word: str) -> Callable[[Any], str]:
    return lambda row: f"{word} {row.run.readable_id}"


def _run(row: Any) -> Run:
    return row.run  # type: ignore[no-any-return]  # each of these models has one


_ALL = (
    _Kind(Run, lambda run: run.readable_id, _itself, ("project",), key="uid"),
    _Kind(Project, str, _itself),
    _Kind(Experiment, lambda one: one.name, _itself),
    _Kind(Membership, lambda one: str(one.user or one.group), _itself, ("user", "group")),
    _Kind(Comment, _of_run("comment on"), _run, ("run__project",)),
    _Kind(Decision, str, _itself),
    _Kind(Dataset, str, _itself),
    _Kind(DatasetVersion, str, _itself, ("dataset",)),
    _Kind(RegisteredModel, lambda one: one.name, _itself),
    _Kind(ModelVersion, lambda one: f"{one.model.name} v{one.number}", _itself, ("model",)),
    _Kind(PromotionRequest, lambda one: f"promotion of {one.model.name}", _itself, ("model",)),
    _Kind(LoggedModel, lambda one: one.name or one.model_id, _itself, key="model_id"),
    _Kind(Assessment, _of_run("assessment of"), _run, ("run__project",)),
    _Kind(Review, _of_run("review of"), _run, ("run__project",)),
    _Kind(Finding, _of_run("finding on"), _run, ("run__project",)),
    _Kind(Waiver, lambda one: f"{one.rule} of {one.run.readable_id}", _run, ("run__project",)),
    _Kind(Report, str, _itself, ("project",)),
    _Kind(Draw, lambda one: f"sample {one.pk}", lambda one: None),
)
_KINDS = {one.model._meta.label_lower: one for one in _ALL}


def _kinds() -> dict[str, _Kind]:
    """With those that rooms beside this one speak of."""
    told = {model: _Kind(model, label, _itself, related) for model, (label, related) in called_in_log.items()}
    return _KINDS | {model._meta.label_lower: one for model, one in told.items()}


def things_named(viewer: Actor, events: Iterable[NamedEvent]) -> dict[Thing, Named]:
    """Names for the subjects of events: one query for each kind among them. What is gone or unseen is left out."""
    wanted, kinds = defaultdict[str, set[str]](set), _kinds()
    for one in events:
        event = one.past.event
        if event.subject_type in kinds and event.subject_id:
            wanted[event.subject_type].add(event.subject_id)
    found: dict[Thing, Named] = {}
    for name, ids in wanted.items():
        kind = kinds[name]
        rows = kind.model.objects.visible_to(viewer).filter(**{f"{kind.key}__in": _keys(kind, ids)})
        for row in rows.select_related(*kind.related) if kind.related else rows:
            found[name, _id_of(row)] = Named(kind.label(row), kind.row(row))
    return found


def _id_of(row: Any) -> str:
    """The id that events use for a row."""
    return str(getattr(row, "ledger_id", None) or plain(row.pk))


def _keys(kind: _Kind, ids: Iterable[str]) -> list[Any]:
    """Ids as the column takes them; what could not be one is left out."""
    column = kind.model._meta.pk if kind.key == "pk" else kind.model._meta.get_field(kind.key)
    found = []
    for one in ids:
        try:
            found.append(UUID(hex=one) if column.get_internal_type() == "UUIDField" else column.to_python(one))
        except (ValueError, TypeError):
            continue
    return found


def versions_named(viewer: Actor, ids: Iterable[str]) -> dict[str, str]:
    """How the dataset versions of these ids are called, as far as the viewer sees them."""
    rows = DatasetVersion.objects.visible_to(viewer).filter(pk__in=_ids_among(ids)).select_related("dataset")
    return {one.pk.hex: str(one) for one in rows}


def people_named(viewer: Actor, project: Project, values: Iterable[Any]) -> dict[str, str]:
    """Names for those of the values that are ids of people, as events of the project recorded them. Raises Refused."""
    require(viewer, READS, project)
    return names_of(values)


def names_of(values: Iterable[Any]) -> dict[str, str]:
    """Names for those of the values that are ids of people, whoever asks."""
    return {one.pk.hex: str(one) for one in User.objects.filter(pk__in=_ids_among(values))}


def people_in(events: Iterable[NamedEvent]) -> set[str]:
    """The values in events that may be ids of people."""
    return {
        value
        for one in events
        for row in one.past.changes
        for name, pair in row.fields.items()
        if name.endswith("_id")
        for value in pair
        if isinstance(value, str)
    }


def _ids_among(values: Iterable[Any]) -> set[UUID]:
    return {UUID(hex=one) for one in values if isinstance(one, str) and len(one) == 32 and set(one) <= HEX}
