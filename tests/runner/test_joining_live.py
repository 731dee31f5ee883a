"""A worker with a data folder of its own joins by a one-time word and does a job: it shares broker, database and S3."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from experiments.models import Run
from experiments.values import RunStatus
from runner.actions.secrets import keep_secret
from runner.models import Admission, Job, Worker
from tests.runner.engine import Launcher, comes_to
from tests.services.databases import is_postgres
from tests.services.processes import start, stop, wait_until

pytestmark = pytest.mark.skipif(not is_postgres(), reason="a worker elsewhere needs a database that others reach")


def test_a_worker_from_elsewhere_joins_once_and_does_a_job(live_mled_on_s3, tmp_path, monkeypatch, settings):
    live, mark = live_mled_on_s3, uuid4().hex[:8]
    for name, value in live.environment.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    settings.MLED_BLOBS = live.environment["MLED_BLOBS"]
    settings.SECRET_KEY = (live.data / "keys" / "secret_key").read_text()
    command = live.manage("admit_worker", f"far-{mark}")
    word = command.strip().partition("--word ")[2]
    place = tmp_path / "elsewhere"
    own = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    own |= {"MLED_DATA": str(place), "MLED_EXECUTOR": "plain", "DJANGO_SETTINGS_MODULE": "mled_site.settings"}
    joining = [sys.executable, "manage.py", "join_worker", live.url, "--word", word]
    with (tmp_path / "worker.log").open("w") as log:
        worker = start([*joining, "--slots", "1", "--queues", mark], env=own, stdout=log, stderr=log)
        try:
            with live.in_database():
                wait_until(
                    lambda: Worker.objects.filter(name=f"far-{mark}", left_at=None).exists(),
                    within=120,
                    what=f"the worker is there; it says: {tmp_path / 'worker.log'}",
                )
                _does_a_job(mark)
        finally:
            stop(worker, within=30)
    _keeps_what_it_needs(place, live.data)
    log_of_second = tmp_path / "second.log"
    with log_of_second.open("w") as log:
        second = start(joining, env={**own, "MLED_DATA": str(tmp_path / "x")}, stdout=log, stderr=log)
        assert second.wait(60) != 0
    assert "This word is not good" in log_of_second.read_text()


def _does_a_job(mark: str) -> None:
    """Its secret reaches it, what it writes is in the run, and the rows say where it was done."""
    launcher = Launcher()
    keep_secret(launcher.team.engineer, launcher.team.project, name="FAR_WORD", value="over there")
    script = 'mkdir -p "$MLED_OUTPUT" && echo "$FAR_WORD" > "$MLED_OUTPUT/said.txt"'
    job = launcher.shell(script, queue=mark, secrets=("FAR_WORD",))
    done = comes_to(job, Job.State.FINISHED, Job.State.FAILED, within=120)
    assert (done.state, done.why, done.worker.name) == (Job.State.FINISHED, "", f"far-{mark}")
    run = Run.objects.get(pk=job.run_id)
    assert run.status == RunStatus.FINISHED
    assert run.artifact_root.files.filter(path="outputs/said.txt", blob__size_bytes=len("over there\n")).exists()
    assert Admission.objects.get(name=f"far-{mark}").used_from == "127.0.0.1"


def _keeps_what_it_needs(place: Path, server: Path) -> None:
    kept = place / "joined.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert "MLED_SECRET_KEY" not in json.loads(kept.read_text())
    theirs = (server / "keys" / "secret_key").read_text()
    everything = "".join(path.read_text(errors="replace") for path in place.rglob("*") if path.is_file())
    assert theirs not in everything
    assert not (place / "keys" / "ledger.key").exists()
