"""manage.py erd: draw the tables of each room anew, from the models."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from mled_site.erd import written


class Command(BaseCommand):
    help = "Write docs/erd.md and its pictures from the models."

    def handle(self, *args: Any, **options: Any) -> None:
        for path, text in written().items():
            place = settings.BASE_DIR / "docs" / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
            self.stdout.write(f"docs/{path}")
