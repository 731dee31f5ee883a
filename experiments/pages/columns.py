"""The columns of the run table: which there are, which are shown, how each is sorted by and written."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from experiments.pages.figures import weight_of
from experiments.queries.record import SYSTEM_PREFIX
from experiments.queries.table import Names

METRICS_BY_DEFAULT = 3
PARAMS_BY_DEFAULT = 3
FIGURES = ("last", "min", "max", "best")
_FIGURE_KEY = re.compile(r"(min|max|best)\(metrics\.(.+)\)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    key: as in the URL, such as created, metrics.val/loss or min(metrics.val/loss): a metric's figures are written as in
    a query, which no name of a metric can be taken for. order: as the search sorts by it, or "".
    """

    key: str
    label: str
    group: str
    kind: str
    order: str
    is_numeric: bool = False
    is_low: bool = False
    figure: str = ""

    @property
    def name(self) -> str:
        """The name of the metric, param or tag."""
        name = self.key.partition(".")[2]
        return name if self.figure in ("", "last") else name[:-1]


SYSTEM = {
    column.key: column
    for column in (
        Column("created", "Started", "System", "when", "start_time", is_numeric=True, is_low=True),
        Column("duration", "Duration", "System", "text", "duration", is_numeric=True, is_low=True),
        Column("user", "User", "System", "who", "user", is_low=True),
        Column("claimed", "Client says", "System", "text", "claimed_user", is_low=True),
        Column("dataset", "Dataset", "System", "text", "", is_low=True),
        Column("source", "Source", "System", "commit", "commit", is_low=True),
        Column("script", "Script", "System", "text", "source", is_low=True),
        Column("experiment", "Experiment", "System", "text", "experiment", is_low=True),
        Column("ended", "Ended", "System", "when", "end_time", is_numeric=True, is_low=True),
        Column("verdict", "Verdict", "Review", "verdict", ""),
    )
}
# Where runs of several projects stand together.
PROJECT = Column("project", "Project", "System", "text", "project", is_low=True)
GROUP_ORDER = ("System", "Metrics", "Review", "Params", "Tags")
NAME = Column("name", "Name", "", "text", "run_name")
STATUS = Column("status", "Status", "", "text", "status")
GROUPS = {"metrics": "Metrics", "params": "Params", "tags": "Tags"}


def keyed(kind: str, name: str) -> Column:
    """The column of a param or tag, or of a metric's last value."""
    if kind == "metrics":
        return measured(name)
    return Column(f"{kind}.{name}", name, GROUPS[kind], kind.removesuffix("s"), f"{kind}.`{name}`")


def measured(name: str, figure: str = "last") -> Column:
    """The column of one figure of a metric."""
    plain, order = f"metrics.{name}", f"metrics.`{name}`"
    if figure != "last":
        plain, order = f"{figure}({plain})", f"{figure}({order})"
    return Column(plain, name, GROUPS["metrics"], "metric", order, is_numeric=True, figure=figure)


def column_of(key: str) -> Column | None:
    """The column that a URL names; None for what is no column."""
    if key in SYSTEM:
        return SYSTEM[key]
    if key == PROJECT.key:
        return PROJECT
    figure = _FIGURE_KEY.fullmatch(key)
    if figure and "`" not in figure[2]:
        return measured(figure[2], figure[1])
    kind, _, name = key.partition(".")
    return keyed(kind, name) if kind in GROUPS and name and "`" not in name else None


def expanded(columns: Sequence[Column], names: Names) -> list[Column]:
    """The columns, where metrics.*, params.* and tags.* stand for all that runs have: addresses hold only so much."""
    known = {"metrics.*": names.metrics, "params.*": names.params, "tags.*": names.tags}
    found: list[Column] = []
    for column in columns:
        kind = column.key.partition(".")[0]
        found += [keyed(kind, name) for name in known[column.key]] if column.key in known else [column]
    return found


def sortable(key: str) -> Column | None:
    """The column that a URL sorts by; None where it cannot."""
    column = {"name": NAME, "status": STATUS}.get(key) or column_of(key)
    return column if column and column.order else None


def default_columns(names: Names, directions: Mapping[str, bool], goal: str, *, many_experiments: bool) -> list[Column]:
    """What a table shows first: when, how long, who, data, code, the most common metrics, params that differ, verdict.

    The params are those with the most values. The experiment is shown where there is little else to show. Of these a
    page leaves out what says nothing there; see run_rows.table_of.
    """
    own = [name for name in names.metrics if not name.startswith(SYSTEM_PREFIX)]
    own.sort(key=lambda name: (-names.share(names.metrics[name]), weight_of(name, goal=goal, directions=directions)))
    own.sort(key=lambda name: name != goal)
    params = sorted(names.varying, key=lambda name: (-names.varying[name], not is_learning_rate(name), name))
    has_room = many_experiments and not own and not params
    system = ["created", "duration", "user", "dataset", "source"] + (["experiment"] if has_room else [])
    return [
        *(SYSTEM[key] for key in system),
        *(keyed("metrics", name) for name in own[:METRICS_BY_DEFAULT]),
        SYSTEM["verdict"],
        *(keyed("params", name) for name in params[:PARAMS_BY_DEFAULT]),
    ]


def is_learning_rate(name: str) -> bool:
    """Whether a param is called as learning rates are, such as lr, optimizer.learning_rate or base-lr."""
    words = re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())
    return bool({"lr", "eta", "learningrate"} & set(words)) or "learning_rate" in "_".join(words)


def in_groups(columns: Sequence[Column]) -> list[Column]:
    """The columns with those of one group side by side, groups in their order, each once."""
    once = {column.key: column for column in columns}
    return sorted(once.values(), key=lambda column: GROUP_ORDER.index(column.group))
