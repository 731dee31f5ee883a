"""The record of one run as rules read it: every part is read once, when the first rule asks for it.

What people say about a run stands in tags (see tags.py), so that it can be written through every door and is in the
log. Tags of the run come first, then those of its experiment.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.urls import reverse

from accounts.models import Signature
from artifacts.blobs import open_file
from artifacts.models import ArtifactFile, BlobCheck
from audit.compliance.models import ProfileCopy, Review, TrailReview
from audit.compliance.profile import Profile, profile_of
from audit.ledger.models import AuditEvent
from audit.ledger.queries.history import PastEvent, with_payloads
from audit.ledger.queries.soundness import broken_link, differs_from_log
from audit.ledger.replay import same
from audit.ledger.values import plain
from experiments.models import ExperimentTag, MetricDirection, MetricSeries, Param, Run, RunInput, RunTag
from experiments.work import BESIDE
from kernel.clock import now
from kernel.errors import MledError
from registry.models import LoggedModel, ModelVersion, PromotionRequest
from runner.models import Job, Recipe, RecreationCheck

TEST_WORDS = frozenset({"test", "testing", "eval", "evaluation", "holdout", "held-out", "hold-out"})
TRAIN_WORDS = frozenset({"train", "training", "fit"})
SYSTEM_PREFIX = "system/"
RUN = "experiments.run"
PROJECT = "accounts.project"
_WORDS = re.compile(r"[a-z-]+")
_NEVER_BEGUN = (Job.Cause.PREPARING, Job.Cause.REFUSED)
READ_MAX = 4 * 1024 * 1024  # bytes of a kept file that a rule looks into


class Record:
    """What is recorded of one run, read lazily. at: the moment that the rules speak of."""

    def __init__(self, run: Run, *, profile: Profile | None = None, at: dt.datetime | None = None) -> None:
        self.run = run
        self.project = run.project
        self.profile = profile or profile_of(run.project.profile)
        self.at = at or now()

    # --- What was logged

    @cached_property
    def params(self) -> dict[str, str]:
        """Every parameter by key."""
        return dict(Param.objects.filter(run=self.run).order_by("key").values_list("key", "value"))

    @cached_property
    def tags(self) -> dict[str, str]:
        """The run's tags over those of its experiment."""
        said = dict(ExperimentTag.objects.filter(experiment=self.run.experiment_id).values_list("key", "value"))
        return said | dict(RunTag.objects.filter(run=self.run).values_list("key", "value"))

    def said(self, *keys: str) -> str:
        """The first of these tags that says something, without outer blanks; '' where none does."""
        return next((text for key in keys if (text := self.tags.get(key, "").strip())), "")

    @cached_property
    def series(self) -> list[MetricSeries]:
        """The run's own metrics; what the machine measured of itself is left out."""
        rows = MetricSeries.objects.filter(run=self.run).exclude(key__startswith=SYSTEM_PREFIX)
        return list(rows.order_by("key", "context"))

    @cached_property
    def has_system_metrics(self) -> bool:
        return MetricSeries.objects.filter(run=self.run, key__startswith=SYSTEM_PREFIX).exists()

    @cached_property
    def deciding(self) -> list[MetricSeries]:
        """The metrics that a decision would go by: the project's goal, and those with a direction; else all."""
        named = set(MetricDirection.objects.filter(project=self.project).values_list("key", flat=True))
        named |= {self.project.goal_metric} - {""}
        chosen = [one for one in self.series if one.key in named]
        return chosen or self.series

    # --- What MLED itself executed

    @cached_property
    def recipe(self) -> Recipe | None:
        """What was executed into this run; None where its command never began, or nothing was executed here."""
        jobs = Job.objects.filter(run=self.run, started_at__isnull=False).exclude(cause__in=_NEVER_BEGUN)
        job = jobs.exclude(state=Job.State.PREPARING).select_related("recipe").first()
        return job.recipe if job else None

    # --- Data

    @cached_property
    def inputs(self) -> list[RunInput]:
        """The dataset versions that went in, with their records."""
        rows = RunInput.objects.filter(run=self.run).select_related(
            "dataset_version__dataset__project", "dataset_version__record"
        )
        return list(rows.order_by("dataset_version__dataset__name", "dataset_version__number"))

    # --- Files

    @cached_property
    def models(self) -> list[LoggedModel]:
        """The models that the run made."""
        return list(LoggedModel.objects.filter(source_run=self.run, is_deleted=False).order_by("pk"))

    @cached_property
    def files(self) -> list[ArtifactFile]:
        """The files of the run and of the models that it made, by path."""
        roots = [self.run.artifact_root_id, *(model.artifact_root_id for model in self.models)]
        rows = ArtifactFile.objects.filter(root__in=[root for root in roots if root]).select_related("root")
        return list(rows.order_by("path", "pk"))

    def files_named(self, *endings: str) -> list[ArtifactFile]:
        """The files whose path ends so, in lower case."""
        return [file for file in self.files if file.path.lower().endswith(endings)]

    @cached_property
    def checks(self) -> dict[str, BlobCheck]:
        """By digest: when the bytes were last read again, and what came out."""
        rows = BlobCheck.objects.filter(blob__in={file.blob_id for file in self.files})
        return {check.blob_id: check for check in rows}

    # --- Who else speaks of it

    @cached_property
    def family(self) -> list[Run]:
        """Runs that evaluate this one: its children, its parent and those that name it in mled.evaluates."""
        naming = RunTag.objects.filter(key="mled.evaluates", value=self.run.uid.hex, run__project=self.project)
        near = Q(parent=self.run) | Q(pk=self.run.parent_id) | Q(pk__in=naming.values("run"))
        rows = Run.objects.filter(near, project=self.project, lifecycle="active").exclude(pk=self.run.pk)
        return list(rows.select_related("project", "experiment").order_by("pk")[:200])

    @cached_property
    def reproductions(self) -> list[Run]:
        """Runs that did this one again."""
        naming = RunTag.objects.filter(key="mled.reproduces", value=self.run.uid.hex, run__project=self.project)
        rows = Run.objects.filter(pk__in=naming.values("run"), lifecycle="active").exclude(pk=self.run.pk)
        return list(rows.select_related("project", "created_by").order_by("pk"))

    @cached_property
    def recreations(self) -> dict[int, RecreationCheck]:
        """By the run (primary key) that did this one again: what was kept of it, also of what it named before."""
        named = [run.pk for run in self.reproductions]
        return {one.again_id: one for one in RecreationCheck.objects.filter(again__in=named)}

    @cached_property
    def versions(self) -> list[ModelVersion]:
        """The registered versions that come from this run."""
        of_run = Q(run=self.run) | Q(logged_model__source_run=self.run)
        rows = ModelVersion.objects.filter(of_run, is_deleted=False).select_related("model__project", "logged_model")
        return list(rows.order_by("pk").distinct())

    @cached_property
    def promotions(self) -> list[PromotionRequest]:
        """The promotions of those versions that were approved."""
        rows = PromotionRequest.objects.filter(version__in=[one.pk for one in self.versions], state="approved")
        return list(rows.select_related("version", "model").order_by("decided_at"))

    @cached_property
    def signatures(self) -> list[Signature]:
        """Signatures that approve: verdicts on the run, and promotions of what it made, oldest first."""
        promotions = [request.ledger_id for request in self.promotions]
        found = Review.objects.filter(run=self.run, state=Review.State.COMPLIANT)
        verdicts = [pk.hex for pk in found.values_list("pk", flat=True)]
        on_run = Q(subject_type="compliance.review", subject_id__in=verdicts)
        on_promotions = Q(subject_type="registry.promotionrequest", subject_id__in=promotions)
        rows = Signature.objects.filter(on_run | on_promotions).select_related("signed_by")
        return list(rows.order_by("signed_at"))

    @cached_property
    def copy(self) -> ProfileCopy | None:
        """What the project adds to its profile."""
        return ProfileCopy.objects.filter(project=self.project).first()

    # --- History

    @cached_property
    def events(self) -> list[PastEvent]:
        """Every event about the run, oldest first."""
        rows = AuditEvent.objects.filter(subject_type=RUN, subject_id=self.run.ledger_id)
        return with_payloads(list(rows.order_by("id")))

    def events_of(self, *verbs: str) -> Iterator[PastEvent]:
        """The run's events with one of these verbs that were done."""
        return (one for one in self.events if one.event.verb in verbs and one.event.outcome == "done")

    @cached_property
    def contributors(self) -> set[UUID]:
        """Everybody who made or changed the run; whoever only locked, sealed, commented or reviewed it did not."""
        found = {one.event.actor_id for one in self.events if one.event.outcome == "done" and is_work(one.event.verb)}
        return {user for user in (*found, self.run.created_by_id) if user is not None}

    @cached_property
    def trail_reviews(self) -> list[TrailReview]:
        """When auditors looked through the project's trail, oldest first."""
        return list(TrailReview.objects.filter(project=self.project).select_related("by").order_by("at"))

    @cached_property
    def last_work(self) -> PastEvent | None:
        """The last event that made or changed what is in the run."""
        done = [one for one in self.events if one.event.outcome == "done" and is_work(one.event.verb)]
        return done[-1] if done else None

    def project_differs(self, *columns: str) -> str:
        """Which of these columns of the project are not as its events left them, in words; '' for none."""
        said = {name: getattr(self.project, name) for name in columns}
        return differs_from_log(PROJECT, self.project.ledger_id, said)

    @staticmethod
    def broken(past: PastEvent) -> str:
        """What is wrong with the log over an event that speaks of something else, or ''."""
        wrong = broken_link([past])
        return "" if wrong == "waiting" else wrong

    # --- Where the evidence is shown

    def page(self, tab: str = "") -> str:
        """Path of a tab of the run."""
        run = self.run.uid.hex
        return reverse("experiments:run_tab", args=[run, tab]) if tab else reverse("experiments:run", args=[run])

    @property
    def settings_page(self) -> str:
        """Path of the project's settings."""
        return reverse("accounts:settings", args=[self.project.slug])


