"""The Celery application. Tasks live in each room's tasks module; when they run stands in settings."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import worker_ready, worker_shutting_down

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mled_site.settings")

app = Celery("mled")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

_beat: list[Any] = []


@worker_ready.connect
def start_beat(**about: Any) -> None:
    """With MLED_BEAT=1 this worker also sends what is due by the clock: in a thread, which cannot outlive it."""
    if os.environ.get("MLED_BEAT") == "1":
        from celery.beat import EmbeddedService

        _beat.append(EmbeddedService(app, thread=True))
        _beat[0].start()


@worker_shutting_down.connect
def stop_beat(**about: Any) -> None:
    while _beat:
        _beat.pop().service.stop()
