"""A real MLED server for tests: gunicorn with two processes of four threads, on a database of its own."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from django.db import connection, connections

from tests.services.databases import point_at, url_of
from tests.services.processes import free_port, start, stop, wait_until

GUNICORN = [sys.executable, "-m", "gunicorn", "--config", "python:mled_site.gunicorn_config", "mled_site.wsgi"]


class CommandFailed(AssertionError):
    """A management command ended with an error; the message is what it said."""


def _is_running(process: psutil.Process) -> bool:
    """Neither a zombie nor gone since it was listed."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


class LiveMled:
    """One server. Everything it keeps lies in `data`; `log` is what it wrote to its terminal."""

    def __init__(self, *, database: str, data: Path, static_root: Path, blocker: Any, **environment: str) -> None:
        data.mkdir(parents=True, exist_ok=True)
        self.database, self.data, self.port = database, data, free_port()
        self._blocker = blocker
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = data / "server.log"
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "mled_site.settings",
            "DATABASE_URL": url_of(database),
            "MLED_DATA": str(data),
            "MLED_STATIC_ROOT": str(static_root),
            "MLED_PORT": str(self.port),
            "MLED_WEB_WORKERS": "2",
            "MLED_WEB_THREADS": "4",
            "MLED_DB_POOL": "5",
            "MLED_TASKS_INLINE": "1",
            "MLED_SIGN_INS_A_MINUTE": "1000",
            **environment,
        }
        self._server: subprocess.Popen[str] | None = None
        self._console: subprocess.Popen[str] | None = None

    # --- the server

    def start(self) -> LiveMled:
        with self.log.open("a") as log:
            self._server = start(GUNICORN, env=self.environment, stdout=log, stderr=log)
        wait_until(self._is_up_or_dead, within=60, what=f"{self.url}/health answers")
        if self._server.poll() is not None:
            raise RuntimeError(f"The server ended with {self._server.returncode}:\n{self.log.read_text()[-4000:]}")
        return self

    def stop(self) -> None:
        for process in (self._server, self._console):
            if process is not None:
                stop(process)
        self._server = self._console = None

    def restart(self) -> None:
        assert self._server is not None
        stop(self._server)
        self.start()

    def web_workers(self) -> list[int]:
        assert self._server is not None
        return [child.pid for child in psutil.Process(self._server.pid).children() if _is_running(child)]

    def kill_a_web_worker(self, pid: int | None = None) -> int:
        """SIGKILL to one worker (or the named one); gunicorn starts another. Returns the killed pid."""
        pid = pid or secrets.choice(self.web_workers())
        os.kill(pid, signal.SIGKILL)
        return pid

    def is_healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=5) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def _is_up_or_dead(self) -> bool:
        return self._server is None or self._server.poll() is not None or self.is_healthy()

    def tracking_uri(self, project: str) -> str:
        return f"{self.url}/mlflow/{project}"

    # --- its database and commands

    @contextmanager
    def in_database(self) -> Iterator[None]:
        """The ORM of this process speaks to the server's database meanwhile. Not for tests that use db."""
        if connection.in_atomic_block:
            raise RuntimeError("This test runs in a transaction of another database; leave out db (django_db).")
        before = connections.settings["default"]["NAME"]
        with self._blocker.unblock():
            point_at(self.database)
            try:
                yield
            finally:
                point_at(before)

    def manage(self, *args: str, typed: str = "") -> str:
        """What a management command printed. Raises CommandFailed with its words when it refuses."""
        if self._console is None or self._console.poll() is not None:
            with self.log.open("a") as log:
                self._console = start(
                    [sys.executable, "-m", "tests.services.console"],
                    env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                )  # fmt: skip
        assert self._console.stdin is not None
        assert self._console.stdout is not None
        self._console.stdin.write(json.dumps({"args": args, "stdin": typed}) + "\n")
        self._console.stdin.flush()
        line = self._console.stdout.readline()
        if not line:
            raise CommandFailed(f"{args[0]} took the console with it:\n{self.log.read_text()[-4000:]}")
        answer = json.loads(line)
        if answer["failed"]:
            raise CommandFailed(answer["failed"] + answer["err"])
        return str(answer["out"])

    def create_user(
        self, email: str, *, name: str = "", role: str = "", project: str = "", password: str | None = None
    ) -> str:
        """Make a person (with a role on a project, if given); gives the password."""
        password = password or secrets.token_urlsafe(12)
        options = [f"--{key}={value}" for key, value in (("name", name), ("role", role), ("project", project)) if value]
        self.manage("create_user", email, *options, "--password-stdin", typed=password + "\n")
        return password

    def create_project(self, slug: str, *, name: str = "") -> str:
        self.manage("create_project", slug, *([f"--name={name}"] if name else []))
        return slug

    def add_member(self, slug: str, email: str, role: str) -> None:
        self.manage("add_member", slug, email, role)

    def issue_token(
        self, email: str, *, project: str = "", scopes: tuple[str, ...] = (), days: int | None = None, name: str = ""
    ) -> str:
        """A token's secret."""
        options = [f"--project={project}"] if project else []
        options += [part for scope in scopes for part in ("--scope", scope)]
        options += [f"--days={days}"] if days is not None else []
        options += [f"--name={name}"] if name else []
        return self.manage("issue_token", email, *options).strip()
