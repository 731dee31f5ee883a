"""MLflow's store as a source: its tables in SQLite or PostgreSQL, and the folder of its artifacts."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import groupby
from typing import Any

from artifacts.storage import Incoming
from experiments.metrics.batch import Points
from transfer.mlflow.databases import Database
from transfer.mlflow.folders import Files
from transfer.mlflow.points import as_points
from transfer.mlflow.records import (
    NotReadable,
    SourceDataset,
    SourceExperiment,
    SourceFile,
    SourceMetric,
    SourceModel,
    SourceRegistered,
    SourceRun,
    SourceVersion,
    model_in,
    origin_of,
)
from transfer.mlflow.store_versions import FIRST, LAST, NEEDED, is_known

_RUNS_AT_ONCE = 200
_WORKSPACE = "default"
_STATUS = {0: "PENDING", 1: "PENDING", 2: "READY", 3: "FAILED"}
_DELETED_VERSION = "Deleted_Internal"
_RUN = "run_uuid, experiment_id, name, status, user_id, start_time, end_time, lifecycle_stage, artifact_uri"


class StoreSource:
    """Reads the tables that MLflow 2.0 to 3.17 keep; newer ones where the columns it needs are still there.

    What belongs to another workspace than 'default' is left out, and told in the notes.
    """

    def __init__(self, database: Database, files: Files, *, fallback: str) -> None:
        """fallback: names the store where it does not say when it was made."""
        self._database, self._files, self._fallback = database, files, fallback
        self._columns = database.columns()
        self._version = self._checked_version()

    def _checked_version(self) -> str:
        missing = {table: sorted(columns - self._columns.get(table, set())) for table, columns in NEEDED.items()}
        lacking = [f"{table}.{column}" for table, columns in missing.items() for column in columns]
        if "alembic_version" not in self._columns or "runs" not in self._columns:
            raise NotReadable("This is no store of MLflow.", hint="Name the database that 'mlflow server' uses.")
        rows = self._database.rows("SELECT version_num FROM alembic_version")
        version = _text(rows[0][0])[:32] if rows else ""
        if lacking:
            raise NotReadable(
                f"The store's version {version or 'without a number'} lacks {', '.join(lacking[:5])}.",
                hint=f"Known are {FIRST} to {LAST}. Run 'mlflow db upgrade' on a copy of it, and import that.",
            )
        return version

    def _has(self, table: str, column: str = "") -> bool:
        return table in self._columns and (not column or column in self._columns[table])

    def _here(self, table: str) -> str:
        """The condition for rows of the one workspace that is read."""
        return f"workspace = '{_WORKSPACE}'" if self._has(table, "workspace") else "1 = 1"

    # --- what it is

    def origin(self) -> str:
        return origin_of(self.experiments(), self._fallback)

    def told(self) -> str:
        return f"MLflow's store, version {self._version}"

    def notes(self) -> Iterable[str]:
        if not is_known(self._version):
            yield (
                f"The store's version {self._version} is not among those that are known ({FIRST} to {LAST}): "
                "what newer versions added is not brought along."
            )
        for table, noun in (("experiments", "experiments"), ("registered_models", "registered models")):
            if self._has(table, "workspace"):
                sql = f"SELECT count(*) FROM {table} WHERE workspace <> '{_WORKSPACE}'"  # noqa: S608  # fixed names
                ((count,),) = self._database.rows(sql)
                if count:
                    yield f"{count:,} {noun} of other workspaces than '{_WORKSPACE}' are left out."

    # --- experiments and runs

    def experiments(self) -> Iterator[SourceExperiment]:
        tags = _by_owner(self._database.rows("SELECT experiment_id, key, value FROM experiment_tags"))
        sql = "SELECT experiment_id, name, lifecycle_stage, creation_time FROM experiments WHERE "
        for key, name, stage, made in self._database.rows(sql + self._here("experiments") + " ORDER BY experiment_id"):
            yield SourceExperiment(
                str(key), _text(name), is_deleted=stage == "deleted", created_ms=_whole(made), tags=tags.get(key, {})
            )

    def count_runs(self, experiment_id: str) -> int | None:
        return int(
            self._database.rows("SELECT count(*) FROM runs WHERE experiment_id = ?", [_key(experiment_id)])[0][0]
        )

    def runs(self, experiment_id: str) -> Iterator[SourceRun]:
        after = ""
        while some := list(self.runs_behind(experiment_id, after)):
            yield from some
            after = some[-1].id

    def runs_behind(self, experiment_id: str, run_id: str) -> Iterator[SourceRun]:
        """The next runs of an experiment behind one of them, '' for the first; some at a time."""
        started = self._database.rows("SELECT coalesce(start_time, 0) FROM runs WHERE run_uuid = ?", [run_id])
        after = (_int(started[0][0]) if started else -(2**63), run_id)
        sql = (
            f"SELECT {_RUN} FROM runs WHERE experiment_id = ? AND "  # noqa: S608  # fixed names
            "(coalesce(start_time, 0) > ? OR (coalesce(start_time, 0) = ? AND run_uuid > ?)) "
            f"ORDER BY coalesce(start_time, 0), run_uuid LIMIT {_RUNS_AT_ONCE}"
        )
        return self._whole(self._database.rows(sql, [_key(experiment_id), after[0], after[0], after[1]]))

    def run(self, run_id: str) -> SourceRun:
        found = list(self._whole(self._database.rows(f"SELECT {_RUN} FROM runs WHERE run_uuid = ?", [run_id])))  # noqa: S608
        if not found:
            raise NotReadable(f"The run {run_id[:40]} is gone from the source.")
        return found[0]

    def _whole(self, rows: Sequence[Sequence[Any]]) -> Iterator[SourceRun]:
        """Runs with what belongs to them, some at a time."""
        ids = [row[0] for row in rows]
        params = _by_owner(self._of("SELECT run_uuid, key, value FROM params WHERE run_uuid IN", ids))
        tags = _by_owner(self._of("SELECT run_uuid, key, value FROM tags WHERE run_uuid IN", ids))
        datasets, inputs, outputs = self._datasets(ids), self._links(ids, "RUN_INPUT"), self._links(ids, "RUN_OUTPUT")
        for uid, experiment, name, status, user, start, end, stage, place in rows:
            yield SourceRun(
                _text(uid),
                str(experiment),
                name=_text(name),
                status=_text(status),
                user=_text(user),
                started_ms=_whole(start),
                ended_ms=_whole(end),
                is_deleted=stage == "deleted",
                files_at=_text(place),
                params=params.get(uid, {}),
                tags=tags.get(uid, {}),
                datasets=tuple(datasets.get(uid, ())),
                model_inputs=tuple(model for model, _ in inputs.get(uid, ())),
                model_outputs=tuple(outputs.get(uid, ())),
            )

    def _datasets(self, runs: Sequence[str]) -> Mapping[str, list[SourceDataset]]:
        if not self._has("datasets") or not self._has("inputs"):
            return {}
        rows = self._of(
            "SELECT i.destination_id, i.input_uuid, d.name, d.digest, d.dataset_source_type, d.dataset_source, "
            "d.dataset_schema, d.dataset_profile FROM inputs i JOIN datasets d ON d.dataset_uuid = i.source_id "
            "WHERE i.source_type = 'DATASET' AND i.destination_type = 'RUN' AND i.destination_id IN",
            runs,
        )
        inputs = [row[1] for row in rows]
        tags = _by_owner(self._of("SELECT input_uuid, name, value FROM input_tags WHERE input_uuid IN", inputs))
        found: dict[str, list[SourceDataset]] = defaultdict(list)
        for run, uid, name, digest, kind, source, schema, profile in rows:
            made = SourceDataset(
                _text(name), _text(digest), _text(kind), _text(source), _text(schema), _text(profile), tags.get(uid, {})
            )
            found[run].append(made)
        for datasets in found.values():
            datasets.sort(key=lambda one: (one.name, one.digest))
        return found

    def _links(self, runs: Sequence[str], way: str) -> Mapping[str, list[tuple[str, int]]]:
        if not self._has("inputs"):
            return {}
        step = "step" if self._has("inputs", "step") else "0"
        sql = f"SELECT source_id, destination_id, {step} FROM inputs WHERE source_type = '{way}' AND source_id IN"  # noqa: S608
        found: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for run, model, at in sorted(self._of(sql, runs), key=lambda row: str(row[1])):
            found[run].append((_text(model), _whole(at) or 0))
        return found

    def _of(self, sql: str, ids: Sequence[str]) -> list[tuple[Any, ...]]:
        """A statement that ends in IN, for these ids, some hundred at a time."""
        found = []
        for start in range(0, len(ids), 500):
            some = ids[start : start + 500]
            found += self._database.rows(f"{sql} ({', '.join('?' * len(some))})", some)
        return found

    def history(self, run_id: str) -> Iterator[tuple[str, Points]]:
        sql = "SELECT key, step, timestamp, value, is_nan FROM metrics WHERE run_uuid = ? ORDER BY key"
        for key, rows in groupby(self._database.stream(sql, [run_id]), key=lambda row: row[0]):
            points = as_points((_int(step), _int(at), _number(value, is_nan)) for _, step, at, value, is_nan in rows)
            yield _text(key), points

    # --- models

    def models(self, experiment_id: str) -> Iterator[SourceModel]:
        if not self._has("logged_models"):
            return
        rows = self._database.rows(
            "SELECT model_id, name, model_type, source_run_id, status, creation_timestamp_ms, artifact_location "
            "FROM logged_models WHERE experiment_id = ? AND lifecycle_stage <> 'deleted' "
            "ORDER BY creation_timestamp_ms, model_id",
            [_key(experiment_id)],
        )
        for start in range(0, len(rows), _RUNS_AT_ONCE):
            yield from self._whole_models(experiment_id, rows[start : start + _RUNS_AT_ONCE])

    def _whole_models(self, experiment_id: str, rows: Sequence[Sequence[Any]]) -> Iterator[SourceModel]:
        ids = [row[0] for row in rows]
        params = _by_owner(
            self._of("SELECT model_id, param_key, param_value FROM logged_model_params WHERE model_id IN", ids)
        )
        tags = _by_owner(self._of("SELECT model_id, tag_key, tag_value FROM logged_model_tags WHERE model_id IN", ids))
        metrics: dict[str, list[SourceMetric]] = defaultdict(list)
        sql = (
            "SELECT model_id, metric_name, metric_value, metric_step, metric_timestamp_ms, run_id, dataset_name, "
            "dataset_digest FROM logged_model_metrics WHERE model_id IN"
        )
        for model, key, value, step, at, run, name, digest in self._of(sql, ids):
            number = None if value is None or value != value else float(value)
            metrics[model].append(
                SourceMetric(_text(key), number, _int(step), _int(at), _text(run), _text(name), _text(digest))
            )
        for uid, name, kind, run, status, made, place in rows:
            yield SourceModel(
                _text(uid),
                experiment_id,
                _text(name),
                model_type=_text(kind),
                run_id=_text(run),
                status=_STATUS.get(status, "PENDING"),
                created_ms=_whole(made),
                files_at=_text(place),
                params=params.get(uid, {}),
                tags=tags.get(uid, {}),
                metrics=tuple(sorted(metrics.get(uid, ()), key=SourceMetric.place)),
            )

    def registered(self) -> Iterator[SourceRegistered]:
        tags = _by_owner(self._all("SELECT name, key, value FROM registered_model_tags", "registered_model_tags"))
        aliases: dict[str, dict[str, int]] = defaultdict(dict)
        if self._has("registered_model_aliases"):
            for name, alias, version in self._all(
                "SELECT name, alias, version FROM registered_model_aliases", "registered_model_aliases"
            ):
                aliases[name][_text(alias)] = _int(version)
        rows = self._all("SELECT name, description, creation_time FROM registered_models", "registered_models")
        for name, description, made in sorted(rows, key=lambda row: str(row[0])):
            yield SourceRegistered(
                _text(name),
                description=_text(description),
                created_ms=_whole(made),
                tags=tags.get(name, {}),
                aliases=aliases.get(name, {}),
                versions=tuple(self._versions(name)),
            )

    def _all(self, sql: str, table: str) -> list[tuple[Any, ...]]:
        return self._database.rows(f"{sql} WHERE {self._here(table)}")

    def _versions(self, name: str) -> list[SourceVersion]:
        here = self._here("model_version_tags")
        rows = self._database.rows(
            f"SELECT version, key, value FROM model_version_tags WHERE name = ? AND {here}",  # noqa: S608  # fixed
            [name],
        )
        tags = _by_owner(rows)
        found = self._database.rows(
            "SELECT version, source, run_id, run_link, status, current_stage, description, creation_time "  # noqa: S608
            f"FROM model_versions WHERE name = ? AND {self._here('model_versions')} ORDER BY version",
            [name],
        )
        return [
            SourceVersion(
                _int(number),
                source=_text(source),
                run_id=_text(run),
                model_id=model_in(_text(source)),
                run_link=_text(link),
                status=_text(status) or "READY",
                stage=_text(stage) or "None",
                description=_text(description),
                created_ms=_whole(made),
                tags=tags.get(number, {}),
            )
            for number, source, run, link, status, stage, description, made in found
            if stage != _DELETED_VERSION
        ]

    # --- files

    def files(self, owner: SourceRun | SourceModel) -> Iterator[SourceFile]:
        return self._files.below(owner)

    def open(self, owner: SourceRun | SourceModel, file: SourceFile) -> AbstractContextManager[Incoming]:
        return self._files.open(owner, file)

    def close(self) -> None:
        self._database.close()
        self._files.close()


def _by_owner(rows: Iterable[Sequence[Any]]) -> dict[Any, dict[str, str]]:
    found: dict[Any, dict[str, str]] = defaultdict(dict)
    for owner, key, value in rows:
        found[owner][_text(key)] = _text(value)
    return {owner: dict(sorted(pairs.items())) for owner, pairs in found.items()}


def _key(experiment_id: str) -> int:
    return _int(experiment_id)


def _text(value: Any) -> str:
    """A column that holds text, whatever SQLite was given; None is ''."""
    if value is None:
        return ""
    return value if isinstance(value, str) else str(value)


def _int(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise NotReadable(f"The store holds '{str(value)[:40]}' where a whole number belongs.") from None


def _whole(value: Any) -> int | None:
    return None if value is None else _int(value)


def _number(value: Any, is_nan: Any) -> float:
    try:
        return float("nan") if is_nan else float(value)
    except (TypeError, ValueError):
        raise NotReadable(f"The store holds '{str(value)[:40]}' where a number belongs.") from None
