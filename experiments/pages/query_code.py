"""A question of the run table as code: for MLflow's Python client, and for the REST API. Both give the same runs."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest

from accounts.models import Project
from experiments.pages.asked import Asked
from experiments.pages.listing import tracking_uri
from experiments.queries.experiments import wire_id
from experiments.queries.search import View
from experiments.search.errors import QueryError
from experiments.search.translation import for_client
from experiments.search.vocabularies import RUNS

RUNS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Code:
    """python: for `mlflow.search_runs`, empty where no single project is asked; curl and path: for the REST API."""

    python: str
    curl: str
    path: str


def code_of(request: HttpRequest, project: Project | None, asked: Asked) -> Code | None:
    """The question as code; None for one that is not understood."""
    try:
        filter_string, order_by = for_client(asked.query, asked.order, RUNS)
    except QueryError:
        return None
    experiments = [wire_id(one) for one in asked.experiments] or [str(pk) for pk in asked.experiment_ids]
    python = ""
    if project is not None:
        python = _python(tracking_uri(request, project), experiments, filter_string, order_by, asked.lives)
    path = _path(project, asked, experiments)
    address = request.build_absolute_uri(path)
    return Code(python, f'curl -H "Authorization: Bearer $MLED_TOKEN" {shlex.quote(address)}', path)


def _python(uri: str, experiments: Sequence[str], filter_string: str, order_by: Sequence[str], lives: View) -> str:
    lines = [f"experiment_ids={list(experiments)!r}," if experiments else "search_all_experiments=True,"]
    lines += [f"filter_string={filter_string!r},"] if filter_string else []
    lines += [f"order_by={list(order_by)!r},"] if order_by else []
    lines += [f"run_view_type=ViewType.{lives.value},"] if lives is not View.ACTIVE_ONLY else []
    lines += [f"max_results={RUNS_AT_ONCE},"]
    imports = ["import mlflow"]
    imports += ["from mlflow.entities import ViewType"] if lives is not View.ACTIVE_ONLY else []
    call = "\n".join(f"    {line}" for line in lines)
    tracking = f'# MLFLOW_TRACKING_TOKEN holds your token\nmlflow.set_tracking_uri("{uri}")'
    return "\n".join([*imports, "", tracking, f"runs = mlflow.search_runs(\n{call}\n)"])


def _path(project: Project | None, asked: Asked, experiments: Sequence[str]) -> str:
    pairs = [("project", project.slug)] if project is not None else []
    pairs += [("experiment", one) for one in experiments]
    pairs += [("q", asked.query)] if asked.query else []
    pairs += [("order", key) for key in asked.order or ["start_time DESC"]]
    pairs += [("lifecycle", asked.lifecycle)] if asked.lifecycle != "active" else []
    return f"/api/v1/runs/?{urlencode([*pairs, ('limit', str(RUNS_AT_ONCE))])}"
