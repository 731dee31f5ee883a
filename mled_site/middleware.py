"""The first thing that sees a request: gives it an id, and leads machine protocols past what only pages need."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.middleware import request_id_of
from mlflow_api.door import answer, is_ours


def answered(request: HttpRequest) -> HttpResponseBase:
    """The protocol's answer to one of its calls, whose id it says."""
    request.request_id = request_id = request_id_of(request)  # type: ignore[attr-defined]
    response = answer(request)
    response["X-Request-ID"] = request_id
    return response


class MachineDoors:
    """MLflow's calls need no session, CSRF token, message or redirect: they go straight to their door."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if is_ours(request.path_info):
            return answered(request)
        request.request_id = request_id_of(request)  # type: ignore[attr-defined]
        response = self.get_response(request)
        response["X-Request-ID"] = request.request_id  # type: ignore[attr-defined]
        return response
