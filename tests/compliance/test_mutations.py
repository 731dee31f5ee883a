"""One byte of any kind of evidence is another, past the ledger: the rule that guards it fails."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from artifacts.models import ArtifactFile
from audit.compliance.rules.engine import RULES, Outcome
from audit.ledger.models import AuditEvent
from experiments.models import Run
from tests.compliance.golden.world import World, record_of, standing_world, stored_otherwise, undone
from tests.ledger import forger


@pytest.fixture(scope="module")
def standing(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    with standing_world(django_db_blocker.unblock()) as made:
        yield made


@pytest.fixture(autouse=True)
def data() -> Path | None:
    """The world has a directory of its own, for as long as it stands."""
    return None


@pytest.fixture
def world(standing: World) -> Iterator[World]:
    with undone():
        yield standing


HEX = re.compile(r"[0-9a-f]{32}|[0-9a-f]{64}")


def other_byte(value: Any, at: str) -> Any:
    """The value with the lowest bit of one byte flipped. at: the text whose last byte it is; '' for the very last."""
    if isinstance(value, UUID):
        return UUID(bytes=other_byte(value.bytes, ""))
    if isinstance(value, bytes | memoryview):
        content = bytes(value)
        return content[:-1] + bytes([content[-1] ^ 1])
    if not at and HEX.fullmatch(value):  # a digest, or an id as SQLite keeps it: another digit, not another sign
        return value[:-1] + ("0" if value[-1] != "0" else "1")
    content = value.encode()
    place = content.index(at.encode()) + len(at.encode()) - 1 if at else len(content) - 1
    return (content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]).decode()


@dataclass(frozen=True)
class Flip:
    """A byte of a column. where: which row, with {run} for the run's number and {uid} for its id in the ledger."""

    kind: str
    rule: str
    table: str
    column: str
    where: str
    at: str = ""

    def __str__(self) -> str:
        return f"{self.kind}-{self.rule}"

    def do(self, world: World) -> None:
        where = self.where.format(run=world.run.pk, uid=world.run.ledger_id, project=quoted(world.project.pk))
        pk = connection.introspection.get_primary_key_column(connection.cursor(), self.table)
        column = connection.ops.quote_name(self.column)
        found = forger.rows(f"SELECT {pk}, {column} FROM {self.table} WHERE {where} ORDER BY {pk} DESC")
        row, value = found[0]
        changed = other_byte(value, self.at)
        assert changed != value
        assert forger.sql(f"UPDATE {self.table} SET {column} = %s WHERE {pk} = %s", changed, row) == 1


def quoted(value: UUID) -> str:
    """An id as this database writes it in SQL."""
    return f"'{value}'" if connection.vendor == "postgresql" else f"'{value.hex}'"


