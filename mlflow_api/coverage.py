"""How far MLED serves MLflow's protocol, as a page: the table of routes in words."""

from collections.abc import Iterator

from mlflow_api.endpoints.server import SPOKEN_VERSION
from mlflow_api.refused import FAMILIES
from mlflow_api.routes import ROUTES, Coverage, Route

_INTRODUCTION = f"""\
# Coverage of MLflow's protocol

This page is made from the table of routes (`mlflow_api/routes.py`); `python manage.py mlflow_coverage` prints it.
The protocol is that of MLflow {SPOKEN_VERSION}. Every path lies below the tracking URI, which is `https://host/mlflow/<project>`,
or `https://host` where the token has a default project. Paths below `/api/` are also served below `/ajax-api/`.

## Served
"""
_REFUSED = """\

## Not served

Each of these answers `501 NOT_IMPLEMENTED` and names itself. Clients that only try them fall back.
"""


def page() -> str:
    """The whole page, as Markdown."""
    return "\n".join([_INTRODUCTION, *_served(), _REFUSED, *_not_served()]) + "\n"


def summary() -> str:
    """In one line: 'of MLflow 3.17.2: 97 calls served, 12 refused by name'."""
    served = sum(not route.is_refused for route in ROUTES)
    refused = sum(len(family.calls) for family in FAMILIES)
    return f"of MLflow {SPOKEN_VERSION}: {served} calls served, {refused} refused by name"


def _served() -> Iterator[str]:
    yield "| call | path | needs | coverage |"
    yield "| --- | --- | --- | --- |"
    for route in ROUTES:
        if not route.is_refused:
            yield f"| {route.method} | `{_shown(route.path)}` | {route.needs.value} | {_coverage(route)} |"


def _not_served() -> Iterator[str]:
    for family in FAMILIES:
        yield f"\n### {family.title}\n\n{family.why[0].upper()}{family.why[1:]}\n"
        for method, path in family.calls:
            yield f"- {method} `{_shown(path)}`"


def _coverage(route: Route) -> str:
    return route.coverage.value if route.coverage is Coverage.FULL else f"{route.coverage.value}: {route.note}"


def _shown(path: str) -> str:
    whole = path if path.startswith("/") else f"/api/{path}"
    return whole.replace(":any}", "}")
