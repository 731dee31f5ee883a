"""Sheets of past experiments over REST: brought in, mapped, checked, imported, undone."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import find_project
from accounts.rest.door import RestView
from experiments.actions.sheets import (
    NAME_MAX,
    REASON_MAX,
    bring_sheet,
    check_sheet,
    choose_worksheet,
    discard_sheet,
    import_sheet,
    map_sheet,
    stop_sheet,
    undo_sheet,
)
from experiments.models import SheetImport, SheetRow
from experiments.queries.sheets import BRING_IN, get_sheet, rows_of, sheets_of, tally_of
from experiments.sheets import writing
from experiments.sheets.cells import text_of
from experiments.sheets.limits import COLUMNS
from experiments.sheets.mapping import DEFAULT_MAX, SPEC_MAX, Mapping, problems_of
from experiments.sheets.targets import DEFAULTED, FIELDS
from kernel.errors import Invalid

SEE = "transfer.see"
COLUMN_HELP = f"For each column {', '.join(FIELDS)}, param:…, result:…, tag:… or ignore."


class MappingJson(serializers.Serializer[Any]):
    columns = serializers.ListField(
        child=serializers.CharField(max_length=SPEC_MAX), max_length=COLUMNS, help_text=COLUMN_HELP
    )
    defaults = serializers.DictField(
        child=serializers.CharField(max_length=DEFAULT_MAX, allow_blank=True),
        help_text=f"For empty cells and columns that the sheet lacks: {', '.join(DEFAULTED)}.",
    )
    decimal_comma = serializers.BooleanField(help_text="0,81 is 0.81.")
    dates = serializers.ChoiceField(choices=list(writing.DATES), help_text="How days are written.")
    zone = serializers.CharField(max_length=60, help_text="Of moments without one, such as Europe/Berlin.")


class FieldProblem(serializers.Serializer[Any]):
    field = serializers.CharField()
    title = serializers.CharField()
    hint = serializers.CharField()


class RowCounts(serializers.Serializer[Any]):
    waiting = serializers.IntegerField()
    right = serializers.IntegerField()
    wrong = serializers.IntegerField()
    made = serializers.IntegerField()
    undone = serializers.IntegerField()
    kept = serializers.IntegerField()


class SheetJson(serializers.ModelSerializer[SheetImport]):
    project = serializers.CharField(source="project.slug")
    created_by = serializers.CharField(source="created_by.name", allow_null=True, default=None)
    sha256 = serializers.CharField(source="blob_id")
    worksheets = serializers.ListField(child=serializers.CharField())
    header = serializers.ListField(child=serializers.CharField(allow_blank=True))
    notes = serializers.ListField(child=serializers.CharField(), help_text="What reading it told.")

    class Meta:
        model = SheetImport
        fields = [
            "id", "project", "name", "sha256", "form", "worksheets", "worksheet", "header", "notes", "row_count",
            "state", "leaves_out", "failure", "done", "total", "created_by", "created_at", "finished_at",
        ]  # fmt: skip
        read_only_fields = fields


class OneSheetJson(SheetJson):
    mapping = MappingJson()
    missing = FieldProblem(many=True, help_text="What has to be put right before it can be checked.")
    rows = RowCounts()

    class Meta(SheetJson.Meta):
        fields = [*SheetJson.Meta.fields, "mapping", "missing", "rows"]
        read_only_fields = fields


class SheetWanted(serializers.Serializer[Any]):
    upload = serializers.CharField(max_length=60, help_text="The id of a finished upload of yours.")
    name = serializers.CharField(max_length=NAME_MAX, help_text="Of the file.")
    zone = serializers.CharField(
        max_length=60, default="UTC", help_text="Of moments without one, to begin with, such as Europe/Berlin."
    )


class SheetChange(serializers.Serializer[Any]):
    worksheet = serializers.CharField(required=False, max_length=200, help_text="Another sheet: it is read anew.")
    columns = serializers.ListField(
        child=serializers.CharField(max_length=SPEC_MAX), max_length=COLUMNS, required=False, help_text=COLUMN_HELP
    )
    defaults = serializers.DictField(
        child=serializers.CharField(max_length=DEFAULT_MAX, allow_blank=True), required=False
    )
    decimal_comma = serializers.BooleanField(required=False)
    dates = serializers.ChoiceField(choices=list(writing.DATES), required=False)
    zone = serializers.CharField(max_length=60, required=False)


class ImportWanted(serializers.Serializer[Any]):
    leave_out = serializers.BooleanField(default=False, help_text="Rows with errors are left out.")


class UndoWanted(serializers.Serializer[Any]):
    reason = serializers.CharField(allow_blank=True, default="", max_length=REASON_MAX)


class RowProblem(serializers.Serializer[Any]):
    column = serializers.IntegerField(allow_null=True, help_text="From 0; null for what no column holds.")
    field = serializers.CharField(help_text="As in a recorded run: params[0].value.")
    what = serializers.CharField()
    next = serializers.CharField()


class SheetRowJson(serializers.ModelSerializer[SheetRow]):
    run = serializers.SerializerMethodField()
    cells = serializers.SerializerMethodField()
    problems = RowProblem(many=True)

    class Meta:
        model = SheetRow
        fields = ["number", "state", "cells", "problems", "run", "digest", "word"]
        read_only_fields = fields

    def get_run(self, row: SheetRow) -> str | None:
        """The id of the run that it became."""
        return row.run_uid.hex if row.run_uid else None

    def get_cells(self, row: SheetRow) -> list[str]:
        """As texts."""
        return [text_of(cell) for cell in row.cells]


class Sheets(ListAPIView[SheetImport], RestView):
    """Sheets of past experiments, the newest first."""

    needs = {"GET": SEE, "POST": BRING_IN}
    serializer_class = SheetJson
    queryset = SheetImport.objects.none()
    cursor_order = ("-created_at", "-pk")

    def get_queryset(self) -> QuerySet[SheetImport]:
        return sheets_of(self.actor, find_project(self.actor, self.kwargs["slug"]))

    @extend_schema(
        request=SheetWanted,
        responses={201: SheetJson},
        examples=[OpenApiExample("Old trials", {"upload": "0b1e…", "name": "old-trials.xlsx"}, request_only=True)],
    )
    def post(self, request: Request, slug: str) -> Response:
        """Bring in a CSV or XLSX file that was uploaded; it is read in the background, and its columns are guessed."""
        made = bring_sheet(self.actor, find_project(self.actor, slug), **self.parsed(SheetWanted))
        return Response(SheetJson(made).data, status=201)


class OnSheet(RestView):
    """A view of one sheet."""

    serializer_class = OneSheetJson

    def sheet(self) -> SheetImport:
        """The sheet in the address, if the viewer may see it."""
        return get_sheet(self.actor, find_project(self.actor, self.kwargs["slug"]), self.kwargs["sheet"])

    def shown(self) -> Response:
        """It as it is now."""
        sheet = self.sheet()
        told = dict(SheetJson(sheet).data)
        mapping = Mapping.of_json(sheet.mapping) if sheet.mapping else Mapping()
        told["mapping"] = mapping.as_json()
        told["missing"] = [
            {"field": one.field, "title": one.message, "hint": one.hint}
            for one in (problems_of(mapping, sheet.header) if sheet.header else [])
        ]
        told["rows"] = RowCounts(tally_of(self.actor, sheet)).data
        return Response(told)


class OneSheet(OnSheet):
    """A sheet with its mapping and how far its rows are."""

    needs = {"GET": SEE, "PATCH": BRING_IN, "DELETE": BRING_IN}

    @extend_schema(responses={204: None})
    def delete(self, request: Request, slug: str, sheet: UUID) -> Response:
        """Take a sheet of your own off the list, of which no row was imported."""
        discard_sheet(self.actor, self.sheet())
        return Response(status=204)

    def get(self, request: Request, slug: str, sheet: UUID) -> Response:
        """As it is now."""
        return self.shown()

    @extend_schema(request=SheetChange, responses={200: OneSheetJson})
    def patch(self, request: Request, slug: str, sheet: UUID) -> Response:
        """Say where its columns go, or choose another sheet of the workbook. What is not named stays."""
        asked, found = self.parsed(SheetChange), self.sheet()
        worksheet = asked.pop("worksheet", None)
        if worksheet is not None and asked:
            raise Invalid("Another sheet has other columns.", hint="Choose it first, then map it.", field="worksheet")
        if worksheet is not None:
            choose_worksheet(self.actor, found, worksheet=worksheet)
        else:
            mapping = Mapping.of_json({**found.mapping, **asked})
            map_sheet(self.actor, found, mapping=mapping, are_dates_said="dates" in asked)
        return self.shown()


class SheetCheck(OnSheet):
    """Looking at all rows."""

    needs = {"POST": BRING_IN}

    @extend_schema(request=None, responses={200: OneSheetJson})
    def post(self, request: Request, slug: str, sheet: UUID) -> Response:
        """Have every row checked in the background. Nothing is written."""
        check_sheet(self.actor, self.sheet())
        return self.shown()


class SheetRun(OnSheet):
    """The import itself."""

    needs = {"POST": BRING_IN}

    @extend_schema(request=ImportWanted, responses={200: OneSheetJson})
    def post(self, request: Request, slug: str, sheet: UUID) -> Response:
        """Record each row that is right as a run, in the background; after a stop, go on. No row is recorded twice."""
        import_sheet(self.actor, self.sheet(), **self.parsed(ImportWanted))
        return self.shown()


class SheetStop(OnSheet):
    """Stopping it."""

    needs = {"POST": BRING_IN}

    @extend_schema(request=None, responses={200: OneSheetJson})
    def post(self, request: Request, slug: str, sheet: UUID) -> Response:
        """Stop checking or importing. What is imported stays."""
        stop_sheet(self.actor, self.sheet())
        return self.shown()


class SheetUndo(OnSheet):
    """Taking it back."""

    needs = {"POST": BRING_IN}

    @extend_schema(request=UndoWanted, responses={200: OneSheetJson})
    def post(self, request: Request, slug: str, sheet: UUID) -> Response:
        """Delete all of its runs that you may delete and nobody worked on since; rows say why others were kept."""
        undo_sheet(self.actor, self.sheet(), **self.parsed(UndoWanted))
        return self.shown()


class SheetRows(ListAPIView[SheetRow], RestView):
    """The rows of a sheet in their order."""

    needs = {"GET": SEE}
    serializer_class = SheetRowJson
    queryset = SheetRow.objects.none()
    cursor_order = ("number", "pk")

    def get_queryset(self) -> QuerySet[SheetRow]:
        state = self.request.query_params.get("state", "")
        if state and state not in SheetRow.State.values:
            known = ", ".join(SheetRow.State.values)
            raise Invalid("Rows have no such state.", hint=f"Choose {known}.", field="state")
        project = find_project(self.actor, self.kwargs["slug"])
        return rows_of(self.actor, get_sheet(self.actor, project, self.kwargs["sheet"]), state)

    @extend_schema(
        parameters=[OpenApiParameter("state", str, enum=list(SheetRow.State.values), description="Only those in it.")]
    )
    def get(self, request: Request, *given: Any, **named: Any) -> Response:
        """With what is wrong in each, and the run that each became."""
        return self.list(request, *given, **named)
