"""What an administrator keeps in the console: people, groups, who has which role, and tokens' metadata.

Every change is one of our actions, so that permission, event and refusal are the same as at any other door; what the
action refuses stands on the form. Nothing is deleted but roles and places in groups.
"""

from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from simple_history.admin import SimpleHistoryAdmin

from accounts.access import can
from accounts.actions.members import (
    APPOINTED,
    add_to_group,
    appoint,
    appoint_member,
    create_group,
    dismiss,
    dismiss_member,
    remove_from_group,
)
from accounts.actions.tokens import revoke_others_token
from accounts.actions.users import create_user, deactivate_user, reactivate_user
from accounts.models import ApiToken, Group, GroupMember, Membership, Project, User
from accounts.roles import SITE_ROLES, Role
from kernel.actor import Actor
from kernel.errors import Invalid, MledError, Refused

REASON_HELP = "Kept in the log."


def actor_of(request: HttpRequest) -> Actor:
    """The administrator, at this door."""
    return cast(Actor, request.actor)  # type: ignore[attr-defined]


class ActForm(forms.ModelForm):  # type: ignore[type-arg]
    """A form whose last check is the act itself: what the action refuses stands beside its field."""

    actor: ClassVar[Actor]

    def act(self, asked: dict[str, Any]) -> models.Model:
        """Call the action with what the form holds; gives the row."""
        raise NotImplementedError

    def _post_clean(self) -> None:
        """Instead of writing into the row: the action reads and writes its own."""
        if self.errors:
            return
        try:
            self.instance = self.act(self.cleaned_data)
        except MledError as error:
            self.add_error(error.field if error.field in self.fields else None, str(error))


