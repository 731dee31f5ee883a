"""Where the parts of the query bar are: completion, help, and what its forms write. Of one project, or of all."""

from django.urls import URLPattern, path

from experiments.pages import query_suggest

QUERY_URLS: list[URLPattern] = [
    path("p/<slug:slug>/query/suggest/", query_suggest.of_project, name="suggest"),
    path("query/suggest/", query_suggest.of_all, name="suggest_all"),
]
