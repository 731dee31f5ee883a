"""Searches of runs: a page with chosen columns, how many there are, groups of them."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest.door import Number, RestView, said
from experiments.exporting.columns import Wanted, columns_named
from experiments.exporting.fields import Value
from experiments.queries.export import rows_of_page, ways_for
from experiments.queries.groups import MAX_FIELDS, MAX_METRICS, OWN_FIELDS, Group, group_runs
from experiments.queries.search import FoundRun, Page, count_runs, load_run_data, search_runs
from experiments.rest.questions import EXAMPLE, OrderAsked, Question, WhereAsked
from experiments.search.rows import RunData
from kernel.errors import Invalid

LIMIT, LIMIT_MAX = 100, 1_000


class SearchAsked(OrderAsked):
    limit = serializers.IntegerField(min_value=1, max_value=LIMIT_MAX, default=LIMIT)
    cursor = serializers.CharField(
        allow_blank=True, default="", max_length=2000, help_text="`next` of the page before."
    )


class FoundJson(serializers.Serializer[Any]):
    columns = serializers.ListField(child=serializers.CharField(), help_text="Names of the fields of each result.")
    results = serializers.ListField(
        child=serializers.DictField(child=serializers.JSONField(allow_null=True)),
        help_text="Fields by name; without chosen columns also `params`, `tags` and `metrics` (last values) by key.",
    )
    next = serializers.CharField(allow_null=True, help_text="The `cursor` of the following page; null at the end.")


class CountJson(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    at_least = serializers.BooleanField(help_text="Counting stopped there: there are more.")


class MetricOfRunGroup(serializers.Serializer[Any]):
    metric = serializers.CharField(max_length=250, trim_whitespace=False)
    figure = serializers.ChoiceField(choices=["last", "min", "max"], default="last")


class RunGroupsAsked(WhereAsked):
    by = serializers.ListField(
        child=serializers.CharField(max_length=300, trim_whitespace=False),
        min_length=1,
        max_length=MAX_FIELDS,
        help_text="Fields: `params.lr`, `tags.team`, status, user, experiment, project or dataset.",
    )
    metrics = serializers.ListField(child=MetricOfRunGroup(), max_length=MAX_METRICS, default=list)


class RunStatisticsJson(serializers.Serializer[Any]):
    metric = serializers.CharField()
    figure = serializers.CharField()
    n = serializers.IntegerField(help_text="Runs with a finite value.")
    mean = Number()
    deviation = Number(allow_null=True, help_text="Of the sample; null for one run.")
    low = Number()
    high = Number()


class RunGroupJson(serializers.Serializer[Any]):
    values = serializers.ListField(
        child=serializers.CharField(allow_null=True), help_text="One for each field of `by`; null: the runs have none."
    )
    n = serializers.IntegerField()
    newest_ms = serializers.IntegerField(allow_null=True)
    duration_ms = serializers.IntegerField(allow_null=True, help_text="On average.")
    metrics = RunStatisticsJson(many=True)


class RunGroupsJson(serializers.Serializer[Any]):
    groups = RunGroupJson(many=True, help_text="The largest first.")
    more = serializers.BooleanField(help_text="There are smaller ones.")


class Search(RestView):
    """Runs of all experiments and projects that one may see."""

    needs = {"POST": "experiments.see"}
    happens_anew = "It only reads: asked again, it tells what is there then."
    serializer_class = FoundJson

    @extend_schema(
        request=SearchAsked,
        responses={200: FoundJson},
        examples=[OpenApiExample("The best vision transformers", EXAMPLE, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """One page of the runs that match, with the columns that are asked for. It changes nothing."""
        asked = self.parsed(SearchAsked)
        question, wanted = Question.of(self.actor, asked), columns_named(asked["columns"])
        page = search_runs(
            self.actor,
            project=question.project,
            **question.scope,
            order=question.order,
            limit=asked["limit"],
            after=asked["cursor"] or None,
        )
        names = [field.name for field in wanted.fields]
        ways = ways_for(self.actor, question.project, wanted)
        rows = [_named(names, row) for row in rows_of_page(self.actor, page.rows, wanted, ways)]
        if not asked["columns"]:
            rows, names = _whole(page, wanted, rows)
        return Response({"columns": names, "results": rows, "next": page.next_token})


class CountRuns(RestView):
    """How many runs match."""

    needs = {"GET": "experiments.see"}
    serializer_class = CountJson

    @extend_schema(parameters=[WhereAsked], responses={200: CountJson})
    def get(self, request: Request) -> Response:
        """The number; counting stops at 10,000."""
        question = Question.of(self.actor, self.asked(WhereAsked))
        found = count_runs(self.actor, project=question.project, **question.scope)
        return Response({"number": found.number, "at_least": found.at_least})


class Groups(RestView):
    """Runs by what they say of some fields, with statistics of metrics."""

    needs = {"POST": "experiments.see"}
    happens_anew = "It only reads: asked again, it tells what is there then."
    serializer_class = RunGroupsJson

    @extend_schema(request=RunGroupsAsked, responses={200: RunGroupsJson})
    def post(self, request: Request) -> Response:
        """How many runs each group has, and mean, spread and extremes of the metrics. It changes nothing."""
        asked = self.parsed(RunGroupsAsked)
        question = Question.of(self.actor, asked)
        metrics = [(one["metric"], one["figure"]) for one in asked["metrics"]]
        found = group_runs(
            self.actor, question.project, _checked_fields(asked["by"]), metrics=metrics, **question.scope
        )
        return Response({"groups": [_group(one) for one in found.groups], "more": found.more})


def _checked_fields(names: list[str]) -> list[str]:
    """Fields to group by. Raises Invalid for one that there is not."""
    for name in names:
        kind, _, key = name.partition(".")
        if name not in OWN_FIELDS and not (key and kind in ("params", "tags")):
            raise Invalid(
                f"Runs are not grouped by '{name[:80]}'.",
                hint=f"Choose among params.…, tags.…, {', '.join(OWN_FIELDS)}.",
                field="by",
            )
    return list(dict.fromkeys(names))


def _named(names: list[str], row: list[Value]) -> dict[str, Any]:
    return {name: said(value) if isinstance(value, float) else value for name, value in zip(names, row, strict=True)}


def _whole(page: Page[FoundRun], wanted: Wanted, rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[str]]:
    """The rows with all that the runs hold."""
    data: dict[int, RunData] = load_run_data([run.id for run in page.rows])
    whole = []
    for run, row in zip(page.rows, rows, strict=True):
        held = data[run.id]
        whole.append(
            row
            | {
                "project": run.project_slug,
                "experiment": run.experiment_name,
                "started": run.started_ms,
                "ended": run.ended_ms,
                "user": run.user_email or run.user or None,
                "params": dict(held.params),
                "tags": dict(held.tags),
                "metrics": {one.key: said(one.value) for one in held.metrics},
            }
        )
    more = ["project", "experiment", "started", "ended", "user", "params", "tags", "metrics"]
    return whole, [*(field.name for field in wanted.fields), *more]


def _group(group: Group) -> dict[str, Any]:
    return {
        "values": [None if value.is_none else value.text for value in group.values],
        "n": group.n,
        "newest_ms": group.newest_ms,
        "duration_ms": group.duration_ms,
        "metrics": [
            {"metric": metric, "figure": figure, "n": one.n, "mean": said(one.mean),
             "deviation": said(one.deviation), "low": said(one.low), "high": said(one.high)}
            for (metric, figure), one in group.metrics.items()
        ],
    }  # fmt: skip
