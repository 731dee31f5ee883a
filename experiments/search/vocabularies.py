"""What runs and experiments can be searched by. Rooms above add their own columns when they start."""

from experiments.search.columns import Column, Kind, Vocabulary
from experiments.search.tree import Entity

STATUS_WORDS = {
    "queued": "SCHEDULED",
    "running": "RUNNING",
    "finished": "FINISHED",
    "failed": "FAILED",
    "stopped": "KILLED",
    "scheduled": "SCHEDULED",
    "killed": "KILLED",
}

RUNS = Vocabulary(
    "run",
    frozenset({Entity.METRIC, Entity.PARAM, Entity.TAG, Entity.DATASET}),
    words="run_name",
)
EXPERIMENTS = Vocabulary("experiment", frozenset({Entity.TAG}), words="name")

_CREATED = ("created", "Created")
_RUN_NAME = ("run name", "Run name", "Run Name")

RUNS.register(
    Column("run_id", Kind.TEXT, "id", mlflow=True, mlflow_lists=True),
    Column("run_name", Kind.TEXT, "name", aliases=("name",), mlflow_aliases=_RUN_NAME, mlflow=True),
    Column("status", Kind.CHOICE, "status", choices=STATUS_WORDS, mlflow=True),
    Column("artifact_uri", Kind.TEXT, "artifact_uri", mlflow=True),
    Column("user_id", Kind.TEXT, "claimed_user", aliases=("claimed_user",), mlflow=True),
    Column("start_time", Kind.TIME, "started_ms", aliases=("started",), mlflow_aliases=_CREATED, mlflow=True),
    Column("end_time", Kind.TIME, "ended_ms", aliases=("ended", "finished"), mlflow=True),
    Column("duration", Kind.DURATION, "duration"),
    Column("id", Kind.TEXT, "readable_id"),
    Column("user", Kind.TEXT, "created_by__email", aliases=("author",)),
    Column("experiment", Kind.TEXT, "experiment__name"),
    Column("project", Kind.TEXT, "experiment__project__slug"),
    Column("commit", Kind.TEXT, "git_commit"),
    Column("source", Kind.TEXT, "source"),
    Column("locked", Kind.FLAG, "is_locked"),
)

EXPERIMENTS.register(
    Column("name", Kind.TEXT, "name", mlflow=True),
    Column("experiment_id", Kind.TEXT, "id", aliases=("id",), mlflow=True, mlflow_lists=True),
    Column("creation_time", Kind.TIME, "created_ms", aliases=("created",), mlflow=True),
    Column("last_update_time", Kind.TIME, "updated_ms", aliases=("updated",), mlflow=True),
    Column("project", Kind.TEXT, "project__slug"),
)
