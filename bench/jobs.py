"""How long the queue takes with many jobs: its page, the lists over REST, a place in the queue, taking the next.

python bench/jobs.py                             1,000 and 100,000 jobs on SQLite, 1,000 of them waiting
python bench/jobs.py --postgres                  the same on PostgreSQL, started here
python bench/jobs.py --jobs 10000 --waiting 10000
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

SIZES = (1_000, 100_000)
WAITING = 1_000
TARGET_MS = 300
REPEATS = 9
PIECE = 2_000


def main() -> None:
    from bench.ledger import database

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, nargs="*", default=SIZES)
    parser.add_argument("--waiting", type=int, default=WAITING, help="how many of them wait, at most")
    parser.add_argument("--postgres", action="store_true")
    asked = parser.parse_args()
    lines: dict[str, list[str]] = {}
    for size in asked.jobs:
        with tempfile.TemporaryDirectory(prefix="mled-bench-") as place, database(postgres=asked.postgres) as url:
            # Each size in a process of its own: an installation is chosen by the environment, once.
            answer = _in_a_process(size, min(size, asked.waiting), place, url)
        for name, times in answer:
            lines.setdefault(name, []).append(f"{median(times):,.1f} (worst {max(times):,.1f})")
    heads = " | ".join(f"{size:,} jobs, ms" for size in asked.jobs)
    print(f"\n| {'PostgreSQL' if asked.postgres else 'SQLite'} | {heads} |")
    print("| --- " * (len(asked.jobs) + 1) + "|")
    print("\n".join(f"| {name} | {' | '.join(cells)} |" for name, cells in lines.items()))
    print(f"\nThe target for the page of the queue is {TARGET_MS} ms.")


def _in_a_process(size: int, waiting: int, place: str, url: str) -> list[tuple[str, list[float]]]:
    import multiprocessing

    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measured, (size, waiting, place, url))


def measured(size: int, waiting: int, place: str, url: str) -> list[tuple[str, list[float]]]:
    """What each question takes, in milliseconds, on an installation that is filled first."""
    static = str(Path(place) / "static")
    os.environ |= {"MLED_DATA": place, "MLED_STATIC_ROOT": static, "DJANGO_SETTINGS_MODULE": "mled_site.settings"}
    if url:
        os.environ["DATABASE_URL"] = url
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    settings.ALLOWED_HOSTS = ["testserver"]
    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    begun = time.monotonic()
    slug, user = fill(size, waiting)
    print(f"    {size:,} jobs ({time.monotonic() - begun:.0f} s)", file=sys.stderr)
    return [(name, [_timed(call) for _ in range(REPEATS + 1)][1:]) for name, call in questions(slug, user)]


def _timed(call: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - begun)


def questions(slug: str, user: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    """What people and programs ask, by its name."""
    from django.test import Client

    from kernel.actor import Actor, ActorKind, Door
    from runner.models import Job
    from runner.queries.jobs import jobs_page
    from runner.queries.queue import standing

    client = Client()
    client.force_login(user, backend="accounts.backends.EmailBackend")

    def ask(path: str) -> Callable[[], None]:
        def call() -> None:
            answer = client.get(path)
            if answer.status_code != 200:
                raise RuntimeError(f"{path} answered {answer.status_code}.")

        return call

    def viewer() -> Actor:
        return Actor(ActorKind.USER, Door.WEB, user_id=user.pk, user_name=user.name)

    waits = Job.objects.filter(state=Job.State.QUEUED).order_by("-created_at").first()
    rest = f"/api/v1/projects/{slug}/jobs/"
    second = client.get(rest).json()["next"]
    yield "page of the queue", ask(f"/p/{slug}/queue/")
    yield "page of what is over", ask(f"/p/{slug}/queue/?show=over")
    yield "REST, newest 100", ask(rest)
    yield "REST, the page after", ask(second.partition("testserver")[2])
    yield "REST, failed ones", ask(f"{rest}?state=failed")
    yield "REST, one's own that are open", ask(f"{rest}?state=open&mine=true")
    yield "query: 50 newest", lambda: jobs_page(viewer())
    yield "query: 50 open ones", lambda: jobs_page(viewer(), state="open")
    if waits is not None:
        yield "place of the last in the queue", lambda: standing(viewer(), waits)


def fill(size: int, waiting: int) -> tuple[str, Any]:
    """A project with so many jobs, the newest of them waiting; its slug, and a scientist of it."""
    from accounts.actions.members import add_member
    from accounts.actions.projects import create_project
    from accounts.actions.users import create_user
    from accounts.roles import Role
    from experiments.models import Experiment
    from kernel.actor import Actor, ActorKind, Door, operator
    from runner.actions.jobs import launch
    from runner.models import Recipe
    from runner.recipes import Draft

    user = create_user(operator(), email="bench@example.org", name="Bench")
    project = create_project(operator(), slug="bench")
    add_member(operator(), project, user=user, role=Role.DATA_SCIENTIST)
    ada = Actor(ActorKind.USER, Door.WEB, user_id=user.pk, user_name=user.name)
    draft = Draft(Recipe.Kind.FOLDER, code_name="code.zip", words=("python", "train.py"), params={"lr": 0.1})
    first = launch(ada, Experiment.objects.get(project=project, is_default=True), draft=draft)
    for start in range(1, size, PIECE):
        _put_in(first, range(start, min(start + PIECE, size)), size - waiting)
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as autovacuum and `manage.py up` do by themselves in time
    return project.slug, user


def _put_in(first: Any, numbers: range, over: int) -> None:
    """Jobs like the first, each with its run, by few statements: without a history, and with all that lists read."""
    from audit.ledger.acting import acting
    from bench.bulk import insert_objects
    from experiments.models import Run
    from experiments.values import RunStatus
    from kernel.actor import system
    from kernel.clock import now
    from runner.models import Job

    moment = now() - timedelta(days=30)
    ends = (Job.State.FINISHED,) * 8 + (Job.State.FAILED, Job.State.STOPPED)
    with acting(system(), "bench.fill"):
        runs = [
            Run(
                project_id=first.project_id, experiment_id=first.experiment_id, number=n + 1, name=f"job {n}",
                status=RunStatus.FINISHED if n < over else RunStatus.SCHEDULED, created_by_id=first.created_by_id,
            )
            for n in numbers
        ]  # fmt: skip
        insert_objects(runs)
        insert_objects(
            Job(
                project_id=first.project_id, experiment_id=first.experiment_id, run=run, recipe_id=first.recipe_id,
                created_by_id=first.created_by_id, created_at=moment + timedelta(seconds=20 * n),
                state=ends[n % 10] if n < over else Job.State.QUEUED,
                started_at=moment + timedelta(seconds=20 * n) if n < over else None,
                ended_at=moment + timedelta(seconds=20 * n + 60) if n < over else None,
            )
            for n, run in zip(numbers, runs, strict=True)
        )  # fmt: skip


if __name__ == "__main__":
    main()
