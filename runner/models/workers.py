"""Workers, which do jobs; what a project allows them; and what is secret."""

import uuid
from typing import ClassVar

from django.db import models

from accounts.models import Project, User
from accounts.scoping import ProjectScoped
from audit.ledger.tracking import Tracked, history
from kernel.clock import now


class Worker(Tracked):
    """One process on some machine that does jobs of the queues it serves, as many at once as it has slots.

    name: unique, and the same after a restart; about: its machine, system and versions; draining: it takes no more.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120, unique=True)
    queues = models.JSONField(default=list)
    slots = models.IntegerField(default=1)
    executor = models.CharField(max_length=20)
    about = models.JSONField(default=dict)
    version = models.CharField(max_length=40, blank=True, default="")
    is_draining = models.BooleanField(default=False)
    last_error = models.TextField(blank=True, default="")
    last_error_at = models.DateTimeField(null=True)
    joined_at = models.DateTimeField(default=now)
    left_at = models.DateTimeField(null=True, help_text="When it ended as it should.")
    seen_at = models.DateTimeField(default=now)

    quiet_fields: ClassVar[frozenset[str]] = frozenset(
        {"seen_at", "last_error", "last_error_at", "about", "version", "slots", "queues", "executor", "left_at"}
    )
    history = history(excluded_fields=["seen_at", "about", "last_error", "last_error_at"])

    def __str__(self) -> str:
        return self.name


class Admission(Tracked):
    """A one-time word that lets a worker on another machine in. secret: only its digest is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120, help_text="Of the worker.")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    used_from = models.CharField(max_length=64, blank=True, default="")

    history = history(excluded_fields=["digest"])

    def __str__(self) -> str:
        return self.name


class RunnerRules(ProjectScoped, Tracked):
    """What a project allows its jobs, and when a silent run counts as dead. Absent: the defaults."""

    project = models.OneToOneField(Project, on_delete=models.PROTECT, related_name="runner_rules")
    allows_network = models.BooleanField(default=False)
    memory_mb_max = models.IntegerField(default=16 * 1024)
    disk_mb_max = models.IntegerField(default=20 * 1024)
    seconds_max = models.IntegerField(default=24 * 3600)
    cpus_max = models.FloatField(default=8)
    jobs_at_once = models.IntegerField(default=50, help_text="Of this project, over all workers.")
    retries = models.IntegerField(default=1, help_text="How often a job is tried again where its worker was lost.")
    silent_minutes = models.IntegerField(
        default=24 * 60, help_text="After which a running run counts as dead; 0: never."
    )

    project_path = "project"
    see_permission = "projects.see"
    history = history()

    def __str__(self) -> str:
        return f"jobs' rules of {self.project}"


class Secret(ProjectScoped, Tracked):
    """A value that jobs are given by its name and nobody reads again: sealed for storage."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="secrets")
    name = models.CharField(max_length=60, help_text="As a variable of the environment.")
    sealed = models.TextField()
    created_at = models.DateTimeField(default=now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    removed_at = models.DateTimeField(null=True)

    project_path = "project"
    see_permission = "runner.see_secrets"
    secret_fields: ClassVar[frozenset[str]] = frozenset({"sealed"})
    history = history(excluded_fields=["sealed"])

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "name"], name="runner_secret_once", condition=models.Q(removed_at=None)
            )
        ]

    def __str__(self) -> str:
        return self.name
