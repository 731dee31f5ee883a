from experiments.models.decisions import Decision, DecisionRun
from experiments.models.experiments import Experiment, ExperimentTag, ExperimentUserObjectPermission
from experiments.models.metrics import MetricArchive, MetricDirection, MetricSegment, MetricSeries
from experiments.models.people import Comment, Star
from experiments.models.recording import RecordedOnce
from experiments.models.runs import Param, Run, RunInput, RunTag
from experiments.models.saved_views import SavedView
from experiments.models.sheets import SheetImport, SheetMapping, SheetRow

__all__ = [
    "Comment",
    "Decision",
    "DecisionRun",
    "Experiment",
    "ExperimentTag",
    "ExperimentUserObjectPermission",
    "MetricArchive",
    "MetricDirection",
    "MetricSegment",
    "MetricSeries",
    "Param",
    "RecordedOnce",
    "Run",
    "RunInput",
    "RunTag",
    "SavedView",
    "SheetImport",
    "SheetMapping",
    "SheetRow",
    "Star",
]
