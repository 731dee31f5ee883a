"""The parts that `manage.py up` runs, each the body of a forked child."""

from __future__ import annotations

import os
import warnings
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.management import call_command

from mled_site.supervise.broker import server_command
from mled_site.supervise.children import Child
from mled_site.supervise.memory import settle

# What a part imports on its own, the others do not share: the broker's client alone was 20 MiB in each of four.
SHARED = [
    "audit.ledger.management.commands.sequencer",
    "billiard.pool",
    "celery.app.control",
    "celery.app.events",
    "celery.app.log",
    "celery.apps.worker",
    "celery.backends.base",
    "celery.beat",
    "celery.concurrency.thread",
    "celery.contrib.django.task",
    "celery.events.receiver",
    "celery.worker.autoscale",
    "celery.worker.components",
    "celery.worker.consumer",
    "celery.worker.consumer.delayed_delivery",
    "celery.worker.strategy",
    "gunicorn.app.base",
    "gunicorn.arbiter",
    "gunicorn.glogging",
    "gunicorn.workers.gthread",
    "mled_site.serving",
    "kombu.mixins",
    "runner.executors.execution",
    "runner.executors.sandbox",
    "runner.management.commands.runner",
    "runner.working.looping",
]


def parts() -> list[Child]:
    found = [
        Child("mled-sequencer", run_sequencer),
        Child("mled-worker", run_worker),
        Child("mled-web", run_web),
    ]
    if settings.MLED_RUNNER_SLOTS:
        found.insert(2, Child("mled-runner", run_runner))
    if settings.MLED_BROKER.program:
        found.insert(0, Child("mled-broker", run_broker))
    return found


def load_packages() -> None:
    """Import what the parts use at once, so that they share its pages. What few requests use stays out."""
    from django.template.loader import get_template
    from django.urls import get_resolver

    from mled_site.celery import app

    os.environ["CELERY_SKIP_CHECKS"] = "1"  # nobody reads what they find, and they touch every page of every model
    for name in SHARED:
        import_module(name)
    _ = get_resolver().reverse_dict  # imports every page
    get_template("base.html")
    app.loader.import_default_modules()
    app.finalize()
    _ = app.amqp, app.connection_for_read().transport


def load_application() -> None:
    """The web application, once static files are in place: the last that the parts share."""
    from mled_site.wsgi import application  # noqa: F401

    settle()


def run_broker() -> None:
    command = server_command(settings.MLED_BROKER, settings.MLED_DATA)
    os.execv(command[0], command)


def run_sequencer() -> None:
    call_command("sequencer")


def run_worker() -> None:
    """One Celery worker with threads, and beat in a thread of it."""
    from celery.platforms import SecurityWarning

    os.environ["MLED_BEAT"] = "1"
    warnings.filterwarnings("ignore", category=SecurityWarning)  # as root: messages are JSON, they run nothing
    worker = made_worker()
    worker.start()
    raise SystemExit(worker.exitcode)


def made_worker() -> Any:
    from celery.utils.nodenames import host_format

    from mled_site.celery import app

    return app.Worker(
        hostname=host_format("mled@%h"),
        pool="threads",
        concurrency=settings.MLED_TASK_THREADS,
        loglevel="WARNING",
        quiet=True,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )


def run_runner() -> None:
    """The worker that does jobs."""
    call_command("runner")


def run_web() -> None:
    from gunicorn.app.base import BaseApplication

    from mled_site import gunicorn_config

    class Web(BaseApplication):  # type: ignore[misc]
        """gunicorn with our configuration, on the application that the supervisor has loaded."""

        def load_config(self) -> None:
            for name, value in vars(gunicorn_config).items():
                if name in self.cfg.settings:
                    self.cfg.set(name, value)

        def load(self) -> Any:
            from mled_site.wsgi import application

            return application

    Web().run()
