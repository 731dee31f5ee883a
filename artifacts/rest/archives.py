"""All files of a dataset version at once."""

from uuid import UUID

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from accounts.rest.given_out import Anything
from artifacts.queries.folders import open_folder
from artifacts.rest.versions import OfVersion
from artifacts.serving import archive_response
from kernel.errors import Conflict


class VersionArchive(OfVersion):
    """A folder with all that lies in it as a zip; without `path`, everything."""

    needs = {"GET": "experiments.download"}
    content_negotiation_class = Anything
    serializer_class = None

    @extend_schema(
        parameters=[OpenApiParameter("path", str, description="The folder.")],
        responses={(200, "application/zip"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, slug: str, dataset: UUID, number: int) -> HttpResponseBase:
        version = self.version()
        if version.root is None:
            raise Conflict("This version lies outside MLED; only its address and digest are kept.")
        folder = open_folder(self.actor, version.root, request.query_params.get("path", ""))
        name = f"{version.dataset.name}-v{version.number}"
        return archive_response(request._request, folder.zip_name(name), folder.zipped())
