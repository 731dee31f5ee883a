"""That somebody verified a bundle outside of MLED."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest.door import RestView
from audit.compliance.actions.bundles import CODES, record_verification
from experiments.queries.runs import get_run


class VerificationWanted(serializers.Serializer[Any]):
    exit_code = serializers.ChoiceField(
        choices=CODES, help_text="Of the verifier: 0 verified, 1 something was changed, 2 unreadable."
    )
    sha256 = serializers.CharField(max_length=64, help_text="Of the bundle.")
    note = serializers.CharField(required=False, default="", allow_blank=True, max_length=4000, help_text="Who, where.")


class RunVerifications(RestView):
    """What the offline verifier said of bundles that hold a run."""

    needs = {"POST": "compliance.verified"}
    serializer_class = VerificationWanted

    @extend_schema(request=VerificationWanted, responses={204: None})
    def post(self, request: Request, run: str) -> Response:
        """Record the outcome. It is kept who says so."""
        record_verification(self.actor, get_run(self.actor, run), **self.parsed(VerificationWanted))
        return Response(status=204)
