"""History of a run: who, in which role then, when, what, old and new, through which door."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.pages.doors import actor_of, signed_in
from accounts.pages.history import Change, Entry, before_of, entry
from audit.ledger.queries.history import RowChange
from experiments.models import RunInput
from experiments.pages.frame import run_frame, tab_url
from experiments.queries.archives import archive_of
from experiments.queries.experiments import experiment_names
from experiments.queries.history import RunEvent, history_of_run
from experiments.queries.runs import inputs_of
from experiments.said import SAID
from kernel.actor import Actor
from kernel.clock import from_ms

A_PAGE = 50
KINDS = {
    "experiments.runtag": "tag",
    "experiments.param": "param",
    "artifacts.artifactfile": "file",
    "registry.runmodel": "model",
    "registry.loggedmodel": "model",
    "experiments.metricarchive": "",
    "experiments.run": "",
}
# Columns that say nothing to a reader of one run's history, or that the line itself says.
UNSAID = frozenset(
    (
        *("uid", "id", "project_id", "experiment_id", "number", "parent_id", "created_at", "created_by_id"),
        *("artifact_root_id", "locked_at", "locked_by_id", "sealed_at", "deleted_at", "lifecycle", "lost_at"),
        *("name", "source_name", "source_type", "git_commit"),  # told by the tags that set them
    )
)
# What a line shows after the rest.
_LAST: Final = {"experiments.runtag": 1, "experiments.experiment": 2}
# Rows that come with what the line says: the dataset behind a role.
UNSAID_KINDS = frozenset({"artifacts.dataset", "artifacts.datasetversion"})
# What is said of reviews, findings, the rules and what came out again: what people wrote, and where it stands.
ABOVE = ("compliance.", "runner.")
SAID_ABOVE = ("state", "comment", "reason", "text", "closure", "rule", "due", "verdict")
PLACE = "experiment_id"
TIMES = frozenset({"started_ms", "ended_ms"})


@require_safe
@signed_in
def page(request: HttpRequest, run: str) -> HttpResponse:
    """The run's history, newest first, in pages."""
    found, context = run_frame(request, run, "history")
    viewer = actor_of(request)
    events = history_of_run(viewer, found, before=before_of(request), limit=A_PAGE + 1)
    shown = events[:A_PAGE]
    context["entries"] = entries_of(viewer, shown, inputs_of(viewer, found))
    context["archive"] = archive_of(viewer, found)
    if len(events) > A_PAGE:
        context["next_url"] = f"{tab_url(found, 'history')}?before={shown[-1].past.event.id.hex}"
    return render(request, "experiments/run_history.html", context)


def entries_of(viewer: Actor, events: Sequence[RunEvent], inputs: Sequence[RunInput]) -> list[Entry]:
    """Events as lines to read. inputs: the run's data, for their names."""
    names = {one.dataset_version.id.hex: str(one.dataset_version) for one in inputs}
    names |= _places(viewer, events)
    return [
        entry(event, [change for row in sorted(event.past.changes, key=_rank) for change in _changes(row, names)], SAID)
        for event in events
    ]


def _rank(row: RowChange) -> int:
    """What was set and measured goes before where it was put: a line shows the first few."""
    return _LAST.get(row.type, 0)


def _places(viewer: Actor, events: Sequence[RunEvent]) -> dict[str, str]:
    """The names of the experiments that the run was moved between, as far as the viewer sees them."""
    moved = [_moved(row) for event in events for row in event.past.changes]
    numbers = {number for pair in moved if pair for number in pair if isinstance(number, int)}
    return {f"experiment {pk}": name for pk, name in experiment_names(viewer, numbers).items()} if numbers else {}


def _moved(row: RowChange) -> tuple[Any, Any] | None:
    return row.fields.get(PLACE) if row.op == "update" and row.type == "experiments.run" else None


def _changes(row: RowChange, names: Mapping[str, str]) -> list[Change]:
    moved = _moved(row)
    if moved:
        left, entered = (names.get(f"experiment {number}", "one out of your sight") for number in moved)
        return [Change("experiment", left, entered)]
    if row.op == "create" and row.type == "experiments.run":
        return []
    if row.type in UNSAID_KINDS:
        return []
    if row.type == "experiments.experiment":
        return [Change("new experiment", "", _words(row.fields["name"][1]))] if row.op == "create" else []
    if row.type.startswith(ABOVE):
        told = {name: row.fields[name] for name in SAID_ABOVE if name in row.fields}
        return [Change(name, _words(old), _words(new)) for name, (old, new) in told.items() if old or new]
    if row.type == "experiments.comment":
        return [
            Change("", _words(old), _words(new))
            for old, new in (row.fields[name] for name in row.fields.keys() & {"text"})
        ]
    if row.type == "registry.runmodel":
        return [Change("model", "", name.partition(":")[2] or name) for name in row.fields]
    if row.type == "experiments.runinput":
        return [
            Change(f"data {names.get(name, '')}".strip(), _role(old), _role(new))
            for name, (old, new) in row.fields.items()
        ]
    kind = KINDS.get(row.type, row.type.rpartition(".")[2])
    return [
        Change(f"{kind} {_label(name)}".strip(), _words(old, name), _words(new, name))
        for name, (old, new) in row.fields.items()
        if name not in UNSAID
    ]


def _role(told: Any) -> str:
    """The role that a dataset version has in the run, as it was recorded."""
    if told is None:
        return ""
    return str(told.get("context") or "no role given") if isinstance(told, dict) else str(told)


def _label(name: str) -> str:
    return name.removesuffix("_ms").replace("_", " ") if name in TIMES else name


def _words(value: Any, name: str = "") -> str:
    if value is None:
        return ""
    if name in TIMES and isinstance(value, int):
        at = from_ms(value)
        return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else str(value)
    if name == "seal":
        return f"sha256:{str(value)[:12]}…" if value else ""
    if isinstance(value, dict):
        if "digest" in value:
            return f"sha256:{str(value['digest'])[:12]}…"
        return ", ".join(f"{key} {_words(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(_words(item) for item in value)
    return str(value)
