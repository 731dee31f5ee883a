"""The log in the console: heads, places and events without their payloads. To read only, for whoever keeps the site."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from audit.ledger.models import AuditEvent, Checkpoint, Leaf


class Evidence(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows that nobody changes, in the console neither."""

    actions = None
    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(AuditEvent)
class AuditEventAdmin(Evidence):
    list_display = ("at", "verb", "outcome", "actor_kind", "actor_id", "door", "subject_type", "subject_id")
    list_filter = ("outcome", "door", "actor_kind")
    search_fields = ("verb", "subject_id", "request_id")
    ordering = ("-id",)

    @admin.display(description="What it says")
    def erase(self, event: AuditEvent) -> str:
        url = f"{reverse('accounts:erase')}?events={event.pk.hex}"
        return format_html('<a href="{}">Erase what this entry says…</a>', url)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*super().get_fields(request, obj), "erase"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("erase",)


@admin.register(Leaf)
class LeafAdmin(Evidence):
    list_display = ("seq", "event_id", "leaf_hash")
    search_fields = ("leaf_hash",)
    ordering = ("-seq",)


@admin.register(Checkpoint)
class CheckpointAdmin(Evidence):
    list_display = ("size", "root", "key_id", "at", "anchor")
    ordering = ("-size", "-id")
