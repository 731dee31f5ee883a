"""One row changed by hand in SQL is named by verify_ledger: every recorded column of every kind of record, and points.

Also by a forger who recomputes whatever hash the database holds: only the signing key could make the heads anew.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import Any

import numpy as np
import pytest
from django.db import IntegrityError, connection, models, transaction

from accounts.models import Membership
from audit.ledger import keys
from audit.ledger.evidence import Problem, kinds
from audit.ledger.tracking import Tracked, tracked_models
from audit.ledger.verify import verify_ledger
from experiments.metrics.seal import seal_of
from experiments.models import MetricSegment, Run
from kernel.digests import canonical_json, commitment
from tests.factories import Everything
from tests.ledger import forger


def named(kind: str, row_id: str, field: str = "") -> bool:
    """Whether the verifier names this record (and column)."""
    problems = verify_ledger(limit=50).problems
    return any(one.kind == kind and one.id == row_id and field in ("", one.field) for one in problems)


# --- Every column


def another(field: models.Field, value: Any) -> Any:
    """Another value that this column can hold."""
    choices = [choice for choice, _ in field.flatchoices if choice not in (value, "")]
    if choices:
        return choices[0]
    match field:
        case models.BooleanField():
            return not value
        case models.DateTimeField():
            return (value or dt.datetime(2026, 1, 1, tzinfo=dt.UTC)) + dt.timedelta(microseconds=1)
        case models.DateField():
            return dt.date(2030, 1, 1)
        case models.JSONField():
            return ["forged"]
        case models.UUIDField():
            return uuid.uuid4()
        case models.IntegerField() | models.FloatField() | models.AutoField():
            return (value or 0) + 1
        case models.ForeignKey():
            return another(field.target_field, value)
        case _:
            return f"{value or ''}x"[-(field.max_length or 1000) :]


def forge(row: models.Model, field: models.Field) -> bool:
    """Change one column of one row in SQL; False where the database itself refuses."""
    value = field.get_db_prep_save(another(field, getattr(row, field.attname)), connection)
    table, key = row._meta.db_table, row._meta.pk
    where = key.get_db_prep_value(row.pk, connection)
    try:
        with transaction.atomic():
            changed = forger.sql(f'UPDATE "{table}" SET "{field.column}" = %s WHERE "{key.column}" = %s', value, where)
    except IntegrityError:
        return False
    assert changed == 1, f"{table}.{field.column}"
    return True


# What the ledger calls the row by: with another one, the row that it knows is missing.
IDS = {"Run.uid", "LoggedModel.model_id"}


def recorded_columns(model: type[Tracked]) -> list[models.Field]:
    return [one for one in model._meta.concrete_fields if one.attname not in model.quiet_fields and not one.primary_key]


def test_every_recorded_column_of_every_tracked_table_is_watched(full):
    """One column of every table at a time: the check of the whole log is what takes long."""
    rows = {model: model.objects.order_by("pk").last() for model in tracked_models()}
    assert [model.__name__ for model, row in rows.items() if row is None] == [], "There is no row to forge."
    columns = {model: recorded_columns(model) for model in rows}
    missed, checked = [], 0
    for turn in range(max(map(len, columns.values()))):
        with forger.forging():
            here = [(rows[model], fields[turn]) for model, fields in columns.items() if turn < len(fields)]
            checked += len(here)
            forged = [(row, field) for row, field in here if forge(row, field)]
            problems = {(one.kind, one.id, one.field) for one in verify_ledger(limit=1000).problems}
        missed += [f"{type(row).__name__}.{field.name}" for row, field in forged if not told(problems, row, field)]
    assert missed == []
    assert checked > 80


def told(problems: set[tuple[str, str, str]], row: Tracked, field: models.Field) -> bool:
    """Whether this very column of this row is among the problems."""
    record = row._meta.label_lower, row.ledger_id
    if f"{type(row).__name__}.{field.name}" in IDS:
        return record in {(kind, id_) for kind, id_, _ in problems}
    return (*record, field.attname) in problems


EVIDENCE = [
    # table, column, kind of record; whose id the record has
    ("experiments_param", "value", "experiments.param", "run"),
    ("experiments_param", "key", "experiments.param", "run"),
    ("experiments_runtag", "value", "experiments.runtag", "run"),
    ("experiments_experimenttag", "value", "experiments.experimenttag", "experiment"),
    ("experiments_runinput", "context", "experiments.runinput", "run"),
    ("artifacts_artifactfile", "path", "artifacts.artifactfile", "files"),
    ("artifacts_datasetversion", "digest", "artifacts.datasetversion", ""),
    ("artifacts_datasetversion", "source", "artifacts.datasetversion", ""),
    ("registry_loggedmodelparam", "value", "registry.loggedmodelparam", "model"),
    ("registry_loggedmodeltag", "value", "registry.loggedmodeltag", "model"),
    ("registry_registeredmodeltag", "value", "registry.registeredmodeltag", ""),
    ("registry_modelversiontag", "value", "registry.modelversiontag", ""),
    ("accounts_signature", "record", "accounts.signature", ""),
    ("compliance_reportfile", "name", "compliance.reportfile", ""),
    ("transfer_transferfile", "name", "transfer.transferfile", ""),
]


@pytest.mark.parametrize(("table", "column", "kind", "whose"), EVIDENCE, ids=lambda value: str(value))
def test_a_row_of_evidence_that_was_changed_is_named(full, table, column, kind, whose):
    ids = {
        "run": full.run.uid.hex,
        "experiment": str(full.experiment.pk),
        "files": f"run:{full.run.uid.hex}",
        "model": full.model.model_id,
    }
    with forger.forging():
        assert forger.sql(f"UPDATE {table} SET {column} = 'forged' WHERE {column} LIKE '%%leaf%%' OR {column} = 'd1'")
        problems = verify_ledger().problems
    assert any(one.kind == kind and one.id == ids.get(whose, one.id) for one in problems), problems


def test_an_assessment_that_was_changed_is_named(full):
    with forger.forging():
        assert forger.sql("UPDATE compliance_assessment SET profile = 'forged'")
        problems = verify_ledger().problems
    assert any(one.kind == "compliance.assessment" and one.field == "profile" for one in problems), problems


def test_an_archive_of_points_that_was_changed_is_named(full):
    with forger.forging():
        assert forger.sql("UPDATE experiments_metricarchive SET points = points + 1")
        problems = verify_ledger().problems
    assert any(one.kind == "experiments.metricarchive" and one.field == "points" for one in problems), problems


def test_every_kind_of_evidence_is_among_them():
    tracked = {model._meta.label_lower for model in tracked_models()}
    assert set(kinds()) - tracked <= {kind for _, _, kind, _ in EVIDENCE} | {
        "registry.runmodel",
        "compliance.assessment",
        "experiments.metricarchive",
    }


@pytest.mark.parametrize(
    "table", ["experiments_param", "experiments_runtag", "experiments_runinput", "registry_runmodel"]
)
def test_a_row_that_was_deleted_is_missed(full, table):
    with forger.forging():
        assert forger.sql(f"DELETE FROM {table}")
        assert not verify_ledger().is_sound


def test_a_row_that_was_slipped_in_is_noticed(full):
    with forger.forging():
        forger.sql(
            "INSERT INTO experiments_param (run_id, experiment_id, key, value) VALUES (%s, %s, 'seed', '42')",
            full.run.pk,
            full.experiment.pk,
        )
        assert named("experiments.param", full.run.uid.hex, "seed")


def test_a_role_that_somebody_gave_themselves_is_named(full):
    membership = Membership.objects.filter(project=full.project, role="auditor").get()
    with forger.forging():
        forger.sql("UPDATE accounts_membership SET role = 'project_manager' WHERE id = %s", membership.pk)
        (problem,) = verify_ledger().problems
    assert (problem.kind, problem.id, problem.field) == ("accounts.membership", str(membership.pk), "role")
    assert (problem.expected, problem.found) == ("auditor", "project_manager")


def test_a_status_that_was_turned_is_named(full):
    with forger.forging():
        forger.sql("UPDATE experiments_run SET status = 'FAILED' WHERE id = %s", full.run.pk)
        (problem,) = verify_ledger().problems
    assert (problem.id, problem.field, problem.expected, problem.found) == (
        full.run.uid.hex,
        "status",
        "FINISHED",
        "FAILED",
    )


# --- Points of a sealed run


def forge_points(run: Run, column: str) -> None:
    """Change the first number in a packed column of the run's first segment."""
    segment = MetricSegment.objects.filter(series__run=run).order_by("pk").first()
    assert segment is not None
    kind = "<f8" if column == "values" else "<i8"
    numbers = np.frombuffer(bytes(getattr(segment, column)), kind).copy()
    numbers[0] += 1
    forger.sql(f'UPDATE experiments_metricsegment SET "{column}" = %s WHERE id = %s', numbers.tobytes(), segment.pk)


