"""The API does what its schema says, whatever it is asked."""

import pytest
import schemathesis
from django.conf import settings as settings_of_site
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.validation import validate_schema
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from accounts.actions.members import appoint_member
from accounts.roles import Role
from experiments.actions.batches import log_batch
from experiments.metrics.batch import Batch, MetricPoint
from kernel.actor import operator
from mled_site.wsgi import application
from tests import world
from tests.rest.conftest import token_of

EXAMPLES = 12
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SCHEMA = schemathesis.openapi.from_dict(SchemaGenerator().get_schema(request=None, public=True))
SCHEMA.app = application
OPERATIONS = [result.ok() for result in SCHEMA.get_all_operations()]
KNOWN = {"slug": "vision", "run": "VIS-1", "experiment": "0"}


def test_the_schema_is_valid():
    validate_schema(SCHEMA.raw_schema)


def test_the_schema_in_the_docs_is_the_one_that_is_served():
    """After a change of the API: `make openapi`."""
    written = (settings_of_site.BASE_DIR / "docs" / "openapi.yaml").read_bytes()
    assert written == OpenApiYamlRenderer().render(SCHEMA.raw_schema, renderer_context={})


def manager_s_token():
    """Somebody who may do nearly everything in a project with one run."""
    vision = world.project("vision")
    maker = world.person("maker", Role.ML_ENGINEER, vision)
    appoint_member(operator(), vision, role=Role.PROJECT_MANAGER, user=maker)
    run = world.run(world.at(maker), world.default_experiment(vision))
    log_batch(world.at(maker), run, batch=Batch([MetricPoint("loss", 1.0, 1)], params=[("lr", "0.1")]))
    return token_of(maker)


@pytest.mark.parametrize("operation", OPERATIONS, ids=[operation.label for operation in OPERATIONS])
def test_answers_are_those_of_the_schema(committed_db, operation):
    headers = {"Authorization": f"Bearer {manager_s_token()}"}

    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
        phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(), known=st.sampled_from([True, True, False]))
    def ask(case, known):
        if known:
            case.path_parameters |= {name: KNOWN[name] for name in case.path_parameters if name in KNOWN}
        case.call_and_validate(headers=headers, checks=CHECKS)

    ask()
