"""Where everything meets: settings, the map of doors, the processes."""

import os

# Our arrays are small; one arena per core in every process would only cost memory.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from mled_site.celery import app as celery_app

__all__ = ["celery_app"]
