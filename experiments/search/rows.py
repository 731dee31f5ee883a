"""Runs as a search finds them: plain rows, and the data of a whole page in four statements.

No ORM object per param: 1,000 runs with 20 params, tags and metrics each are 20,000 rows, which take 0.6 s as objects.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from experiments.search.databases import Sql, fetch, fetch_each, this_database


class FoundRun(NamedTuple):
    """One run of a result. uid: 32 hex digits, its id on every wire. user, user_email: who logged it, or ""."""

    id: int
    uid: str
    number: int
    name: str
    status: str
    lifecycle: str
    review_state: str
    started_ms: int | None
    ended_ms: int | None
    claimed_user: str
    git_commit: str
    source_name: str
    parent_id: int | None
    is_locked: bool
    experiment_id: int
    experiment_name: str
    experiment_is_default: bool
    artifact_location: str
    project_slug: str
    project_key: str
    user: str
    user_email: str

    @property
    def readable_id(self) -> str:
        """As people say it: VIS-123."""
        return f"{self.project_key}-{self.number}"

    @property
    def duration_ms(self) -> int | None:
        """From start to end, where both are known."""
        return None if self.started_ms is None or self.ended_ms is None else self.ended_ms - self.started_ms


RUN_COLUMNS = (
    "r.id, {uid}, r.number, r.name, r.status, r.lifecycle, r.review_state, r.started_ms, r.ended_ms, r.claimed_user,"
    " r.git_commit, r.source_name, r.parent_id, r.locked_at IS NOT NULL, r.experiment_id, e.name, e.is_default,"
    " e.artifact_location, p.slug, p.key, COALESCE(u.name, ''), COALESCE(u.email, '')"
)
RUN_DETAILS = (
    " LEFT JOIN experiments_experiment e ON e.id = r.experiment_id"
    " LEFT JOIN accounts_project p ON p.id = r.project_id LEFT JOIN accounts_user u ON u.id = r.created_by_id"
)


class FoundExperiment(NamedTuple):
    """One experiment of a result."""

    id: int
    name: str
    is_default: bool
    lifecycle: str
    artifact_location: str
    created_ms: int
    updated_ms: int
    project_slug: str


EXPERIMENT_COLUMNS = "e.id, e.name, e.is_default, e.lifecycle, e.artifact_location, e.created_ms, e.updated_ms, p.slug"
EXPERIMENT_DETAILS = " LEFT JOIN accounts_project p ON p.id = e.project_id"


class LatestMetric(NamedTuple):
    """The last value of a metric (highest step, then time, then value). key: with its context before a slash."""

    key: str
    value: float
    step: int
    ms: int


class Input(NamedTuple):
    """A dataset version that went into a run. tags: as sent, JSON text or already read."""

    name: str
    digest: str
    source_type: str
    source: str
    schema: str
    profile: str
    context: str
    tags: Any


class RunData(NamedTuple):
    """What a run holds, each list sorted by key."""

    metrics: list[LatestMetric]
    params: list[tuple[str, str]]
    tags: list[tuple[str, str]]
    inputs: list[Input]


_METRICS = """
    SELECT run_id, context, key, last_value, last_step, last_ms FROM experiments_metricseries v
    WHERE {inside} ORDER BY run_id, key, context
"""
_TEXTS = "SELECT run_id, key, value FROM {table} v WHERE {inside} ORDER BY run_id, key"
_INPUTS = """
    SELECT i.run_id, d.name, n.digest, n.source_type, n.source, n.schema, n.profile, i.context, i.tags
    FROM experiments_runinput i
    JOIN artifacts_datasetversion n ON n.id = i.dataset_version_id
    JOIN artifacts_dataset d ON d.id = n.dataset_id
    WHERE {inside} ORDER BY i.run_id, d.name, n.digest
"""

_DATA = (
    (_METRICS, "v.run_id"),
    (_TEXTS.format(table="experiments_param", inside="{inside}"), "v.run_id"),
    (_TEXTS.format(table="experiments_runtag", inside="{inside}"), "v.run_id"),
    (_INPUTS, "i.run_id"),
)


def load_run_data(runs: Iterable[int]) -> dict[int, RunData]:
    """Latest metrics, params, tags and inputs by the run's id (`FoundRun.id`, `Run.pk`).

    The runs were read for the viewer. Four statements, however many there are; on PostgreSQL in one round trip.
    """
    return _loaded(list(runs), _DATA)


def load_held(runs: Iterable[int]) -> dict[int, RunData]:
    """The same without inputs, which few runs have."""
    return _loaded(list(runs), _DATA[:3])


def _loaded(ids: list[int], wanted: Sequence[tuple[str, str]]) -> dict[int, RunData]:
    data = {pk: RunData([], [], [], []) for pk in ids}
    if not ids:
        return data
    metrics, params, tags, *inputs = fetch_each([_of(text, ids, column) for text, column in wanted])
    for pk, context, key, value, step, ms in metrics:
        name = f"{context}/{key}" if context else key
        data[pk].metrics.append(LatestMetric(name, math.nan if value is None else value, step, ms))
    for pk, key, value in params:
        data[pk].params.append((key, value))
    for pk, key, value in tags:
        data[pk].tags.append((key, value))
    for pk, *given in inputs[0] if inputs else ():
        data[pk].inputs.append(Input(*given))
    return data


def load_inputs_and(runs: Iterable[int], other: tuple[str, str]) -> tuple[dict[int, list[Input]], list[Any]]:
    """The inputs of runs by the run's id, and the rows of another statement about them, in the same round trip. other:
    its text, with {inside} for the condition on the runs, and the column that this is about."""
    ids = list(runs)
    if not ids:
        return {}, []
    rows, others = fetch_each([_of(text, ids, column) for text, column in (_DATA[3], other)])
    inputs: dict[int, list[Input]] = defaultdict(list)
    for pk, *given in rows:
        inputs[pk].append(Input(*given))
    return inputs, others


def load_experiment_tags(experiments: Iterable[int]) -> dict[int, list[tuple[str, str]]]:
    """Tags by the experiment's id. The experiments were read for the viewer."""
    ids = list(experiments)
    tags: dict[int, list[tuple[str, str]]] = defaultdict(list)
    statement = "SELECT experiment_id, key, value FROM experiments_experimenttag v WHERE {inside} ORDER BY 1, 2"
    for pk, key, value in fetch(_of(statement, ids, "v.experiment_id")) if ids else ():
        tags[pk].append((key, value))
    return tags


def _of(statement: str, ids: Sequence[int], column: str) -> Sql:
    inside = this_database().among(column, ids)
    return Sql(statement.format(inside=inside.text), inside.params)
