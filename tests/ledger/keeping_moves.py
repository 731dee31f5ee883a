"""What the random walk does with keeping and forgetting: holds, purges, erasing what events say, forgetting people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from accounts.actions import erasing, forgetting
from accounts.models import Project
from audit.compliance import due
from audit.compliance.actions import holds, profiles, purges
from audit.compliance.models import LegalHold, Purge
from audit.ledger.models import AuditEvent
from experiments.actions import archives
from experiments.actions.seals import seal_run
from experiments.models import Experiment, Run
from experiments.values import RunStatus
from kernel.actor import operator, system
from tests.factories import a_file, a_person, a_run, curve, log_batch, user_of

BASIS = "GDPR 17(1)(d)"


@contextmanager
def years_on() -> Iterator[None]:
    """Twenty years later, as far as retention asks the clock."""
    real = due.now
    with patch.object(due, "now", lambda: real() + dt.timedelta(days=7305)):
        yield


def _erase(walk: Any) -> None:
    told = list(AuditEvent.objects.filter(outcome="done").order_by("id").values_list("pk", flat=True))
    chosen = walk.chance.sample(told, min(len(told), walk.chance.randint(1, 2)))
    erasing.erase_payloads(operator(), events=chosen, reason=walk.text() or BASIS)


def _forget(walk: Any) -> None:
    person = user_of(a_person("Zed"))
    forgetting.forget(operator(), user=person, basis=BASIS)
    assert forgetting.forget_person  # the last of its acts


def _place(walk: Any) -> None:
    run = walk.run() if walk.chance.random() < 0.9 else None
    holds.place_hold(walk.who(), walk.team.project, reason=walk.text(), run=run)


def _lift(walk: Any) -> None:
    holds.lift_hold(walk.who(), walk.any(LegalHold, lifted_at=None), reason=walk.text())


def _ask(walk: Any) -> None:
    project = Project.objects.get(pk=walk.team.project.pk)
    if not project.retention_class:
        profiles.choose_retention(operator(), project, retention_class="short")
    place = Experiment.objects.filter(project=project, lifecycle="active").first()
    old = a_run(operator(), place, name=walk.text()[:40], status=RunStatus.FINISHED)
    a_file(operator(), old, "notes.txt", b"old")
    runs = [old, walk.run()] if walk.chance.random() < 0.3 else [old]
    with years_on():
        purges.ask_purge(walk.who(), project, runs=runs, reason=walk.text() or "Over.")


def _carry_out(walk: Any) -> None:
    with years_on():
        purges.carry_out_purge(walk.who(), walk.any(Purge, state="asked"), reason=walk.text() or "Over.")


def _archive(walk: Any) -> None:
    """keep_archive, of a run whose points lie long enough; some go on and are archived again."""
    place = Experiment.objects.filter(project=walk.team.project, lifecycle="active").first()
    run = a_run(operator(), place, name=walk.text()[:40], status=RunStatus.FINISHED)
    for steps in (30, 40) if walk.chance.random() < 0.5 else (30,):
        log_batch(operator(), Run.objects.get(pk=run.pk), batch=curve(steps))
        seal_run(system(), Run.objects.get(pk=run.pk))
        archives.archive_run(system(), Run.objects.get(pk=run.pk))
    assert archives.keep_archive  # the last of its acts


KEEPING: list[Callable[[Any], Any]] = [
    _erase,
    _forget,
    _place,
    _lift,
    _lift,
    _ask,
    _ask,
    lambda w: purges.withdraw_purge(w.who(), w.any(Purge, state="asked")) if w.chance.random() < 0.3 else None,
    lambda w: purges.refuse_purge(w.who(), w.any(Purge, state="asked"), reason=w.text()),
    _carry_out,
    _archive,
]
