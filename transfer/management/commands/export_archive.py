"""manage.py export_archive SLUG FILE.zip | --all FOLDER/"""

import json
import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.access import find_project
from accounts.management.doors import as_operator
from accounts.models import Project
from artifacts.storage import StoredBlob, blobs
from audit.ledger.queries.health import ledger_lag
from kernel.actor import Actor
from transfer.actions.transfers import begin, download_transfer_file
from transfer.archive.writing import PIECE
from transfer.management.telling import Line, require_done
from transfer.models import Transfer, TransferFile
from transfer.queries.transfers import WITH_LOG
from transfer.running import carry_through

INDEX = "index.json"
BEHIND_SECONDS = 60


class Command(BaseCommand):
    help = "Export a project, or all of them, as open archives that an empty MLED imports."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", nargs="?", help="its slug")
        parser.add_argument("file", nargs="?", help="where to write the archive")
        parser.add_argument("--all", metavar="FOLDER", help="every project into this folder, with an index.json")
        parser.add_argument("--without-log", action="store_true", help="leave out the events of the project")
        parser.add_argument("--without-files", action="store_true", help="leave out the content of files")

    def handle(self, *args: Any, **options: Any) -> None:
        if bool(options["all"]) == bool(options["project"] and options["file"]):
            raise CommandError("Say a project's slug and a file, or --all and a folder.")
        asked = {WITH_LOG: not options["without_log"], "with_files": not options["without_files"]}
        if asked[WITH_LOG] and ledger_lag().seconds > BEHIND_SECONDS:
            raise CommandError("Events wait for their place in the log: start MLED, or add --without-log.")
        with as_operator() as actor:
            if options["project"]:
                self._export(actor, find_project(actor, options["project"]), Path(options["file"]), asked)
            else:
                self._export_all(actor, Path(options["all"]), asked)

    def _export_all(self, actor: Actor, folder: Path, asked: dict[str, bool]) -> None:
        """One archive after the other; the index is written last, so that who finds it finds all."""
        folder.mkdir(parents=True, exist_ok=True)
        projects = Project.objects.visible_to(actor).order_by("slug")
        told = []
        for project in projects:
            done = self._export(actor, project, folder / f"{project.slug}.zip", asked)
            file = TransferFile.objects.get(transfer=done)
            told.append(
                {
                    "project": project.slug,
                    "file": f"{project.slug}.zip",
                    "sha256": file.blob_id,
                    "size_bytes": file.size_bytes,
                    "digest": done.digest,
                    "counts": done.counts,
                }
            )
        (folder / INDEX).write_text(json.dumps({"format": "mled-archives", "archives": told}, indent=2) + "\n")
        self.stdout.write(f"{len(told)} projects are in {folder}; {INDEX} names them.")

    def _export(self, actor: Actor, project: Project, path: Path, asked: dict[str, bool]) -> Transfer:
        begun = begin(actor, project, kind=Transfer.Kind.EXPORT, options=asked)
        with Line(self.stderr, project.slug) as line:
            done = carry_through(begun.pk, listener=line)
        require_done(done)
        file = TransferFile.objects.select_related("blob").get(transfer=done)
        download_transfer_file(actor, done, file=file)
        _write(file, path)
        words = f"{done.counts['runs']:,} runs, {done.counts['points']:,} points, {done.counts['files']:,} files"
        self.stdout.write(f"{path}: {words}; content {done.digest}.")
        return done


def _write(file: TransferFile, path: Path) -> None:
    """The file under its name once it is whole and on the disk."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with blobs().open(StoredBlob(file.blob_id, file.size_bytes)) as content, draft.open("wb") as out:
            while piece := content.read(PIECE):
                out.write(piece)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(path)
    except OSError as error:
        raise CommandError(f"{path} could not be written: {error.strerror}.") from None
    finally:
        draft.unlink(missing_ok=True)
