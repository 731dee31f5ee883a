"""What the ledger costs: verifying a long log, an act with and without it, writers beside each other.

python bench/ledger.py                         1,000,000 events on SQLite
python bench/ledger.py --postgres              the same on PostgreSQL, started here
python bench/ledger.py --events 100000         a shorter log, for a first look
"""

import argparse
import contextlib
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

WRITERS = 8
ACTS = 1_500
ROUND = 50
VERIFY_TARGET_SECONDS, VERIFY_TARGET_EVENTS = 60, 1_000_000
ACT_TARGET_MS = 1.0
PIECE = 2_000
THING = "bench.thing"
forked = multiprocessing.get_context("fork")

Write = Callable[[int], None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=VERIFY_TARGET_EVENTS)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--seconds", type=float, default=10, help="how long the writers write")
    parser.add_argument("--acts", type=int, default=ACTS, help="how many acts are timed")
    asked = parser.parse_args()
    print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="mled-bench-") as place, database(postgres=asked.postgres) as url:
        os.environ |= {"MLED_DATA": place, "DJANGO_SETTINGS_MODULE": "mled_site.settings"}
        if url:
            os.environ["DATABASE_URL"] = url
        prepare()
        lines = [*acts(asked.acts), *writers(asked.seconds), *verification(asked.events)]
    name = "PostgreSQL" if asked.postgres else "SQLite"
    print(f"\n| {name} | measured | target |\n| --- | --- | --- |")
    print("\n".join(f"| {' | '.join(line)} |" for line in lines))


@contextlib.contextmanager
def database(*, postgres: bool) -> Iterator[str]:
    """The URL of a server of this run's own with its ordinary durability; '' for SQLite."""
    if not postgres:
        yield ""
        return
    from tests.services import postgres as server

    server.SETTINGS |= {"fsync": "on", "full_page_writes": "on"}
    with server.running_postgres() as url:
        yield url


def prepare() -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from audit.ledger import hooks
    from audit.ledger.evidence import register_told

    call_command("migrate", verbosity=0)
    hooks.checkpoint_signed.clear()  # there is no broker here, and nobody to wake
    register_told(THING)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_thing (id varchar(40) PRIMARY KEY, value varchar(40))")


# --- What an act costs


def plain_write(number: int) -> None:
    """The row alone, in a transaction of its own: what an application without a ledger does."""
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO bench_thing (id, value) VALUES (%s, %s)", [_name(), str(number)])


def recorded_write(number: int) -> None:
    """The same row as an act, with its event."""
    from django.db import connection

    from audit.ledger.acting import acting
    from audit.ledger.values import Subject
    from kernel.actor import system

    name = _name()
    with acting(system(), "bench.write") as act, connection.cursor() as cursor:
        cursor.execute("INSERT INTO bench_thing (id, value) VALUES (%s, %s)", [name, str(number)])
        act.speaks_of(Subject(THING, name))
        act.record(THING, name, "set", {"value": (None, str(number))})


def _name() -> str:
    return os.urandom(16).hex()


