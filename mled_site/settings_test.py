"""The few overrides that tests need."""

import atexit
import os
import shutil
import tempfile

# Each test process keeps its keys and files in a directory of its own.
os.environ["MLED_DATA"] = tempfile.mkdtemp(prefix="mled-test-")
atexit.register(shutil.rmtree, os.environ["MLED_DATA"], ignore_errors=True)

from mled_site.settings import *  # noqa: E402, F403
from mled_site.settings import DATABASES  # noqa: E402

DATABASES["default"].setdefault("OPTIONS", {}).pop("pool", None)  # tests change databases often
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick, and safe for people who do not exist
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
MLED_REST_A_MINUTE = {"reads": 0, "writes": 0, "unknown": 0}  # tests ask more in a minute than anybody
MLED_BOARD_ENTRIES_AN_HOUR = 0
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
CELERY_BROKER_URL = "memory://"
