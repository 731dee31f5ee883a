"""Rows that the ledger watches.

`Tracked` rows tell the open act what changed whenever they are saved or deleted, and keep simple-history rows for
reading. Bulk writes, which would slip past, are refused by the queryset; `change_all` is the recorded way.
Every model of ours says which kind it is: a test walks them all.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any, ClassVar, Self, TypeVar, cast

from django.db import DEFAULT_DB_ALIAS, models
from django.db.models.manager import BaseManager
from simple_history.models import HistoricalRecords

from audit.ledger.acting import Act, current_act, open_act
from audit.ledger.inserting import insert_row, is_plain, update_row
from audit.ledger.values import Subject, plain, secret
from kernel.clock import now

T = TypeVar("T", bound="Tracked")


class UnrecordedWrite(RuntimeError):
    """A bulk write that the ledger would not see: a bug, so it is refused."""


class TrackedQuerySet(models.QuerySet[T]):
    """Reads as usual; refuses writes that go past `save()` and `delete()` of the row."""

    def _guard(self, what: str) -> None:
        """Tracked rows change singly; evidence only inside an act, whose action records it; quiet rows freely."""
        kind = getattr(self.model, "ledger_kind", "quiet")
        if kind == "evidence":
            current_act()
        elif kind == "tracked":
            name = self.model.__name__
            raise UnrecordedWrite(f"{name}.objects.{what}() would go past the ledger; save the rows singly.")

    def update(self, **kwargs: Any) -> int:
        self._guard("update")
        return super().update(**kwargs)

    def delete(self) -> tuple[int, dict[str, int]]:
        self._guard("delete")
        return super().delete()

    def bulk_create(self, *args: Any, **kwargs: Any) -> list[T]:
        self._guard("bulk_create")
        return super().bulk_create(*args, **kwargs)

    def bulk_update(self, *args: Any, **kwargs: Any) -> int:
        self._guard("bulk_update")
        return super().bulk_update(*args, **kwargs)

    def change_all(self, **values: Any) -> int:
        """Give all rows of this queryset the same values in one statement, each row recorded and kept in history."""
        act = current_act()
        rows = list(self.select_for_update(of=("self",), no_key=True).order_by("pk"))
        for row in rows:
            for name, value in values.items():
                setattr(row, name, value)
            act.record(row._meta.label_lower, row.ledger_id, "update", row.pending_changes())
            row.remember()
        model: Any = self.model
        same = model.objects.filter(pk__in=[row.pk for row in rows])
        changed = super(TrackedQuerySet, same).update(**values)
        model.history.bulk_history_create(rows, batch_size=500, update=True, default_change_reason=str(act.event_id))
        return changed


def history(**options: Any) -> HistoricalRecords:
    """simple-history for reading: who is an opaque id without a foreign key, as in the ledger."""
    return HistoricalRecords(
        history_user_id_field=models.UUIDField(null=True),
        history_user_getter=lambda record: record.history_user_id,
        history_user_setter=lambda record, user: None,
        get_user=lambda **_: None,
        **options,
    )


def keep_past(act: Act, row: "Tracked", how: str) -> None:
    """Keep in simple-history what the row holds now. how: '+' made, '~' changed."""
    kept, names = _past_of(type(row))
    if kept is not None:
        held = row.__dict__
        values = {name: held[name] if name in held else getattr(row, name) for name in names}
        who = {"history_user_id": act.actor.user_id, "history_change_reason": str(act.event_id)}
        act.insert_later(kept(**values, **who, history_date=now(), history_type=how))


@cache
def _past_of(model: type[models.Model]) -> tuple[Any, tuple[str, ...]]:
    """The model that keeps the history of this one, and which columns; None where nothing does."""
    name = getattr(model._meta, "simple_history_manager_attribute", None)
    if name is None:
        return None, ()
    kept = getattr(model, name).model
    return kept, tuple(field.attname for field in kept.tracked_fields)


class Tracked(models.Model):
    """Base of rows whose every change is in the ledger.

    quiet_fields change without an event (bookkeeping that proves nothing). secret_fields are recorded as digests.
    """

    ledger_kind: ClassVar[str] = "tracked"
    quiet_fields: ClassVar[frozenset[str]] = frozenset()
    secret_fields: ClassVar[frozenset[str]] = frozenset()

    objects: ClassVar[BaseManager[Any]] = TrackedQuerySet.as_manager()

    class Meta:
        abstract = True

    @classmethod
    def from_db(cls, db: str | None, field_names: Any, values: Any, **later: Any) -> Self:
        row = super().from_db(db, field_names, values, **later)
        row.remember()
        return row

    @property
    def ledger_id(self) -> str:
        """The id that people and protocols use for this row."""
        return str(plain(self.pk))

    @property
    def ledger_subject(self) -> Subject:
        """This row as the subject of an event."""
        return Subject(self._meta.label_lower, self.ledger_id)

    def remember(self) -> None:
        """Keep the stored values, to tell at the next save what changed."""
        values = self.__dict__
        self._stored = {name: values[name] for name in self._column_names() if name in values}

    def withhold(self, *names: str) -> None:
        """What these columns held is erased: the next save records only what they hold from then on."""
        self._stored |= dict.fromkeys(names)

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        """Read the row again; what was changed here and not saved is forgotten."""
        super().refresh_from_db(*args, **kwargs)
        self.remember()

    def take_over(self, fresh: Self) -> None:
        """Hold what this row holds now, as it was read again elsewhere; related rows are read when asked for."""
        self.__dict__.update({name: fresh.__dict__[name] for name in self._column_names()})
        self.__dict__.pop("_prefetched_objects_cache", None)
        self._state.fields_cache.clear()
        self.remember()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write what changed, and record it. Saving an unchanged row writes nothing."""
        if self._state.adding:
            self._insert(*args, **kwargs)
            return
        changed = self._changed()
        loud = self.pending_changes()
        if not changed:
            return
        act = current_act() if loud else None
        self._write(update_fields=list(changed))
        if act is not None:
            act.record(self._meta.label_lower, self.ledger_id, "update", loud)
            keep_past(act, self, "~")
        self.remember()

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Remove the row, and record what it held."""
        act = current_act()
        kind, row_id, _, fields = self.birth()
        gone = super().delete(*args, **kwargs)
        act.record(kind, row_id, "delete", {name: (new, None) for name, (_, new) in fields.items()})
        return gone

    def birth(self) -> tuple[str, str, str, dict[str, tuple[Any, Any]]]:
        """The change that brought this row into being, as `Act.record` takes it."""
        return self._meta.label_lower, self.ledger_id, "create", {n: (None, v) for n, v in self.ledger_fields().items()}

    def ledger_fields(self) -> dict[str, Any]:
        """The columns that the ledger speaks of, with secrets as digests."""
        values = {name: getattr(self, name) for name in self._column_names() if name not in self.quiet_fields}
        if not self.secret_fields:
            return values
        return {name: secret(value) if name in self.secret_fields else value for name, value in values.items()}

    def pending_changes(self) -> dict[str, tuple[Any, Any]]:
        """What the next save would record: column -> (stored, new), quiet ones left out, secrets as digests."""
        loud = {name: pair for name, pair in self._changed().items() if name not in self.quiet_fields}
        return self._hide(loud)

    def insert_with_event(self) -> None:
        """Have a new row that has its key already inserted together with the event: this act does not read it again."""
        act = current_act()
        act.record(*self.birth())
        act.insert_later(self)
        keep_past(act, self, "+")
        self._state.adding, self._state.db = False, DEFAULT_DB_ALIAS
        self.remember()

    def _insert(self, *args: Any, **kwargs: Any) -> None:
        act = current_act()
        self._write(*args, **{**kwargs, "force_insert": True})
        act.record(*self.birth())
        keep_past(act, self, "+")
        self.remember()

    def _write(self, *args: Any, update_fields: list[str] | None = None, **kwargs: Any) -> None:
        """Insert or update; the history is kept by the act, not by the signal."""
        if is_plain(type(self)) and not args and kwargs.keys() <= {"force_insert"}:
            row: Any = self
            row._prepare_related_fields_for_save(operation_name="save")
            if update_fields is not None:
                update_row(self, update_fields)
            else:
                insert_row(self)
                self._state.adding, self._state.db = False, DEFAULT_DB_ALIAS
            return
        self.skip_history_when_saving = True
        try:
            super().save(*args, update_fields=update_fields, **kwargs)
        finally:
            self.__dict__.pop("skip_history_when_saving", None)

    def _changed(self) -> dict[str, tuple[Any, Any]]:
        stored: dict[str, Any] = getattr(self, "_stored", {})
        held = self.__dict__
        return {name: (before, after) for name, before in stored.items() if (after := held.get(name, before)) != before}

    def _hide(self, changed: dict[str, tuple[Any, Any]]) -> dict[str, tuple[Any, Any]]:
        return {
            name: (secret(old), secret(new)) if name in self.secret_fields else (old, new)
            for name, (old, new) in changed.items()
        }

    @classmethod
    def _column_names(cls) -> tuple[str, ...]:
        names = cls.__dict__.get("_columns")
        if names is None:
            names = tuple(field.attname for field in cls._meta.concrete_fields)
            cls._columns = names  # type: ignore[attr-defined]  # kept per class
        return cast("tuple[str, ...]", names)


class Evidence(models.Model):
    """Base of rows that are inserted once and recorded by the action that inserts them (`Act.record`)."""

    ledger_kind: ClassVar[str] = "evidence"

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert or change inside the act that records it. Raises NoOpenAct elsewhere."""
        current_act()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Remove inside the act that records it. Raises NoOpenAct elsewhere."""
        current_act()
        return super().delete(*args, **kwargs)


class Quiet(models.Model):
    """Base of rows without events: bookkeeping, or content that a recorded digest covers (say which)."""

    ledger_kind: ClassVar[str] = "quiet"

    class Meta:
        abstract = True


def tracked_models() -> Iterator[type[Tracked]]:
    """Every concrete tracked model of the installed apps."""
    from django.apps import apps

    yield from (model for model in apps.get_models() if issubclass(model, Tracked))


def stamp_history(sender: Any, **kwargs: Any) -> None:
    """Signal: put who and why of the open act on the simple-history row that is being made."""
    act = open_act()
    record = kwargs["history_instance"]
    if act is not None:
        record.history_user_id = act.actor.user_id
        record.history_change_reason = str(act.event_id)
