"""Metrics: a narrow dictionary of series with their summaries, and packed segments of points."""

from django.db import models

from accounts.models import Project
from accounts.scoping import ProjectScoped
from artifacts.models import Blob
from audit.ledger.tracking import Evidence, Quiet, Tracked, history
from experiments.models.runs import Run, RunRow
from kernel.clock import now


class MetricSeries(RunRow, Quiet):
    """One metric of one run: dictionary entry, search column and table summary in one row.

    last and first are the greatest and least (step, time, value); min and max ignore NaN and take the earliest step on
    a tie. A NaN last value is NULL with last_is_nan. Quiet: the points are covered by the run's seal.
    """

    context = models.CharField(max_length=250, blank=True, default="", help_text="'' for what MLflow clients log.")
    last_value = models.FloatField(null=True)
    last_is_nan = models.BooleanField(default=False)
    last_step = models.BigIntegerField()
    last_ms = models.BigIntegerField()
    first_value = models.FloatField(null=True)
    first_step = models.BigIntegerField()
    first_ms = models.BigIntegerField()
    min_value = models.FloatField(null=True)
    min_step = models.BigIntegerField(null=True)
    max_value = models.FloatField(null=True)
    max_step = models.BigIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "key", "context"], name="series_once")]
        indexes = [
            # Without the context a search would look into the table for every value that it reads here.
            models.Index(fields=["experiment", "key", "last_value"], name="series_last", condition=models.Q(context=""))
        ]

    def __str__(self) -> str:
        return self.key


class MetricArchive(ProjectScoped, Evidence):
    """Where the points of a run lie that ended a while ago: one Parquet file in the artifact store, never changed.

    A later archive of the same run is a new row with a new file. Recorded as 'experiments.metricarchive' under the
    run's id.
    """

    run = models.OneToOneField(Run, on_delete=models.PROTECT, related_name="metric_archive")
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="metric_archives")
    size_bytes = models.BigIntegerField()
    points = models.BigIntegerField()
    series = models.IntegerField()
    layout = models.SmallIntegerField(default=1, help_text="Version of the file's layout, see docs/archive.md.")
    made_at = models.DateTimeField(default=now)

    project_path = "run__project"
    experiment_path = "run__experiment"
    see_permission = "experiments.download"

    def __str__(self) -> str:
        return f"sha256:{self.blob_id[:12]}…, {self.points} points"


class MetricSegment(Quiet):
    """Points of one series that came in one batch: packed little-endian arrays (int64, int64, float64).

    Where archive is set, the arrays are empty: the points are so many rows of its file, from archive_row on.
    Quiet: the points are covered by the run's seal.
    """

    series = models.ForeignKey(MetricSeries, on_delete=models.PROTECT, related_name="segments")
    count = models.IntegerField()
    min_step = models.BigIntegerField()
    max_step = models.BigIntegerField()
    min_ms = models.BigIntegerField()
    max_ms = models.BigIntegerField()
    steps = models.BinaryField()
    times = models.BinaryField()
    values = models.BinaryField()
    archive = models.ForeignKey(
        MetricArchive, null=True, on_delete=models.PROTECT, related_name="segments", db_index=False
    )
    archive_row = models.BigIntegerField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["archive"], name="segment_archived", condition=models.Q(archive__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.count} points"


class MetricDirection(ProjectScoped, Tracked):
    """Whether a metric is better high or low, said once per project."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="metric_directions")
    key = models.CharField(max_length=250)
    higher_is_better = models.BooleanField()

    project_path = "project"
    history = history()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "key"], name="metric_direction_once")]

    def __str__(self) -> str:
        return f"{self.key} {'↑' if self.higher_is_better else '↓'}"
