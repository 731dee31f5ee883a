"""What runs and experiments can be searched by. Rooms above add their own columns when they start."""

from experiments.search.columns import Column, Kind, Vocabulary
from experiments.search.tree import Entity
from experiments.values import ReviewState

STATUS_WORDS = {
    "queued": "SCHEDULED",
    "running": "RUNNING",
    "finished": "FINISHED",
    "failed": "FAILED",
    "stopped": "KILLED",
    "scheduled": "SCHEDULED",
    "killed": "KILLED",
}

VERDICT_WORDS = {str(state.label).lower(): state.value for state in ReviewState}

RUNS = Vocabulary(
    "run",
    frozenset({Entity.METRIC, Entity.PARAM, Entity.TAG, Entity.DATASET}),
    words="run_name",
)
EXPERIMENTS = Vocabulary("experiment", frozenset({Entity.TAG}), words="name")

_CREATED = ("created", "Created")
_RUN_NAME = ("run name", "Run name", "Run Name")

_PROJECT = "SELECT p.{column} FROM accounts_project p WHERE p.id = {alias}.project_id"
_EXPERIMENT = "(SELECT {value} FROM experiments_experiment e WHERE e.id = r.experiment_id)"
_WIRE_ID = "(CASE WHEN e.is_default THEN '0' ELSE CAST(e.id AS text) END)"
# Where the MLflow door says that a run's files are: below its experiment's location, by default inside MLED.
_LOCATION = f"COALESCE(NULLIF(e.artifact_location, ''), 'mlflow-artifacts:/' || {_WIRE_ID})"
_HEX = "replace(CAST(r.uid AS text), '-', '')"
_ARTIFACT_URI = _EXPERIMENT.format(value=f"{_LOCATION} || '/' || {_HEX} || '/artifacts'")

# Some dataset version that went into the run was recalled.
_RECALLED = (
    "EXISTS (SELECT 1 FROM experiments_runinput i"
    " JOIN artifacts_versionrecord s ON s.version_id = i.dataset_version_id"
    " WHERE i.run_id = r.id AND s.state = 'withdrawn')"
)

# Tags by their name alone, or with their value: `tag = 'draft'`, `tag = 'stage=draft'`.
_TAGS = (
    "SELECT v.key AS value FROM {table} v WHERE {of} UNION ALL SELECT v.key || '=' || v.value FROM {table} v WHERE {of}"
)

# The dataset versions that went into the run: `data = 'icu-vitals'` for any version, or `data = 'icu-vitals v7'`.
_DATA = (
    "FROM experiments_runinput i JOIN artifacts_datasetversion n ON n.id = i.dataset_version_id"
    " JOIN artifacts_dataset d ON d.id = n.dataset_id WHERE i.run_id = r.id"
)

RUNS.register(
    Column("run_id", Kind.IDENTIFIER, "r.uid", mlflow=True, mlflow_lists=True),
    Column("run_name", Kind.TEXT, "r.name", aliases=("name",), mlflow_aliases=_RUN_NAME, mlflow=True),
    Column("status", Kind.CHOICE, "r.status", choices=STATUS_WORDS, mlflow=True),
    Column("artifact_uri", Kind.TEXT, _ARTIFACT_URI, mlflow=True),
    Column("user_id", Kind.TEXT, "r.claimed_user", aliases=("claimed_user",), mlflow=True),
    Column("start_time", Kind.TIME, "r.started_ms", aliases=("started",), mlflow_aliases=_CREATED, mlflow=True),
    Column("end_time", Kind.TIME, "r.ended_ms", aliases=("ended", "finished"), mlflow=True),
    Column("duration", Kind.DURATION, "(r.ended_ms - r.started_ms)"),
    Column("id", Kind.TEXT, f"(({_PROJECT.format(column='key', alias='r')}) || '-' || r.number)"),
    Column(
        "user",
        Kind.SET,
        "SELECT u.email AS value FROM accounts_user u WHERE u.id = r.created_by_id"
        " UNION ALL SELECT u.name FROM accounts_user u WHERE u.id = r.created_by_id",
        sorted_by=("(SELECT u.email FROM accounts_user u WHERE u.id = r.created_by_id)", Kind.TEXT),
        aliases=("author",),
    ),
    Column(
        "tag",
        Kind.SET,
        _TAGS.format(table="experiments_runtag", of="v.run_id = r.id"),
        aliases=("label",),
    ),
    Column(
        "project_tag",
        Kind.SET,
        _TAGS.format(table="experiments_experimenttag", of="v.experiment_id = r.experiment_id"),
        aliases=("experiment_tag",),
    ),
    Column("data", Kind.SET, f"SELECT d.name AS value {_DATA} UNION ALL SELECT d.name || ' v' || n.number {_DATA}"),
    Column("verdict", Kind.CHOICE, "r.review_state", choices=VERDICT_WORDS, aliases=("review_state",)),
    Column("experiment", Kind.TEXT, _EXPERIMENT.format(value="e.name")),
    Column("project", Kind.TEXT, f"({_PROJECT.format(column='slug', alias='r')})"),
    Column("commit", Kind.TEXT, "NULLIF(r.git_commit, '')", aliases=("git_commit",)),
    Column("source", Kind.TEXT, "NULLIF(r.source_name, '')"),
    Column("locked", Kind.FLAG, "(r.locked_at IS NOT NULL)"),
    Column("recalled", Kind.FLAG, _RECALLED),
    Column("mine", Kind.FLAG, "(r.created_by_id IS NOT NULL AND r.created_by_id = %s)", personal=True),
    Column(
        "starred",
        Kind.FLAG,
        "(r.id IN (SELECT s.run_id FROM experiments_star s WHERE s.user_id = %s))",
        personal=True,
    ),
)

EXPERIMENTS.register(
    Column("name", Kind.TEXT, "e.name", mlflow=True),
    Column(
        "experiment_id",
        Kind.TEXT,
        _WIRE_ID,
        sorted_by=("e.id", Kind.NUMBER),
        aliases=("id",),
        mlflow=True,
        mlflow_lists=True,
    ),
    Column("creation_time", Kind.TIME, "e.created_ms", aliases=("created",), mlflow=True),
    Column("last_update_time", Kind.TIME, "e.updated_ms", aliases=("updated",), mlflow=True),
    Column("project", Kind.TEXT, f"({_PROJECT.format(column='slug', alias='e')})"),
)
