"""Calls of machines that log, past what Django does around each request.

A script logs by the thousand, and of what such a call costs a tenth was Django's frame: signals whose receivers have
nothing to do, the loading of URLs that nothing here looks up, a chain of middleware of which the first answers. What
that frame is for is kept: connections that are broken or have to go back to their pool, the script's prefix, and the
log of refusals. (docs/adr/0050)
"""

from collections.abc import Callable, Iterable
from typing import Any, cast

from django.core.handlers.wsgi import WSGIRequest, get_script_name
from django.urls import set_script_prefix
from django.utils.log import log_response

from mled_site.kept_connections import call_is_over
from mled_site.middleware import answered
from mlflow_api.door import is_ours

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class MachineCalls:
    """A WSGI application: the protocol's calls, and whatever else goes to Django."""

    def __init__(self, pages: Wsgi) -> None:
        self.pages = pages

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not is_ours(environ.get("PATH_INFO", "")):
            return self.pages(environ, start_response)
        try:
            request = WSGIRequest(environ)
        except UnicodeDecodeError:  # in the path
            return self.pages(environ, start_response)
        set_script_prefix(get_script_name(environ))
        response: Any = answered(request)
        if response.status_code >= 400:
            log_response("%s: %s", response.reason_phrase, request.path, response=response, request=request)
        start_response(f"{response.status_code} {response.reason_phrase}", list(response.items()))
        if response.streaming:  # it reads on, and frees what it holds when the server closes it
            return cast("Iterable[bytes]", response)
        call_is_over()
        return [response.content]
