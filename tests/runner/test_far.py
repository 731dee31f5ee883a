"""Two workers on machines that share nothing but the database, the broker and the store of files."""

from __future__ import annotations

import signal

from kernel.digests import sha256_hex
from runner.models import Job, Worker
from tests.runner.engine import Engine, Launcher, at_work, comes_to, fresh, processes_of
from tests.runner.workplaces import file_of
from tests.services.processes import wait_until

MARK = "from the store"


def test_a_job_begun_on_one_machine_is_tried_again_on_the_other(
    databases, tmp_path, valkey_url, s3_server, django_db_blocker, settings, monkeypatch
):
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    store = f"s3://{s3_server.bucket()}/far?endpoint={s3_server.endpoint}"
    shared = {"REDIS_URL": valkey_url, "MLED_BLOBS": store, **s3_server.environment}
    with at_work(databases, tmp_path, django_db_blocker, settings, **shared) as mled:
        places = [tmp_path / "here", tmp_path / "there"]
        engines = [Engine(mled, MLED_DATA=str(place)) for place in places]
        try:
            ada = Launcher()
            one, two = (
                engine.worker(name, has_short_leases=True) for engine, name in zip(engines, ("one", "two"), strict=True)
            )
            script = f'cat readme.txt; echo "{MARK}" > $MLED_OUTPUT/made.txt; test -e {tmp_path}/go || sleep 600'
            first = comes_to(ada.shell(script, retries=1), "running")
            assert first.worker is not None
            wait_until(lambda: first.output.exists(), within=30, what="its code came from the store")
            (tmp_path / "go").touch()
            lost, left = (one, 0) if first.worker.name == "one" else (two, 1)
            engines[left].end(lost, signal.SIGKILL)
            comes_to(first, "failed")
            again = comes_to(Job.objects.get(retry_of=first), "finished")
            assert again.worker is not None
            assert again.worker.name != first.worker.name
            assert file_of(again, "outputs/made.txt").decode() == f"{MARK}\n"
            assert "Nothing to run here." in file_of(fresh(first), "console/stdout.log").decode()
            assert processes_of(first) == []
            assert {row.about["place"] for row in Worker.objects.all()} == {str(place / "runner") for place in places}
            keys = {sha256_hex((place / "keys" / "secret_key").read_bytes()) for place in places}
            assert len(keys) == 2, "no key is shared"
            assert not any((place / "blobs").exists() for place in places)
        finally:
            for engine in engines:
                engine.stop()
