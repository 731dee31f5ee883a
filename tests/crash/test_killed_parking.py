"""SIGKILL to whoever moves small files from the database to the store: every file can be read at every moment."""

from __future__ import annotations

import io
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from artifacts.blobs import receive_for_a_file
from artifacts.models import ParkedBlob
from artifacts.parking import move_parked
from artifacts.storage import Condition, store
from experiments.actions.files import put_file
from experiments.queries.files import open_file
from tests.factories import a_run, a_team
from tests.services.processes import start, stop
from tests.services.scale import sized

KILLS = sized(8, 80)
SEED = 20261122


@pytest.fixture
def mover(committed_db: str, tmp_path: Path, settings: Any) -> Iterator[subprocess.Popen[str]]:
    """The mother of processes that move and die."""
    settings.MLED_BLOBS = str(tmp_path / "blobs")
    environment = {**os.environ, "DATABASE_URL": committed_db, "MLED_DATA": str(tmp_path)}
    mother = start(
        [sys.executable, "-m", "tests.crash.parking_worker"],
        env={**environment, "MLED_BLOBS": settings.MLED_BLOBS}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    yield mother
    stop(mother)


def killed(mother: subprocess.Popen[str], number: int, moment: str) -> bool:
    """Whether the process died at this step; else it had moved everything before."""
    assert mother.stdin is not None
    assert mother.stdout is not None
    mother.stdin.write(f"{number} {moment}\n")
    mother.stdin.flush()
    answer = mother.stdout.readline().strip()
    assert answer in ("killed", "over 0")
    return answer == "killed"


def test_whoever_moves_small_files_may_die_at_any_step(mover: subprocess.Popen[str]) -> None:
    chance, team = random.Random(SEED), a_team()
    run, contents, died = a_run(team.scientist), {}, 0
    while died < KILLS:
        for _ in range(4):
            path, content = f"{len(contents)}.bin", chance.randbytes(chance.randrange(2000))
            contents[path] = content
            stored = receive_for_a_file(io.BytesIO(content), expected=len(content))
            put_file(team.scientist, run, path=path, stored=stored)
        died += killed(mover, chance.randint(1, 30), chance.choice(["before", "after"]))
        for path, content in contents.items():
            file, reader = open_file(team.scientist, run, path)
            with reader:
                assert reader.read() == content, path
            assert ParkedBlob.objects.filter(digest=file.blob_id).exists() or (
                store().check(file.blob_id) is Condition.SOUND
            )
    move_parked()
    assert not ParkedBlob.objects.exists()
    for path in contents:
        assert store().check(open_file(team.scientist, run, path)[0].blob_id) is Condition.SOUND
