"""A process of its own that writes to a SQLite file as MLED does: `python -m tests.site.writers <what> <database>`."""

import json
import os
import sys
import threading
from collections.abc import Callable
from uuid import uuid4

from django.conf import settings
from django.db import connection, transaction

from tests.services.processes import die_with_parent

THREADS, ROWS = 4, 25


def main(what: str, database: str) -> None:
    die_with_parent()
    settings.configure(DATABASES={"default": json.loads(database)})
    {"write": write, "stream": stream, "hold": hold, "hold and fork": hold_and_fork}[what]()


def write() -> None:
    """Each thread commits so many rows, half of them outside of a transaction; what failed is printed."""
    errors: list[str] = []

    def rows() -> None:
        try:
            for number in range(ROWS):
                insert() if number % 2 else committed()
            connection.close()
        except Exception as error:
            errors.append(repr(error))

    in_threads(rows)
    print(json.dumps(errors), flush=True)


def stream() -> None:
    """Write without a pause, in all threads, until stdin ends."""
    is_over = threading.Event()

    def rows() -> None:
        while not is_over.is_set():
            committed()
        connection.close()

    threads = [threading.Thread(target=rows) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    say("writing")
    sys.stdin.read()
    is_over.set()


def hold() -> None:
    """Stay in a transaction until killed."""
    with transaction.atomic():
        insert()
        say("holding")
        sys.stdin.read()


def hold_and_fork() -> None:
    """Stay in a transaction until killed; a child closes what it inherited and outlives that."""
    with transaction.atomic():
        insert()
        done, ready = os.pipe()
        child = os.fork()
        if child == 0:
            os.setsid()
            connection.close()
            os.write(ready, b".")
            sys.stdin.read()
            os._exit(0)
        os.read(done, 1)
        say(str(child))
        sys.stdin.read()


def committed() -> None:
    with transaction.atomic():
        insert()


def insert() -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO written (name) VALUES (%s)", [uuid4().hex])


def in_threads(act: Callable[[], None]) -> None:
    threads = [threading.Thread(target=act) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def say(word: str) -> None:
    print(word, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