def acts(count: int) -> Iterator[tuple[str, str, str]]:
    """One writer: rounds of the two kinds take turns, so that the machine's moods meet both."""
    took: dict[str, list[float]] = {"plain": [], "recorded": []}
    for _ in range(count // ROUND):
        for name, write in (("plain", plain_write), ("recorded", recorded_write)):
            for number in range(ROUND):
                begun = time.perf_counter()
                write(number)
                took[name].append((time.perf_counter() - begun) * 1000)
    without, recorded = (statistics.median(took[name]) for name in ("plain", "recorded"))
    yield "a row alone, one writer, median", f"{without:.2f} ms", ""
    yield "the same row as an act with its event", f"{recorded:.2f} ms", ""
    yield "what the ledger adds to it", f"{recorded - without:.2f} ms", f"at most {ACT_TARGET_MS:g} ms"


def writers(seconds: float) -> Iterator[tuple[str, str, str]]:
    """Eight processes write for some seconds, without ledger, then with it and a sequencer beside them."""
    without = _together(plain_write, seconds)
    with_it = _together(recorded_write, seconds, sequencing=True)
    yield f"{WRITERS} writers, rows alone", f"{without:,.0f} /s", ""
    yield f"{WRITERS} writers, acts, with a sequencer", f"{with_it:,.0f} /s", ""
    yield "share that is left with the ledger", f"{with_it / without:.0%}", ""


def _together(write: Write, seconds: float, *, sequencing: bool = False) -> float:
    from django.db import connections

    connections.close_all()
    if connections["default"].vendor == "postgresql":
        connections["default"].close_pool()  # type: ignore[attr-defined]
    counts: multiprocessing.Queue[int] = forked.Queue()
    until = time.monotonic() + seconds + 1
    group = [forked.Process(target=_write_until, args=(write, until - seconds, until, counts)) for _ in range(WRITERS)]
    helper = forked.Process(target=_sequence_until, args=(until,)) if sequencing else None
    for process in (*group, *([helper] if helper else [])):
        process.start()
    done = sum(counts.get() for _ in group)
    for process in (*group, *([helper] if helper else [])):
        process.join()
    return done / seconds


def _write_until(write: Write, since: float, until: float, counts: "multiprocessing.Queue[int]") -> None:
    write(0)  # opens the connection
    time.sleep(max(0.0, since - time.monotonic()))
    done = 0
    while time.monotonic() < until:
        write(done)
        done += 1
    counts.put(done)


def _sequence_until(until: float) -> None:
    from audit.ledger.sequencer import BATCH, Sequencer

    sequencer = Sequencer()
    while time.monotonic() < until:
        if sequencer.run_once() < BATCH:
            time.sleep(1)


# --- Verifying


def verification(events: int) -> Iterator[tuple[str, str, str]]:
    """Fill the log to so many events (each with the payload of a small act), place them, verify all of it."""
    from django.db import connection

    from audit.ledger.models import AuditEvent
    from audit.ledger.sequencer import Sequencer
    from audit.ledger.verify import verify_ledger

    fill(events - AuditEvent.objects.count())
    begun = time.perf_counter()
    placed = Sequencer().run_until_empty()
    rate = placed / (time.perf_counter() - begun)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    print(f"    {placed:,} events placed, {rate:,.0f} /s", file=sys.stderr)
    begun, worked = time.perf_counter(), time.process_time()
    findings = verify_ledger()
    seconds, worked = time.perf_counter() - begun, time.process_time() - worked
    if not findings.is_sound:
        raise SystemExit(f"The log is not sound: {findings.problems[:3]}")
    per_million = seconds * VERIFY_TARGET_EVENTS / findings.events
    yield "events placed by the sequencer", f"{rate:,.0f} /s", ""
    yield f"verify {findings.events:,} events", f"{seconds:.1f} s ({worked:.1f} s of our own work)", ""
    target = f"under {VERIFY_TARGET_SECONDS} s"
    yield "that is, for 1,000,000 events", f"{per_million:.1f} s", target


def fill(count: int, *, project: UUID | None = None) -> None:
    """Events as acts write them, many in one transaction. project: of all of them; without it each has its own."""
    from django.db import transaction

    from audit.ledger.models import AuditEvent, AuditPayload, Pending
    from kernel.digests import canonical_json, commitment
    from kernel.ids import uuid7

    begun = time.perf_counter()
    for start in range(0, count, PIECE):
        events, payloads = [], []
        for number in range(start, min(start + PIECE, count)):
            body = canonical_json({"changes": [_change(number)]})
            salt, made = os.urandom(32), uuid7()
            events.append(
                AuditEvent(
                    id=made, project_id=project or made, actor_kind="user", actor_id=made, actor_roles="data_scientist",
                    door="mlflow", client="mlflow-python-client/3.1.0", request_id=made.hex,
                    verb="experiments.log_batch", subject_type=THING, subject_id=f"{number // 10:032x}",
                    commitment=commitment(salt, body),
                )
            )  # fmt: skip
            payloads.append(AuditPayload(event_id=made, salt=salt, body=body.decode()))
        with transaction.atomic():
            AuditEvent.objects.bulk_create(events)
            AuditPayload.objects.bulk_create(payloads)
            Pending.objects.bulk_create(Pending(event_id=one.id) for one in events)
    print(f"    {count:,} events written in {time.perf_counter() - begun:.0f} s", file=sys.stderr)


def _change(number: int) -> dict[str, object]:
    fields = {"lr": [None, f"0.{number}"], "batch_size": [None, "64"], "arch": [None, "gru-d"], "seed": [None, "7"]}
    return {"type": THING, "id": f"{number // 10:032x}", "op": "set", "fields": fields}


if __name__ == "__main__":
    main()
