"""People, their groups and their tokens. People are deactivated, never deleted."""

import uuid
from typing import Any, ClassVar, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower

from audit.ledger.tracking import Quiet, Tracked, TrackedQuerySet, history
from kernel.clock import now


class UserManager(BaseUserManager["User"]):
    """Finds users by e-mail, whatever its case. `create_user` and the like are actions."""

    def get_by_natural_key(self, email: str | None) -> "User":
        return self.get(email=(email or "").strip().lower())

    def get_queryset(self) -> TrackedQuerySet[Any]:
        return TrackedQuerySet(self.model, using=self._db)


class User(Tracked, AbstractBaseUser, PermissionsMixin):
    """A person or a service account. The id is opaque: names live here alone, so that a person can be forgotten."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120)
    is_active = models.BooleanField(default=True)
    is_service = models.BooleanField(default=False, help_text="A service account: it has tokens and no password.")
    joined_at = models.DateTimeField(default=now)
    theme = models.CharField(max_length=8, default="auto")

    quiet_fields: ClassVar[frozenset[str]] = frozenset({"last_login", "theme"})
    secret_fields: ClassVar[frozenset[str]] = frozenset({"password"})
    history = history(excluded_fields=["password", "last_login", "theme"])

    objects = UserManager()  # type: ignore[misc, assignment]  # the manager reads through the tracked queryset

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_email_is_lower_case")
        ]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def is_staff(self) -> bool:
        """Whether the admin console opens: a role, never a flag."""
        memberships = self.memberships.filter(project=None, role="administrator")
        return self.is_active and (
            memberships.exists()
            or GroupMember.objects.filter(user=self, group__memberships__role="administrator").exists()
        )

    def check_password(self, raw_password: str | None) -> bool:
        """Compare only. Django would also store a stronger hash on the way, which is a write outside any action."""
        return check_password(raw_password, self.password)

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name.split(" ")[0] if self.name else self.email


class Group(Tracked):
    """Several people who get roles together."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120, unique=True)
    history = history()

    def __str__(self) -> str:
        return self.name


class GroupMember(Tracked):
    """A person in a group."""

    group = models.ForeignKey(Group, on_delete=models.PROTECT, related_name="members")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="group_memberships")
    history = history()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["group", "user"], name="group_member_once")]

    def __str__(self) -> str:
        return f"{self.user} in {self.group}"


class ApiToken(Tracked):
    """A credential for programs. The secret is shown once; only its digest is kept.

    run_uid: of a token that a job was given, the one run that it may write; nobody makes such a token for themselves.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="tokens")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=16, help_text="The first characters, to tell tokens apart.")
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the whole token.")
    scopes = models.JSONField(default=list)
    projects = models.JSONField(null=True, help_text="Ids of the projects it is good for; null: all of its owner's.")
    default_project = models.ForeignKey("accounts.Project", null=True, on_delete=models.PROTECT, related_name="+")
    run_uid = models.UUIDField(null=True, help_text="Of a job's token: the run that it may write.")
    created_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    quiet_fields: ClassVar[frozenset[str]] = frozenset({"last_used_at"})
    history = history(excluded_fields=["digest", "last_used_at"])

    class Meta:
        verbose_name = "API token"

    def __str__(self) -> str:
        return f"{self.prefix}… {self.name}"

    @property
    def is_live(self) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now())


class SetupLink(Quiet):
    """The one-time link for the first administrator; gone when used.

    Quiet: its use is on record as the user's creation.
    """

    digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField(default=now)

    @classmethod
    def open(cls) -> Self | None:
        """The link that waits to be used, if any."""
        return cls.objects.order_by("-id").first()
