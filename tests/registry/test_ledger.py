"""What the log says of logged models is what the tables hold, and a row that was changed behind it is named."""

from pathlib import Path
from typing import Any

import pytest

from audit.ledger.sequencer import Sequencer
from audit.ledger.verify import verify_ledger
from experiments.models import Run
from kernel.actor import Actor
from registry.actions.links import log_outputs, log_run_inputs
from registry.actions.logged_models import (
    create_logged_model,
    delete_logged_model,
    delete_logged_model_tag,
    finalize_logged_model,
    log_logged_model_params,
    set_logged_model_tags,
)
from registry.models import LoggedModel
from tests.ledger.forger import forging, sql


@pytest.fixture
def past(ada: Actor, run: Run, settings: Any, tmp_path: Path) -> LoggedModel:
    """A model with a life behind it, all of it in the log."""
    settings.MLED_DATA = tmp_path
    base = create_logged_model(ada, run.experiment, name="base", tags={"a": "1"})
    model = create_logged_model(ada, run.experiment, name="net", source_run=run, params={"depth": "3"})
    log_run_inputs(ada, run, models=[base])
    log_outputs(ada, run, outputs=[(model, 2**62)])
    log_outputs(ada, run, outputs=[(model, -(2**63))])
    set_logged_model_tags(ada, model, tags={"stage": "draft", "note": "größer\n"})
    set_logged_model_tags(ada, model, tags={"stage": "ready"})
    delete_logged_model_tag(ada, model, key="note")
    log_logged_model_params(ada, model, params={"width": "64"})
    finalize_logged_model(ada, model, status="READY")
    delete_logged_model(ada, base)
    Sequencer().run_until_empty()
    return model


def test_an_untouched_past_is_sound(past: LoggedModel) -> None:
    findings = verify_ledger()
    assert findings.problems == []
    assert findings.is_sound


@pytest.mark.parametrize(
    "forgery",
    [
        "UPDATE registry_loggedmodel SET status = 'FAILED' WHERE name = 'net'",
        "UPDATE registry_loggedmodel SET name = 'other' WHERE name = 'net'",
        "UPDATE registry_loggedmodelparam SET value = '4' WHERE key = 'depth'",
        "DELETE FROM registry_loggedmodelparam WHERE key = 'width'",
        "UPDATE registry_loggedmodeltag SET value = 'draft' WHERE key = 'stage'",
        "UPDATE registry_runmodel SET step = 5 WHERE way = 'output'",
        "DELETE FROM registry_runmodel WHERE way = 'input'",
    ],
)
def test_a_row_changed_in_sql_is_named(past: LoggedModel, forgery: str) -> None:
    with forging():
        assert sql(forgery) == 1
        problem = verify_ledger().problems[0]
        assert problem.kind.startswith("registry.")
        assert problem.id