AMENDED = "compliance.amend_run"


def is_work(verb: str) -> bool:
    """Whether an act with this verb makes or changes what is in a run."""
    return verb == AMENDED or (verb not in BESIDE and not verb.startswith("compliance."))


def content_of(file: ArtifactFile) -> bytes:
    """The beginning of a kept file; nothing where it cannot be read."""
    try:
        with open_file(file) as reader:
            return reader.read(READ_MAX)
    except MledError:
        return b""


def unlike(recorded: Mapping[str, Any], stored: Mapping[str, Any]) -> list[str]:
    """The names whose value is not the recorded one. What no event speaks of is left out."""
    return [name for name in recorded if not same(recorded[name], plain(stored.get(name)))]


def words_of(*texts: str) -> set[str]:
    """The words in some texts, in lower case."""
    return {word for text in texts for word in _WORDS.findall(text.lower())}


def is_test(given: RunInput) -> bool:
    """Whether a dataset version went in to test with: by its context, or by the role that its record gives it."""
    record = getattr(given.dataset_version, "record", None)
    role = record.split_role if record is not None else ""
    return bool(words_of(given.context) & TEST_WORDS) or role == "test"


def is_training(given: RunInput) -> bool:
    """Whether a dataset version went in to train with."""
    record = getattr(given.dataset_version, "record", None)
    role = record.split_role if record is not None else ""
    return bool(words_of(given.context) & TRAIN_WORDS) or role == "train"


def listed(names: Sequence[Any], most: int = 3) -> str:
    """The first names, and how many more there are."""
    shown = ", ".join(str(name) for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
