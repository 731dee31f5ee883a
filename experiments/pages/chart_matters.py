"""How the parameters of the runs of a question go with one result: the figures of What matters, for a panel."""

import msgspec
import numpy as np
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from accounts.pages.doors import actor_of, signed_in
from experiments.compare.correlation import TOO_FEW
from experiments.compare.importance import METHOD
from experiments.compare.matrix import Figure
from experiments.compare.relations import Relation, related
from experiments.pages.questions import asked_of
from experiments.queries.experiments import metric_directions
from experiments.queries.relations import PARAMS_MAX, gather, results_of
from kernel.errors import Invalid


@require_safe
@signed_in
def figures(request: HttpRequest, slug: str) -> HttpResponse:
    """`result`: a metric, `figure`: which of its values. Raises Invalid for none, QueryError for a wrong query."""
    viewer = actor_of(request)
    project, asked = asked_of(request, slug)
    result, figure = request.GET.get("result", ""), request.GET.get("figure", "")
    if not result:
        raise Invalid("Say which metric is the result.", hint="Choose one in the menu of the panel.", field="result")
    held = gather(viewer, project, experiments=asked.experiment_ids or None, text=asked.query, view=asked.lives)
    chosen = Figure(figure) if figure in list(Figure) else Figure.BEST
    y = results_of(viewer, held.runs, result, chosen, metric_directions(viewer, project).get(result))
    _, relations = related(held.params, y, PARAMS_MAX)
    body = {
        "n": int(np.isfinite(y).sum()),
        "too_few": TOO_FEW,
        "method": METHOD,
        "relations": [_said(one) for one in relations],
    }
    response = HttpResponse(msgspec.json.encode(body), content_type="application/json")
    response["Cache-Control"] = "private, no-store"
    return response


def _said(one: Relation) -> dict[str, str | int | float | None]:
    return {
        "name": one.name,
        "n": one.n,
        "spearman": one.correlation.spearman if one.correlation else None,
        "pearson": one.correlation.pearson if one.correlation else None,
        "importance": one.importance.share if one.importance else None,
    }
