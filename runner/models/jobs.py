"""Jobs: one run each, waiting, under way or over; what they print; and sweeps, which are many of them."""

import uuid
from typing import ClassVar

from django.db import models

from accounts.models import ApiToken, Project, User
from accounts.scoping import ProjectScoped
from audit.ledger.tracking import Quiet, Tracked, history
from experiments.models import Experiment, Run
from kernel.clock import now
from runner.models.recipes import Recipe
from runner.models.workers import Worker


class Sweep(ProjectScoped, Tracked):
    """Many jobs from one recipe with changed parameters, shown as a parent run with its children.

    space: by parameter the values of a grid, or a range to draw from; at_once: jobs at the same time; jobs_max and
    seconds_max: its budget, the second over all of its jobs together.
    """

    class Method(models.TextChoices):
        GRID = "grid", "Grid"
        RANDOM = "random", "Random"

    class State(models.TextChoices):
        RUNNING = "running", "Under way"
        DONE = "done", "Finished"
        STOPPED = "stopped", "Stopped"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="sweeps")
    parent = models.OneToOneField(Run, on_delete=models.PROTECT, related_name="sweep")
    recipe = models.ForeignKey(Recipe, on_delete=models.PROTECT, related_name="+")
    method = models.CharField(max_length=6, choices=Method.choices)
    space = models.JSONField(default=dict)
    seed = models.BigIntegerField(default=0, help_text="Of what is drawn.")
    queue = models.CharField(max_length=40, default="default")
    at_once = models.IntegerField(default=1)
    jobs_max = models.IntegerField()
    seconds_max = models.BigIntegerField(null=True)
    retries = models.IntegerField(default=0, help_text="Of each job.")
    metric = models.CharField(max_length=250, blank=True, default="", help_text="By which the best run is told.")
    higher_is_better = models.BooleanField(null=True, help_text="Of it; null: as the project says.")
    state = models.CharField(max_length=7, choices=State.choices, default=State.RUNNING)
    ended_because = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(default=now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    project_path = "project"
    history = history()

    class Meta:
        indexes = [models.Index(fields=["project", "-created_at"], name="sweep_newest")]

    def __str__(self) -> str:
        return f"{self.get_method_display()} over {', '.join(self.space)}"


class Job(ProjectScoped, Tracked):
    """One execution of a recipe, into one run. Nothing is ever executed twice into the same run: what a dead worker had
    begun fails, and is tried again, if at all, as a new job with a new run.

    lease: of the worker that does it, which runs out by itself; stage: what it is at; why: what ended it, in words;
    attempts: how many workers took it and were lost before its command began; image: that it ran in, if it did.
    """

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        PREPARING = "preparing", "Preparing"
        RUNNING = "running", "Running"
        FINISHED = "finished", "Finished"
        FAILED = "failed", "Failed"
        STOPPED = "stopped", "Stopped"

    class Cause(models.TextChoices):
        """What ended it."""

        NONE = "", "Not over"
        EXIT = "exit", "Its command ended"
        STOP = "stop", "Somebody stopped it"
        TIME = "time", "Its time was over"
        MEMORY = "memory", "It took more memory than it may"
        DISK = "disk", "It wrote more than it may"
        PROCESSES = "processes", "It started more processes than it may"
        WORKER = "worker", "Its worker was lost"
        PREPARING = "preparing", "What it needs could not be made ready"
        REFUSED = "refused", "It was not allowed any more"

    OPEN = (State.QUEUED, State.PREPARING, State.RUNNING)
    OVER = (State.FINISHED, State.FAILED, State.STOPPED)
    HELD = (State.PREPARING, State.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="jobs")
    experiment = models.ForeignKey(Experiment, on_delete=models.PROTECT, related_name="+")
    run = models.OneToOneField(Run, on_delete=models.PROTECT, related_name="job")
    recipe = models.ForeignKey(Recipe, on_delete=models.PROTECT, related_name="jobs")
    sweep = models.ForeignKey(Sweep, null=True, on_delete=models.PROTECT, related_name="jobs")
    reproduces = models.ForeignKey(Run, null=True, on_delete=models.PROTECT, related_name="recreations")
    retry_of = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="retried_as")
    retries_left = models.IntegerField(default=0, help_text="How often it is tried again where its worker is lost.")
    queue = models.CharField(max_length=40, default="default")
    priority = models.IntegerField(default=0, help_text="The higher goes first.")
    state = models.CharField(max_length=9, choices=State.choices, default=State.QUEUED)
    cause = models.CharField(max_length=9, choices=Cause.choices, blank=True, default=Cause.NONE)
    why = models.TextField(blank=True, default="")
    exit_code = models.IntegerField(null=True)
    image = models.CharField(max_length=600, blank=True, default="", help_text="With the digest that it was found by.")
    created_at = models.DateTimeField(default=now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField(null=True, help_text="When a worker took it.")
    ended_at = models.DateTimeField(null=True)
    stop_asked_at = models.DateTimeField(null=True)
    stop_asked_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    worker = models.ForeignKey(Worker, null=True, on_delete=models.PROTECT, related_name="jobs")
    token = models.ForeignKey(ApiToken, null=True, on_delete=models.PROTECT, related_name="+")
    stage = models.CharField(max_length=120, blank=True, default="")
    lease = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0)

    project_path = "project"
    experiment_path = "experiment"
    quiet_fields: ClassVar[frozenset[str]] = frozenset({"stage", "lease", "lease_until", "attempts"})
    history = history(excluded_fields=["stage", "lease", "lease_until", "attempts"])

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["queued", "preparing", "running", "finished", "failed", "stopped"]),
                name="job_state_known",
            ),
        ]
        indexes = [
            models.Index(
                fields=["queue", "-priority", "created_at"], name="job_waiting", condition=models.Q(state="queued")
            ),
            models.Index(fields=["project", "sweep"], name="job_held", condition=models.Q(lease__isnull=False)),
            models.Index(fields=["project", "-created_at", "-id"], name="job_newest"),
            models.Index(fields=["project", "state", "-created_at", "-id"], name="job_by_state"),
            models.Index(
                fields=["project", "-ended_at", "-id"], name="job_over", condition=models.Q(ended_at__isnull=False)
            ),
            models.Index(fields=["sweep", "state"], name="job_of_sweep", condition=models.Q(sweep__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"job of {self.run_id}"

    @property
    def is_open(self) -> bool:
        """Whether it waits or is under way."""
        return self.state in self.OPEN


class JobOutput(ProjectScoped, Quiet):
    """A piece of what a job printed, so that it is read while it goes on, and not lost with its worker.

    Quiet, and gone once the whole is among the run's files.
    """

    job = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="output", db_index=False)
    is_errors = models.BooleanField(default=False)
    start = models.BigIntegerField(help_text="Its place in the stream, in bytes.")
    content = models.BinaryField()

    project_path = "job__project"
    experiment_path = "job__experiment"

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "is_errors", "start"], name="job_output_once")]

    def __str__(self) -> str:
        return f"{self.job_id} from {self.start}"
