"""The parts that `manage.py up` runs, each the body of a forked child."""

from __future__ import annotations

import gc
import os
import warnings
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.management import call_command

from mled_site.supervise.broker import server_command
from mled_site.supervise.children import Child

SHARED = [
    "celery.apps.worker",
    "celery.beat",
    "celery.concurrency.thread",
    "celery.worker.consumer",
    "gunicorn.app.base",
    "gunicorn.arbiter",
    "gunicorn.workers.gthread",
]


def parts() -> list[Child]:
    found = [
        Child("mled-sequencer", run_sequencer),
        Child("mled-worker", run_worker),
        Child("mled-web", run_web),
    ]
    if settings.MLED_BROKER.program:
        found.insert(0, Child("mled-broker", run_broker))
    return found


def load_packages() -> None:
    """Import what the parts use, so that they share its pages."""
    from django.template.loader import get_template
    from django.urls import get_resolver

    from mled_site.celery import app

    for name in SHARED:
        import_module(name)
    _ = get_resolver().reverse_dict  # imports every page
    get_template("base.html")
    app.loader.import_default_modules()
    _ = app.amqp, app.connection_for_read().transport_cls


def load_application() -> None:
    """The web application, once static files are in place; then keep the collector from touching (copying) all this."""
    from mled_site.wsgi import application  # noqa: F401

    gc.collect()
    gc.freeze()


def run_broker() -> None:
    command = server_command(settings.MLED_BROKER, settings.MLED_DATA)
    os.execv(command[0], command)


def run_sequencer() -> None:
    call_command("sequencer")


def run_worker() -> None:
    """One Celery worker with threads, and beat in a thread of it."""
    from celery.platforms import SecurityWarning

    from mled_site.celery import app

    os.environ["MLED_BEAT"] = "1"
    warnings.filterwarnings("ignore", category=SecurityWarning)  # as root: messages are JSON, they run nothing
    worker = app.Worker(
        hostname="mled@%h",
        pool="threads",
        concurrency=settings.MLED_TASK_THREADS,
        loglevel="WARNING",
        quiet=True,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    worker.start()
    raise SystemExit(worker.exitcode)


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
