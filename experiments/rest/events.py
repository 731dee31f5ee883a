"""The log of a project and of a run as JSON."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.generics import ListAPIView

from accounts.access import find_project
from accounts.rest.door import RestView
from audit.ledger.models import AuditEvent
from experiments.queries.events import events_of_project, events_of_run, told
from experiments.queries.runs import get_run
from experiments.rest.filters import EventFilter


class ChangeJson(serializers.Serializer[Any]):
    type = serializers.CharField()
    id = serializers.CharField()
    op = serializers.CharField()
    fields = serializers.DictField(  # type: ignore[assignment]  # the field is named as in the log
        child=serializers.ListField(child=serializers.JSONField()), help_text="Name to [old, new]."
    )


class EventJson(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="past.event.id")
    seq = serializers.IntegerField(source="past.seq", allow_null=True, help_text="Place in the log; null: it waits.")
    at = serializers.DateTimeField(source="past.event.at")
    verb = serializers.CharField(source="past.event.verb")
    outcome = serializers.CharField(source="past.event.outcome")
    actor_kind = serializers.CharField(source="past.event.actor_kind")
    actor_id = serializers.UUIDField(source="past.event.actor_id", allow_null=True)
    actor_name = serializers.CharField(source="who", help_text="The name of today.")
    actor_roles = serializers.CharField(source="past.event.actor_roles", help_text="Roles at that moment.")
    door = serializers.CharField(source="past.event.door")
    token = serializers.CharField(help_text="The name of the token used, if any.")
    client = serializers.CharField(source="past.event.client")
    request_id = serializers.CharField(source="past.event.request_id")
    subject_type = serializers.CharField(source="past.event.subject_type")
    subject_id = serializers.CharField(source="past.event.subject_id")
    client_ms = serializers.IntegerField(source="past.event.client_ms", allow_null=True)
    reason = serializers.CharField(source="past.reason")
    is_erased = serializers.BooleanField(source="past.is_erased")
    changes = ChangeJson(source="past.changes", many=True)


class Events(ListAPIView[AuditEvent], RestView):
    """Events in a list, newest first."""

    queryset = AuditEvent.objects.none()
    serializer_class = EventJson
    filterset_class = EventFilter

    def paginate_queryset(self, queryset: Any) -> Any:
        return told(super().paginate_queryset(queryset) or [])


class ProjectEvents(Events):
    """Everything that happened in a project, newest first."""

    needs = {"GET": "projects.read_log"}

    def get_queryset(self) -> QuerySet[AuditEvent]:
        return events_of_project(self.actor, find_project(self.actor, self.kwargs["slug"]))


class RunEvents(Events):
    """Everything that happened to a run, newest first."""

    needs = {"GET": "experiments.see"}

    def get_queryset(self) -> QuerySet[AuditEvent]:
        return events_of_run(self.actor, get_run(self.actor, self.kwargs["run"]))
