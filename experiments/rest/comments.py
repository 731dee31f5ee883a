"""Comments on runs."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import require
from experiments.actions.comments import COMMENT_MAX, WHY_MAX, add_comment, edit_comment, remove_comment
from experiments.models import Comment
from experiments.queries.comments import comments_of, get_comment, people_to_mention
from experiments.rest.on_run import OnRun


class CommentJson(serializers.ModelSerializer[Comment]):
    user = serializers.CharField(source="created_by.name", allow_null=True, default=None)
    removed_by = serializers.CharField(source="removed_by.name", allow_null=True, default=None)

    class Meta:
        model = Comment
        fields = [
            "id", "text", "version", "user", "created_at", "edited_at", "removed_at", "removed_by", "removed_why",
        ]  # fmt: skip
        read_only_fields = fields


class CommentWanted(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=COMMENT_MAX, help_text="Markdown; @ and a name tells that person.")
    key = serializers.UUIDField(
        required=False, help_text="The new comment's id, if you choose it: sending it again changes nothing."
    )


class CommentChange(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=COMMENT_MAX)
    version = serializers.IntegerField(
        min_value=1, help_text="The one that you read: where it is another now, nothing is written (409)."
    )


class WhyRemoved(serializers.Serializer[Any]):
    reason = serializers.CharField(
        allow_blank=True, default="", max_length=WHY_MAX, help_text="Needed for what somebody else wrote; it is shown."
    )


class MentionJson(serializers.Serializer[Any]):
    name = serializers.CharField()
    email = serializers.CharField()


class OfComments(OnRun):
    """A view of what is said about a run."""

    serializer_class = CommentJson

    def comment(self) -> Comment:
        """The comment in the address, if the viewer may see it."""
        return get_comment(self.actor, self.run(), self.kwargs["comment"])

    def shown(self, comment: Comment, status: int = 200) -> Response:
        """A comment as it is now."""
        fresh = get_comment(self.actor, comment.run, comment.pk)
        return Response(CommentJson(fresh).data, status=status)


class Comments(ListAPIView[Comment], OfComments):
    """What is said about a run, the oldest first; of removed comments the place."""

    needs = {"GET": "experiments.see", "POST": "experiments.comment"}
    queryset = Comment.objects.none()
    cursor_order = ("created_at", "pk")

    def get_queryset(self) -> QuerySet[Comment]:
        return comments_of(self.actor, self.run())

    @extend_schema(request=CommentWanted, responses={201: CommentJson})
    def post(self, request: Request, run: str) -> Response:
        """Comment. Whom it mentions is told."""
        return self.shown(add_comment(self.actor, self.run(), **self.parsed(CommentWanted)), status=201)


class OneComment(OfComments):
    """One comment."""

    needs = {"GET": "experiments.see", "PATCH": "experiments.comment"}

    def get(self, request: Request, run: str, comment: UUID) -> Response:
        return Response(CommentJson(self.comment()).data)

    @extend_schema(request=CommentChange, responses={200: CommentJson})
    def patch(self, request: Request, run: str, comment: UUID) -> Response:
        """Change one's own."""
        return self.shown(edit_comment(self.actor, self.comment(), **self.parsed(CommentChange)))


class RemoveComment(OfComments):
    """The text goes, the place stays."""

    needs = {"POST": "experiments.remove_comment"}

    @extend_schema(request=WhyRemoved, responses={200: CommentJson})
    def post(self, request: Request, run: str, comment: UUID) -> Response:
        """Take back one's own; as a manager, with a reason, anybody's."""
        return self.shown(remove_comment(self.actor, self.comment(), **self.parsed(WhyRemoved)))


class PeopleToMention(OnRun):
    """Whom a comment on the run can mention."""

    needs = {"GET": "experiments.comment"}
    serializer_class = MentionJson
    pagination_class = None
    filter_backends = ()

    @extend_schema(responses={200: MentionJson(many=True)})
    def get(self, request: Request, run: str) -> Response:
        """Everybody who sees the run by a role, by name. `@Ada Lovelace` or `@ada@example.org` tells her."""
        found = self.run()
        require(self.actor, "experiments.comment", found)
        return Response(MentionJson(people_to_mention(self.actor, found), many=True).data)
