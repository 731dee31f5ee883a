"""What clients may ask: one struct for each call. A field without a default is required; null is as good as absent."""

from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta, Struct

from experiments.values import INT64_MAX, INT64_MIN
from kernel.errors import Invalid

Text = Annotated[str, Meta(min_length=1)]
Int64 = Annotated[int, Meta(ge=INT64_MIN, le=INT64_MAX)]
Enum = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)] | str


class Pair(Struct):
    """A param or a tag. A missing value is the empty text."""

    key: str
    value: str | None = None


def pairs(given: Iterable[Pair] | None) -> list[tuple[str, str]]:
    """Params or tags as (key, value)."""
    return [(pair.key, pair.value or "") for pair in given or ()]


class Nothing(Struct):
    """A call without fields."""


class OfRun(Struct, kw_only=True):
    """A call about one run; `run_uuid` is the older name of `run_id`, and clients send both."""

    run_id: str | None = None
    run_uuid: str | None = None

    @property
    def uid(self) -> str:
        """The run's id. Raises Invalid where there is none, or two."""
        uid = self.run_id or self.run_uuid
        if not uid:
            raise Invalid("Missing value for required parameter 'run_id'.", field="run_id")
        if self.run_uuid and self.run_uuid != uid:
            raise Invalid("'run_id' and 'run_uuid' differ.", hint="Send one of them.", field="run_id")
        return uid


# --- experiments


class CreateExperiment(Struct):
    name: str
    artifact_location: str | None = None
    tags: list[Pair] | None = None


class OfExperiment(Struct):
    experiment_id: Text


class GetExperimentByName(Struct):
    experiment_name: Text


class UpdateExperiment(Struct):
    experiment_id: Text
    new_name: str


class SetExperimentTag(Struct):
    experiment_id: Text
    key: str
    value: str | None = None


class DeleteExperimentTag(Struct):
    experiment_id: Text
    key: str


class SearchExperiments(Struct):
    max_results: Int64 | None = None
    page_token: str | None = None
    filter: str | None = None
    order_by: list[str] | None = None
    view_type: Enum | None = None


# --- runs


class CreateRun(Struct):
    experiment_id: str | None = None
    user_id: str | None = None
    run_name: str | None = None
    start_time: Int64 | None = None
    tags: list[Pair] | None = None


class UpdateRun(OfRun, kw_only=True):
    status: Enum | None = None
    end_time: Int64 | None = None
    run_name: str | None = None


class SearchRuns(Struct):
    experiment_ids: list[str] | None = None
    filter: str | None = None
    run_view_type: Enum | None = None
    max_results: Int64 | None = None
    order_by: list[str] | None = None
    page_token: str | None = None


class SetTag(OfRun, kw_only=True):
    key: str
    value: str | None = None


class DeleteTag(OfRun, kw_only=True):
    key: str


class LogParameter(OfRun, kw_only=True):
    key: str
    value: str | None = None


class DatasetInTransit(Struct):
    name: Text
    digest: Text
    source_type: str | None = None
    source: str | None = None
    schema: str | None = None
    profile: str | None = None


class DatasetInput(Struct):
    dataset: DatasetInTransit
    tags: list[Pair] | None = None


class ModelInput(Struct):
    model_id: Text


class ModelOutput(Struct):
    model_id: Text
    step: Int64 | None = None


class LogInputs(OfRun, kw_only=True):
    datasets: list[DatasetInput] | None = None
    models: list[ModelInput] | None = None


class LogOutputs(OfRun, kw_only=True):
    models: list[ModelOutput] | None = None


class LogModel(OfRun, kw_only=True):
    model_json: Text


# --- metrics


class MetricPoint(Struct, rename={"at_ms": "timestamp"}):
    """A point as it comes. Its attributes are those of the experiments' own MetricPoint, so that none is copied."""

    key: str
    value: float | str
    at_ms: Int64
    step: Int64 | None = None
    model_id: str | None = None
    dataset_name: str | None = None
    dataset_digest: str | None = None


class LogMetric(OfRun, kw_only=True):
    key: str
    value: float | str
    timestamp: Int64
    step: Int64 | None = None
    model_id: str | None = None
    dataset_name: str | None = None
    dataset_digest: str | None = None


class LogBatch(OfRun, kw_only=True):
    metrics: list[MetricPoint] | None = None
    params: list[Pair] | None = None
    tags: list[Pair] | None = None

    def members(self) -> int:
        """How many members the JSON has in which nothing stands twice and nothing is null: what is set here.

        Names of a model or dataset do not count, so that of points with them more are found than are expected.
        """
        steps = [point.step for point in self.metrics or ()]
        values = [pair.value for pairs in (self.params, self.tags) for pair in pairs or ()]
        given = (self.run_id, self.run_uuid, self.metrics, self.params, self.tags)
        unset = steps.count(None) + values.count(None) + given.count(None)
        return 4 * len(steps) + 2 * len(values) + len(given) - unset


class GetHistory(OfRun, kw_only=True):
    metric_key: Text
    max_results: Int64 | None = None
    page_token: str | None = None


class GetHistoryBulk(Struct):
    metric_key: Text
    run_id: list[str] | None = None
    max_results: Int64 | None = None


class GetHistoryInterval(Struct):
    metric_key: Text
    run_ids: list[str] | None = None
    start_step: Int64 | None = None
    end_step: Int64 | None = None
    max_results: Int64 | None = None


# --- files


class ListArtifacts(OfRun, kw_only=True):
    path: str | None = None
    page_token: str | None = None


class GetArtifact(OfRun, kw_only=True):
    path: Text


class ListProxied(Struct):
    path: str | None = None


class CreateParts(Struct):
    """path: of the file at the sender; the address names the folder."""

    path: Text
    num_parts: Int64 = 1


class SentPart(Struct):
    part_number: Int64
    etag: str | None = None
    url: str | None = None


class CompleteParts(Struct):
    path: Text
    upload_id: Text
    parts: list[SentPart]


class AbortParts(Struct):
    path: Text
    upload_id: Text


# --- logged models


class CreateLoggedModel(Struct):
    experiment_id: Text
    name: str | None = None
    model_type: str | None = None
    source_run_id: str | None = None
    params: list[Pair] | None = None
    tags: list[Pair] | None = None


class FinalizeLoggedModel(Struct):
    status: Enum
    model_id: str | None = None


class SetLoggedModelTags(Struct):
    tags: list[Pair] | None = None


class LogLoggedModelParams(Struct):
    params: list[Pair] | None = None


class DatasetFilter(Struct):
    dataset_name: Text
    dataset_digest: str | None = None


class ModelOrder(Struct):
    field_name: Text
    ascending: bool | None = None
    dataset_name: str | None = None
    dataset_digest: str | None = None


class SearchLoggedModels(Struct):
    experiment_ids: list[str] | None = None
    filter: str | None = None
    datasets: list[DatasetFilter] | None = None
    max_results: Int64 | None = None
    order_by: list[ModelOrder] | None = None
    page_token: str | None = None


class ListModelFiles(Struct):
    artifact_directory_path: str | None = None
    page_token: str | None = None
