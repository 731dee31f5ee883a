"""Writers, sequencers that are killed at random, and what is left: every acknowledged event, once, without a gap."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from uuid import UUID

import pytest
from django.db import OperationalError, connections

from accounts.actions.projects import edit_project
from accounts.models import Project
from audit.ledger.acting import acting
from audit.ledger.models import Leaf, Pending
from audit.ledger.sequencer import Sequencer
from audit.ledger.verify import verify_ledger
from kernel.actor import operator, system
from tests import world
from tests.services.processes import start, stop, wait_until

pytestmark = pytest.mark.slow

CHECKS = 100 if os.environ.get("MLED_TEST_FULL") else 40
KILLS = 200 if os.environ.get("MLED_TEST_FULL") else 25
forked = multiprocessing.get_context("fork")


def write_until_told(journal: Path, stop_file: Path, name: int) -> None:
    """Act after act; the journal holds the id of each one that was acknowledged."""
    connections.close_all()
    with journal.open("w") as acknowledged:
        number = 0
        while not stop_file.exists():
            with acting(system(), "thing.counted") as act:
                act.record("test.thing", f"{name}", "set", {"count": (number or None, number + 1)})
            acknowledged.write(f"{act.event_id.hex}\n")
            acknowledged.flush()
            number += 1
            time.sleep(0.002)
    os._exit(0)


def sequence_for_ever() -> None:
    connections.close_all()
    sequencer = Sequencer()
    while True:
        try:
            sequencer.run_once()
        except OperationalError:
            connections.close_all()
        time.sleep(0.001)


def rename_until_told(project_id: UUID, stop_file: Path, name: str) -> None:
    """Many acts on one row, each waiting for the row of the others."""
    connections.close_all()
    number = 0
    while not stop_file.exists():
        number += 1
        edit_project(operator(), Project.objects.get(pk=project_id), name=f"{name} {number}")
        time.sleep(0.005)
    os._exit(0)


def spawn(target, *args) -> multiprocessing.Process:
    process = forked.Process(target=target, args=args, daemon=True)
    process.start()
    return process


def test_killed_sequencers_lose_nothing_and_double_nothing(committed_db, tmp_path):
    chance, stop_file = random.Random(7), tmp_path / "stop"
    Sequencer()  # makes the key
    connections.close_all()
    journals = [tmp_path / f"journal-{name}" for name in range(3)]
    writers = [spawn(write_until_told, journal, stop_file, name) for name, journal in enumerate(journals)]
    sequencers = [spawn(sequence_for_ever) for _ in range(2)]
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.005, 0.12))
        victim = chance.randrange(2)
        os.kill(sequencers[victim].pid, signal.SIGKILL)
        sequencers[victim].join()
        sequencers[victim] = spawn(sequence_for_ever)
    stop_file.touch()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    for sequencer in sequencers:
        os.kill(sequencer.pid, signal.SIGKILL)
        sequencer.join()

    Sequencer().run_until_empty()
    acknowledged = {line for journal in journals for line in journal.read_text().split()}
    placed = list(Leaf.objects.order_by("seq").values_list("seq", "event_id"))
    assert [seq for seq, _ in placed] == list(range(len(placed)))
    assert len({event_id for _, event_id in placed}) == len(placed)
    assert len(acknowledged) > 50
    assert acknowledged == {event_id.hex for _, event_id in placed}
    findings = verify_ledger()
    assert findings.problems == []
    assert findings.anchors >= findings.checkpoints > 5


def test_a_check_amid_acts_on_one_row_raises_no_false_alarm(committed_db, tmp_path):
    """Acts on one row are numbered as they happened, and the check sees one moment of rows, queue, log and anchor."""
    project, stop_file = world.project("vision"), tmp_path / "stop"
    Sequencer().run_until_empty()
    connections.close_all()
    writers = [spawn(rename_until_told, project.pk, stop_file, name) for name in ("red", "green", "blue")]
    sequencer = spawn(sequence_for_ever)
    found = []
    for _ in range(CHECKS):
        found.append(verify_ledger())
        time.sleep(0.02)
    stop_file.touch()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    os.kill(sequencer.pid, signal.SIGKILL)
    sequencer.join()
    found.append(verify_ledger())
    assert [findings.problems for findings in found] == [[]] * len(found)
    assert found[-1].events + found[-1].waiting > found[0].events + found[0].waiting + 20


def test_two_started_by_command_share_the_work_and_stop_when_told(committed_db, data):
    environment = {**os.environ, "DATABASE_URL": committed_db, "MLED_DATA": str(data)}
    environment["DJANGO_SETTINGS_MODULE"] = "mled_site.settings"
    command = [sys.executable, "manage.py", "sequencer", "--verbosity=2"]
    both = [start(command, env=environment, stdout=subprocess.PIPE) for _ in range(2)]
    try:
        assert [process.stdout.readline() for process in both] == ["Sequencer runs.\n"] * 2
        for number in range(30):
            with acting(system(), "thing.counted") as act:
                act.record("test.thing", "1", "set", {"count": (number or None, number + 1)})
            time.sleep(0.05)
        wait_until(lambda: not Pending.objects.exists(), within=20, what="every event has its place")
    finally:
        codes = [stop(process) for process in both]
    assert codes == [0, 0]
    assert list(Leaf.objects.order_by("seq").values_list("seq", flat=True)) == list(range(30))
    assert verify_ledger().is_sound
