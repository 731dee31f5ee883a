"""The rows of the comparison: what each run, or each group of runs, says of a field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from accounts.templatetags.mled import duration
from experiments.compare.figures import figure_of
from experiments.compare.matrix import Figure, MetricRow, TextRow, summary_of, summary_row, text_row
from experiments.models import Run
from experiments.pages.code import SAID_IN_TAGS
from experiments.pages.compare.columns import Column, base_column
from experiments.pages.figures import weight_of
from experiments.pages.frame import took
from experiments.queries.comparison import Compared
from experiments.queries.record import SYSTEM_PREFIX
from experiments.values import ReviewState, RunStatus

VALUES_SHOWN = 3  # of a group whose runs differ
DIRTY = "mlflow.source.git.dirty"


@dataclass(frozen=True, slots=True)
class Fields:
    """What was recorded of the compared runs, and how they stand beside each other."""

    held: Compared
    columns: Sequence[Column]

    @property
    def base(self) -> int:
        return base_column(self.columns)

    def text(self, name: str, said: Sequence[str | None]) -> TextRow:
        """A row of what each run says."""
        return text_row(name, [together([said[place] for place in one.places]) for one in self.columns], self.base)

    def texts(self, said: Mapping[str, Sequence[str | None]]) -> list[TextRow]:
        """Rows of those fields that any run says something of."""
        return [self.text(name, values) for name, values in said.items() if any(values)]

    def number(self, name: str, values: Sequence[float | None], higher_is_better: bool | None) -> MetricRow:
        """A row of each run's number."""
        groups = [summary_of([values[place] for place in one.places]) for one in self.columns]
        return summary_row(name, groups, self.base, higher_is_better)


def together(said: Sequence[str | None]) -> str | None:
    """What runs of a group say: the one text, or how many different ones and the first of them."""
    different = list(dict.fromkeys(said))
    if len(different) == 1:
        return different[0]
    shown = ", ".join("not set" if text is None else text for text in different[:VALUES_SHOWN])
    return f"{len(different)} values: {shown}{', …' if len(different) > VALUES_SHOWN else ''}"


def metric_rows(fields: Fields, figure: Figure, *, system: bool = False) -> list[MetricRow]:
    """The metrics that tell most first; or those that MLflow's client measured of the machine."""
    held = fields.held
    keys = [key for key in held.series if key.startswith(SYSTEM_PREFIX) == system]
    goal = held.runs[0].project.goal_metric
    keys.sort(key=lambda key: weight_of(key, goal=goal, directions=held.directions))
    rows = []
    for key in keys:
        way = held.directions.get(key)
        values = [figure_of(held.series[key].get(run.pk), figure, way) for run in held.runs]
        rows.append(fields.number(key, values, way))
    return rows


def param_rows(fields: Fields) -> list[TextRow]:
    """A row for each parameter that any run has."""
    return _keyed(fields, fields.held.params)


def tag_rows(fields: Fields) -> list[TextRow]:
    """A row for each tag that people set."""
    tags: dict[str, dict[int, str]] = {}
    for run, mine in fields.held.tags.items():
        for key, value in mine.items():
            if not key.startswith("mlflow."):
                tags.setdefault(key, {})[run] = value
    return _keyed(fields, dict(sorted(tags.items())))


def _keyed(fields: Fields, said: Mapping[str, Mapping[int, str]]) -> list[TextRow]:
    return [fields.text(name, [of_run.get(run.pk) for run in fields.held.runs]) for name, of_run in said.items()]


def data_rows(fields: Fields) -> list[TextRow]:
    """A row for each role that data has, 'train' or none said."""
    held = fields.held
    return [fields.text(role or "input", [data_of(held, run, role) for run in held.runs]) for role in roles_of(held)]


def roles_of(held: Compared) -> list[str]:
    """The roles that data has in any of the runs."""
    return list(dict.fromkeys(one.context for run in held.runs for one in held.inputs.get(run.pk, ())))


def data_of(held: Compared, run: Run, role: str) -> str | None:
    """The dataset versions that a run used in a role."""
    found = [str(one.dataset_version) for one in held.inputs.get(run.pk, ()) if one.context == role]
    return ", ".join(found) or None


def code_rows(fields: Fields) -> list[TextRow]:
    """Commit, script, and what the client said of the repository."""
    runs = fields.held.runs
    tags = [fields.held.tags.get(run.pk, {}) for run in runs]
    said = {
        "Commit": [run.git_commit or None for run in runs],
        "Uncommitted changes": [{"true": "yes", "false": "no"}.get(mine.get(DIRTY, "").lower()) for mine in tags],
        "Script": [run.source_name or None for run in runs],
        **{name: [mine.get(tag) or None for mine in tags] for name, tag in SAID_IN_TAGS},
    }
    return fields.texts(said)


def run_rows(fields: Fields) -> list[TextRow]:
    """What the house itself knows of the runs."""
    runs = fields.held.runs
    return fields.texts(
        {
            "Status": [str(RunStatus(run.status).label) for run in runs],
            "Verdict": [str(ReviewState(run.review_state).label) for run in runs],
            "Author": [str(run.created_by) if run.created_by else None for run in runs],
            "Project": [run.project.name for run in runs],
            "Experiment": [run.experiment.name for run in runs],
        }
    )


def duration_row(fields: Fields) -> MetricRow:
    """How long each run took, in milliseconds."""
    lengths = [took(run) for run in fields.held.runs]
    return fields.number("Duration", [None if length is None else float(length) for length in lengths], None)


def duration_words(ms: float) -> str:
    """A length of time as it is printed."""
    return str(duration(round(ms)))
