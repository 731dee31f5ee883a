"""manage.py rulebook: write the rules and their profiles down anew."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from mled_site.rulebook import page


class Command(BaseCommand):
    help = "Write docs/rules.md from the rules, the profiles and the tags."

    def handle(self, *args: Any, **options: Any) -> None:
        (settings.BASE_DIR / "docs" / "rules.md").write_text(page())
        self.stdout.write("docs/rules.md")
