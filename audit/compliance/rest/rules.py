"""What the rules say of a run, and what people say of the rules."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import find_project, require
from accounts.models import Project
from accounts.rest.door import RestView
from audit.compliance.actions.assessments import assess_run, judgement_of
from audit.compliance.actions.exceptions import (
    cosign_waiver,
    end_waiver,
    remove_not_applicable,
    set_not_applicable,
    waive_rule,
)
from audit.compliance.actions.profiles import change_copy, choose_profile, choose_retention
from audit.compliance.models import Assessment, Waiver
from audit.compliance.profile import profile_of, profiles
from audit.compliance.queries.assessments import assessment_of, copy_of, get_waiver, waivers_in_force
from audit.compliance.retention import CLASSES
from audit.compliance.rules.engine import Outcome, Severity
from experiments.queries.runs import get_run
from kernel.errors import NotFound

PROFILES = list(profiles())
OUTCOMES = [one.value for one in Outcome]
SEVERITIES = [one.value for one in Severity]


class ResultJson(serializers.Serializer[Any]):
    rule = serializers.CharField()
    severity = serializers.ChoiceField(
        choices=SEVERITIES, help_text="B blocks approval, M fix or waive, I information."
    )
    outcome = serializers.ChoiceField(choices=OUTCOMES)
    words = serializers.CharField()
    fix = serializers.CharField(required=False, help_text="What to do about it.")
    code = serializers.CharField(required=False, help_text="The line that would have recorded it.")
    proof = serializers.CharField(required=False, help_text="Path of the page that shows the evidence.")
    by = serializers.CharField(required=False, help_text="Who waived it, or said that it does not apply.")
    until = serializers.CharField(required=False, help_text="The last day of the waiver.")


class AssessmentJson(serializers.ModelSerializer[Assessment]):
    results = ResultJson(many=True)

    class Meta:
        model = Assessment
        fields = ["id", "profile", "profile_version", "profile_digest", "digest", "log_size", "at", "results"]
        read_only_fields = fields


class ExceptionWanted(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=4000)


class WaiverWanted(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=4000)
    until = serializers.DateField()


class WaiverJson(serializers.ModelSerializer[Waiver]):
    by = serializers.CharField(source="by.name", allow_null=True, default=None)
    cosigned_by = serializers.CharField(source="cosigned_by.name", allow_null=True, default=None)

    class Meta:
        model = Waiver
        fields = ["id", "rule", "reason", "until", "by", "at", "cosigned_by", "cosigned_at", "ended_at"]
        read_only_fields = fields


class RunAssessment(RestView):
    """What the rules say of a run."""

    needs = {"GET": "experiments.see", "POST": "compliance.assess"}
    serializer_class = AssessmentJson

    def get(self, request: Request, run: str) -> Response:
        found = assessment_of(self.actor, get_run(self.actor, run))
        if found is None:
            raise NotFound("The rules were not asked about this run yet.", hint="POST here to ask them.")
        return Response(AssessmentJson(found).data)

    @extend_schema(request=None, responses={200: AssessmentJson})
    def post(self, request: Request, run: str) -> Response:
        """Ask the rules now."""
        found = get_run(self.actor, run)
        require(self.actor, "compliance.assess", found)
        return Response(AssessmentJson(assess_run(self.actor, found, judgement=judgement_of(found))).data)


class RuleException(RestView):
    """That a rule does not apply to a run."""

    needs = {"PUT": "compliance.except_rule", "DELETE": "compliance.except_rule"}
    serializer_class = ExceptionWanted

    @extend_schema(request=ExceptionWanted, responses={204: None})
    def put(self, request: Request, run: str, rule: str) -> Response:
        """Say so, and why."""
        set_not_applicable(self.actor, get_run(self.actor, run), rule=rule, **self.parsed(ExceptionWanted))
        return Response(status=204)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, run: str, rule: str) -> Response:
        """Take it back."""
        remove_not_applicable(self.actor, get_run(self.actor, run), rule=rule)
        return Response(status=204)


class Waivers(RestView):
    """The waivers of a run that nobody ended."""

    needs = {"GET": "experiments.see"}
    serializer_class = WaiverJson
    queryset = Waiver.objects.none()
    pagination_class = None

    @extend_schema(responses={200: WaiverJson(many=True)})
    def get(self, request: Request, run: str) -> Response:
        return Response(WaiverJson(waivers_in_force(self.actor, get_run(self.actor, run)), many=True).data)


class OneWaiver(RestView):
    """That a rule may stay unmet for a while."""

    needs = {"PUT": "compliance.waive", "POST": "compliance.cosign_waiver", "DELETE": "compliance.waive"}
    serializer_class = WaiverJson

    @extend_schema(request=WaiverWanted, responses={201: WaiverJson})
    def put(self, request: Request, run: str, rule: str) -> Response:
        """Waive the rule until a day."""
        made = waive_rule(self.actor, get_run(self.actor, run), rule=rule, **self.parsed(WaiverWanted))
        return Response(WaiverJson(made).data, status=201)

    @extend_schema(request=None, responses={200: WaiverJson})
    def post(self, request: Request, run: str, rule: str) -> Response:
        """Sign it along, as an auditor."""
        found = get_waiver(self.actor, get_run(self.actor, run), rule)
        return Response(WaiverJson(cosign_waiver(self.actor, found)).data)

    @extend_schema(responses={200: WaiverJson})
    def delete(self, request: Request, run: str, rule: str) -> Response:
        """End it before its day."""
        return Response(WaiverJson(end_waiver(self.actor, get_waiver(self.actor, get_run(self.actor, run), rule))).data)


@extend_schema_field(
    {
        "oneOf": [
            {"type": "number", "minimum": 0},
            *(
                {"type": "object", "required": [kind], "properties": {kind: {"type": "number", "minimum": 0}}}
                for kind in ("absolute", "relative", "seeds")
            ),
        ]
    }
)
class ToleranceJson(serializers.JSONField):
    """A number; {"relative": 0.01} for a part of the value; {"seeds": 2} for standard deviations over seeds."""


class CopyJson(serializers.Serializer[Any]):
    version = serializers.IntegerField(min_value=0, help_text="The one that you saw; 0 before the first.")
    required_params = serializers.ListField(child=serializers.CharField(), default=list)
    required_tags = serializers.ListField(child=serializers.CharField(), default=list)
    required_metrics = serializers.ListField(child=serializers.CharField(), default=list)
    tolerances = serializers.DictField(
        child=ToleranceJson(),
        default=dict,
        help_text="By metric how far off a run done again may be: 0.002, {'relative': 0.01} or {'seeds': 2}.",
    )


class RulesJson(serializers.Serializer[Any]):
    profile = serializers.ChoiceField(choices=PROFILES)
    profile_version = serializers.CharField(read_only=True)
    profile_digest = serializers.CharField(read_only=True)
    retention_class = serializers.ChoiceField(choices=["", *CLASSES])
    rules = serializers.DictField(child=serializers.CharField(), read_only=True)
    own = CopyJson(allow_null=True, read_only=True)


class RulesWanted(serializers.Serializer[Any]):
    profile = serializers.ChoiceField(choices=PROFILES, required=False)
    retention_class = serializers.ChoiceField(choices=list(CLASSES), required=False)
    reason = serializers.CharField(required=False, default="", max_length=1000, allow_blank=True)


class ProjectRules(RestView):
    """Which rules a project follows."""

    needs = {"GET": "experiments.see", "PATCH": "compliance.set_profile", "PUT": "compliance.set_profile"}
    serializer_class = RulesJson

    def get(self, request: Request, slug: str) -> Response:
        project = find_project(self.actor, slug)
        require(self.actor, "experiments.see", project)
        return self._told(project)

    @extend_schema(request=RulesWanted, responses={200: RulesJson})
    def patch(self, request: Request, slug: str) -> Response:
        """Choose the profile, or a longer retention."""
        project, asked = find_project(self.actor, slug), self.parsed(RulesWanted)
        if "profile" in asked:
            project = choose_profile(self.actor, project, profile=asked["profile"], reason=asked["reason"])
        if "retention_class" in asked:
            project = choose_retention(self.actor, project, retention_class=asked["retention_class"])
        return self._told(project)

    @extend_schema(request=CopyJson, responses={200: RulesJson})
    def put(self, request: Request, slug: str) -> Response:
        """Set what every run of the project has to have besides."""
        project = find_project(self.actor, slug)
        change_copy(self.actor, project, **self.parsed(CopyJson))
        return self._told(project)

    def _told(self, project: Project) -> Response:
        profile, copy = profile_of(project.profile), copy_of(self.actor, project)
        told = {
            "profile": profile.name,
            "profile_version": profile.version,
            "profile_digest": profile.digest,
            "retention_class": project.retention_class,
            "rules": {key: severity.value for key, severity in profile.rules.items()},
            "own": copy,
        }
        return Response(RulesJson(told).data)
