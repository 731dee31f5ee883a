"""What lists can be narrowed by."""

import datetime as dt
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django_filters import rest_framework as filters
from django_filters.fields import IsoDateTimeField

from accounts.rest.door import actor_of
from audit.ledger.models import AuditEvent
from experiments.models import Experiment, Run
from experiments.queries.experiments import DEFAULT_WIRE_ID
from experiments.queries.listing import with_email
from experiments.queries.stars import with_star
from experiments.refs import number_in
from experiments.values import Lifecycle, RunStatus

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
LIVES = [*Lifecycle.choices, ("all", "All")]


class MomentField(IsoDateTimeField):
    """An ISO 8601 time that is still one in UTC."""

    def clean(self, value: Any) -> dt.datetime | None:
        try:
            moment: dt.datetime | None = super().clean(value)
            return None if moment is None else moment.astimezone(dt.UTC)
        except (OverflowError, ValueError):
            raise forms.ValidationError("Enter a valid date and time.") from None


class MomentFilter(filters.IsoDateTimeFilter):
    field_class = MomentField


class LifeFilter(filters.ChoiceFilter):
    """Active ones unless it says otherwise."""

    def __init__(self) -> None:
        super().__init__(choices=LIVES, empty_label=None, help_text="active (default), deleted or all")

    def filter(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        life = value or Lifecycle.ACTIVE
        return rows if life == "all" else rows.filter(lifecycle=life)


class ExperimentFilter(filters.FilterSet):
    lifecycle = LifeFilter()
    name = filters.CharFilter(lookup_expr="icontains", help_text="Part of the name, in any case.")

    class Meta:
        model = Experiment
        fields: list[str] = []


class RunFilter(filters.FilterSet):
    lifecycle = LifeFilter()
    project = filters.CharFilter(field_name="project__slug", help_text="A project's slug.")
    experiment = filters.CharFilter(method="of_experiment", help_text="An experiment's id as on the MLflow wire.")
    status = filters.MultipleChoiceFilter(choices=RunStatus.choices, help_text="Several: any of them.")
    user = filters.CharFilter(method="of_user", help_text="E-mail address or id of whoever logged it.")
    name = filters.CharFilter(lookup_expr="icontains", help_text="Part of the name, in any case.")
    mine = filters.BooleanFilter(method="of_oneself", help_text="Logged by oneself.")
    starred = filters.BooleanFilter(method="with_own_star", help_text="Starred by oneself.")
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte", help_text="ISO 8601.")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt", help_text="ISO 8601.")

    started_after = MomentFilter(method="by_client", help_text="ISO 8601; by the client's clock, as the next three.")
    started_before = MomentFilter(method="by_client", help_text="ISO 8601.")
    ended_after = MomentFilter(method="by_client", help_text="ISO 8601.")
    ended_before = MomentFilter(method="by_client", help_text="ISO 8601.")
    email = filters.CharFilter(
        method="of_email", help_text="Whose run it is: the author's address, or the label in the tag `mled.email`."
    )

    class Meta:
        model = Run
        fields: list[str] = []

    def by_client(self, rows: QuerySet[Run], name: str, value: dt.datetime) -> QuerySet[Run]:
        column, _, side = name.partition("_")
        bound = "gte" if side == "after" else "lt"
        return rows.filter(**{f"{column}_ms__{bound}": (value - _EPOCH) // dt.timedelta(milliseconds=1)})

    def of_email(self, rows: QuerySet[Run], name: str, value: str) -> QuerySet[Run]:
        return rows.filter(with_email(actor_of(self.request), value.strip()))

    def of_experiment(self, rows: QuerySet[Run], name: str, value: str) -> QuerySet[Run]:
        if value == DEFAULT_WIRE_ID:
            return rows.filter(experiment__is_default=True)
        key = number_in(value)
        return rows.none() if key is None else rows.filter(experiment=key, experiment__is_default=False)

    def of_user(self, rows: QuerySet[Run], name: str, value: str) -> QuerySet[Run]:
        return rows.filter(Q(created_by__email=value.lower()) | Q(created_by__in=[value] if is_uuid(value) else []))

    def of_oneself(self, rows: QuerySet[Run], name: str, value: bool) -> QuerySet[Run]:
        own = Q(created_by=actor_of(self.request).user_id)
        return rows.filter(own if value else ~own)

    def with_own_star(self, rows: QuerySet[Run], name: str, value: bool) -> QuerySet[Run]:
        return rows.filter(with_star(actor_of(self.request), is_on=value))


class ChildFilter(filters.FilterSet):
    lifecycle = LifeFilter()
    status = filters.MultipleChoiceFilter(choices=RunStatus.choices, help_text="Several: any of them.")

    class Meta:
        model = Run
        fields: list[str] = []


class EventFilter(filters.FilterSet):
    verb = filters.CharFilter(help_text="Such as experiments.delete_run.")
    actor = filters.UUIDFilter(field_name="actor_id", help_text="Id of the user who acted.")
    outcome = filters.ChoiceFilter(choices=[("done", "Done"), ("denied", "Denied")])
    after = MomentFilter(field_name="at", lookup_expr="gte", help_text="ISO 8601.")
    before = MomentFilter(field_name="at", lookup_expr="lt", help_text="ISO 8601.")

    class Meta:
        model = AuditEvent
        fields: list[str] = []


def is_uuid(text: str) -> bool:
    """Whether it can be the id of a user."""
    try:
        forms.UUIDField().clean(text)
    except forms.ValidationError:
        return False
    return True
