"""A version's model card: what people wrote, and what the record says of it."""

import datetime as dt
from collections.abc import Iterable, Sequence

from django.db.models import QuerySet

from accounts.access import can_see, require
from artifacts.models import VersionRecord
from artifacts.tables import row_count_of
from experiments.conditions import conditions_of
from experiments.models import Run, RunInput
from experiments.queries.runs import inputs_of, params_of, series_of, tags_of
from kernel.actor import Actor
from kernel.clock import from_ms
from registry.cards import WRITTEN, Card, CardSection, Fact
from registry.models import CardText, LoggedModel, ModelVersion, PromotionRequest
from registry.queries.logged_models import MeasuredMetric, model_data
from registry.queries.registered_models import version_data
from registry.queries.version_files import VersionFile, files_of_version

LICENCE_TAGS = ("license", "licence")
METRICS_SHOWN = 40
_RECORDED_ELSEWHERE = frozenset({"Data", "Parameters", "Code"})


def card_of(viewer: Actor, version: ModelVersion) -> Card:
    """The card as it stands: written sections first, then the facts. Raises NotFound, Refused."""
    require(viewer, "experiments.see", version)
    run = version.run if version.run is not None and can_see(viewer, version.run) else None
    logged = version.logged_model if version.logged_model and can_see(viewer, version.logged_model) else None
    files = files_of_version(viewer, version)
    return Card(
        [
            *_written(viewer, version),
            CardSection("origin", "How it came to be", _origin(version, run)),
            CardSection("data", "Trained on", _data(viewer, run)),
            CardSection("params", "Parameters", _params(viewer, run, logged)),
            CardSection("metrics", "Measured", _metrics(viewer, run, logged)),
            CardSection("environment", "Environment", _environment(viewer, run, files)),
            CardSection("files", "Files", _files(viewer, version, files)),
            CardSection("approvals", "Approvals", _approvals(viewer, version)),
        ]
    )


def _written(viewer: Actor, version: ModelVersion) -> list[CardSection]:
    rows = CardText.objects.visible_to(viewer).filter(version=version).select_related("written_by")
    texts = {row.section: row for row in rows}
    return [_written_section(key, title, prompt, texts.get(key)) for key, (title, prompt) in WRITTEN.items()]


def _written_section(key: str, title: str, prompt: str, row: CardText | None) -> CardSection:
    if row is None:
        return CardSection(key, title, prompt=prompt, is_written=True)
    by = str(row.written_by or "")
    return CardSection(
        key, title, text=row.text, prompt=prompt, written_by=by, written_at=row.written_at, is_written=True
    )


def _origin(version: ModelVersion, run: Run | None) -> list[Fact]:
    facts = [
        Fact("Registered by", str(version.created_by or "")),
        Fact("Registered at", _moment(version.created_at)),
        Fact("Source", version.source),
    ]
    if run is None:
        return [*facts, Fact("Run")]
    author = str(run.created_by or "")
    return [
        *facts,
        Fact("Run", f"{run.readable_id} {run.name}", f"/r/{run.uid.hex}/"),
        Fact("Trained by", author),
        Fact("Trained from", _moment_ms(run.started_ms)),
        Fact("Trained until", _moment_ms(run.ended_ms)),
        Fact("Code commit", run.git_commit),
        Fact("Started from", run.source_name),
    ]


def _data(viewer: Actor, run: Run | None) -> list[Fact]:
    inputs = inputs_of(viewer, run) if run is not None else []
    if not inputs:
        return [Fact("Datasets")]
    records = _records(viewer, inputs)
    return [fact for given in inputs for fact in _dataset(given, records.get(given.dataset_version_id))]


def _records(viewer: Actor, inputs: Sequence[RunInput]) -> dict[object, VersionRecord]:
    rows: QuerySet[VersionRecord] = VersionRecord.objects.visible_to(viewer)
    return {row.version_id: row for row in rows.filter(version__in=[given.dataset_version_id for given in inputs])}


