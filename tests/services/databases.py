"""One migrated template database per run, and clones of it."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection, connections

from tests.services.processes import exists

PREFIX = "mled_test"


def is_postgres() -> bool:
    return connection.vendor == "postgresql"


def point_at(name: str) -> None:
    """Make this process's ORM speak to that database."""
    close_connections()
    connections.settings["default"]["NAME"] = name
    ContentType.objects.clear_cache()


def close_connections() -> None:
    connections.close_all()
    if is_postgres() and connection.settings_dict["OPTIONS"].get("pool"):
        connection.close_pool()  # type: ignore[attr-defined]


def url_of(name: str) -> str:
    """DATABASE_URL for another process."""
    if not is_postgres():
        return f"sqlite:///{name}"
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()


class Databases:
    """The template and clones of one pytest process.

    shared: a directory that all pytest workers of this run see. run: what tells this run's databases from another's on
    the same server (the pid of the process that started the workers).
    """

    def __init__(self, shared: Path, *, run: int, worker: str) -> None:
        self.shared, self.run, self.worker = shared, run, worker
        self.made = 0
        self.template = self._name("template")

    def _name(self, what: str) -> str:
        return f"{PREFIX}_{self.run}_{what}" if is_postgres() else str(self.shared / f"{what}.sqlite3")

    def ensure_template(self) -> None:
        with (self.shared / "template.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            done = self.shared / "template.done"
            if not done.exists():
                if is_postgres():
                    self._drop_leftovers()
                    _execute_on_server(f'CREATE DATABASE "{self.template}"')
                self._migrate()
                done.touch()

    def _migrate(self) -> None:
        before = connections.settings["default"]["NAME"]
        point_at(self.template)
        call_command("migrate", verbosity=0, interactive=False)
        if not is_postgres():
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        point_at(before)

    def clone(self) -> str:
        """The name of a fresh database."""
        self.made += 1
        name = self._name(f"{self.worker}_{self.made}")
        if is_postgres():
            _execute_on_server(f'CREATE DATABASE "{name}" TEMPLATE "{self.template}" STRATEGY FILE_COPY')
        else:
            shutil.copyfile(self.template, name)
        return name

    @contextmanager
    def empty(self) -> Iterator[str]:
        """A database without tables, that the ORM of this process speaks to meanwhile; gives its name."""
        self.made += 1
        before, name = connections.settings["default"]["NAME"], self._name(f"{self.worker}_{self.made}")
        if is_postgres():
            _execute_on_server(f'CREATE DATABASE "{name}"')
        point_at(name)
        try:
            yield name
        finally:
            point_at(before)
            self.drop(name)

    def drop(self, name: str) -> None:
        if is_postgres():
            _execute_on_server(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        else:
            for suffix in ("", "-wal", "-shm", "-turn", "-next"):
                Path(name + suffix).unlink(missing_ok=True)

    @contextmanager
    def committed(self) -> Iterator[str]:
        """A clone that the ORM of this process speaks to meanwhile; gives its name."""
        before, name = connections.settings["default"]["NAME"], self.clone()
        point_at(name)
        try:
            yield name
        finally:
            point_at(before)
            self.drop(name)

    def _drop_leftovers(self) -> None:
        """Databases of runs that no longer live, on a server that outlives runs."""
        with _server() as server:
            found = server.execute(
                "SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{PREFIX}\\_%"]
            ).fetchall()
        for (name,) in found:
            owner = name.removeprefix(f"{PREFIX}_").split("_")[0]
            if owner.isdigit() and not exists(int(owner)):
                self.drop(name)


def _server() -> psycopg.Connection:
    return psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)


def _execute_on_server(statement: str) -> None:
    with _server() as server:
        server.execute(statement)  # type: ignore[arg-type]
