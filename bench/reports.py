"""How long a compliance report over many runs takes, and in how much memory: `python -m bench.reports 10000`.

Makes small runs through actions, with a real history, in a new directory; lets the rules look at them, as the
background does when runs end; then asks for a report in every format, and builds it in a process of its own while the
log goes on. Prints runs a second, minutes, and of that process and of its typesetter the greatest resident size and the
seconds of CPU.
--data keeps the directory, and uses one that is there; --formats csv,json leaves the others out.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random

EMAIL, PROJECT = "bench@example.org", "bench"
METRICS = ("val/auroc", "val/loss", "val/f1")
STEPS = 20


def main() -> None:
    parsed = argparse.ArgumentParser(description=__doc__)
    parsed.add_argument("runs", type=int)
    parsed.add_argument("--data", type=Path)
    parsed.add_argument("--formats", default="pdf,csv,json,mledlog")
    parsed.add_argument("--build", action="store_true", help=argparse.SUPPRESS)
    asked = parsed.parse_args()
    if asked.build:
        build()
        return
    with tempfile.TemporaryDirectory(prefix="mled-reports-") as fresh:
        place = asked.data or Path(fresh)
        place.mkdir(parents=True, exist_ok=True)
        os.environ["MLED_DATA"] = str(place)
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{place}/bench.sqlite3")
        measure(asked.runs, asked.formats.split(","))


def measure(count: int, formats: list[str]) -> None:
    """Fill, ask the rules, build, and print."""
    _set_up()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    begun = time.perf_counter()
    _fill(count)
    _say(f"{count:,} runs made", begun)
    begun = time.perf_counter()
    _ask_rules()
    _say("rules asked about all of them", begun)
    report = _request(formats)
    begun = time.perf_counter()
    command = [sys.executable, "-m", "bench.reports", str(count), "--build"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - begun
    report.refresh_from_db()
    if report.state != "done":
        raise SystemExit(f"The report is {report.state}: {report.failure}\n{done.stderr[-4000:]}")
    files = ", ".join(f"{one.name} {one.size_bytes / 1e6:.1f} MB" for one in report.files.order_by("name")[:4])
    print(f"{report.records:,} runs in {seconds / 60:.2f} minutes: {report.records / seconds:.1f} runs a second")
    print(f"{done.stdout.strip()}; {report.files.count()} files: {files} …")


def build() -> None:
    """One worker: whatever is open, while the log goes on."""
    _set_up()
    from audit.compliance.models import Report
    from audit.compliance.reports.build import build_report
    from audit.ledger.sequencer import Sequencer

    sequencer = Sequencer()
    while (report := Report.objects.filter(state__in=Report.OPEN).first()) is not None:
        sequencer.run_until_empty()
        build_report(report.pk, keep_lease=True)
    own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    spent = [one.ru_utime + one.ru_stime for one in (own, others)]
    print(
        f"greatest resident size {own.ru_maxrss / 1024:.0f} MB, of the typesetter {others.ru_maxrss / 1024:.0f} MB; "
        f"CPU {spent[0]:.0f} s and {spent[1]:.0f} s"
    )


def _set_up() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mled_site.settings")
    os.environ.setdefault("MLED_TASKS_INLINE", "1")
    import django

    django.setup()


def _say(what: str, begun: float) -> None:
    print(f"    {what} in {time.perf_counter() - begun:.0f} s", file=sys.stderr)


def _fill(count: int) -> None:
    """Runs until there are so many, each made, logged to and ended."""
    from accounts.actions.members import add_member
    from accounts.actions.projects import create_project
    from accounts.actions.users import create_user
    from accounts.models import Project, User
    from accounts.roles import Role
    from audit.ledger.sequencer import Sequencer
    from experiments.actions.batches import log_batch
    from experiments.actions.experiments import create_experiment
    from experiments.actions.inputs import DatasetInput, log_inputs
    from experiments.actions.runs import create_run, update_run
    from experiments.metrics.batch import Batch, MetricPoint
    from experiments.models import Run
    from experiments.values import RunStatus
    from kernel.actor import Actor, ActorKind, Door, operator

    user = User.objects.filter(email=EMAIL).first()
    if user is None:
        user = create_user(operator(), email=EMAIL, name="Bench")
        project = create_project(operator(), slug=PROJECT)
        add_member(operator(), project, user=user, role=Role.ML_ENGINEER)
        create_experiment(operator(), project, name="sweep")
    experiment = Project.objects.get(slug=PROJECT).experiments.get(name="sweep")
    actor = Actor(ActorKind.USER, Door.REST, user_id=user.pk, user_name=user.name)
    sequencer = Sequencer()
    for n in range(Run.objects.count(), count):
        rng, began = Random(n), 1_700_000_000_000 + n * 61_000
        run = create_run(actor, experiment, name=f"gru-{n:06}", started_ms=began)
        points = [MetricPoint(key, rng.random(), began + step, step) for key in METRICS for step in range(STEPS)]
        params = [("lr", f"{rng.random():.4g}"), ("seed", str(n)), ("layers", str(n % 8)), ("arch", "gru-d")]
        tags = [("mlflow.source.git.commit", f"{rng.getrandbits(160):040x}"), ("team", f"team-{n % 6}")]
        log_batch(actor, run, batch=Batch(metrics=points, params=params, tags=tags))
        log_inputs(actor, run, inputs=[DatasetInput("icu", f"d{n % 3}", "local", "/data/icu")])
        update_run(actor, run, status=RunStatus.FINISHED, ended_ms=began + 60_000)
        if n % 500 == 499:
            sequencer.run_until_empty()
            print(f"    {n + 1:,} runs", file=sys.stderr)
    sequencer.run_until_empty()


def _ask_rules() -> None:
    from audit.compliance.actions.assessments import assess_run, judgement_of
    from audit.compliance.following import follow_log, follow_rules
    from audit.ledger.sequencer import Sequencer
    from experiments.models import Run
    from kernel.actor import system

    while follow_log():
        continue
    follow_rules()
    waiting = Run.objects.filter(standing__stale_at__isnull=False).select_related("project", "experiment")
    for run in waiting.iterator(chunk_size=500):
        assess_run(system(), run, judgement=judgement_of(run))
    Sequencer().run_until_empty()


def _request(formats: list[str]):  # type: ignore[no-untyped-def]  # models are there after the set-up
    from accounts.models import Project, User
    from audit.compliance.actions.reports import request_report
    from audit.compliance.models import Report
    from audit.compliance.reports.hooks import waking
    from kernel.actor import Actor, ActorKind, Door

    waking.clear()  # the process below builds it
    user = User.objects.get(email=EMAIL)
    actor = Actor(ActorKind.USER, Door.REST, user_id=user.pk, user_name=user.name)
    made = request_report(actor, Project.objects.get(slug=PROJECT), kind="compliance", scope="project", formats=formats)
    return Report.objects.get(pk=made.pk)


if __name__ == "__main__":
    main()
