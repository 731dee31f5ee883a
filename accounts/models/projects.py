"""Projects and who has which role in them."""

import uuid
from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models
from guardian.models import UserObjectPermissionBase

from accounts.models.users import Group, User
from accounts.roles import Role
from accounts.scoping import GrantManager, ProjectScoped
from audit.ledger.tracking import Quiet, Tracked, history
from kernel.clock import now

slug_is_plain = RegexValidator(
    r"^[a-z0-9](?:[a-z0-9-]{0,48}[a-z0-9])?\Z",
    "Use lower-case letters, digits and hyphens, at most 50, not starting or ending with a hyphen.",
)
key_is_plain = RegexValidator(r"^[A-Z][A-Z0-9]{1,9}\Z", "Use 2 to 10 capital letters and digits, a letter first.")


def protected_at_first() -> list[str]:
    """Aliases and stages that move by promotion only in a governed project, unless its managers say otherwise."""
    return ["champion", "production"]


class Project(ProjectScoped, Tracked):
    """A team's space: names are unique within it, and nothing in it shows outside."""

    class Visibility(models.TextChoices):
        PRIVATE = "private", "Members only"
        BOARD = "board", "Contribution board, open to all"

    class RiskClass(models.TextChoices):
        NOT_SET = "", "Not recorded"
        MINIMAL = "minimal", "Minimal"
        LIMITED = "limited", "Limited"
        HIGH = "high", "High"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.CharField(max_length=50, unique=True, validators=[slug_is_plain])
    key = models.CharField(max_length=10, unique=True, validators=[key_is_plain], help_text="As in VIS-123.")
    name = models.CharField(max_length=120)
    purpose = models.TextField(blank=True, default="")
    risk_class = models.CharField(max_length=10, choices=RiskClass.choices, blank=True, default="")
    profile = models.CharField(max_length=40, default="house")
    retention_class = models.CharField(max_length=40, blank=True, default="")
    is_governed = models.BooleanField(default=False)
    protected_names = models.JSONField(default=protected_at_first, help_text="Aliases and stages, in lower case.")
    visibility = models.CharField(max_length=10, choices=Visibility.choices, default=Visibility.PRIVATE)
    goal_metric = models.CharField(max_length=250, blank=True, default="")
    goal_target = models.FloatField(null=True, blank=True)
    goal_date = models.DateField(null=True, blank=True)
    refuses_outside_locations = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=now)

    project_path = ""
    see_permission = "projects.see"
    history = history()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(visibility__in=["private", "board"]), name="project_visibility_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_board(self) -> bool:
        """Whether anybody may contribute: then it is outside the scope of audits."""
        return self.visibility == self.Visibility.BOARD


class ProjectCounter(Quiet):
    """The last number given to a run, in a row of its own so that counting never blocks reading the project.

    Quiet: each number is on record with its run.
    """

    project = models.OneToOneField(Project, on_delete=models.PROTECT, primary_key=True, related_name="counter")
    last_run = models.BigIntegerField(default=0)


class Membership(ProjectScoped, Tracked):
    """A role of a user or a group, in one project or (project null) on the whole site."""

    project = models.ForeignKey(Project, null=True, on_delete=models.PROTECT, related_name="memberships")
    user = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="memberships")
    group = models.ForeignKey(Group, null=True, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=20, choices=[(role.value, role.label) for role in Role])
    since_at = models.DateTimeField(default=now)

    project_path = "project"
    see_permission = "projects.see"
    history = history()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(user=None, group__isnull=False) | models.Q(user__isnull=False, group=None),
                name="membership_user_or_group",
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=[role.value for role in Role]), name="membership_role_known"
            ),
            models.UniqueConstraint(
                fields=["project", "user", "role"],
                name="member_once",
                condition=models.Q(project__isnull=False, group=None),
            ),
            models.UniqueConstraint(
                fields=["project", "group", "role"],
                name="member_group_once",
                condition=models.Q(project__isnull=False, user=None),
            ),
            models.UniqueConstraint(
                fields=["user", "role"], name="site_member_once", condition=models.Q(project=None, group=None)
            ),
            models.UniqueConstraint(
                fields=["group", "role"], name="site_group_once", condition=models.Q(project=None, user=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user or self.group}: {self.get_role_display()} in {self.project or 'the site'}"


class ProjectUserObjectPermission(UserObjectPermissionBase, Tracked):
    """guardian's direct grant: one person may see one project without a role in it."""

    content_object = models.ForeignKey(Project, on_delete=models.PROTECT)
    objects = GrantManager()  # type: ignore[misc, assignment]  # it reads through the tracked queryset
    history = history()

    class Meta(UserObjectPermissionBase.Meta):
        pass

    ledger_kind: ClassVar[str] = "tracked"
