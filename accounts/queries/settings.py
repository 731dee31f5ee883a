"""What people chose for their pages."""

from typing import Any

from accounts.models import PersonalSetting, Project
from accounts.settings import SETTINGS, get_setting
from kernel.actor import Actor


def setting_of(viewer: Actor, name: str, project: Project | None = None) -> Any:
    """The viewer's value of one setting, or its default."""
    return settings_of(viewer, [name], project)[name]


def settings_of(viewer: Actor, names: list[str], project: Project | None = None) -> dict[str, Any]:
    """The viewer's values of several settings, in one read. project: for those that are kept for each project."""
    rows = PersonalSetting.objects.filter(user=viewer.user_id, name__in=names)
    own = rows.filter(project=project) | rows.filter(project__isnull=True)
    kept = dict(own.values_list("name", "value")) if viewer.user_id else {}
    return {name: kept.get(name, get_setting(name).default) for name in names}


def all_settings_of(viewer: Actor) -> list[dict[str, Any]]:
    """Everything that the viewer chose, by name and project."""
    rows = PersonalSetting.objects.filter(user=viewer.user_id, name__in=SETTINGS).order_by("name", "project__slug")
    return [dict(row) for row in rows.values("name", "project__slug", "value", "changed_at")]
