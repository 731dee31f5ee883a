"""Where the compared runs ran: Python, system, machine, and what MLflow's client measured of it."""

import re
from collections.abc import Mapping
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.pages.doors import signed_in
from experiments.compare.matrix import Figure, TextRow
from experiments.pages.compare.columns import SIDE_BY_SIDE, columns_of
from experiments.pages.compare.fields import Fields, metric_rows
from experiments.pages.compare.frame import framed
from experiments.pages.compare.packages import python_of
from experiments.pages.compare.words import Group, group_of, metric_line, text_line
from experiments.queries.comparison import compared
from experiments.queries.packages import Texts, package_lists

# What people call these facts in tags and params, in lower case, whatever stands before the last dot or slash.
SAID: Final = (
    ("Operating system", ("os", "platform", "operating_system", "os_name", "system.os")),
    ("Machine", ("host", "hostname", "machine", "node", "node_name", "instance", "instance_type")),
    ("Architecture", ("arch_machine", "cpu_arch", "architecture_machine", "machine_type")),
    ("CPU", ("cpu", "cpu_model", "processor", "cpus", "cpu_count", "num_cpus", "n_cpus")),
    ("Memory", ("memory", "ram", "memory_gb", "ram_gb")),
    ("GPU", ("gpu", "gpus", "gpu_name", "gpu_model", "gpu_count", "num_gpus", "n_gpus", "accelerator", "device")),
    ("CUDA", ("cuda", "cuda_version", "cudnn", "cudnn_version", "driver_version")),
)
FRAMEWORKS: Final = ("torch", "tensorflow", "jax", "sklearn", "xgboost", "lightgbm", "numpy")
PYTHON: Final = ("python", "python_version", "py_version")
CONTAINER: Final = ("mlflow.docker.image.name", "mlflow.docker.image.id")
GPU_METRIC: Final = re.compile(r"^system/gpu_(\d+)_")


@require_safe
@signed_in
def page(request: HttpRequest) -> HttpResponse:
    """What tags, lists of packages and system metrics say."""
    frame = framed(request, "environment")
    context = frame.context
    if frame.runs:
        columns = columns_of(frame)
        rows = Fields(compared(frame.viewer, frame.runs), columns)
        asked = frame.asked
        measured_rows = metric_rows(rows, Figure.MAX, system=True)

        def shown(row: object) -> bool:
            return asked.names.casefold() in str(getattr(row, "name", "")).casefold()

        lists = package_lists(frame.viewer, frame.runs)
        groups = [
            group_of("environment", "Environment", environment_rows(rows, lists), shown, text_line),
            group_of("system", "System metrics, highest", measured_rows, shown, metric_line),
        ]
        measured = {run for key, of_run in rows.held.series.items() if key.startswith("system/") for run in of_run}
        context |= {
            "columns": columns,
            "groups": [group for group in groups if group.rows],
            "across": len(columns) + 1,
            "transposed": len(columns) > SIDE_BY_SIDE,
            "without_python": not _says(groups, "Python"),
            "without_system": not _says(groups, "Operating system"),
            "without_metrics": [run for run in frame.runs if run.pk not in measured],
        }
    return render(request, "experiments/compare_environment.html", context)


def _says(groups: list[Group], name: str) -> bool:
    return any(row.name == name for group in groups for row in group.rows)


def environment_rows(fields: Fields, lists: Mapping[int, Texts]) -> list[TextRow]:
    """A row for each fact that any of the runs recorded."""
    held = fields.held
    facts = [_facts(held.tags.get(run.pk, {}), _params(fields, run.pk)) for run in held.runs]
    pythons = [
        _first(mine, PYTHON) or python_of(lists.get(run.pk, {})) or None
        for run, mine in zip(held.runs, facts, strict=True)
    ]
    said: dict[str, list[str | None]] = {"Python": pythons}
    for name, keys in SAID:
        said[name] = [_first(mine, keys) for mine in facts]
    said["Frameworks"] = [_frameworks(mine) for mine in facts]
    said["Container image"] = [
        next((mine[key] for key in CONTAINER if mine.get(key)), None)
        for mine in (held.tags.get(run.pk, {}) for run in held.runs)
    ]
    said["GPUs measured"] = [_gpus(fields, run.pk) for run in held.runs]
    said["User on the machine"] = [held.tags.get(run.pk, {}).get("mlflow.user") or None for run in held.runs]
    return fields.texts(said)


def _params(fields: Fields, run: int) -> dict[str, str]:
    return {key: of_run[run] for key, of_run in fields.held.params.items() if run in of_run}


def _facts(tags: Mapping[str, str], params: Mapping[str, str]) -> dict[str, str]:
    """What tags say, and where they say nothing params, by the last part of the name."""
    both = {**params, **{key: value for key, value in tags.items() if not key.startswith("mlflow.")}}
    return {re.split(r"[./]", key)[-1].lower().replace("-", "_"): value for key, value in both.items() if value}


def _first(said: Mapping[str, str], keys: tuple[str, ...]) -> str | None:
    found = [said[key] for key in keys if key in said]
    return ", ".join(dict.fromkeys(found)) or None


def _frameworks(said: Mapping[str, str]) -> str | None:
    """Those whose version a tag names: 'torch 2.6, numpy 2.4'."""
    found = [(name, said.get(name) or said.get(f"{name}_version")) for name in FRAMEWORKS]
    return ", ".join(f"{name} {version}" for name, version in found if version) or None


def _gpus(fields: Fields, run: int) -> str | None:
    """How many GPUs the client measured."""
    mine = [key for key, of_run in fields.held.series.items() if run in of_run]
    found = {match[1] for key in mine if (match := GPU_METRIC.match(key))}
    return str(len(found)) if found else None
