"""A thousand things that the owner of the database can do past MLED, without the signing key: each is found, and the
first record that does not fit is named. A full run does them all, every other one a seeded few."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction

from accounts.roles import Role
from audit.compliance.actions.assessments import assess_run
from audit.compliance.actions.findings import Flag, open_finding
from audit.compliance.actions.reviews import submit_run
from audit.ledger import keys, sequencer
from audit.ledger.evidence import Problem
from audit.ledger.models import AuditEvent, AuditPayload, Checkpoint, Leaf
from audit.ledger.sequencer import Sequencer
from audit.ledger.tracking import Evidence, Tracked, tracked_models
from audit.ledger.verify import verify_ledger
from experiments.actions.batches import log_batch
from experiments.actions.runs import set_tags, update_run
from experiments.values import RunStatus
from kernel.digests import canonical_json, commitment
from tests.crash.test_tampering import another, recorded_columns
from tests.factories import Everything, a_batch, a_person, a_run, acting_as
from tests.ledger import forger
from tests.services.scale import sized

pytestmark = pytest.mark.slow

COUNT = sized(40, 1000)
LEDGER: list[type[models.Model]] = [AuditEvent, AuditPayload, Leaf, Checkpoint]
# Columns of evidence that no event says: numbers that only the database knows rows by, and what the event itself says
# (who did it and when).
NOT_RECORDED = {
    "artifacts_blob.digest", "artifacts_blob.created_at",
    "artifacts_artifactfile.created_by_id", "artifacts_artifactfile.created_at",
    "artifacts_datasetversion.created_by_id", "artifacts_datasetversion.created_at",
    "compliance_reportfile.format", "compliance_reportfile.media_type", "compliance_reportfile.part",
    "compliance_reportfile.made_at", "transfer_transferfile.media_type", "transfer_transferfile.made_at",
}  # fmt: skip


class Refused(Exception):
    """The database itself did not let it happen."""


@pytest.fixture
def deep(full, monkeypatch) -> tuple[Everything, dict[str, Any]]:
    """Something of everything, a back-up of it, and a day's work since then in batches of seven."""
    monkeypatch.setattr(sequencer, "BATCH", 7)
    copy = forger.copy_of_database()
    scientist, auditor = acting_as(full.run.created_by), a_person("Olga", site_role=Role.AUDITOR)
    for number in range(4):
        run = a_run(scientist, full.experiment)
        log_batch(scientist, run, batch=a_batch(params={"lr": f"0.{number}"}, loss=[0.9, 0.5]))
        set_tags(scientist, run, tags={"stage": "ready", "n": str(number)})
        update_run(scientist, run, status=RunStatus.FINISHED)
        assess_run(scientist, run)
        submit_run(scientist, run)
        open_finding(auditor, run, flag=Flag("other", f"Finding {number}"))
    Sequencer().run_until_empty()
    assert verify_ledger().problems == []
    return full, copy


# --- Rows


def evidence_columns(model: type[models.Model]) -> list[models.Field]:
    fields = [one for one in model._meta.concrete_fields if not one.primary_key]
    return [one for one in fields if f"{model._meta.db_table}.{one.attname}" not in NOT_RECORDED]


def columns_of(model: type[models.Model]) -> list[models.Field]:
    return recorded_columns(model) if issubclass(model, Tracked) else evidence_columns(model)


def kept_models() -> list[type[models.Model]]:
    evidence = [model for model in apps.get_models() if issubclass(model, Evidence)]
    return [model for model in (*tracked_models(), *evidence) if columns_of(model) and model.objects.exists()]


def forged(field: models.Field, value: Any) -> Any:
    if isinstance(field, models.BinaryField):
        return bytes([bytes(value)[0] ^ 1]) + bytes(value)[1:]
    return another(field, value)


def update(row: models.Model, field: models.Field, value: Any) -> None:
    key = row._meta.pk
    statement = f'UPDATE "{row._meta.db_table}" SET "{field.column}" = %s WHERE "{key.column}" = %s'
    stored = field.get_db_prep_save(value, connection)
    try:
        with transaction.atomic():
            assert forger.sql(statement, stored, key.get_db_prep_value(row.pk, connection)) == 1
    except IntegrityError as error:
        raise Refused from error


def a_row(chance: random.Random, model: type[models.Model]) -> models.Model:
    return chance.choice(list(model.objects.order_by("pk")))


def named(row: models.Model) -> Callable[[list[Problem]], bool]:
    """Whether problems name the record of this row; of rows of evidence its room."""
    if isinstance(row, Tracked):
        # Of a changed id the record that the log knows is missing; both are named.
        return lambda problems: any(one.kind == row._meta.label_lower and one.id == row.ledger_id for one in problems)
    return lambda problems: any(one.kind.partition(".")[0] == row._meta.app_label for one in problems)


def change_a_column(chance: random.Random, models_: list[type[models.Model]]) -> Callable[[list[Problem]], bool]:
    model = chance.choice(models_)
    row, field = a_row(chance, model), chance.choice(columns_of(model))
    update(row, field, forged(field, getattr(row, field.attname)))
    return named(row)


def delete_a_row(chance: random.Random, models_: list[type[models.Model]]) -> Callable[[list[Problem]], bool]:
    row = a_row(chance, chance.choice(models_))
    key = row._meta.pk
    where = key.get_db_prep_value(row.pk, connection)
    assert forger.sql(f'DELETE FROM "{row._meta.db_table}" WHERE "{key.column}" = %s', where) == 1
    return named(row)