@pytest.mark.parametrize("column", ["values", "steps", "times"])
def test_a_point_of_a_sealed_run_that_was_changed_is_noticed(full, column):
    with forger.forging():
        forge_points(full.run, column)
        assert named("experiments.run", full.run.uid.hex, "seal")


def test_a_point_that_was_taken_away_is_noticed(full):
    with forger.forging():
        assert forger.sql("DELETE FROM experiments_metricsegment")
        assert named("experiments.run", full.run.uid.hex, "seal")


def test_a_seal_that_was_made_anew_for_other_points_is_not_the_one_on_record(full):
    with forger.forging():
        forge_points(full.run, "values")
        forger.sql("UPDATE experiments_run SET seal = %s WHERE id = %s", seal_of(full.run), full.run.pk)
        problems = verify_ledger().problems
    (problem,) = [one for one in problems if one.field == "seal"]
    assert (problem.kind, problem.id) == ("experiments.run", full.run.uid.hex)
    assert problem.expected == Run.objects.get(pk=full.run.pk).seal


# --- A forger who also recomputes what is stored


def rewrite_event_of_param(run: Run, value: str) -> None:
    """Make the event say what the forged row says: its payload, and the commitment to it."""
    for event_id, salt, body in forger.rows("SELECT event_id, salt, body FROM ledger_auditpayload"):
        if '"leaf-param"' in body and '"experiments.param"' in body:
            told = json.loads(body)
            for change in told["changes"]:
                if change["type"] == "experiments.param":
                    change["fields"]["leaf-param"][1] = value
            new = canonical_json(told)
            forger.sql("UPDATE ledger_auditpayload SET body = %s WHERE event_id = %s", new.decode(), event_id)
            forger.sql(
                "UPDATE ledger_auditevent SET commitment = %s WHERE id = %s", commitment(bytes(salt), new), event_id
            )
            return
    raise AssertionError(f"No event set the param of run {run.name}.")


def forge_param_with_its_event(full: Everything) -> None:
    forger.sql("UPDATE experiments_param SET value = 'forged' WHERE key = 'leaf-param'")
    rewrite_event_of_param(full.run, "forged")


def words(problems: list[Problem]) -> str:
    return "\n".join(f"{one.kind} {one.id} {one.what}" for one in problems)


def test_an_event_that_was_rewritten_to_fit_is_not_the_one_in_the_log(full):
    with forger.forging():
        forge_param_with_its_event(full)
        assert "is not the one that was put into the log" in words(verify_ledger().problems)


def test_recomputed_leaves_and_roots_do_not_fit_what_was_signed(full):
    with forger.forging():
        forge_param_with_its_event(full)
        forger.recompute_hashes()
        findings = verify_ledger()
    assert not findings.is_sound
    assert any(one.kind == "ledger.checkpoint" for one in findings.problems), words(findings.problems)


def test_heads_signed_anew_with_another_key_are_not_trusted(full):
    with forger.forging():
        forge_param_with_its_event(full)
        forger.recompute_hashes(sign_with=keys.new_key(keys.signing_key().origin))
        findings = verify_ledger()
    assert any(one.kind == "ledger.checkpoint" for one in findings.problems), words(findings.problems)
