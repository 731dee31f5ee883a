"""Who is in a project and what each role may do. Managers add, change and remove."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import can, find_project
from accounts.actions.members import (
    APPOINTED,
    MANAGED,
    add_member,
    appoint_member,
    change_role,
    dismiss_member,
    parsed_role,
    remove_member,
)
from accounts.actions.users import find_user
from accounts.models import Group, Membership, Project
from accounts.pages.doors import actor_of, fill_in_error, signed_in
from accounts.queries.people import groups_to_add
from accounts.queries.projects import members_of
from accounts.roles import PERMISSIONS, REASON_NEEDED, THE_TABLE, Reach, Role
from kernel.actor import Actor
from kernel.errors import MledError, NotFound


@dataclass(frozen=True, slots=True)
class MemberLine:
    """One role of one person or group.

    exchangeable: for another role in one act. why_fixed: why a viewer who manages others cannot change this one.
    """

    pk: int
    name: str
    email: str
    role: str
    role_label: str
    by: str
    since_at: Any
    is_me: bool
    editable: bool
    exchangeable: bool
    why_fixed: str


@dataclass(frozen=True, slots=True)
class Cell:
    """What a role may, in icon and word."""

    icon: str
    word: str
    tone: str


YES, NO = Cell("check", "Yes", "up"), Cell("x", "No", "t3")
OWN, REASON, HIDDEN = (
    Cell("user", "Own only", "t2"),
    Cell("edit", "With reason", "t2"),
    Cell("search", "Not found", "t2"),
)


class NewMember(forms.Form):
    """Who, and in which role."""

    email = forms.EmailField(label="E-mail", required=False, help_text="Of somebody who has an account here.")
    group = forms.ModelChoiceField(
        Group.objects.none(), required=False, empty_label="No group", help_text="Or everybody in a group."
    )
    role = forms.ChoiceField()

    def __init__(self, viewer: Actor, project: Project, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        groups = groups_to_add(viewer, project)
        self.fields["role"].choices = grantable(viewer, project)  # type: ignore[attr-defined]
        self.fields["group"].queryset = groups  # type: ignore[attr-defined]
        if not groups.exists():
            del self.fields["group"]
            self.fields["email"].required = True

    def clean(self) -> dict[str, Any]:
        asked = super().clean() or {}
        if bool(asked.get("email")) == bool(asked.get("group")) and "email" not in self.errors:
            self.add_error("email", "Name one person or one group.")
        return asked


def grantable(viewer: Actor, project: Project) -> list[tuple[str, str]]:
    """The roles that this viewer may give in the project."""
    given: frozenset[Role] = frozenset()
    if can(viewer, "members.manage", project):
        given |= MANAGED
    if can(viewer, "members.appoint", project):
        given |= APPOINTED
    return [(role.value, role.label) for role in Role if role in given]


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def members(request: HttpRequest, slug: str) -> HttpResponse:
    """The list and the role matrix; a post adds somebody."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    form = NewMember(viewer, project, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = _add(viewer, project, form.cleaned_data)
        except MledError as error:
            fill_in_error(form, error)
        else:
            messages.success(request, f"{made.user or made.group} is now {made.get_role_display()} here.")
            return redirect("accounts:members", slug=project.slug)
    lines = member_lines(viewer, project)
    context = {
        "at": "members",
        "project": project,
        "members": lines,
        "may_manage": bool(grantable(viewer, project)),
        "roles": [(role.value, role.label) for role in Role if role in MANAGED],
        "form": form,
        "summary": f"{len(lines)} role{'' if len(lines) == 1 else 's'} given.",
        "matrix": matrix(),
    }
    return render(request, "accounts/members.html", context)


def _add(viewer: Actor, project: Project, asked: dict[str, Any]) -> Membership:
    role, group = parsed_role(asked["role"]), asked.get("group")
    user = None if group else find_user(asked["email"])
    managed = role in MANAGED and bool(can(viewer, "members.manage", project))
    return (add_member if managed else appoint_member)(viewer, project, role=role, user=user, group=group)


def member_lines(viewer: Actor, project: Project) -> list[MemberLine]:
    """Memberships as lines; a group is one line that names who is in it."""
    given = {value for value, _ in grantable(viewer, project)}
    exchanged = bool(can(viewer, "members.manage", project))
    return [_line(viewer, membership, given, exchanged) for membership in members_of(viewer, project)]


def _line(viewer: Actor, membership: Membership, given: set[str], exchanged: bool) -> MemberLine:
    user, group = membership.user, membership.group
    is_me = user is not None and user.pk == viewer.user_id
    by = "service account" if user is not None and user.is_service else "direct"
    if group is not None:
        by = "group: " + (", ".join(sorted(member.user.name for member in group.members.all())) or "nobody in it yet")
    why_fixed = ""
    if given and is_me:
        why_fixed = "yours"
    elif given and membership.role not in given:
        why_fixed = "by an administrator"
    return MemberLine(
        pk=membership.pk,
        name=str(user or group),
        email=user.email if user else "",
        role=membership.role,
        role_label=Role(membership.role).label,
        by=by,
        since_at=membership.since_at,
        is_me=is_me,
        editable=bool(given) and not why_fixed,
        exchangeable=exchanged and membership.role in MANAGED,
        why_fixed=why_fixed,
    )


@require_POST
@signed_in
def change(request: HttpRequest, slug: str, member: int) -> HttpResponse:
    """Give a member another role."""
    return _alter(request, slug, member, lambda viewer, found: _changed(viewer, found, request.POST.get("role", "")))


@require_POST
@signed_in
def remove(request: HttpRequest, slug: str, member: int) -> HttpResponse:
    """Take a member's role away."""
    return _alter(request, slug, member, _removed)


def _changed(viewer: Actor, found: Membership, role: str) -> str:
    changed = change_role(viewer, found, role=parsed_role(role))
    return f"{found.user or found.group} is now {changed.get_role_display()} here."


def _removed(viewer: Actor, found: Membership) -> str:
    who = str(found.user or found.group)
    managed = Role(found.role) in MANAGED and bool(can(viewer, "members.manage", found))
    (remove_member if managed else dismiss_member)(viewer, found)
    return f"{who} is no longer in this project in that role."


def _alter(request: HttpRequest, slug: str, member: int, act: Any) -> HttpResponse:
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    found = members_of(viewer, project).filter(pk=member).first()
    if found is None:
        raise NotFound("No such member was found.")
    try:
        messages.success(request, act(viewer, found))
    except NotFound:
        raise
    except MledError as error:
        messages.error(request, str(error))
    return redirect("accounts:members", slug=project.slug)


def matrix() -> dict[str, Any]:
    """The role table as it is enforced, with a column for those who are in no role."""
    shown = [permission for permission in PERMISSIONS.values() if not permission.site and not permission.own_account]
    return {
        "roles": [*(role.label for role in THE_TABLE), "Not a member"],
        "lines": [
            {
                "act": permission.means[:1].upper() + permission.means[1:],
                "cells": [*(_cell(role, permission.name) for role in THE_TABLE), HIDDEN],
            }
            for permission in shown
        ],
    }


def _cell(role: Role, permission: str) -> Cell:
    reach = THE_TABLE[role].get(permission)
    if reach is Reach.ANY:
        return REASON if (role, permission) in REASON_NEEDED else YES
    return OWN if reach is Reach.OWN else NO
