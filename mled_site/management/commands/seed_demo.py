"""manage.py seed_demo: people of each role, two projects, and runs trained for real. Once per installation."""

from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from mled_site.celery import app
from mled_site.demo.world import PEOPLE, build
from mled_site.secrets import kept_secret


class Command(BaseCommand):
    help = "Fill an empty installation with demonstration people, projects and runs, and print how to sign in."

    def handle(self, *args: Any, **options: Any) -> None:
        password_file = settings.MLED_DATA / "keys" / "demo_password"
        if User.objects.exclude(email__endswith="@demo.mled").exists():
            raise CommandError("People use this installation already; a demonstration needs an empty one.")
        password = kept_secret(password_file, random_bytes=12)
        if not User.objects.exists():
            app.conf.task_always_eager = True  # seal at once: no worker runs yet
            caches["default"] = LocMemCache("seed_demo", {})  # nor does what keeps the counters of signing
            build(password, self.stdout.write)
        self.stdout.write("Demonstration people; they share one password:")
        for person in PEOPLE:
            self.stdout.write(f"  {person.email:18} {person.role.label}")
        self.stdout.write(f"  password: {password}")
