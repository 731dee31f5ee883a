"""manage.py add_member SLUG EMAIL ROLE"""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts.access import find_project
from accounts.actions.members import parsed_role
from accounts.actions.users import find_user
from accounts.management.doors import as_operator
from accounts.management.membership import give_role


class Command(BaseCommand):
    help = "Give a user a role in a project."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("email")
        parser.add_argument("role", help="data_scientist, ml_engineer, project_manager or auditor")

    def handle(self, *args: Any, **options: Any) -> None:
        with as_operator() as actor:
            project, user = find_project(actor, options["slug"]), find_user(options["email"])
            membership = give_role(actor, project, user, parsed_role(options["role"]))
        self.stdout.write(f"{user.email} is {membership.get_role_display()} in {project.slug}.")
