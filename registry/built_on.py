"""What makes a model version stand on a dataset version."""

from django.db.models import Q

from artifacts.models import DatasetVersion
from experiments.models import RunInput


def standing_on(version: DatasetVersion) -> Q:
    """The condition for model versions whose run, or whose logged model's run, used this data."""
    runs = RunInput.objects.filter(dataset_version=version).values("run")
    return Q(run__in=runs) | Q(logged_model__source_run__in=runs)