def _dataset(given: RunInput, record: VersionRecord | None) -> list[Fact]:
    version = given.dataset_version
    name = f"{version.dataset.name} v{version.number}"
    place = f"/p/{version.dataset.project.slug}/datasets/{version.dataset_id}/v/{version.number}/"
    rows = row_count_of(version)
    withdrawn = record is not None and record.state == VersionRecord.State.WITHDRAWN
    return [
        Fact(given.context or "Input", name + (" (recalled)" if withdrawn else ""), place),
        Fact(f"{name}: digest", version.digest),
        Fact(f"{name}: rows", "" if rows is None else f"{rows:,}"),
        Fact(f"{name}: licence", record.licence if record else ""),
        Fact(f"{name}: personal data", record.get_personal_data_display() if record and record.personal_data else ""),
    ]


def _params(viewer: Actor, run: Run | None, logged: LoggedModel | None) -> list[Fact]:
    params = params_of(viewer, run) if run is not None else {}
    if logged is not None:
        params |= dict(model_data(viewer, [logged])[logged.pk].params)
    return [Fact(key, value or "''") for key, value in sorted(params.items())] or [Fact("Parameters")]


def _metrics(viewer: Actor, run: Run | None, logged: LoggedModel | None) -> list[Fact]:
    """Of the model itself, by dataset, where any are recorded; else of its run, the last value of each."""
    measured = model_data(viewer, [logged])[logged.pk].metrics if logged is not None else []
    latest = {(one.key, one.dataset_name): one for one in sorted(measured, key=lambda one: (one.at_ms, one.step))}
    facts = [Fact(_measured_on(one), _number(one.value)) for _, one in sorted(latest.items())]
    if not facts and run is not None:
        own = (one for one in series_of(viewer, run) if not one.key.startswith("system/"))
        facts = [Fact(one.key, "NaN" if one.last_is_nan else _number(one.last_value)) for one in own]
    return facts[:METRICS_SHOWN] or [Fact("Metrics")]


def _measured_on(one: MeasuredMetric) -> str:
    return f"{one.key} on {one.dataset_name}" if one.dataset_name else one.key


def _environment(viewer: Actor, run: Run | None, files: Iterable[VersionFile]) -> list[Fact]:
    if run is None:
        return [Fact("Environment")]
    conditions = conditions_of(
        run,
        params=params_of(viewer, run),
        tags=tags_of(viewer, run),
        series=series_of(viewer, run),
        inputs=[],
        paths=[file.path for file in files],
    )
    return [Fact(one.name, one.found) for one in conditions.items if one.name not in _RECORDED_ELSEWHERE]


def _files(viewer: Actor, version: ModelVersion, files: Sequence[VersionFile]) -> list[Fact]:
    tags = version_data(viewer, [version])[version.pk].tags
    return [
        Fact("Files", f"{len(files):,}" if files else ""),
        Fact("Size", f"{sum(file.size_bytes for file in files):,} bytes" if files else ""),
        Fact("Licence", next((tags[name] for name in LICENCE_TAGS if tags.get(name)), "")),
    ]


def _approvals(viewer: Actor, version: ModelVersion) -> list[Fact]:
    rows = PromotionRequest.objects.visible_to(viewer).filter(version=version, state=PromotionRequest.State.APPROVED)
    found = rows.select_related("decided_by", "model__project").order_by("decided_at")
    return [
        Fact(
            f"For {request.get_kind_display().lower()} '{request.target}'",
            f"{request.decided_by}, {_moment(request.decided_at)}",
            f"/p/{request.model.project.slug}/promotions/{request.pk}/",
        )
        for request in found
    ] or [Fact("Approvals")]


def _moment(at: dt.datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else ""


def _moment_ms(at_ms: int | None) -> str:
    """A client's time; a number where no calendar holds it."""
    at = None if at_ms is None else from_ms(at_ms)
    return _moment(at) if at else "" if at_ms is None else str(at_ms)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
