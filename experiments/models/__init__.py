from experiments.models.experiments import Experiment, ExperimentTag, ExperimentUserObjectPermission
from experiments.models.metrics import MetricDirection, MetricSegment, MetricSeries
from experiments.models.people import Comment, Star
from experiments.models.recording import RecordedOnce
from experiments.models.runs import Param, Run, RunInput, RunTag
from experiments.models.saved_views import SavedView

__all__ = [
    "Comment",
    "Experiment",
    "ExperimentTag",
    "ExperimentUserObjectPermission",
    "MetricDirection",
    "MetricSegment",
    "MetricSeries",
    "Param",
    "RecordedOnce",
    "Run",
    "RunInput",
    "RunTag",
    "SavedView",
    "Star",
]
