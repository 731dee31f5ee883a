"""Work by the clock: it is known to the worker, and does what it says."""

import datetime as dt
import os

import pytest
from django.conf import settings

from artifacts.storage import store
from artifacts.tasks import sweep_broken_uploads
from kernel.clock import now
from mled_site.celery import app


def test_everything_on_the_clock_is_a_known_task():
    app.loader.import_default_modules()
    due = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert {"experiments.tasks.seal_idle_runs", "artifacts.tasks.sweep_broken_uploads"} <= due
    assert due <= set(app.tasks)


@pytest.mark.django_db
def test_broken_uploads_are_swept_after_a_day():
    incoming = store().root / "incoming"
    old, new = incoming / "0123", incoming / "4567"
    for left in (old, new):
        left.write_bytes(b"half a file")
    two_days = (now() - dt.timedelta(days=2)).timestamp()
    os.utime(old, (two_days, two_days))
    sweep_broken_uploads.apply()
    assert not old.exists()
    assert new.exists()
    new.unlink()
