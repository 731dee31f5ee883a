"""Writers of one SQLite file take turns: in the order in which they came, in all processes, whatever becomes of one."""

import gc
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, OperationalError, connection, transaction

from audit.ledger.acting import told_of
from kernel.errors import Unavailable
from mled_site.databases.sqlite.gate import Gate
from mled_site.databases.sqlite.turns import Turns, turns_of
from tests.services.processes import start, stop, wait_until
from tests.site.writers import ROWS, THREADS

pytestmark = pytest.mark.once
WITHIN = 30


@pytest.fixture
def written(committed_db) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE written (name TEXT)")


def rows() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM written")
        return int(cursor.fetchone()[0])


def insert() -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO written VALUES ('here')")


@contextmanager
def writer(what: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that writes to the database of this test."""
    names = ("ENGINE", "NAME", "OPTIONS", "CONN_MAX_AGE")
    database = json.dumps({name: connection.settings_dict[name] for name in names})
    command = [sys.executable, "-m", "tests.site.writers", what, database]
    process = start(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield process
    finally:
        process.communicate()
        stop(process)


def said_by(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@contextmanager
def patience(milliseconds: int) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {milliseconds}")
        try:
            yield
        finally:
            cursor.execute("PRAGMA busy_timeout = 30000")


def queue() -> Turns:
    return turns_of(os.path.realpath(connection.settings_dict["NAME"]))


def in_thread(act: Callable[[], object]) -> threading.Thread:
    def body() -> None:
        try:
            act()
        finally:
            connection.close()

    thread = threading.Thread(target=body)
    thread.start()
    return thread


def waiting(count: int) -> Callable[[], bool]:
    return lambda: len(queue()._waiting) == count


def test_sixteen_writers_in_four_processes_all_get_their_turn(written):
    with writer("write") as one, writer("write") as two, writer("write") as three, writer("write") as four:
        assert [json.loads(said_by(process)) for process in (one, two, three, four)] == [[]] * 4
    assert rows() == 4 * THREADS * ROWS


def test_a_process_that_writes_without_a_pause_lets_others_in(written):
    with writer("stream") as process:
        assert said_by(process) == "writing"
        for _ in range(20):
            with transaction.atomic():
                insert()
        assert process.poll() is None


def test_threads_write_in_the_order_in_which_they_came(committed_db):
    names = [f"writer {number}" for number in range(8)]
    threads = []
    with transaction.atomic():
        for came, name in enumerate(names, 1):
            threads.append(in_thread(lambda name=name: Group.objects.create(name=name)))
            wait_until(waiting(came), within=WITHIN, what=f"{name} stands in the queue", every=0.001)
    for thread in threads:
        thread.join()
    assert list(Group.objects.order_by("id").values_list("name", flat=True)) == names


def test_readers_wait_for_no_writer(committed_db):
    seen = []
    with transaction.atomic():
        Group.objects.create(name="not yet")
        with_reading = "WITH held AS (SELECT count(*) AS replaced FROM auth_group) SELECT * FROM held"

        def read() -> None:
            seen.append(Group.objects.count())
            with connection.cursor() as cursor:
                cursor.execute(with_reading)
                seen.append(cursor.fetchone()[0])

        in_thread(read).join(WITHIN)
    assert seen == [0, 0]


def test_a_writer_whose_patience_ends_is_told_so_and_leaves_the_queue(written):
    with writer("hold") as process:
        assert said_by(process) == "holding"
        with patience(50):
            for write in (insert, lambda: transaction.atomic(insert)()):
                with pytest.raises(OperationalError, match="database is locked") as locked:
                    write()
                assert isinstance(told_of(locked.value), Unavailable)
        assert waiting(0)()
        process.kill()
        process.wait()
        insert()
    assert rows() == 1


def test_the_kernel_lets_the_next_one_in_when_the_holder_is_killed(written):
    with writer("hold") as process:
        assert said_by(process) == "holding"
        thread = in_thread(insert)
        wait_until(waiting(1), within=WITHIN, what="the thread stands in the queue", every=0.001)
        process.kill()
        thread.join(WITHIN)
    assert rows() == 1


def test_a_forked_child_neither_gives_back_nor_keeps_its_parents_turn(written):
    gate = Gate(os.path.realpath(connection.settings_dict["NAME"]))
    with writer("hold and fork") as process:
        child = int(said_by(process))
        try:
            assert not gate.enter_at_once()
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            assert gate.enter_at_once()
            gate.leave()
            os.kill(child, 0)  # it still lives
        finally:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
    gate.close()


def broken_key() -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO auth_group_permissions (group_id, permission_id) VALUES (-1, -1)")


def test_a_turn_ends_with_its_transaction_however_that_ends(committed_db):
    def refused() -> None:
        raise ValueError

    def closed() -> None:
        connection.close()

    def unwound() -> None:
        Group.objects.create(name="unwound")
        transaction.set_rollback(True)

    with transaction.atomic(), suppress(ValueError), transaction.atomic():
        refused()
    with suppress(ValueError), transaction.atomic():
        refused()
    with pytest.raises(IntegrityError), transaction.atomic():  # COMMIT itself fails, and leaves the transaction open
        broken_key()
    with pytest.raises(IntegrityError):
        broken_key()
    with suppress(OperationalError), connection.cursor() as cursor:
        cursor.execute("INSERT INTO nowhere VALUES (1)")
    with transaction.atomic():
        unwound()
    with transaction.atomic():
        closed()
    connection.close()
    thread = in_thread(lambda: Group.objects.create(name="next"))
    thread.join(WITHIN)
    assert [group.name for group in Group.objects.all()] == ["next"]


def test_a_transaction_left_by_a_thread_that_ended_is_rolled_back(committed_db):
    left = []

    def leave() -> None:
        left.append(connection._connections[connection._alias])  # type: ignore[attr-defined]
        transaction.atomic().__enter__()
        Group.objects.create(name="left")

    thread = threading.Thread(target=leave)
    thread.start()
    thread.join()
    Group.objects.create(name="next")
    assert [group.name for group in Group.objects.all()] == ["next"]


def test_a_connection_that_is_collected_gives_its_turn_back(committed_db):
    def leave() -> None:
        transaction.atomic().__enter__()
        Group.objects.create(name="left")

    thread = threading.Thread(target=leave)
    thread.start()
    thread.join()
    gc.collect()
    gate = Gate(os.path.realpath(connection.settings_dict["NAME"]))
    wait_until(lambda: gate.enter_at_once() and gate.leave() is None, within=WITHIN, what="nobody holds the turn")
    gate.close()


def test_a_database_in_memory_has_no_queue(committed_db, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    memory = connection.copy()
    memory.settings_dict = {**connection.settings_dict, "NAME": "file:shared?mode=memory&cache=shared"}
    memory.connect()
    memory.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    memory.rollback()
    assert list(tmp_path.iterdir()) == []


# --- What is committed alone, past Django


def lone_insert() -> bool:
    connection.connection.execute("INSERT INTO written VALUES ('alone')")
    return True


def test_what_is_committed_alone_is_there_for_others(written) -> None:
    assert connection.commit_alone(lone_insert) is True
    assert not connection.connection.in_transaction
    seen: list[int] = []
    in_thread(lambda: seen.append(rows())).join(WITHIN)
    assert seen == [1]


def test_what_fails_alone_writes_nothing_and_gives_its_turn_back(written) -> None:
    def half() -> None:
        lone_insert()
        raise ValueError("the other half")

    with pytest.raises(ValueError, match="the other half"):
        connection.commit_alone(half)
    with pytest.raises(OperationalError, match="no such table"):
        connection.commit_alone(lambda: connection.connection.execute("INSERT INTO no_table VALUES (1)"))
    in_thread(insert).join(WITHIN)
    assert rows() == 1


def test_what_is_committed_alone_waits_for_its_turn(written) -> None:
    done: list[str] = []

    def alone() -> None:
        connection.commit_alone(lone_insert)
        done.append("alone")

    with transaction.atomic():
        insert()
        thread = in_thread(alone)
        wait_until(waiting(1), within=WITHIN, what="the other one waits", every=0.001)
        done.append("before")
    thread.join(WITHIN)
    assert done == ["before", "alone"]
    assert rows() == 2
