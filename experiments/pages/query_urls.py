"""Where the parts of the query bar are: completion, help, and what its forms write. Of one project, or of all."""

from django.urls import URLPattern, path

from experiments.pages import query_form, query_help, query_suggest

QUERY_URLS: list[URLPattern] = [
    path("p/<slug:slug>/query/suggest/", query_suggest.of_project, name="suggest"),
    path("query/suggest/", query_suggest.of_all, name="suggest_all"),
    path("p/<slug:slug>/query/help/", query_help.of_project, name="query_help"),
    path("query/help/", query_help.of_all, name="query_help_all"),
    path("query/write/", query_form.write, name="query_write"),
    path("query/", query_help.language, name="query_language"),
]
