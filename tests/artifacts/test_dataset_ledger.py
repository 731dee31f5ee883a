"""What the log says of datasets is what the tables hold, and a row that was changed behind it is named."""

import pytest

from artifacts.actions.aliases import remove_dataset_alias, set_dataset_alias
from artifacts.actions.datasets import edit_dataset
from artifacts.actions.recall import reinstate_version, withdraw_version
from artifacts.actions.records import write_record
from artifacts.actions.versions import add_external_version
from audit.ledger.sequencer import Sequencer
from audit.ledger.verify import verify_ledger
from experiments.actions.inputs import DatasetInput, log_inputs
from tests.factories import a_dataset, a_run, a_team, a_version
from tests.ledger.forger import forging, sql


@pytest.fixture
def past(db, settings, tmp_path):
    """A dataset with a life behind it, all of it in the log."""
    settings.MLED_DATA = tmp_path
    team = a_team()
    churn = a_dataset(team.scientist, name="churn", description="größer\n")
    edit_dataset(team.engineer, churn, description="Who left.")
    first = a_version(team.scientist, churn, files={"a.csv": b"1", "b/ü.csv": b"2"}, record={"licence": "MIT"})
    second = a_version(team.scientist, churn, files={"a.csv": b"2"})
    add_external_version(team.scientist, churn, digest="d", source="s3://lake/x", source_type="s3")
    for version in (first, second):
        set_dataset_alias(team.scientist, churn, name="current", version=version)
    set_dataset_alias(team.scientist, churn, name="old", version=first)
    remove_dataset_alias(team.scientist, churn, name="old")
    write_record(team.engineer, second, fields={"purpose": "Test.", "personal_data": "special"})
    run = a_run(team.scientist)
    log_inputs(team.scientist, run, inputs=[DatasetInput("churn", first.digest[:36]), DatasetInput("lake", "d1")])
    withdraw_version(team.engineer, first, reason="wrong labels")
    withdraw_version(team.manager, second, reason="wrong too")
    reinstate_version(team.engineer, second, reason="not so")
    Sequencer().run_until_empty()
    return first


def test_an_untouched_past_is_sound(past):
    findings = verify_ledger()
    assert findings.problems == []
    assert findings.is_sound


@pytest.mark.parametrize(
    ("statement", "kind", "field"),
    [
        ("UPDATE artifacts_dataset SET description = 'sly'", "artifacts.dataset", "description"),
        ("UPDATE artifacts_datasetversion SET digest = 'sly' WHERE number = 3", "artifacts.datasetversion", "digest"),
        (
            "UPDATE artifacts_datasetversion SET file_count = 9 WHERE number = 1",
            "artifacts.datasetversion",
            "file_count",
        ),
        ("UPDATE artifacts_versionrecord SET state = 'active'", "artifacts.versionrecord", "state"),
        ("UPDATE artifacts_versionrecord SET licence = 'sly'", "artifacts.versionrecord", "licence"),
        ("DELETE FROM artifacts_datasetalias", "artifacts.datasetalias", ""),
        ("UPDATE artifacts_artifactfile SET path = 'sly' WHERE path = 'b/ü.csv'", "artifacts.artifactfile", ""),
    ],
)
def test_what_was_changed_by_hand_is_named(past, statement, kind, field):
    with forging():
        sql(statement)
        problems = verify_ledger().problems
    found = {(problem.kind, problem.field if field else "") for problem in problems}
    assert (kind, field) in found
