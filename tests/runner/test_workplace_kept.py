"""How much a job uses, as curves; and what a worker keeps for later jobs, within bounds."""

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db.models import QuerySet

from experiments.models import MetricSeries
from kernel.actor import system
from kernel.clock import now
from runner.actions.jobs import end_job
from runner.executors.contract import Usage
from runner.executors.watching import size_of
from runner.models import Job, JobOutput
from runner.working.curves import Curves
from runner.working.facts_machine import Meter, this_machine
from runner.working.workplace_caches import tidy
from runner.working.workplace_folders import cache_folder, cleared, held
from tests.factories import a_team, default_experiment
from tests.factories_runner import a_job, a_worker, held_by

MEMINFO = "MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 250 kB\n"


@pytest.fixture
def team(db):
    return a_team()


@pytest.fixture
def job(team) -> Job:
    return held_by(a_job(team.scientist, default_experiment(team.project)), a_worker())


def test_a_point_after_a_second_then_every_ten_and_one_at_the_end(team, job, tmp_path):
    moments = iter([0.0, 0.0, 0.5, 1.0, 5.0, 10.9, 11.0, 12.0])
    proc = tmp_path
    (proc / "stat").write_text("cpu 10 0 10 80 0 0 0 0\n")
    (proc / "meminfo").write_text(MEMINFO)
    curves = Curves(team.scientist, job, meter=Meter(proc=proc), clock=lambda: next(moments))
    (proc / "stat").write_text("cpu 40 0 20 140 0 0 0 0\n")
    for seconds in (0.0, 0.2, 0.5, 2.0, 5.0, 5.5):
        curves.sample(Usage(cpu_seconds=seconds, memory_bytes=5_000_000, disk_bytes=1_000_000, processes=3))
    curves.close()
    series = {one.key: one for one in MetricSeries.objects.filter(run=job.run)}
    memory = series["system/process_memory_megabytes"]
    assert (memory.last_value, memory.last_step) == (5.0, 2)
    assert series["system/process_count"].last_value == 3
    assert series["system/system_memory_usage_percentage"].last_value == 75
    assert series["system/cpu_utilization_percentage"].last_value == 40
    assert series["system/process_cpu_percentage"].max_value == 50


def test_the_machine_is_told_in_one_line():
    machine = this_machine()
    assert machine.host
    assert f"{machine.cores} core" in machine.hardware
    assert machine.memory_bytes > 10**8


def test_what_a_worker_keeps_goes_when_it_is_old_and_not_in_use(team, job, tmp_path, settings):
    settings.MLED_RUNNER_DATA = str(tmp_path)
    settings.MLED_RUNNER_CACHE_DAYS, settings.MLED_RUNNER_CACHE_BYTES = 14, 1000
    made = {}
    for name in ("old.git", "used.git", "new.git"):
        made[name] = cache_folder("git") / name
        made[name].mkdir()
    for name in ("old.git", "used.git"):
        os.utime(made[name], (0, 0))
    inputs = cache_folder("inputs") / "ab"
    inputs.mkdir()
    for name, age in (("newest", 10), ("older", 20)):
        (inputs / name).write_bytes(b"x" * 700)
        os.utime(inputs / name, (now().timestamp() - age,) * 2)
    JobOutput.objects.create(job=job, start=0, content=b"x")
    with held(made["used.git"].with_suffix(".lock"), lambda stage: None):
        tidy()
    assert [name for name, place in made.items() if place.exists()] == ["used.git", "new.git"]
    assert [place.name for place in inputs.iterdir()] == ["newest"]
    assert JobOutput.objects.filter(job=job).exists()
    over = end_job(system(), job, lease=job.lease, state=Job.State.FAILED, cause=Job.Cause.WORKER)
    tidy()
    assert JobOutput.objects.filter(job=job).exists()
    QuerySet(Job).filter(pk=over.pk).update(ended_at=now() - dt.timedelta(hours=2))
    tidy()
    assert not JobOutput.objects.filter(job=job).exists()


@pytest.mark.once
def test_a_folder_goes_whatever_rights_are_in_it_and_nothing_that_it_links_to(tmp_path: Path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("stays")
    place = tmp_path / "job"
    (place / "closed" / "deeper").mkdir(parents=True)
    (place / "closed" / "deeper" / "file").write_text("goes")
    (place / "link").symlink_to(outside)
    (place / "closed" / "deeper").chmod(0)
    (place / "closed").chmod(0)
    cleared(place)
    assert not place.exists()
    assert (outside / "file").read_text() == "stays"
    (tmp_path / "link").symlink_to(outside)
    cleared(tmp_path / "link")
    cleared(tmp_path / "missing")
    assert outside.exists()


@pytest.mark.once
def test_a_folder_goes_however_deep_it_is(tmp_path: Path):
    """No path leads to its bottom, and nothing that calls itself for each level comes there either."""
    place = tmp_path / "job"
    place.mkdir()
    inner = os.open(place, os.O_RDONLY)
    for _ in range(sys.getrecursionlimit() * 3):
        os.mkdir("folder", dir_fd=inner)
        outer, inner = inner, os.open("folder", os.O_RDONLY, dir_fd=inner)
        os.close(outer)
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=inner))
    os.close(inner)
    try:
        assert size_of(place, 10**9) > 10**9, "what cannot be counted is too much"
        cleared(place)
        assert not place.exists()
    finally:  # what is left would be too deep for whoever tidies up
        subprocess.run(["rm", "-rf", str(place)], check=True)
