#!/usr/bin/env python
"""Django's command line for MLED."""

import gc
import os
import sys

if __name__ == "__main__":
    if sys.argv[1:2] == ["up"]:
        gc.disable()  # what loading makes stays; each part that is forked then has its collector on
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mled_site.settings")
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        if settings.configured:
            raise
        # Words for a person, not a traceback.
        sys.exit(f"MLED cannot start: {error}\nCorrect it in the environment; .env.example explains every setting.")
