"""Every run that matches, as a file."""

from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request

from accounts.rest.door import RestView
from experiments.actions.exports import note_runs_taken
from experiments.exporting.columns import columns_named
from experiments.exporting.formats import format_of
from experiments.queries.export import every_column, exported_rows
from experiments.rest.questions import EXAMPLE, OrderAsked, Question
from experiments.rest.search import FoundJson
from experiments.rest.tables import Anything, also_as, format_parameter, kind_of, streamed

KINDS = ("csv", "jsonl", "json", "xlsx", "parquet")
_ROWS = {"type": "array", "items": {"type": "object", "additionalProperties": True}}
_ANSWERS = also_as(_ROWS, "csv", "jsonl", "xlsx", "parquet")


class Export(RestView):
    """Every run that matches as a table, with the chosen columns or with all there are.

    It is written while it is read, whatever its size, and on record in each project whose runs are in it. CSV, JSON,
    JSON Lines and Parquet have every digit of each float; XLSX has what a spreadsheet keeps.
    """

    needs = {"GET": "experiments.see", "POST": "experiments.see"}
    happens_anew = "It only reads: asked again, it tells what is there then."
    serializer_class = FoundJson
    content_negotiation_class = Anything
    gives_file = True

    @extend_schema(parameters=[OrderAsked, format_parameter(*KINDS)], responses=_ANSWERS)
    def get(self, request: Request) -> HttpResponseBase:
        """The file for a question in the address."""
        return self._file(self.asked(OrderAsked))

    @extend_schema(
        request=OrderAsked,
        parameters=[format_parameter(*KINDS)],
        responses=_ANSWERS,
        examples=[OpenApiExample("The best vision transformers", EXAMPLE, request_only=True)],
    )
    def post(self, request: Request) -> HttpResponseBase:
        """The same for a question that is too long for an address."""
        return self._file(self.parsed(OrderAsked))

    def _file(self, asked: dict[str, Any]) -> HttpResponseBase:
        viewer, question = self.actor, Question.of(self.actor, asked)
        kind = kind_of(self.request, *KINDS)
        project, form = question.project, format_of(kind)
        wanted = columns_named(asked["columns"]) if asked["columns"] else None
        wanted = wanted or every_column(viewer, project, **question.scope)
        note_runs_taken(viewer, project, word=form.word, **question.scope)
        rows = exported_rows(viewer, project, wanted, order=question.order, **question.scope)
        return streamed(form.write(wanted.fields, rows), kind, f"{project.slug if project else 'all'}-runs")
