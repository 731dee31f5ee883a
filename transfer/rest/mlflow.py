"""Imports from MLflow: from an uploaded database with its artifacts, or from a server that the operator allows."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import find_project, require
from accounts.rest.door import RestView
from artifacts.queries.uploads import finished_blobs
from kernel.errors import Invalid
from transfer.actions.transfers import begin
from transfer.mlflow.asking import EXPERIMENTS_MAX, asked_of_files, asked_of_server
from transfer.models import Transfer
from transfer.rest.transfers import TransferJson


class MlflowWanted(serializers.Serializer[Any]):
    upload = serializers.CharField(
        max_length=60, default="", allow_blank=True, help_text="A finished upload to this project: mlflow.db."
    )
    artifacts_upload = serializers.CharField(
        max_length=60, default="", allow_blank=True, help_text="Another one: a ZIP or TAR of the artifacts' folder."
    )
    server = serializers.CharField(
        max_length=2000, default="", allow_blank=True, help_text="Instead: the address of an allowed server."
    )
    name = serializers.CharField(max_length=200, default="mlflow.db", help_text="Of the database file, for people.")
    experiments = serializers.ListField(
        child=serializers.CharField(max_length=500),
        default=list,
        max_length=EXPERIMENTS_MAX,
        help_text="Names or ids; empty for all, and the registered models.",
    )
    with_files = serializers.BooleanField(default=True, help_text="With the files of runs and models.")


class MlflowImports(RestView):
    """Imports from MLflow into a project."""

    needs = {"POST": "transfer.bring_in"}
    serializer_class = TransferJson

    @extend_schema(request=MlflowWanted, responses={201: TransferJson})
    def post(self, request: Request, slug: str) -> Response:
        """Begin one; it is read in the background, goes on where it was stopped, and is compared at the end."""
        project, wanted = find_project(self.actor, slug), self.parsed(MlflowWanted)
        require(self.actor, "transfer.bring_in", project)
        how = {"experiments": wanted["experiments"], "with_files": wanted["with_files"]}
        if bool(wanted["server"]) == bool(wanted["upload"]):
            raise Invalid("Name an upload or a server.", hint="One of the two.", field="upload")
        if wanted["server"]:
            asked = asked_of_server(wanted["server"], **how)
        else:
            ids = [one for one in (wanted["upload"], wanted["artifacts_upload"]) if one]
            found = finished_blobs(self.actor, project, ids)
            asked = asked_of_files(list(zip((wanted["name"], "artifacts"), found, strict=False)), **how)
        made = begin(
            self.actor,
            project,
            kind=Transfer.Kind.MLFLOW,
            source=asked.source,
            options=asked.options,
            blob=asked.blob,
            artifacts=asked.artifacts,
        )
        return Response(TransferJson(made).data, status=201)
