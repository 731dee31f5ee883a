"""The evidence of a run on one page, as a reviewer reads it."""

import re
from dataclasses import dataclass, replace
from typing import Any

from accounts.pages.history import Entry
from artifacts.queries.files import files_of
from experiments.compare.pictures import picture_of
from experiments.conditions import conditions_of
from experiments.models import Run
from experiments.pages import history
from experiments.pages.figures import figures_of
from experiments.pages.frame import claimed, took
from experiments.pages.inputs import described_inputs
from experiments.pages.run import first_curve, key_metrics
from experiments.pages.slots import panels_of
from experiments.queries.experiments import metric_directions
from experiments.queries.history import history_of_run
from experiments.queries.runs import inputs_of, params_of, series_of, tags_of
from kernel.actor import Actor

ROWS = 12
FILES = 12
LATEST = 6
NOTE = "mlflow.note.content"
_SMALL = re.compile(r"[+%]compressed(?=\.\w+$)")


@dataclass(frozen=True, slots=True)
class FileLine:
    """A file as a reader tells it from others: its name; below it the step of a picture, and the folder it lies in."""

    name: str
    step: str
    folder: str
    path: str
    size_bytes: int
    digest: str


def file_line(path: str, size_bytes: int, digest: str) -> FileLine:
    """A picture that a client logged by key and step is called so; its path holds a time and an id beside them."""
    folder, _, name = path.rpartition("/")
    found = picture_of(_SMALL.sub("", path))
    if found is not None and found[1] and found[0].step is not None:
        small = ", small copy" if _SMALL.search(path) else ""
        return FileLine(found[0].name, f"step {found[0].step:,}{small}", folder, path, size_bytes, digest)
    return FileLine(name, "", folder, path, size_bytes, digest)


def _readable(entry: Entry) -> Entry:
    """A line of the history in which pictures are called as among the files."""
    return replace(entry, changes=[replace(one, name=_file_named(one.name)) for one in entry.changes])


def _file_named(name: str) -> str:
    kind, _, path = name.partition(" ")
    line = file_line(path, 0, "") if kind == "file" else None
    return f"file {line.name}, {line.step}" if line is not None and line.step else name


def evidence_of(viewer: Actor, run: Run) -> dict[str, Any]:
    """Data, results, parameters, code and environment, files, latest history. The tabs of the run have all of it."""
    params, tags = params_of(viewer, run), tags_of(viewer, run)
    series, inputs = series_of(viewer, run), inputs_of(viewer, run)
    directions = metric_directions(viewer, run.project)
    latest = history_of_run(viewer, run, limit=LATEST)
    by_weight = key_metrics(series, directions, run.project.goal_metric)
    files = list(files_of(viewer, run.artifact_root)) if run.artifact_root else []
    paths = [file.path for file in files]
    paths += [path for panel in panels_of(viewer, run) for path in panel.package_files]
    return {
        "run_ref": run.uid.hex,
        "took": took(run),
        "claimed": claimed(run),
        "inputs": described_inputs(inputs),
        "metrics": [figures_of(one, directions.get(one.key)) for one in by_weight[:ROWS]],
        "metrics_total": len(by_weight),
        "curve": first_curve(run, by_weight),
        "params": list(params.items())[:ROWS],
        "params_total": len(params),
        "conditions": conditions_of(run, params=params, tags=tags, series=series, inputs=inputs, paths=paths),
        "tags": [(key, value) for key, value in tags.items() if not key.startswith("mlflow.")][:ROWS],
        "note": tags.get(NOTE, ""),
        "files": [file_line(one.path, one.size_bytes, one.blob_id) for one in files[:FILES]],
        "files_total": len(files),
        "latest": [_readable(one) for one in history.entries_of(viewer, latest, inputs)],
    }