class ActionAdmin(SimpleHistoryAdmin):  # type: ignore[misc]  # it brings no types
    """A console page over actions. Permissions are ours; rows are neither written nor deleted by Django's admin."""

    see: ClassVar[str] = "users.see"
    add: ClassVar[str] = ""
    change: ClassVar[str] = ""
    remove: ClassVar[str] = ""
    add_form: ClassVar[type[ActForm] | None] = None
    change_form: ClassVar[type[ActForm] | None] = None
    actions = None
    list_per_page = 50
    object_history_list_template = "admin/past_rows.html"

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._may(request, self.see)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, self.see)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.add_form is not None and self._may(request, self.add)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.change_form is not None and self._may(request, self.change)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, self.remove)

    def _may(self, request: HttpRequest, permission: str) -> bool:
        return bool(permission) and bool(can(actor_of(request), permission))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = self.change_form if obj is not None else self.add_form
        if form is None or (obj is not None and not self.has_change_permission(request, obj)):
            return super().get_form(request, obj, change, **kwargs)
        return type(form.__name__, (form,), {"actor": actor_of(request)})

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        form = self.change_form if obj is not None else self.add_form
        if form is None:
            return super().get_fields(request, obj)
        return [*form.base_fields, *self.get_readonly_fields(request, obj)]

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        return form.instance

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """The form has acted already."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """There is nothing that an action has not written."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """The ledger is the log."""

    log_change = log_addition

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """The ledger is the log."""

    def undo(self, actor: Actor, row: Any) -> None:
        """Call the action that takes this row away."""
        raise NotImplementedError

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.undo(actor_of(request), obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        return [str(one) for one in objs], {self.opts.verbose_name_plural: len(objs)}, set(), []

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        try:
            return cast(HttpResponse, super().delete_view(request, object_id, extra_context))
        except MledError as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"))

    def set_history_delta_changes(self, request: HttpRequest, page_obj: Any, **options: Any) -> None:
        super().set_history_delta_changes(request, page_obj, **options)
        acted = {record.history_user_id for record in page_obj}
        names = dict(User.objects.filter(pk__in=acted).values_list("pk", "name"))
        for record in page_obj:
            record.who = names.get(record.history_user_id, "Operator or MLED")

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: Any = None
    ) -> HttpResponse:
        if request.method != "GET":
            raise Refused("The past is for reading.", hint="Change the thing as it is today.")
        return cast(HttpResponse, super().history_form_view(request, object_id, version_id, extra_context))


def reason_field(*, required: bool = False) -> forms.CharField:
    """Why something is done."""
    return forms.CharField(max_length=500, required=required, help_text=REASON_HELP)


def role_field(roles: frozenset[Role]) -> forms.TypedChoiceField:
    """One of these roles."""
    return forms.TypedChoiceField(choices=[(role.value, role.label) for role in sorted(roles)], coerce=Role)


class NewUser(ActForm):
    password = forms.CharField(
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        strip=False,
        required=False,
        help_text="Leave it empty and they set one themselves by 'Forgot your password?'.",
    )

    class Meta:
        model = User
        fields = ("email", "name", "is_service")

    def act(self, asked: dict[str, Any]) -> models.Model:
        return create_user(self.actor, **{**asked, "password": asked["password"] or None})


class ChangedUser(ActForm):
    reason = reason_field(required=True)

    class Meta:
        model = User
        fields = ("is_active",)

    def act(self, asked: dict[str, Any]) -> models.Model:
        user = User.objects.get(pk=self.instance.pk)
        if asked["is_active"] == user.is_active:
            return user
        acts = reactivate_user if asked["is_active"] else deactivate_user
        return acts(self.actor, user=user, reason=asked["reason"])


@admin.register(User)
class UserAdmin(ActionAdmin):
    add, change = "users.create", "users.deactivate"
    add_form, change_form = NewUser, ChangedUser
    list_display = ("email", "name", "is_active", "is_service", "joined_at", "last_login")
    list_filter = ("is_active", "is_service")
    search_fields = ("email", "name")
    ordering = ("email",)

    @admin.display(description="Forget")
    def forget(self, user: User) -> str:
        return format_html('<a href="{}">Forget this person…</a>', reverse("accounts:forget_person", args=[user.pk]))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("email", "name", "is_service", "joined_at", "last_login", "forget") if obj else ()


class NewGroup(ActForm):
    class Meta:
        model = Group
        fields = ("name",)

    def act(self, asked: dict[str, Any]) -> models.Model:
        return create_group(self.actor, name=asked["name"])


@admin.register(Group)
class GroupAdmin(ActionAdmin):
    add, add_form = "groups.manage", NewGroup
    list_display = ("name", "people")
    search_fields = ("name",)
    ordering = ("name",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("members__user")

    @admin.display(description="People")
    def people(self, group: Group) -> str:
        return ", ".join(sorted(str(member.user) for member in group.members.all()))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("people",) if obj else ()


class NewGroupMember(ActForm):
    class Meta:
        model = GroupMember
        fields = ("group", "user")

    def act(self, asked: dict[str, Any]) -> models.Model:
        return add_to_group(self.actor, group=asked["group"], user=asked["user"])


@admin.register(GroupMember)
class GroupMemberAdmin(ActionAdmin):
    add, remove, add_form = "groups.manage", "groups.manage", NewGroupMember
    list_display = ("group", "user")
    list_select_related = ("group", "user")
    search_fields = ("group__name", "user__email", "user__name")
    ordering = ("group__name", "user__name")

    def undo(self, actor: Actor, row: GroupMember) -> None:
        remove_from_group(actor, group=row.group, user=row.user)


class NewMembership(ActForm):
    project = forms.ModelChoiceField(Project.objects.none(), required=False, empty_label="The whole site")
    role = role_field(SITE_ROLES | APPOINTED)
    reason = reason_field()

    class Meta:
        model = Membership
        fields = ("user", "group", "project")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast("forms.ModelChoiceField[Any]", self.fields["project"]).queryset = Project.objects.order_by("name")
        self.fields["role"].help_text = "A manager adds scientists and engineers, on the project's Members page."
        for name in ("user", "group"):
            self.fields[name].required = False

    def act(self, asked: dict[str, Any]) -> models.Model:
        project, reason = asked["project"], asked["reason"]
        if project is not None:
            who = {"user": asked["user"], "group": asked["group"]}
            return appoint_member(self.actor, project, role=asked["role"], reason=reason, **who)
        if asked["user"] is None and asked["group"] is None:
            raise Invalid("Name a user, or a project and a group.", field="user")
        if asked["user"] is None or asked["group"] is not None:
            raise Invalid("A role of the whole site is given to one user.", field="user")
        return appoint(self.actor, user=asked["user"], role=asked["role"], reason=reason)


@admin.register(Membership)
class MembershipAdmin(ActionAdmin):
    """Administrators appoint managers and auditors; all other roles of a project are its manager's to give."""

    see, add, remove = "members.appoint", "members.appoint", "members.appoint"
    add_form = NewMembership
    list_display = ("user", "group", "role", "project", "since_at")
    list_filter = ("role", "project")
    list_select_related = ("user", "group", "project")
    search_fields = ("user__email", "user__name", "group__name", "project__name")
    ordering = ("project__name", "role", "user__name")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        theirs = obj is None or obj.project_id is None or Role(obj.role) in APPOINTED
        return theirs and super().has_delete_permission(request, obj)

    def undo(self, actor: Actor, row: Membership) -> None:
        if row.project_id:
            dismiss_member(actor, row)
        else:
            dismiss(actor, membership=row)


class RevokedToken(ActForm):
    revoke = forms.BooleanField(required=False, help_text="At once, and for good.")
    reason = reason_field(required=True)

    class Meta:
        model = ApiToken
        fields = ()

    def act(self, asked: dict[str, Any]) -> models.Model:
        token = ApiToken.objects.get(pk=self.instance.pk)
        return revoke_others_token(self.actor, token=token, reason=asked["reason"]) if asked["revoke"] else token


@admin.register(ApiToken)
class ApiTokenAdmin(ActionAdmin):
    see, change, change_form = "tokens.revoke_others", "tokens.revoke_others", RevokedToken
    list_display = ("prefix", "name", "user", "created_at", "expires_at", "last_used_at", "revoked_at")
    list_select_related = ("user",)
    search_fields = ("name", "prefix", "user__email", "user__name")
    ordering = ("-created_at",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        names = ("prefix", "name", "user", "scopes", "default_project")
        return (*names, "created_at", "expires_at", "last_used_at", "revoked_at")
