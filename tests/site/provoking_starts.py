"""Failures at the start: what the terminal says, of a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

from tests.services.processes import ROOT, free_port
from tests.site.provoking import Hands, Told, problem_of, provokes


def said(hands: Hands, *command: str, **environment: str) -> tuple[int, str, str]:
    """Exit code and words of a command, in an installation of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLED_", "DATABASE_", "REDIS_"))}
    inside = {"DJANGO_SETTINGS_MODULE": "mled_site.settings", "MLED_DATA": str(hands("tmp_path")), **environment}
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env={**kept, **inside}, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


def refusal(hands: Hands, *command: str, **environment: str) -> Told:
    """What a command that does not start says; both what is wrong and what to do."""
    code, _, words = said(hands, *command, **environment)
    assert code == 1, words
    return Told("", words, words)


@provokes("database away")
def database_away(hands: Hands) -> Told:
    address = f"postgres://mled:hunter2@127.0.0.1:{free_port()}/mled"
    code, printed, _ = said(hands, "manage.py", "doctor", "--json", "--check", "database", DATABASE_URL=address)
    assert "hunter2" not in printed
    return problem_of(printed, "database.away", code)


@provokes("no worker")
def no_worker(hands: Hands) -> Told:
    """A broker without anybody who takes from it."""
    where = {"REDIS_URL": hands("valkey_url").removesuffix("/0") + "/7"}  # other tests' workers listen on the first
    code, printed, _ = said(hands, "manage.py", "doctor", "--json", "--check", "workers", **where)
    return problem_of(printed, "workers.none", code)


@provokes("wrong DATABASE_URL")
def bad_database_url(hands: Hands) -> Told:
    return refusal(hands, "manage.py", "up", DATABASE_URL="mysql://mled:hunter2@db/mled")


@provokes("wrong number in a setting")
def bad_number(hands: Hands) -> Told:
    return refusal(hands, "manage.py", "up", MLED_PORT="eight thousand")


@provokes("secret key too weak")
def weak_secret(hands: Hands) -> Told:
    return refusal(hands, "manage.py", "up", MLED_SECRET_KEY="changeme-hunter2")


@provokes("secret key lost")
def empty_secret(hands: Hands) -> Told:
    place = hands("tmp_path") / "keys"
    place.mkdir()
    (place / "secret_key").touch(0o600)
    return refusal(hands, "manage.py", "up")


@provokes("port in use")
def port_in_use(hands: Hands) -> Told:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        return refusal(hands, "manage.py", "up", MLED_PORT=str(other.getsockname()[1]))


@provokes("Python too old")
def old_python(hands: Hands) -> Told:
    """prepare.py, run by an interpreter that says it is an old one."""
    as_old = "import runpy, sys; sys.version_info = (3, 9, 2, 'final', 0); sys.argv = ['prepare.py']; "
    return refusal(hands, "-c", as_old + "runpy.run_path('prepare.py', run_name='__main__')")
