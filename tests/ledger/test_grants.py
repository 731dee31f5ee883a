"""PostgreSQL refuses by role what the triggers refuse by row: the app cannot sign, the sequencer cannot act."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, connections, transaction

from accounts.actions.projects import edit_project
from audit.ledger import grants, origins, sequencer
from audit.ledger.models import AuditEvent, Pending
from audit.ledger.rotation import rotate_key
from audit.ledger.verify import verify_ledger
from experiments.actions.runs import delete_run, update_run
from experiments.actions.seals import seal_run
from experiments.values import RunStatus
from kernel.actor import operator, system
from tests.factories import a_run, a_team, everything
from tests.services.databases import is_postgres
from tests.services.processes import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("postgres" not in os.environ.get("DATABASE_URL", ""), reason="SQLite has no roles"),
]


@pytest.fixture(scope="module")
def server(django_db_setup) -> Iterator[psycopg.Connection]:
    """Another database beside those of the tests, whose tables belong to a role without further rights."""
    assert is_postgres()
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as made:
        yield made


def names() -> dict[str, str]:
    return {role: f"mled_test_{os.getpid()}_{role}" for role in ("owner", "app", "sequencer", "operator")}


@pytest.fixture(scope="module")
def installation(server, django_db_blocker) -> Iterator[dict[str, str]]:
    """Roles, and tables made by the migrations as the owner; the ORM of this process speaks to that database."""
    roles = names()
    database = roles["owner"]
    for role in roles.values():
        server.execute(f'CREATE ROLE "{role}" LOGIN')
    server.execute(f'CREATE DATABASE "{database}" OWNER "{database}"')
    parts = urlsplit(os.environ["DATABASE_URL"])
    url = parts._replace(netloc=f"{database}@{parts.hostname}:{parts.port}", path=f"/{database}").geturl()
    environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "mled_site.settings_test"}
    granting = ["grant_roles", "--apply", *(f"--{name}={roles[name]}" for name in ("app", "sequencer", "operator"))]
    for command in (["migrate", "--verbosity=0"], granting, granting):
        subprocess.run([sys.executable, "manage.py", *command], check=True, cwd=ROOT, env=environment)
    before = dict(connections.settings["default"])
    try:
        with django_db_blocker.unblock():
            yield roles
    finally:
        with django_db_blocker.unblock():
            connections.close_all()
        connections.settings["default"].update(before)
        server.execute(f'DROP DATABASE "{database}" WITH (FORCE)')
        for role in roles.values():
            server.execute(f'DROP ROLE "{role}"')


@contextmanager
def speaking_as(roles: dict[str, str], who: str) -> Iterator[None]:
    before = {name: connections.settings["default"][name] for name in ("NAME", "USER")}
    connections.close_all()
    connections.settings["default"].update({"NAME": roles["owner"], "USER": roles[who]})
    try:
        yield
    finally:
        connections.close_all()
        connections.settings["default"].update(before)


def named(roles: dict[str, str]) -> dict[str, str]:
    return {name: roles[name] for name in ("app", "sequencer", "operator")}


def is_refused(statement: str) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    except ProgrammingError as error:
        return "permission denied" in str(error) or "must be owner" in str(error)
    return False


FORBIDDEN = [
    *(f"UPDATE {table} SET {column} = {column}" for table, column in [
        ("ledger_auditevent", "verb"), ("ledger_auditpayload", "body"), ("ledger_leaf", "leaf_hash"),
        ("ledger_subtree", "root"), ("ledger_checkpoint", "note"), ("ledger_pending", "ip"),
        ("accounts_signature", "record"), ("artifacts_blob", "size_bytes"), ("artifacts_datasetversion", "digest"),
        ("compliance_assessment", "profile"), ("compliance_reportfile", "name"), ("experiments_runinput", "context"),
    ]),
    *(f"DELETE FROM {table}" for table in (
        "ledger_auditevent", "ledger_auditpayload", "ledger_leaf", "ledger_subtree", "ledger_checkpoint",
        "ledger_pending", "accounts_signature", "django_migrations",
    )),
    *(f"TRUNCATE {table} CASCADE" for table in (
        "ledger_auditevent", "ledger_leaf", "ledger_pending", "experiments_run", "experiments_param",
    )),
    "INSERT INTO ledger_leaf (seq, event_id, leaf_hash) VALUES (99, gen_random_uuid(), 'x')",
    "INSERT INTO ledger_subtree (level, place, root) VALUES (1, 99, 'x')",
    "INSERT INTO ledger_checkpoint (size, root, key_id, note, at, anchor) VALUES (0, '', '', '', now(), '')",
    "ALTER TABLE ledger_leaf DISABLE TRIGGER ALL",
    "DROP TRIGGER ledger_leaf_refuse_update ON ledger_leaf",
    "DROP TABLE ledger_leaf",
    "SET session_replication_role = replica",
    "CREATE TABLE mine (id integer)",
]  # fmt: skip

NOT_FOR_THE_SEQUENCER = [
    "INSERT INTO ledger_auditevent DEFAULT VALUES",
    "INSERT INTO ledger_pending DEFAULT VALUES",
    "SELECT * FROM ledger_auditpayload",
    "SELECT * FROM experiments_run",
    "UPDATE accounts_membership SET role = 'administrator'",
    "DELETE FROM ledger_leaf",
    "DELETE FROM ledger_auditpayload",
    "UPDATE ledger_checkpoint SET note = ''",
]


def test_each_role_does_its_work_and_nothing_else(installation, data):
    with speaking_as(installation, "app"):
        team = a_team()
        thing = everything(team.scientist, team.project, "leaf")
        update_run(team.scientist, thing.run, status=RunStatus.FINISHED)
        seal_run(system(), thing.run)
        other = a_run(team.scientist, thing.experiment)
        delete_run(team.scientist, other)
        origins.forget_origins()
        assert AuditEvent.objects.count() > 30
        with pytest.raises(ProgrammingError, match="permission denied"):
            sequencer.run_once()
        assert [one for one in FORBIDDEN if not is_refused(one)] == []
        with pytest.raises(CommandError, match=r"permission denied|must be owner"):
            call_command("grant_roles", apply=True, stdout=io.StringIO(), **named(installation))
    with speaking_as(installation, "sequencer"):
        assert sequencer.run_once() > 30
        assert [one for one in NOT_FOR_THE_SEQUENCER if not is_refused(one)] == []
    with speaking_as(installation, "app"):
        assert verify_ledger().problems == []
        assert not Pending.objects.exists()
    with speaking_as(installation, "operator"):
        edit_project(operator(), team.project, name="Renamed")
        rotate_key(operator(), reason="Once a year")
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL mled.erasing = 'on'")
            cursor.execute("DELETE FROM ledger_auditpayload")
            transaction.set_rollback(True)
        assert is_refused("DELETE FROM ledger_leaf")
        assert is_refused("UPDATE ledger_auditpayload SET body = ''")
        findings = verify_ledger()
    assert findings.problems == []
    assert findings.events > 30


def test_migrations_go_on_as_the_owner_and_new_tables_are_closed_until_granted(installation, data):
    with speaking_as(installation, "owner"):
        call_command("migrate", "ledger", "0003", verbosity=0)
        call_command("migrate", verbosity=0)
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE later (id integer)")
    with speaking_as(installation, "app"):
        assert is_refused("SELECT * FROM later")
    with speaking_as(installation, "owner"):
        call_command("grant_roles", apply=True, stdout=io.StringIO(), **named(installation))
    with speaking_as(installation, "app"):
        assert not is_refused("SELECT * FROM later")
        assert is_refused("DELETE FROM ledger_leaf")


def test_what_is_printed_is_what_is_run(installation):
    with speaking_as(installation, "owner"):
        out = io.StringIO()
        call_command("grant_roles", stdout=out)
        roles = grants.Roles("mled_app", "mled_sequencer", "mled_operator")
        made = list(grants.statements(roles, tables=grants.tables_here()))
    assert out.getvalue() == "BEGIN;\n" + "".join(f"{one};\n" for one in made) + "COMMIT;\n"
    assert 'GRANT SELECT, INSERT ON "ledger_auditevent" TO "mled_app"' in made
    assert 'GRANT SELECT ON "ledger_checkpoint" TO "mled_app"' in made
