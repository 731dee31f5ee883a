"""Public boards: which there are, what each asks for, and what managers set."""

from dataclasses import fields
from typing import Any

from django.db.models import Count, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import can, find_project, not_found
from accounts.rest.door import RestView
from boards.actions.boards import (
    A_DAY_MAX,
    INSTRUCTIONS_MAX,
    LABEL_MAX,
    QUESTION_MAX,
    REASON_MAX,
    Terms,
    end_board,
    open_board,
    set_terms,
)
from boards.actions.moderation import end_claim, keep_claim
from boards.claims import checked_secret, with_claim
from boards.models import Board, ReaderPass
from boards.queries.boards import board_of, boards_open_to, claims_of, get_claim
from boards.rest.door import BoardView, claim_of

_TERMS = [one.name for one in fields(Terms)]


class BoardJson(serializers.ModelSerializer[Board]):
    """What everybody may know of a board: nothing of its entries."""

    slug = serializers.CharField(source="project.slug")
    name = serializers.CharField(source="project.name")
    takes_entries = serializers.BooleanField(help_text="Whether an entry would be taken now.")
    reads = serializers.SerializerMethodField(help_text="Whether its entries are open to you.")

    class Meta:
        model = Board
        fields = ["id", "slug", "name", *_TERMS, "takes_entries", "reads", "opened_at"]
        read_only_fields = fields

    def get_reads(self, board: Board) -> bool:
        view: Any = self.context["view"]
        actor = with_claim(view.visitor, board, claim_of(view.request)) if isinstance(view, BoardView) else view.actor
        return bool(can(actor, "boards.see", board))


class TermsWanted(serializers.Serializer[Any]):
    """What a board asks for, and how it is kept."""

    question = serializers.CharField(max_length=QUESTION_MAX, help_text="What is to be found, in one line.")
    result_key = serializers.CharField(max_length=250, help_text="The result that entries are ranked by.")
    instructions = serializers.CharField(
        max_length=INSTRUCTIONS_MAX, allow_blank=True, default="", help_text="Markdown."
    )
    result_label = serializers.CharField(max_length=LABEL_MAX, allow_blank=True, default="")
    is_lower_better = serializers.BooleanField(default=False)
    is_open = serializers.BooleanField(default=True, help_text="false: no more entries are taken; reading goes on.")
    closes_at = serializers.DateTimeField(allow_null=True, default=None)
    checks_first = serializers.BooleanField(default=False, help_text="Entries show once a manager let them in.")
    stays_open = serializers.BooleanField(default=False, help_text="Who withdraws the only entry goes on reading.")
    entries_a_day = serializers.IntegerField(
        min_value=1, max_value=A_DAY_MAX, default=20, help_text="Of a claim token."
    )


class WhyEnded(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=REASON_MAX, allow_blank=True, default="", help_text="Kept in the log.")


class ClaimJson(serializers.ModelSerializer[ReaderPass]):
    entries = serializers.IntegerField(help_text="How many were given with it.")
    user = serializers.CharField(source="user.name", allow_null=True, default=None, help_text="Whose account keeps it.")

    class Meta:
        model = ReaderPass
        fields = ["id", "entries", "user", "created_at", "revoked_at", "revoked_why"]
        read_only_fields = fields


class ClaimToKeep(serializers.Serializer[Any]):
    claim_token = serializers.CharField(max_length=200)


class WhyModerated(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=REASON_MAX, help_text="It is shown to whom it concerns, and kept.")


class Boards(ListAPIView[Board], BoardView):
    """The public boards, by name. Nobody has to be signed in."""

    needs = {"GET": "boards.meet"}
    serializer_class = BoardJson
    queryset = Board.objects.none()
    cursor_order = ("project__name", "pk")

    def get_queryset(self) -> QuerySet[Board]:
        return boards_open_to(self.visitor)


class OneBoard(BoardView):
    """A public board."""

    needs = {"GET": "boards.meet"}
    serializer_class = BoardJson

    def get(self, request: Request, slug: str) -> Response:
        """What it asks for. Its entries are for those who gave one."""
        return Response(self.get_serializer(self.board()).data)


class BoardOfProject(RestView):
    """Whether a project is a public board, and on which terms."""

    needs = {"GET": "boards.meet", "PUT": "boards.open", "DELETE": "boards.open"}
    serializer_class = BoardJson

    def _board(self) -> Board:
        found = board_of(self.actor, find_project(self.actor, self.kwargs["slug"]))
        if found is None:
            raise not_found(Board)
        return found

    def get(self, request: Request, slug: str) -> Response:
        """Its terms, also of one that has ended."""
        return Response(self.get_serializer(self._board()).data)

    @extend_schema(request=TermsWanted, responses={200: BoardJson})
    def put(self, request: Request, slug: str) -> Response:
        """Open the project as a public board, or set the terms of the one that it is."""
        project, terms = find_project(self.actor, slug), Terms(**self.parsed(TermsWanted))
        board = board_of(self.actor, project)
        if board is not None and project.is_board:
            set_terms(self.actor, board, terms=terms)
        else:
            open_board(self.actor, project, terms=terms)
        self.actor.memo.clear()
        return self.get(request, slug)

    @extend_schema(request=WhyEnded, responses={204: None})
    def delete(self, request: Request, slug: str) -> Response:
        """Make the project its members' own again. Entries stay as runs."""
        end_board(self.actor, self._board(), **self.parsed(WhyEnded))
        return Response(status=204)


class Claims(ListAPIView[ReaderPass], BoardView):
    """The claim tokens of a board, for members: by their ids, as the log names them."""

    needs = {"GET": "experiments.see"}
    serializer_class = ClaimJson
    queryset = ReaderPass.objects.none()
    cursor_order = ("-created_at", "pk")

    def get_queryset(self) -> QuerySet[ReaderPass]:
        rows = claims_of(self.actor, self.board())
        return rows.annotate(entries=Count("submissions"))


class EndClaim(BoardView):
    """Nothing more is submitted or read with it."""

    needs = {"POST": "boards.moderate"}
    serializer_class = ClaimJson

    @extend_schema(request=WhyModerated, responses={200: ClaimJson})
    def post(self, request: Request, slug: str, claim: Any) -> Response:
        """End a claim token, with a reason. Its entries stay as they are."""
        board = self.board()
        ended = end_claim(self.actor, get_claim(self.actor, board, claim), **self.parsed(WhyModerated))
        return Response(ClaimJson(_counted(ended)).data)


class KeepClaim(BoardView):
    """Link a claim token to one's account."""

    needs = {"POST": "boards.submit"}
    serializer_class = ClaimJson

    @extend_schema(request=ClaimToKeep, responses={200: ClaimJson})
    def post(self, request: Request, slug: str) -> Response:
        """From then on the account opens the board, wherever it is signed in."""
        board = self.board()
        secret = checked_secret(self.parsed(ClaimToKeep)["claim_token"])
        return Response(ClaimJson(_counted(keep_claim(with_claim(self.visitor, board, secret), board))).data)


def _counted(claim: ReaderPass) -> ReaderPass:
    claim.entries = claim.submissions.count()  # type: ignore[attr-defined]
    return claim
