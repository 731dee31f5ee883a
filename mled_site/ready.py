"""Whether this web process is alive and can serve, and the log behind it is well: for probes, without signing in."""

import logging

from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from audit.ledger.alarm import troubles

log = logging.getLogger(__name__)


@require_safe
def alive(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers at all: a restart would not bring back a database that is away."""
    return JsonResponse({"alive": True})


@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """200 while pages and calls are served; 503 while the database is away. A log in trouble serves on, and says so."""
    try:
        wrong = sorted({trouble.name.split("-")[0] for trouble in troubles()})
    except DatabaseError as error:
        log.error("Not ready: %s", error)
        return JsonResponse({"ready": False, "log": "unknown"}, status=503)
    return JsonResponse({"ready": True, "log": ", ".join(wrong) or "well"})
