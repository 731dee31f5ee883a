"""manage.py record_verification RUN [RUN …] --bundle FILE | --exit-code N --sha256 HEX"""

import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError, CommandParser

import audit.ledger
from accounts.management.doors import as_operator
from audit.compliance.actions.bundles import record_verification
from audit.ledger.anchors import anchor_file
from audit.ledger.keys import public_file
from experiments.models import Run
from experiments.queries.runs import get_run

VERIFIER = Path(audit.ledger.__path__[0]) / "offline" / "mled_verify.py"


class Command(BaseCommand):
    help = (
        "Record what the offline verifier said of a bundle that holds these runs. Ends with the verifier's exit code."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("runs", nargs="+", metavar="RUN", help="32 hex digits or a readable id, such as SEP-12")
        parser.add_argument("--bundle", type=Path, help="the .mledlog file; the verifier is run on it here")
        parser.add_argument(
            "--key", type=Path, default=None, help="public keys to trust (default: this installation's)"
        )
        parser.add_argument("--anchor", type=Path, default=None, help="heads to compare with (default: our own)")
        parser.add_argument("--exit-code", type=int, choices=(0, 1, 2), help="what the verifier ended with elsewhere")
        parser.add_argument("--sha256", default="", help="of the bundle that was verified elsewhere")
        parser.add_argument("--note", default="", help="who verified it, where")

    def handle(self, *args: Any, runs: list[str], bundle: Path | None, **given: Any) -> None:
        elsewhere = given["exit_code"] is not None
        if elsewhere is (bundle is not None):
            raise CommandError("Give either --bundle, or --exit-code with --sha256.")
        code, digest = given["exit_code"], given["sha256"]
        with as_operator() as actor:
            found = [get_run(actor, one) for one in runs]
            if bundle is not None:
                code, said = _verified(bundle, given["key"] or public_file(), given["anchor"] or anchor_file())
                self.stdout.write(said.rstrip())
                if code == 0:
                    _require_held(bundle, found)
                with bundle.open("rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
            for run in found:
                record_verification(actor, run, exit_code=code, sha256=digest, note=given["note"])
        self.stdout.write(f"Recorded: exit code {code}, bundle {digest}, {len(found)} run{'s' * (len(found) > 1)}.")
        if code:
            sys.exit(code)


def _verified(bundle: Path, key: Path, anchor: Path) -> tuple[int, str]:
    """What the verifier says in a process of its own."""
    if not bundle.is_file():
        raise CommandError(f"There is no file {bundle}.")
    more = [*(("--key", str(key)) if key.is_file() else ()), *(("--anchor", str(anchor)) if anchor.is_file() else ())]
    command = [sys.executable, "-I", str(VERIFIER), str(bundle), *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def _require_held(bundle: Path, runs: Sequence[Run]) -> None:
    """Raise CommandError where a bundle that is in order says nothing of one of the runs."""
    missing = {run.ledger_id: run for run in runs}
    with zipfile.ZipFile(bundle) as archive, archive.open("events.jsonl") as lines:
        for line in lines:
            leaf = orjson.loads(line)["leaf"]
            if leaf["subject_type"] == Run._meta.label_lower:
                missing.pop(leaf["subject_id"], None)
    if missing:
        names = ", ".join(run.readable_id for run in missing.values())
        raise CommandError(f"The bundle is in order, but holds no event of {names}.")
