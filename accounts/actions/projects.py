"""Making and changing projects."""

import re

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts import hooks
from accounts.decorators import action
from accounts.models import Membership, Project, ProjectCounter, ProjectUserObjectPermission, User
from accounts.models.projects import key_is_plain, slug_is_plain
from accounts.roles import Role
from accounts.texts import checked_line, storable
from kernel.actor import Actor
from kernel.errors import AlreadyExists, Conflict, Invalid


def suggested_key(slug: str) -> str:
    """A short free key for readable ids, from the slug: initials of several words, else the first letters."""
    words = [word for word in slug.upper().split("-") if word]
    base = "".join(word[0] for word in words) if len(words) > 2 else re.sub(r"[^A-Z0-9]", "", words[0])[:3]
    base = re.sub(r"^[0-9]+", "", base) or "P"
    base = base if len(base) > 1 else (base + re.sub(r"[^A-Z0-9]", "", slug.upper())[1:3]).ljust(2, "X")
    key, number = base[:8], 1
    while Project.objects.filter(key=key).exists():
        number += 1
        key = f"{base[:7]}{number}"
    return key


@action("projects.create")
def create_project(actor: Actor, *, slug: str, name: str = "", key: str = "", purpose: str = "") -> Project:
    """Make a project with its Default experiment; its maker is its manager. Raises Invalid, AlreadyExists."""
    project = Project(slug=slug, name=name or slug, key=key or suggested_key(_checked_slug(slug)), purpose=purpose)
    _check(project)
    try:
        with transaction.atomic():
            project.save()
    except IntegrityError:
        raise _taken(project) from None
    ProjectCounter.objects.create(project=project)
    if actor.user_id is not None:
        Membership(project=project, user_id=actor.user_id, role=Role.PROJECT_MANAGER).save()
    for join in hooks.project_created:
        join(actor, project)
    return project


def _taken(project: Project) -> AlreadyExists:
    if Project.objects.filter(slug=project.slug).exists():
        return AlreadyExists(f"A project '{project.slug}' exists already.", hint="Choose another one.", field="slug")
    return AlreadyExists(f"Another project has the key {project.key}.", hint="Choose another one.", field="key")


def _checked_slug(slug: str) -> str:
    try:
        slug_is_plain(slug)
    except ValidationError as error:
        raise Invalid(error.messages[0], field="slug") from None
    return slug


def _check(project: Project) -> None:
    _checked_slug(project.slug)
    try:
        key_is_plain(project.key)
    except ValidationError as error:
        raise Invalid(error.messages[0], field="key") from None
    project.name = checked_line(project.name, "A project's name", 120, field="name")
    storable(project.purpose, "The purpose", field="purpose")


@action("projects.edit", on="project")
def edit_project(
    actor: Actor,
    project: Project,
    *,
    name: str | None = None,
    purpose: str | None = None,
    risk_class: str | None = None,
) -> Project:
    """Change a project's name, purpose or risk class. Raises Invalid; Conflict for a public board of high risk."""
    project = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    if risk_class == Project.RiskClass.HIGH and project.is_board:
        raise Conflict("A public board cannot be of high risk.", hint="End the board first.", field="risk_class")
    project.name = project.name if name is None else name
    project.purpose = project.purpose if purpose is None else purpose
    project.risk_class = project.risk_class if risk_class is None else risk_class
    _check(project)
    project.save()
    return project


@action("members.manage", on="project")
def grant_sight(actor: Actor, project: Project, *, user: User, reason: str = "") -> None:
    """Let one person see this project without a role in it."""
    ProjectUserObjectPermission.objects.assign_perm("view_project", user, project)


@action("members.manage", on="project")
def withdraw_sight(actor: Actor, project: Project, *, user: User, reason: str = "") -> None:
    """Take such an exception back."""
    for grant in ProjectUserObjectPermission.objects.filter(user=user, content_object=project):
        grant.delete()