MADE = "verb = 'experiments.create_run' AND subject_id = '{uid}'"
OF_ITS_MAKING = f"event_id = (SELECT id FROM ledger_auditevent WHERE {MADE})"
REHEARSED = "event_id = (SELECT id FROM ledger_auditevent WHERE verb = 'compliance.record_rehearsal')"
VERDICT = "subject_type = 'compliance.review'"
FLIPS = [
    Flip("param value", "V6", "experiments_param", "value", "run_id = {run} AND key = 'lr'"),
    Flip("param key", "V6", "experiments_param", "key", "run_id = {run} AND key = 'lr'"),
    Flip("tag", "H1", "experiments_runtag", "value", "run_id = {run} AND key = 'mled.limits'"),
    Flip("criteria", "E2", "experiments_experimenttag", "value", "key = 'mled.criteria'"),
    Flip("tag of the experiment", "H1", "experiments_experimenttag", "value", "key = 'mled.units'"),
    Flip("git_commit", "H1", "experiments_run", "git_commit", "id = {run}", "3"),
    Flip("author", "R1", "experiments_run", "created_by_id", "id = {run}"),
    Flip("seal", "H1", "experiments_run", "seal", "id = {run}"),
    Flip("metric point", "H1", "experiments_metricsegment", "values",
         "series_id IN (SELECT id FROM experiments_metricseries WHERE run_id = {run})"),
    Flip("time of a point", "H1", "experiments_metricsegment", "times",
         "series_id IN (SELECT id FROM experiments_metricseries WHERE run_id = {run})"),
    Flip("file row", "A1", "artifacts_artifactfile", "blob_id", "path = 'uv.lock'"),
    Flip("file of an approved version", "A2", "artifacts_artifactfile", "blob_id", "path = 'model.safetensors'"),
    Flip("role of an input", "H1", "experiments_runinput", "context", "run_id = {run} AND context = 'test'"),
    Flip("dataset version digest", "D1", "artifacts_datasetversion", "digest",
         "id IN (SELECT dataset_version_id FROM experiments_runinput WHERE run_id = {run})"),
    Flip("dataset record", "D2", "artifacts_versionrecord", "licence", "split_role = 'train'"),
    Flip("lawful basis", "D6", "artifacts_versionrecord", "lawful_basis", "split_role = 'train'"),
    Flip("event row", "H1", "ledger_auditevent", "verb", MADE),
    Flip("actor of an event", "H1", "ledger_auditevent", "actor_id", MADE),
    Flip("event payload", "H1", "ledger_auditpayload", "body", OF_ITS_MAKING, '"git_commit":[null,"3'),
    Flip("payload that is no JSON then", "H1", "ledger_auditpayload", "body", OF_ITS_MAKING, '{"changes"'),
    Flip("salt of a payload", "H1", "ledger_auditpayload", "salt", OF_ITS_MAKING),
    Flip("leaf hash", "H1", "ledger_leaf", "leaf_hash", OF_ITS_MAKING, ""),
    Flip("checkpoint note", "H1", "ledger_checkpoint", "note", "1 = 1", "— log.example.org "),
    Flip("checkpoint root", "H1", "ledger_checkpoint", "root", "1 = 1"),
    Flip("signature record", "S2", "accounts_signature", "record", VERDICT, '"status":"'),
    Flip("signature digest", "S2", "accounts_signature", "digest", VERDICT),
    Flip("printed name", "S1", "accounts_signature", "printed_name", VERDICT),
    Flip("meaning", "S1", "accounts_signature", "meaning", VERDICT),
    Flip("factors", "S1", "accounts_signature", "factors", VERDICT),
    Flip("role when signing", "R3", "ledger_auditevent", "actor_roles", "verb = 'compliance.decide_review'"),
    Flip("role when promoting", "R3", "ledger_auditevent", "actor_roles", "verb = 'registry.decide_promotion'"),
    Flip("proof of identity", "S3", "ledger_auditevent", "verb", "verb = 'accounts.proved_identity'"),
    Flip("rehearsal", "T3", "ledger_auditpayload", "body", REHEARSED, '"log_size":[null,'),
    Flip("review of the trail", "H6", "compliance_trailreview", "note", "project_id = {project}"),
    Flip("purpose", "P1", "accounts_project", "purpose", "id = {project}"),
    Flip("risk class", "P2", "accounts_project", "risk_class", "id = {project}"),
    Flip("retention class", "T1", "accounts_project", "retention_class", "id = {project}"),
    Flip("retention class", "T2", "accounts_project", "retention_class", "id = {project}"),
]  # fmt: skip


def outcome(rule: str, run: Run) -> tuple[str, str]:
    said = RULES[rule].check(record_of(run))
    return said.outcome.value, said.words


@pytest.mark.parametrize("flip", FLIPS, ids=str)
def test_a_flipped_byte_makes_the_rule_fail_that_guards_it(world: World, flip: Flip) -> None:
    assert outcome(flip.rule, world.run)[0] == Outcome.PASS
    with forger.forging():
        flip.do(world)
        found, words = outcome(flip.rule, world.run)
    assert found == Outcome.FAIL, words
    assert outcome(flip.rule, world.run)[0] == Outcome.PASS


@pytest.mark.parametrize("damage", [lambda body: other_byte(body, ""), lambda body: body[:-1], lambda body: b""])
def test_a_flipped_or_lost_byte_in_storage_makes_a1_fail(world: World, damage: Callable[[bytes], bytes]) -> None:
    with stored_otherwise(ArtifactFile.objects.get(path="model.safetensors").blob_id, damage):
        assert outcome("A1", world.run)[0] == Outcome.FAIL
    assert outcome("A1", world.run)[0] == Outcome.PASS


def test_a_log_that_was_made_to_fit_again_is_not_the_signed_one(world: World) -> None:
    """Whoever owns the database can compute every hash anew, and still cannot sign."""
    event = AuditEvent.objects.get(verb="experiments.create_run", subject_id=world.run.ledger_id)
    assert event.outcome == "done"
    with forger.forging():
        FLIPS[[flip.kind for flip in FLIPS].index("actor of an event")].do(world)
        forger.recompute_hashes()
        found, words = outcome("H1", world.run)
    assert found == Outcome.FAIL, words


def test_each_kind_of_evidence_is_flipped() -> None:
    asked = {
        "param value", "tag", "git_commit", "metric point", "file row", "dataset version digest", "dataset record",
        "event row", "event payload", "leaf hash", "checkpoint note", "signature record", "signature digest",
        "role when signing", "role when promoting", "retention class", "risk class",
    }  # fmt: skip
    assert asked <= {flip.kind for flip in FLIPS}
