"""What a project asks beyond its profile: params, tags and metrics that every run has to have."""

from collections.abc import Collection, Sequence

from audit.compliance.rules.engine import Result, missing, passed, rule
from audit.compliance.rules.record import Record, listed

OWN = {"own.params": "required_params", "own.tags": "required_tags", "own.metrics": "required_metrics"}


def asked(record: Record) -> dict[str, Sequence[str]]:
    """What the project adds, by the key of the rule that asks it; empty where it adds nothing."""
    if record.copy is None:
        return {}
    wanted = {key: getattr(record.copy, field) for key, field in OWN.items()}
    return {key: names for key, names in wanted.items() if names}


def _gaps(wanted: Sequence[str], recorded: Collection[str], code: str) -> Result:
    gaps = [name for name in wanted if name not in recorded]
    if gaps:
        return missing(f"The project asks for {listed(gaps)}.", fix="Log it.", code=code.format(name=gaps[0]))
    return passed(f"{listed(wanted)}: recorded.")


@rule("own.params", "Parameters that the project asks for")
def own_params(record: Record) -> Result:
    return _gaps(asked(record).get("own.params", ()), record.params, 'mlflow.log_param("{name}", …)')


@rule("own.tags", "Tags that the project asks for")
def own_tags(record: Record) -> Result:
    filled = {key for key, value in record.tags.items() if value.strip()}
    return _gaps(asked(record).get("own.tags", ()), filled, 'mlflow.set_tag("{name}", "…")')


@rule("own.metrics", "Metrics that the project asks for")
def own_metrics(record: Record) -> Result:
    keys = {one.key for one in record.series}
    return _gaps(asked(record).get("own.metrics", ()), keys, 'mlflow.log_metric("{name}", value)')
