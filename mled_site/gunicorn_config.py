"""gunicorn's settings, for `manage.py up` and for `gunicorn -c python:mled_site.gunicorn_config mled_site.wsgi`."""

import gc
import os
import sys
from pathlib import Path
from typing import Any

from mled_site.supervise.children import die_with_parent

_host = os.environ.get("MLED_HOST", "127.0.0.1")
bind = f"{f'[{_host}]' if ':' in _host else _host}:{os.environ.get('MLED_PORT', '8000')}"

# Threads in few processes: an upload or a long search holds a thread, not a process, and two processes use two cores.
worker_class = "mled_site.serving.StayingWorker"
workers = int(os.environ.get("MLED_WEB_WORKERS", "2"))
threads = int(os.environ.get("MLED_WEB_THREADS", "8"))
preload_app = True
timeout = 120
graceful_timeout = 15
keepalive = 15
limit_request_line = 8190  # the address of a table says all its columns
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - heartbeats belong in memory
control_socket_disable = True
loglevel = "warning"
proc_name = "mled-web"


def pre_fork(server: Any, worker: Any) -> None:
    """Pages that the collector does not touch stay shared between the processes."""
    gc.freeze()


def post_fork(server: Any, worker: Any) -> None:
    # A page of a thousand runs makes objects by the ten thousand; collecting them every 700 doubled its cost.
    gc.set_threshold(50_000, 20, 50)
    # A thread that holds a lock of the database should not wait 5 ms for its turn after each statement.
    sys.setswitchinterval(0.001)
    die_with_parent(server.pid)
