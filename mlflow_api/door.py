"""Where MLflow's calls come in."""

from django.http import HttpRequest, HttpResponse, JsonResponse

_ROOTS = ("/mlflow/", "/api/2.0/mlflow", "/api/3.0/mlflow", "/ajax-api/", "/health", "/version")


def is_ours(path: str) -> bool:
    """Whether a path belongs to the MLflow protocol."""
    return path.startswith(_ROOTS)


def answer(request: HttpRequest) -> HttpResponse:
    """The protocol's answer to a request."""
    return JsonResponse({"error_code": "ENDPOINT_NOT_FOUND", "message": "No such endpoint."}, status=404)
