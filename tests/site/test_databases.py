"""The databases that tests run on: clones of one migrated template, which may be committed to."""

import threading

import pytest
from django.contrib.auth.models import Group
from django.db import connection, connections


@pytest.mark.django_db
@pytest.mark.parametrize("turn", [1, 2])
def test_a_rolled_back_test_leaves_nothing_to_the_next(turn):
    assert not Group.objects.exists()
    Group.objects.create(name=f"turn {turn}")


@pytest.mark.parametrize("turn", [1, 2])
def test_a_committing_test_leaves_nothing_to_the_next(committed_db, turn):
    assert not Group.objects.exists()
    Group.objects.create(name=f"turn {turn}")
    assert not connection.in_atomic_block


def test_another_thread_sees_what_was_committed(committed_db):
    seen = []

    def look():
        seen.extend(Group.objects.values_list("name", flat=True))
        connections.close_all()

    Group.objects.create(name="readers")
    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == ["readers"]


def test_each_committing_test_gets_a_database_of_its_own(committed_db, databases):
    with databases.committed() as other:
        assert not committed_db.endswith(other)
        assert connection.settings_dict["NAME"] == other
    assert committed_db.endswith(connection.settings_dict["NAME"])


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite plans without workers and compilers")
def test_pages_are_planned_without_compilers_and_workers():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('jit'), current_setting('max_parallel_workers_per_gather'),"
            " current_setting('random_page_cost')"
        )
        assert cursor.fetchone() == ("off", "0", "1.1")
