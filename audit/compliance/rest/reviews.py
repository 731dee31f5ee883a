"""Reviews of runs, findings, samples and trail reviews."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import find_project
from accounts.models import Project
from accounts.rest.door import RestView
from accounts.rest.signatures import ProofWanted, given_proof
from audit.compliance.actions.findings import Flag, answer_finding, ask_again, close_finding, open_finding
from audit.compliance.actions.reviews import (
    amend_run,
    assign_review,
    decide_review,
    start_review,
    submit_run,
    withdraw_drawn,
    withdraw_submission,
)
from audit.compliance.actions.sampling import draw_sample, review_trail
from audit.compliance.models import Draw, Finding, Review, TrailReview
from audit.compliance.queries.reviews import (
    changes_since,
    draws_in,
    findings_of,
    get_finding,
    get_review,
    person_named,
    reviews_in,
    rounds_of,
    runs_asked,
    trail_reviews_in,
)
from experiments.queries.runs import get_run
from kernel.actor import Actor


class ReviewJson(serializers.ModelSerializer[Review]):
    run = serializers.CharField(source="run.uid.hex")
    readable_id = serializers.CharField(source="run.readable_id")
    project = serializers.CharField(source="run.project.slug")
    submitted_by = serializers.CharField(source="submitted_by.name", allow_null=True, default=None)
    assigned_to = serializers.CharField(source="assigned_to.name", allow_null=True, default=None)
    decided_by = serializers.CharField(source="decided_by.name", allow_null=True, default=None)

    class Meta:
        model = Review
        fields = [
            "id", "run", "readable_id", "project", "number", "state", "comment", "submitted_at", "submitted_by",
            "assigned_to", "due", "decided_at", "decided_by", "reason", "effective_at",
        ]  # fmt: skip
        read_only_fields = fields


class FindingJson(serializers.ModelSerializer[Finding]):
    run = serializers.CharField(source="run.uid.hex")
    owner = serializers.CharField(source="owner.name", allow_null=True, default=None)
    opened_by = serializers.CharField(source="opened_by.name", allow_null=True, default=None)

    class Meta:
        model = Finding
        fields = [
            "id", "run", "rule", "kind", "text", "owner", "due", "state", "opened_at", "opened_by", "closed_at",
            "closure",
        ]  # fmt: skip
        read_only_fields = fields


class SubmissionWanted(serializers.Serializer[Any]):
    comment = serializers.CharField(max_length=4000, allow_blank=True, default="")


class WithdrawalWanted(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=4000, allow_blank=True, default="")


class ReasonWanted(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=4000)


class AmendmentWanted(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=4000)
    params = serializers.DictField(child=serializers.CharField(allow_blank=True), required=False)
    tags = serializers.DictField(child=serializers.CharField(allow_blank=True), required=False)
    name = serializers.CharField(required=False)
    note = serializers.CharField(required=False, allow_blank=True)


class FindingWanted(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=Finding.Kind.choices)
    text = serializers.CharField(max_length=4000)
    rule = serializers.CharField(max_length=40, allow_blank=True, default="")
    owner = serializers.EmailField(allow_null=True, default=None, help_text="Null: the run's author.")
    due = serializers.DateField(allow_null=True, default=None)


def flag_of(actor: Actor, project: Project, asked: Mapping[str, Any]) -> Flag:
    """A finding as a call describes it. Raises Invalid for an owner who has no part in the project."""
    owner = person_named(actor, project, asked["owner"], field="owner")
    return Flag(asked["kind"], asked["text"], asked["rule"], owner, asked["due"])


class VerdictWanted(ProofWanted):
    compliant = serializers.BooleanField()
    reason = serializers.CharField(max_length=4000, allow_blank=True, default="")
    findings = FindingWanted(many=True, default=list, help_text="What was found; a flag has one at least.")


class AssignmentWanted(serializers.Serializer[Any]):
    assigned_to = serializers.EmailField(allow_null=True, default=None)
    due = serializers.DateField(allow_null=True, default=None)


class WordsWanted(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=4000)


class SinceVerdictJson(serializers.Serializer[Any]):
    path = serializers.CharField()
    before = serializers.JSONField()
    now = serializers.JSONField()


class ReviewFilter(filters.FilterSet):
    state = filters.MultipleChoiceFilter(choices=Review.State.choices, label="Several: any of them.")
    assigned_to = filters.CharFilter(field_name="assigned_to__email", lookup_expr="iexact", label="An e-mail address.")

    class Meta:
        model = Review
        fields = ["state", "assigned_to"]


class Reviews(ListAPIView[Review], RestView):
    """Rounds of review in a project, newest first."""

    needs = {"GET": "experiments.see"}
    queryset = Review.objects.none()
    cursor_order = ("-submitted_at",)
    serializer_class = ReviewJson
    filterset_class = ReviewFilter

    def get_queryset(self) -> QuerySet[Review]:
        return reviews_in(self.actor, find_project(self.actor, self.kwargs["slug"]))


class RunReviews(RestView):
    """The rounds of one run; submitting it."""

    needs = {"GET": "experiments.see", "POST": "compliance.submit", "DELETE": "compliance.submit"}
    serializer_class = ReviewJson
    queryset = Review.objects.none()
    pagination_class = None

    @extend_schema(responses={200: ReviewJson(many=True)})
    def get(self, request: Request, run: str) -> Response:
        return Response(ReviewJson(rounds_of(self.actor, get_run(self.actor, run)), many=True).data)

    @extend_schema(request=SubmissionWanted, responses={201: ReviewJson})
    def post(self, request: Request, run: str) -> Response:
        """Submit the run for review."""
        found = submit_run(self.actor, get_run(self.actor, run), **self.parsed(SubmissionWanted))
        return Response(ReviewJson(rounds_of(self.actor, found)[0]).data, status=201)

    @extend_schema(request=WithdrawalWanted, responses={200: ReviewJson})
    def delete(self, request: Request, run: str) -> Response:
        """Withdraw it while nobody has decided."""
        return Response(ReviewJson(withdraw_submission(self.actor, get_run(self.actor, run))).data)


class Amendment(RestView):
    """Changing a run that was submitted, with a reason."""

    needs = {"POST": "compliance.submit"}
    serializer_class = AmendmentWanted

    @extend_schema(request=AmendmentWanted, responses={204: None})
    def post(self, request: Request, run: str) -> Response:
        amend_run(self.actor, get_run(self.actor, run), **self.parsed(AmendmentWanted))
        return Response(status=204)


class OneReview(RestView):
    """One round."""

    needs = {"GET": "experiments.see", "PATCH": "compliance.assign", "DELETE": "compliance.assign"}
    serializer_class = ReviewJson

    def get(self, request: Request, review: UUID) -> Response:
        return Response(ReviewJson(get_review(self.actor, review)).data)

    @extend_schema(request=AssignmentWanted, responses={200: ReviewJson})
    def patch(self, request: Request, review: UUID) -> Response:
        """Say who reviews it, until when."""
        found, asked = get_review(self.actor, review), self.parsed(AssignmentWanted)
        who = person_named(self.actor, found.run.project, asked["assigned_to"], field="assigned_to")
        return Response(ReviewJson(assign_review(self.actor, found, assigned_to=who, due=asked["due"])).data)

    @extend_schema(request=ReasonWanted, responses={200: ReviewJson})
    def delete(self, request: Request, review: UUID) -> Response:
        """Take a drawn run out of its sample, with a reason."""
        asked = self.parsed(ReasonWanted)
        return Response(ReviewJson(withdraw_drawn(self.actor, get_review(self.actor, review), **asked)).data)


class Start(RestView):
    """Beginning a review."""

    needs = {"POST": "compliance.decide_review"}
    serializer_class = ReviewJson

    @extend_schema(request=None, responses={200: ReviewJson})
    def post(self, request: Request, review: UUID) -> Response:
        return Response(ReviewJson(start_review(self.actor, get_review(self.actor, review))).data)


class Verdict(RestView):
    """Deciding, with a signature: in person, from a session."""

    needs = {"POST": "compliance.decide_review"}
    serializer_class = ReviewJson

    @extend_schema(request=VerdictWanted, responses={200: ReviewJson})
    def post(self, request: Request, review: UUID) -> Response:
        found, asked = get_review(self.actor, review), self.parsed(VerdictWanted)
        flags = tuple(flag_of(self.actor, found.run.project, one) for one in asked["findings"])
        proof = given_proof(request, self.actor, email=asked["email"], password=asked["password"])
        done = decide_review(
            self.actor, found, compliant=asked["compliant"], reason=asked["reason"], flags=flags, proof=proof
        )
        return Response(ReviewJson(done).data)


class Changes(RestView):
    """What changed in the run since this verdict."""

    needs = {"GET": "experiments.see"}
    serializer_class = SinceVerdictJson
    queryset = Review.objects.none()
    pagination_class = None

    @extend_schema(responses={200: SinceVerdictJson(many=True)})
    def get(self, request: Request, review: UUID) -> Response:
        return Response(SinceVerdictJson(changes_since(self.actor, get_review(self.actor, review)), many=True).data)


class RunFindings(RestView):
    """The findings about a run; opening one."""

    needs = {"GET": "experiments.see", "POST": "compliance.find"}
    serializer_class = FindingJson
    queryset = Finding.objects.none()
    pagination_class = None

    @extend_schema(responses={200: FindingJson(many=True)})
    def get(self, request: Request, run: str) -> Response:
        return Response(FindingJson(findings_of(self.actor, get_run(self.actor, run)), many=True).data)

    @extend_schema(request=FindingWanted, responses={201: FindingJson})
    def post(self, request: Request, run: str) -> Response:
        """Open a finding outside of a review."""
        found, asked = get_run(self.actor, run), self.parsed(FindingWanted)
        open_finding(self.actor, found, flag=flag_of(self.actor, found.project, asked))
        return Response(FindingJson(findings_of(self.actor, found)[0]).data, status=201)


class Answer(RestView):
    """Answering a finding."""

    needs = {"POST": "compliance.answer"}
    serializer_class = FindingJson

    @extend_schema(request=WordsWanted, responses={200: FindingJson})
    def post(self, request: Request, finding: UUID) -> Response:
        found = get_finding(self.actor, finding)
        return Response(FindingJson(answer_finding(self.actor, found, **self.parsed(WordsWanted))).data)


class AskAgain(RestView):
    """Saying that an answer does not do."""

    needs = {"POST": "compliance.find"}
    serializer_class = FindingJson

    @extend_schema(request=WordsWanted, responses={200: FindingJson})
    def post(self, request: Request, finding: UUID) -> Response:
        found = get_finding(self.actor, finding)
        return Response(FindingJson(ask_again(self.actor, found, **self.parsed(WordsWanted))).data)


class Closure(RestView):
    """Closing a finding, with what showed that it was put right."""

    needs = {"POST": "compliance.find"}
    serializer_class = FindingJson

    @extend_schema(request=WordsWanted, responses={200: FindingJson})
    def post(self, request: Request, finding: UUID) -> Response:
        found, asked = get_finding(self.actor, finding), self.parsed(WordsWanted)
        return Response(FindingJson(close_finding(self.actor, found, closure=asked["text"])).data)


class DrawJson(serializers.ModelSerializer[Draw]):
    by = serializers.CharField(source="by.name", allow_null=True, default=None)
    drawn = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = Draw
        fields = ["id", "method", "seed", "question", "population", "population_digest", "drawn", "at", "by"]
        read_only_fields = fields


class DrawWanted(serializers.Serializer[Any]):
    method = serializers.ChoiceField(choices=Draw.Method.choices)
    size = serializers.IntegerField(min_value=1, default=1, help_text="For a random draw.")
    seed = serializers.CharField(max_length=64, allow_blank=True, default="", help_text="For a random draw.")
    question = serializers.CharField(
        max_length=4000, allow_blank=True, default="", help_text="A query of runs; for 'model' the model's name."
    )


class Draws(RestView):
    """The samples that were drawn in a project; drawing one."""

    needs = {"GET": "experiments.see", "POST": "compliance.assign"}
    serializer_class = DrawJson
    queryset = Draw.objects.none()
    pagination_class = None

    @extend_schema(responses={200: DrawJson(many=True)})
    def get(self, request: Request, slug: str) -> Response:
        return Response(DrawJson(draws_in(self.actor, find_project(self.actor, slug)), many=True).data)

    @extend_schema(request=DrawWanted, responses={201: DrawJson})
    def post(self, request: Request, slug: str) -> Response:
        """Put a sample into the queue."""
        project, asked = find_project(self.actor, slug), self.parsed(DrawWanted)
        runs = runs_asked(self.actor, project, asked["method"], asked["question"])
        return Response(DrawJson(draw_sample(self.actor, project, runs=runs, **asked)).data, status=201)


class TrailJson(serializers.ModelSerializer[TrailReview]):
    by = serializers.CharField(source="by.name", allow_null=True, default=None)

    class Meta:
        model = TrailReview
        fields = ["id", "up_to", "note", "at", "by"]
        read_only_fields = fields


class TrailWanted(serializers.Serializer[Any]):
    up_to = serializers.IntegerField(min_value=0, max_value=2**53, help_text="The last place in the log looked at.")
    note = serializers.CharField(max_length=20_000, help_text="What was looked at and found.")


class Trails(RestView):
    """When the project's audit trail was looked through; recording that."""

    needs = {"GET": "experiments.see", "POST": "compliance.review_trail"}
    serializer_class = TrailJson
    queryset = TrailReview.objects.none()
    pagination_class = None

    @extend_schema(responses={200: TrailJson(many=True)})
    def get(self, request: Request, slug: str) -> Response:
        return Response(TrailJson(trail_reviews_in(self.actor, find_project(self.actor, slug)), many=True).data)

    @extend_schema(request=TrailWanted, responses={201: TrailJson})
    def post(self, request: Request, slug: str) -> Response:
        """Record it, up to a place in the log."""
        made = review_trail(self.actor, find_project(self.actor, slug), **self.parsed(TrailWanted))
        return Response(TrailJson(made).data, status=201)
