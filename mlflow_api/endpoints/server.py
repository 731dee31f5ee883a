"""What the server says of itself."""

from typing import Final

from django.http import HttpResponse

from artifacts.storage import blobs
from mlflow_api.calls import Call, Reply

SPOKEN_VERSION: Final = "3.17.2"  # the release of MLflow whose protocol this is


def health(call: Call) -> Reply:
    """It answers."""
    return HttpResponse(b"OK", content_type="text/plain")


def version(call: Call) -> Reply:
    """Clients decide by it what they may ask."""
    return HttpResponse(SPOKEN_VERSION.encode(), content_type="text/plain")


def info(call: Call) -> Reply:
    """Optional ways of transfer: past us where clients reach the object store; else plain PUT and GET cost less."""
    return {
        "multipart_uploads_enabled": blobs().is_direct,
        "multipart_downloads_enabled": blobs().is_direct,
        "artifacts_presigned_only": False,
        "workspaces_enabled": False,
    }


def nothing(call: Call) -> Reply:
    """Stands in the table where a call is refused; the door never comes here."""
    raise AssertionError("a refused route was called")
