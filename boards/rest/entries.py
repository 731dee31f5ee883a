"""The entries of a board: the same fields, checks and event as the form and the command line."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from boards.actions.entries import change_entry, submit_entry, withdraw_entry
from boards.actions.exports import note_entries_taken
from boards.actions.moderation import hide_entry, show_entry
from boards.claims import with_claim
from boards.conditions import MOST, read_conditions
from boards.models import Board, Submission
from boards.queries.entries import Asked, Entry, entries_of, find_entry, get_entry, told
from boards.rest.boards import WhyModerated
from boards.rest.door import BoardView
from boards.sheet import sheet_of
from boards.wanted import Wanted
from experiments.exporting.formats import format_of
from experiments.recording.typed import as_typed
from experiments.rest.recorded import Scalar
from experiments.rest.tables import Anything, also_as, format_parameter, kind_of, streamed
from kernel.actor import Actor

KINDS = ("csv", "jsonl", "json")
TEXT_MAX = 100_000
EXAMPLE = {
    "email": "noor@school.example",
    "model": "gradient boosting, 300 trees",
    "results": {"rmse": 0.612},
    "params": {"learning_rate": 0.05, "max_depth": 5},
    "seed": 17,
    "code": "https://git.example.org/noor/wine",
}


class EntryWanted(serializers.Serializer[Any]):
    """What the form asks for. What is missing or wrong is told all at once, by the rule of the board."""

    email = serializers.CharField(allow_blank=True, default="", max_length=1000, help_text="A label, no proof.")
    model = serializers.CharField(allow_blank=True, default="", max_length=TEXT_MAX, help_text="What it was made with.")
    results = serializers.DictField(
        child=Scalar(allow_null=True), default=dict, help_text="That of the board at least."
    )
    params = serializers.DictField(child=Scalar(allow_null=True), default=dict)
    seed = Scalar(allow_null=True, required=False)
    code = serializers.CharField(allow_blank=True, default="", max_length=TEXT_MAX, help_text="A link.")
    note = serializers.CharField(allow_blank=True, default="", max_length=TEXT_MAX, trim_whitespace=False)
    website = serializers.CharField(allow_blank=True, default="", max_length=1000, help_text="Stays empty.")

    def to_internal_value(self, data: Any) -> Any:
        """Raises ValidationError for a field that there is not: a misspelt one would be lost in silence."""
        known_names = [str(name) for name in self.get_fields()]
        strange = sorted({str(name) for name in data} - set(known_names)) if isinstance(data, dict) else []
        if strange:
            known = ", ".join(name for name in known_names if name != "website")
            raise serializers.ValidationError({strange[0][:80]: f"There is no such field. There are {known}."})
        return super().to_internal_value(data)

    def wanted(self) -> Wanted:
        """As the form would hold it."""
        given = dict(self.validated_data)
        given.pop("key", None), given.pop("is_test", None)
        for name in ("results", "params"):
            given[name] = [(key, as_typed(value)) for key, value in given[name].items()]
        given["seed"] = "" if given.get("seed") is None else as_typed(given["seed"])
        return Wanted(**given)


class NewEntryWanted(EntryWanted):
    key = serializers.UUIDField(
        required=False, help_text="The entry's id, if you choose it: sending it again gives the same entry."
    )
    is_test = serializers.BooleanField(
        default=False, help_text="A test entry: it shows to nobody else, and opens nothing."
    )


class EntryJson(serializers.Serializer[Entry]):
    id = serializers.UUIDField(source="submission.pk")
    number = serializers.IntegerField(source="submission.number")
    rank = serializers.IntegerField(allow_null=True, help_text="Its place among those that show; ties share one.")
    model = serializers.CharField(source="submission.run.name")
    by = serializers.CharField(help_text="Its e-mail label; to other contributors what stands before the @.")
    is_mine = serializers.BooleanField()
    state = serializers.ChoiceField(source="submission.state", choices=Submission.State.choices)
    state_why = serializers.CharField(source="submission.state_why", help_text="Why it was taken off.")
    is_test = serializers.BooleanField(source="submission.is_test")
    results = serializers.DictField(child=serializers.FloatField(allow_null=True))
    params = serializers.DictField(child=serializers.CharField())
    code = serializers.CharField()
    note = serializers.CharField()
    created_at = serializers.DateTimeField(source="submission.created_at")
    changed_at = serializers.DateTimeField(source="submission.changed_at", allow_null=True)


class SubmittedJson(EntryJson):
    claim_token = serializers.CharField(help_text="The key to this entry and to the board; shown this once.")


class EntriesAsked(serializers.Serializer[Any]):
    model = serializers.CharField(allow_blank=True, default="", max_length=500, help_text="A part of it.")
    email = serializers.CharField(allow_blank=True, default="", max_length=254, help_text="The whole label.")
    where = serializers.ListField(
        child=serializers.CharField(max_length=500),
        max_length=MOST,
        default=list,
        help_text="Conditions on params and results: `max_depth<6`, `kernel=rbf`, `kernel~RB`. All have to hold.",
    )
    mine = serializers.BooleanField(default=False)
    state = serializers.MultipleChoiceField(
        choices=Submission.State.choices, default=set, help_text="For those who keep the board."
    )


class OfEntries(BoardView):
    """A view of the entries of a board."""

    serializer_class = EntryJson

    def told(self, viewer: Actor, board: Board, entry: Submission) -> Any:
        """An entry as its viewer reads it now."""
        fresh = find_entry(viewer, board, entry.number)
        return EntryJson(told(viewer, board, [fresh])[0]).data

    def question(self) -> Asked:
        """What the address asks for. Raises Invalid."""
        asked = self.asked(EntriesAsked)
        return Asked(
            model=asked["model"],
            email=asked["email"],
            where=read_conditions(asked["where"]),
            mine=asked["mine"],
            states=sorted(asked["state"]),
        )


class Entries(OfEntries):
    """The entries of a board, the newest first."""

    needs = {"GET": "boards.see", "POST": "boards.submit"}
    queryset = Submission.objects.none()
    cursor_order = ("-number",)

    def get_queryset(self) -> QuerySet[Submission]:
        return entries_of(self.actor, self.board(), self.question()).order_by("-number")

    @extend_schema(
        parameters=[
            EntriesAsked,
            OpenApiParameter("limit", int, description="Of a page, 1 to 1,000."),
            OpenApiParameter("cursor", str, description="As `next` has it."),
        ],
        responses={200: EntryJson(many=True)},
    )
    def get(self, request: Request, slug: str) -> Response:
        """Those that show, for whoever gave one: before, 403 with the code SUBMISSION_REQUIRED."""
        page = self.paginate_queryset(self.get_queryset())
        rows = told(self.actor, self.board(), page or [])
        return self.get_paginated_response([EntryJson(row).data for row in rows])

    @extend_schema(
        request=NewEntryWanted,
        responses={201: SubmittedJson},
        examples=[OpenApiExample("An entry", EXAMPLE, request_only=True)],
    )
    def post(self, request: Request, slug: str) -> Response:
        """Submit an entry, with no account. From then on the board is open to its claim token.

        `Authorization: Bearer claim_…` may bring a claim token, also one of your own making (`claim_` and 43 random
        characters of A-Z a-z 0-9 _ -): then a call whose answer was lost can be sent again. Without one you get one.
        """
        board, body = self.board(), NewEntryWanted(data=request.data)
        body.is_valid(raise_exception=True)
        contributor, secret = self.contributor(board)
        key: UUID | None = body.validated_data.get("key")
        is_test: bool = body.validated_data["is_test"]
        made = submit_entry(contributor, board, wanted=body.wanted(), key=key, is_test=is_test)
        reader = with_claim(self.visitor, board, secret) if secret else self.actor
        answer = {**self.told(reader, board, made), "claim_token": secret}
        where = request.build_absolute_uri(f"/api/v1/boards/{slug}/entries/{made.number}/")
        return Response(answer, status=201, headers={"Location": where})


class OneEntry(OfEntries):
    """An entry of a board."""

    needs = {"GET": "boards.see", "PUT": "boards.keep_entry", "DELETE": "boards.keep_entry"}

    def get(self, request: Request, slug: str, number: int) -> Response:
        """What it says."""
        viewer, board = self.actor, self.board()
        return Response(self.told(viewer, board, find_entry(viewer, board, number)))

    @extend_schema(request=EntryWanted, responses={200: EntryJson})
    def put(self, request: Request, slug: str, number: int) -> Response:
        """Let your entry say this instead."""
        viewer, board = self.actor, self.board()
        entry, body = find_entry(viewer, board, number), EntryWanted(data=request.data)
        body.is_valid(raise_exception=True)
        changed = change_entry(viewer, entry, wanted=body.wanted())
        return Response(self.told(self.actor, board, changed))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, slug: str, number: int) -> Response:
        """Withdraw your entry. Withdrawing the only one closes the board to you."""
        viewer = self.actor
        withdraw_entry(viewer, find_entry(viewer, self.board(), number))
        return Response(status=204)


class ShowEntry(OfEntries):
    """Let an entry show that waited, or was taken off."""

    needs = {"POST": "boards.moderate"}

    @extend_schema(request=None, responses={200: EntryJson})
    def post(self, request: Request, slug: str, number: int) -> Response:
        """For those who keep the board."""
        viewer, board = self.actor, self.board()
        return Response(self.told(viewer, board, show_entry(viewer, get_entry(viewer, board, number))))


class HideEntry(OfEntries):
    """Take an entry off."""

    needs = {"POST": "boards.moderate"}

    @extend_schema(request=WhyModerated, responses={200: EntryJson})
    def post(self, request: Request, slug: str, number: int) -> Response:
        """For those who keep the board; who gave it sees why."""
        viewer, board = self.actor, self.board()
        hidden = hide_entry(viewer, get_entry(viewer, board, number), **self.parsed(WhyModerated))
        return Response(self.told(viewer, board, hidden))


class ExportEntries(OfEntries):
    """The entries that match as a table, in the order of their rank."""

    needs = {"GET": "boards.see"}
    content_negotiation_class = Anything
    gives_file = True

    @extend_schema(
        parameters=[EntriesAsked, format_parameter(*KINDS)],
        responses=also_as({"type": "array", "items": {"type": "object", "additionalProperties": True}}, "csv", "jsonl"),
    )
    def get(self, request: Request, slug: str) -> HttpResponseBase:
        """It is written while it is read, and on record; cells that a spreadsheet would take for formulas are made
        harmless."""
        kind, board, asked = kind_of(request, *KINDS), self.board(), self.question()
        viewer, form = self.actor, format_of(kind)
        fields, rows = sheet_of(viewer, board, asked)
        note_entries_taken(viewer, board, asked=asked, word=form.word)
        content: Iterator[bytes] = form.write(fields, rows)
        return streamed(content, kind, f"{slug}-entries")
