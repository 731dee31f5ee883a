"""Keeping how people like their pages."""

from typing import Any

from django.db import IntegrityError, transaction

from accounts.access import require
from accounts.decorators import action
from accounts.models import PersonalSetting, Project, User
from accounts.settings import checked_value, get_setting
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import Invalid


@action("settings.keep")
def keep_setting(actor: Actor, *, name: str, value: Any, project: Project | None = None) -> PersonalSetting:
    """Keep one setting of the actor, for a project or for all. Quiet: nobody else sees it and it proves nothing.

    Raises Invalid for an unknown setting or a value that it does not take, NotFound for a project not seen.
    """
    setting = get_setting(name)
    if project is not None:
        require(actor, "projects.see", project)
    if setting.in_projects != (project is not None):
        where = "for one project" if setting.in_projects else "for all projects at once"
        raise Invalid(f"The setting '{name}' is kept {where}.", field="project")
    if actor.user_id is None:
        raise Invalid("Settings belong to a person.", field="name")
    user = User.objects.get(pk=actor.user_id)
    kept = {"value": checked_value(setting, value), "changed_at": now()}
    mine = PersonalSetting.objects.filter(user=user, project=project, name=name)
    if not mine.update(**kept):
        try:
            with transaction.atomic():
                PersonalSetting.objects.create(user=user, project=project, name=name, **kept)
        except IntegrityError:  # another window of the same person was faster
            mine.update(**kept)
    return mine.get()
