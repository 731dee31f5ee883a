"""The table of routes is also the documentation."""

import inspect
from pathlib import Path

import pytest

from mlflow_api.coverage import page
from mlflow_api.routes import ROUTES, Needs, Route
from tests.mlflow_api.speaking import SERVED, name_of

ROOT = Path(__file__).parents[2]


def test_the_page_in_the_documentation_is_that_of_the_table() -> None:
    written = (ROOT / "docs" / "mlflow-coverage.md").read_text()
    assert written == page(), "run: python manage.py mlflow_coverage > docs/mlflow-coverage.md"


@pytest.mark.parametrize("route", SERVED, ids=name_of)
def test_every_route_says_what_a_caller_needs(route: Route) -> None:
    assert isinstance(route.needs, Needs)
    takes = inspect.signature(route.handler).parameters
    assert list(takes) == (["call"] if route.asks is None else ["call", "asked"])


def test_reading_is_what_gets_and_searches_do() -> None:
    reading = {route.path for route in SERVED if route.needs is Needs.READ}
    assert {route.path for route in SERVED if route.method == "GET" and route.needs is Needs.LOG} == set()
    assert {route.path for route in ROUTES if route.path.endswith("/search") and not route.is_refused} <= reading


def test_every_call_of_the_reference_client_is_in_the_table() -> None:
    from mlflow.protos import databricks_pb2, mlflow_artifacts_pb2, model_registry_pb2, service_pb2

    known = {(route.method, _without_names(route.path)) for route in ROUTES}
    for module in (service_pb2, model_registry_pb2, mlflow_artifacts_pb2):
        for service in module.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                for endpoint in method.GetOptions().Extensions[databricks_pb2.rpc].endpoints:
                    path = f"{endpoint.since.major}.0/{endpoint.path.lstrip('/')}"
                    assert (endpoint.method, _without_names(path)) in known, path


def _without_names(path: str) -> str:
    return "/".join("*" if part[:1] in ("{", "<") else part for part in path.split("/"))
