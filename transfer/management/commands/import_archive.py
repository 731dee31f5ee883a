"""manage.py import_archive FILE.zip [--project SLUG] [--dry-run]"""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.access import find_project
from accounts.actions.projects import create_project
from accounts.management.doors import as_operator
from accounts.models import Project
from artifacts.storage import StoredBlob, blobs
from kernel.actor import Actor
from kernel.errors import NotFound
from transfer.actions.transfers import begin
from transfer.archive.checking import check_points, check_records
from transfer.archive.layout import SIZE_MAX
from transfer.archive.reading import Archive, Manifest, open_archive
from transfer.archive.reading import origin_in as origin_of
from transfer.import_work import DRY_RUN, where
from transfer.management.telling import Line, require_done
from transfer.models import Transfer
from transfer.running import carry_through


class Command(BaseCommand):
    help = "Import an archive of a project. Done again, it goes on where it stopped and doubles nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file")
        parser.add_argument("--project", default="", help="its slug here; made if there is none (as in the archive)")
        parser.add_argument("--dry-run", action="store_true", help="check the archive and say what would be done")

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(options["file"])
        try:
            with path.open("rb") as file:
                stored = blobs().receive(file, limit=SIZE_MAX)
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from None
        with as_operator() as actor:
            with open_archive(stored) as archive:
                slug = options["project"] or str(archive.manifest.project.get("slug", ""))
                project = _found(actor, slug)
                if project is None and options["dry_run"]:
                    self._only_check(archive, slug, path.name)
                    return
            project = project or _made(actor, slug, archive.manifest)
            done = self._import(actor, project, stored, path.name, dry_run=options["dry_run"])
        self._tell(done, project)

    def _import(self, actor: Actor, project: Project, stored: StoredBlob, name: str, *, dry_run: bool) -> Transfer:
        asked = {DRY_RUN: True} if dry_run else {}
        begun = begin(actor, project, kind="archive", source=name, origin=origin_of(stored), options=asked, blob=stored)
        with Line(self.stderr, name) as line:
            return carry_through(begun.pk, listener=line)

    def _only_check(self, archive: Archive, slug: str, name: str) -> None:
        """Check an archive whose project is not here yet, and write nothing. Raises Invalid."""
        with Line(self.stderr, name) as line:
            archive.check(line)
            found = check_records(archive, line)
            check_points(archive, found, line)
        for (kind, key), words in found.refused.items():
            self.stderr.write(f"{where(kind, key)}: {words}")
        for kind, count in found.counts.items():
            self.stdout.write(f"{kind.replace('_', ' '):<20}{count:>10,} new")
        self.stdout.write(f"Project {slug} would be made: content {archive.manifest.digest}. Nothing was written.")

    def _tell(self, done: Transfer, project: Project) -> None:
        for problem in done.problems:
            self.stderr.write(f"{problem['where']}: {problem['message']}")
        require_done(done)
        for kind, told in done.counts.items():
            if isinstance(told, dict):
                refused = f", {told['refused']:,} refused" if told["refused"] else ""
                what = kind.replace("_", " ")
                self.stdout.write(f"{what:<20}{told['new']:>10,} new, {told['there']:,} there already{refused}")
        words = "Nothing was written: that was a dry run." if done.options.get(DRY_RUN) else "All of it was compared."
        self.stdout.write(f"Project {project.slug}: content {done.digest}. {words}")
        if done.problems:
            raise CommandError(f"{len(done.problems)} problems, see above.", returncode=3)


def _found(actor: Actor, slug: str) -> Project | None:
    try:
        return find_project(actor, slug)
    except NotFound:
        return None


def _made(actor: Actor, slug: str, manifest: Manifest) -> Project:
    """A project like that of the archive. Raises Invalid for a slug that cannot be."""
    said = manifest.project
    key = str(said.get("key", ""))
    taken = Project.objects.filter(key=key).exists()
    texts = {name: str(said.get(name) or "") for name in ("name", "purpose")}
    return create_project(actor, slug=slug, key="" if taken else key, **texts)
