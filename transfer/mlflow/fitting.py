"""What of a record of MLflow fits into MLED: what does not is left out and told, one by one."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from artifacts.models import Dataset
from artifacts.versions import is_withdrawn, version_matching, when_withdrawn
from experiments.actions.inputs import DatasetInput
from experiments.actions.runs import PARENT, RUN_NAME
from experiments.values import RunStatus, checked_int64, checked_key, checked_text
from kernel.digests import canonical_json, sha256_hex
from kernel.errors import Invalid, MledError
from transfer.mlflow.records import SourceDataset, SourceModel, SourceRun

EARLIER_ID: Final = "mled.import.run_id"  # the id that a run had elsewhere, where it could not keep it
Tell = Callable[[str, str], None]
"""Takes where (the thing, in words) and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class FittedRun:
    """A run as MLED can hold it. series: number and digest of the points of each metric, once they are known."""

    name: str
    status: str
    user: str
    started_ms: int | None
    ended_ms: int | None
    params: Mapping[str, str]
    tags: Mapping[str, str]
    datasets: Sequence[DatasetInput] = ()
    series: Mapping[str, tuple[int, str]] = field(default_factory=dict)

    def digest(self) -> str:
        """SHA-256 over all of it, in one form for what is read there and what is read here."""
        told: dict[str, Any] = {
            "name": self.name,
            "status": self.status,
            "user": self.user,
            "times": [str(self.started_ms), str(self.ended_ms)],
            "params": dict(self.params),
            "tags": {key: value for key, value in self.tags.items() if key != EARLIER_ID},
            "datasets": sorted([one.name, one.digest, sorted(one.tags.items())] for one in self.datasets),
            "series": {key: [count, digest] for key, (count, digest) in self.series.items()},
        }
        return sha256_hex(canonical_json(told))


@dataclass(frozen=True, slots=True)
class FittedModel:
    """A logged model as MLED can hold it."""

    name: str
    model_type: str
    status: str
    params: Mapping[str, str]
    tags: Mapping[str, str]

    def digest(self, metrics: Sequence[tuple[str, ...]]) -> str:
        """SHA-256 over all of it with its metrics."""
        told: list[Any] = [self.name, self.model_type, self.status, dict(self.params), dict(self.tags)]
        return sha256_hex(canonical_json([*told, sorted(list(one) for one in metrics)]))


def fit_run(run: SourceRun, parent: str, datasets: Sequence[DatasetInput], tell: Tell) -> FittedRun:
    """parent: the id here of the run that it is nested in, '' where that is not here."""
    where = f"run {run.id}"
    tags = fitting_pairs(run.tags, where, "tag", tell)
    name = run.name or tags.get(RUN_NAME, "") or run.id[:8]
    if len(name) > 500:
        tell(where, f"Its name has {len(name):,} characters; the first 500 are kept.")
    tags[RUN_NAME] = name = fitting_text(name[:500], run.id[:8])
    if parent:
        tags[PARENT] = parent
    status = run.status if run.status in RunStatus.values else RunStatus.FAILED.value
    if status != run.status:
        tell(where, f"Its status '{run.status[:40]}' is none that MLED has; it became {status}.")
    return FittedRun(
        name=name,
        status=status,
        user=(fitting_text(run.user, "") or tags.get("mlflow.user", ""))[:256],
        started_ms=_moment(run.started_ms, where, tell),
        ended_ms=_moment(run.ended_ms, where, tell),
        params=fitting_pairs(run.params, where, "param", tell),
        tags=dict(sorted(tags.items())),
        datasets=datasets,
    )


def fit_model(model: SourceModel, tell: Tell) -> FittedModel:
    """What of a logged model can be held."""
    where = f"logged model {model.id}"
    return FittedModel(
        model.name or model.id,
        model.model_type,
        model.status,
        fitting_pairs(model.params, where, "param", tell),
        fitting_pairs(model.tags, where, "tag", tell),
    )


def fit_datasets(run: SourceRun, known: Mapping[str, Dataset], tell: Tell) -> list[DatasetInput]:
    """The datasets of a run, each once. known: those of the project by name."""
    found: dict[tuple[str, str], DatasetInput] = {}
    for given in run.datasets:
        try:
            fitted = _dataset(given, known.get(given.name))
        except MledError as error:
            tell(f"run {run.id}", f"Its dataset '{given.name[:80]}' is left out: {error}")
            continue
        found.setdefault((fitted.name, fitted.digest), fitted)
    return list(found.values())


def _dataset(given: SourceDataset, known: Dataset | None) -> DatasetInput:
    made = DatasetInput(
        given.name, given.digest, given.source_type, given.source, given.schema, given.profile, dict(given.tags)
    )
    made.check("dataset")
    if not made.name or not made.digest:
        raise Invalid("A dataset needs a name and a digest.")
    version = version_matching(known, given.digest) if known is not None else None
    if version is None:
        return made
    if is_withdrawn(version):
        withdrawn = when_withdrawn(version)
        raise Invalid(f"Version {version.number} {withdrawn.words if withdrawn else 'was recalled'}.")
    return replace(made, digest=version.digest)


def fitting_pairs(given: Mapping[str, str], where: str, noun: str, tell: Tell, limit: int = 0) -> dict[str, str]:
    """The params or tags that MLED can hold."""
    kept = {}
    for key, value in given.items():
        try:
            checked_key(key, noun)
            kept[key] = checked_text(value, f"{noun} {key}", limit) if limit else checked_text(value, f"{noun} {key}")
        except Invalid as error:
            tell(where, f"The {noun} '{_shown(key)}' is left out: {error.message}")
    return kept


def fits_as_metric(key: str, where: str, tell: Tell) -> bool:
    """Whether a metric can be held by its name."""
    try:
        checked_key(key, "metric")
    except Invalid as error:
        tell(where, f"The metric '{_shown(key)}' is left out: {error.message}")
        return False
    return True


def fitting_text(text: str, otherwise: str) -> str:
    """A text that both databases keep exactly, or something else in its place."""
    try:
        return checked_text(text, "text")
    except Invalid:
        return otherwise


def as_uid(run_id: str) -> uuid.UUID | None:
    """The id of a run as MLED has them; None for another form."""
    try:
        return uuid.UUID(hex=run_id) if len(run_id) == 32 else None
    except ValueError:
        return None


def _moment(at_ms: int | None, where: str, tell: Tell) -> int | None:
    try:
        return None if at_ms is None else checked_int64(at_ms, "time")
    except Invalid as error:
        tell(where, f"A time of it is left out: {error.message}")
        return None


def _shown(key: str) -> str:
    return key[:80].encode("utf-8", "replace").decode().replace("\x00", "?")
