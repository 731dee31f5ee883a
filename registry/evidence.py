"""How verify_ledger reads the rows of this room that actions record."""

from collections.abc import Iterator

from audit.ledger.evidence import Row, register_evidence
from experiments.evidence import grouped
from registry.actions.links import LINK_KIND, recorded
from registry.actions.logged_models import PARAM_KIND, TAG_KIND
from registry.models import LoggedModelParam, LoggedModelTag, RunModel


def register() -> None:
    """Tell the ledger. Called once, when the app is ready."""
    register_evidence(PARAM_KIND, lambda: _keys_and_values(LoggedModelParam))
    register_evidence(TAG_KIND, lambda: _keys_and_values(LoggedModelTag))
    register_evidence(LINK_KIND, read_links)


def _keys_and_values(model: type[LoggedModelParam] | type[LoggedModelTag]) -> Iterator[Row]:
    rows = model.objects.order_by("model_id").values_list("model__model_id", "key", "value")
    return grouped(rows.iterator(chunk_size=5000))


def read_links() -> Iterator[Row]:
    """Each run's models."""
    rows = RunModel.objects.order_by("run_id").values_list("run__uid", "way", "model__model_id", "step")
    return grouped((uid.hex, f"{way}:{model}", recorded(step)) for uid, way, model, step in rows.iterator())
