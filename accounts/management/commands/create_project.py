"""manage.py create_project SLUG [--name] [--key]"""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts.actions.projects import create_project
from accounts.management.doors import as_operator


class Command(BaseCommand):
    help = "Make a project with its Default experiment."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--name", default="")
        parser.add_argument("--key", default="", help="2 to 10 capitals for readable ids, as VIS in VIS-123")

    def handle(self, *args: Any, **options: Any) -> None:
        with as_operator() as actor:
            project = create_project(actor, slug=options["slug"], name=options["name"], key=options["key"])
        self.stdout.write(f"Project {project.slug} was made; its runs are {project.key}-1, {project.key}-2, …")
