"""What waits for whoever asks, in all their projects."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import can
from accounts.rest.door import RestView
from audit.compliance.queries.my_work import answers_to, duties_of, reports_lately
from audit.compliance.queries.purges import CARRIES_OUT, purges_waiting
from audit.compliance.queries.reviews import findings_to_answer, reviews_of_mine
from audit.compliance.rest.keeping import PurgeJson
from audit.compliance.rest.reports import ReportJson
from audit.compliance.rest.reviews import FindingJson, ReviewJson
from registry.queries.waiting import waiting_for
from registry.rest.promotions import PromotionJson

MOST = 100


class DutyJson(serializers.Serializer[Any]):
    project = serializers.CharField(source="project.slug")
    waiting = serializers.IntegerField(help_text="Runs that wait for a verdict.")
    trail_overdue = serializers.BooleanField()
    access_overdue = serializers.BooleanField()


class MyWorkJson(serializers.Serializer[Any]):
    """At most a hundred of each."""

    reviews = ReviewJson(many=True, help_text="Rounds that one was given to decide, what is due first.")
    findings = FindingJson(many=True, help_text="Findings that one has to answer, what is due first.")
    answers = FindingJson(many=True, help_text="Findings that one opened and somebody answered.")
    promotions = PromotionJson(many=True, help_text="Promotions that one may decide about, the oldest first.")
    purges = PurgeJson(many=True, help_text="Purges that wait for one who carries them out.")
    duties = DutyJson(many=True, help_text="Projects that one audits where something waits.")
    reports = ReportJson(many=True, help_text="One's own reports of the last days.")


class MyWork(RestView):
    """One's own list of work."""

    needs = {"GET": "projects.see"}
    serializer_class = MyWorkJson

    @extend_schema(responses={200: MyWorkJson})
    def get(self, request: Request) -> Response:
        """Reviews, findings, promotions and purges that wait for one, and what one asked for."""
        viewer = self.actor
        told = {
            "reviews": reviews_of_mine(viewer)[:MOST],
            "findings": findings_to_answer(viewer)[:MOST],
            "answers": answers_to(viewer)[:MOST],
            "promotions": waiting_for(viewer, limit=MOST),
            "purges": purges_waiting(viewer)[:MOST] if can(viewer, CARRIES_OUT) else [],
            "duties": duties_of(viewer)[:MOST],
            "reports": reports_lately(viewer)[:MOST],
        }
        return Response(MyWorkJson(told).data)
