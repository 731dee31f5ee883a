"""The web application, as gunicorn loads it."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mled_site.settings")

_pages = get_wsgi_application()

from mled_site.machine_calls import MachineCalls  # noqa: E402 - knows models, which Django has to load first

application = MachineCalls(_pages)
