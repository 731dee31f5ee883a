"""How verify_ledger reads the rows of this room that actions record."""

from collections.abc import Iterator

from audit.ledger.evidence import Row, register_evidence
from experiments.evidence import grouped
from registry.actions.links import LINK_KIND, recorded
from registry.actions.logged_models import PARAM_KIND, TAG_KIND
from registry.actions.tags import MODEL_TAG_KIND, VERSION_TAG_KIND
from registry.models import LoggedModelParam, LoggedModelTag, ModelVersionTag, RegisteredModelTag, RunModel


def register() -> None:
    """Tell the ledger. Called once, when the app is ready."""
    register_evidence(PARAM_KIND, lambda: _keys_and_values(LoggedModelParam))
    register_evidence(TAG_KIND, lambda: _keys_and_values(LoggedModelTag))
    register_evidence(LINK_KIND, read_links)
    register_evidence(MODEL_TAG_KIND, read_model_tags)
    register_evidence(VERSION_TAG_KIND, read_version_tags)


def _keys_and_values(model: type[LoggedModelParam] | type[LoggedModelTag]) -> Iterator[Row]:
    rows = model.objects.order_by("model_id").values_list("model__model_id", "key", "value")
    return grouped(rows.iterator(chunk_size=5000))


def read_links() -> Iterator[Row]:
    """Each run's models."""
    rows = RunModel.objects.order_by("run_id").values_list("run__uid", "way", "model__model_id", "step")
    return grouped((uid.hex, f"{way}:{model}", recorded(step)) for uid, way, model, step in rows.iterator())


def read_model_tags() -> Iterator[Row]:
    """Each registered model's tags."""
    rows = RegisteredModelTag.objects.order_by("model_id").values_list("model_id", "key", "value")
    return ((str(model_id), values) for model_id, values in grouped(rows.iterator(chunk_size=5000)))


def read_version_tags() -> Iterator[Row]:
    """Each model version's tags."""
    rows = ModelVersionTag.objects.order_by("version_id").values_list("version_id", "key", "value")
    return ((str(version_id), values) for version_id, values in grouped(rows.iterator(chunk_size=5000)))