def swap_two_rows(chance: random.Random, models_: list[type[models.Model]]) -> Callable[[list[Problem]], bool]:
    model = chance.choice([model for model in models_ if model.objects.count() > 1])
    one, other = chance.sample(list(model.objects.order_by("pk")), 2)
    field = chance.choice(columns_of(model))
    mine, yours = getattr(one, field.attname), getattr(other, field.attname)
    if mine == yours or field.unique:
        raise Refused
    update(one, field, yours)
    update(other, field, mine)
    return named(one)


# --- The log


def anything(problems: list[Problem]) -> bool:
    return True


def cut_off_the_end(chance: random.Random, size: int) -> None:
    forger.cut_off(chance.randrange(1, size), with_heads=chance.random() < 0.7)


def drop_the_last_head(chance: random.Random, size: int) -> None:
    last = Checkpoint.objects.order_by("-pk")[0]
    forger.sql("DELETE FROM ledger_checkpoint WHERE id = %s", last.pk)


def rewrite_an_event(chance: random.Random, size: int) -> None:
    """Another payload that fits its commitment, another leaf that fits the event, other roots that fit the leaves."""
    event_id = forger.event_of(chance.randrange(size))
    ((salt,),) = forger.rows("SELECT salt FROM ledger_auditpayload WHERE event_id = %s", event_id)
    body = canonical_json({"changes": [], "reason": "Nothing happened."})
    forger.sql("UPDATE ledger_auditpayload SET body = %s WHERE event_id = %s", body.decode(), event_id)
    made = commitment(bytes(salt), body)
    forger.sql("UPDATE ledger_auditevent SET commitment = %s WHERE id = %s", made, event_id)
    depth = chance.randrange(3)
    if depth:
        forger.recompute_hashes(sign_with=keys.new_key(keys.signing_key().origin) if depth == 2 else None)


def swap_two_events(chance: random.Random, size: int) -> None:
    one, other = chance.sample(range(size), 2)
    forger.swap("ledger_leaf", "seq", "event_id", one, other)
    if chance.random() < 0.5:
        forger.recompute_hashes()


LOG = (cut_off_the_end, drop_the_last_head, rewrite_an_event, swap_two_events)


def manipulate(chance: random.Random, copy: dict[str, Any], size: int) -> tuple[str, Callable[[list[Problem]], bool]]:
    """Do one thing; what it was, and what the findings have to say."""
    kept = kept_models()
    compliance = [model for model in kept if model._meta.app_label == "compliance"]
    what = chance.choices(
        ("column", "verdict", "delete", "swap", "ledger", "log", "back-up"), (40, 15, 12, 10, 10, 12, 1)
    )[0]
    match what:
        case "column":
            return what, change_a_column(chance, kept)
        case "verdict":
            return what, change_a_column(chance, compliance)
        case "delete":
            return what, delete_a_row(chance, kept)
        case "swap":
            return what, swap_two_rows(chance, kept)
        case "ledger":
            act = chance.choice((change_a_column, delete_a_row))
            act(chance, LEDGER)
        case "log":
            chance.choice(LOG)(chance, size)
        case "back-up":
            forger.put_back(copy)
    return what, anything


def test_whatever_the_owner_of_the_database_does_is_found_and_named(deep):
    _, copy = deep
    size, seed, done = Leaf.objects.count(), 0, {}
    while sum(done.values()) < COUNT:
        seed += 1
        with forger.forging():
            try:
                what, is_named = manipulate(random.Random(seed), copy, size)
            except Refused:
                continue
            findings = verify_ledger(limit=500)
        assert not findings.is_sound, f"seed {seed}: {what} was not found"
        assert findings.problems[0].what, seed
        assert findings.problems[0].id, f"seed {seed}: {findings.problems[0]}"
        assert is_named(findings.problems), f"seed {seed}: {what}: {findings.problems[:5]}"
        done[what] = done.get(what, 0) + 1
    assert {"column", "verdict", "delete", "log"} <= set(done)
    assert verify_ledger().problems == []


def test_a_size_that_somebody_gave_to_data_elsewhere_is_named(deep):
    with forger.forging():
        assert forger.sql("UPDATE artifacts_datasetversion SET size_bytes = 1 WHERE size_bytes IS NULL")
        problems = verify_ledger().problems
    assert any(one.kind == "artifacts.datasetversion" and one.field == "size_bytes" for one in problems), problems


def test_an_old_back_up_is_found_by_its_anchors(deep):
    _, copy = deep
    with forger.forging():
        forger.put_back(copy)
        findings = verify_ledger()
    assert "The log was rolled back" in findings.problems[0].what


def test_a_verdict_that_was_turned_is_named(deep):
    thing, _ = deep
    with forger.forging():
        assert forger.sql("UPDATE compliance_review SET state = 'compliant' WHERE state <> 'compliant'")
        problems = verify_ledger().problems
    assert {(one.kind, one.field) for one in problems} == {("compliance.review", "state")}
    assert thing.run.pk


@pytest.mark.parametrize("table", ["artifacts_artifactfile", "compliance_reportfile"])
def test_content_that_a_record_names_cannot_be_taken_from_under_it(deep, table):
    with forger.forging():
        digest = forger.rows(f"SELECT blob_id FROM {table} ORDER BY blob_id")[0][0]
        assert forger.sql("DELETE FROM artifacts_blob WHERE digest = %s", digest) == 1
        problems = verify_ledger().problems
    assert ("artifacts.blob", digest) in {(one.kind, one.id) for one in problems}
