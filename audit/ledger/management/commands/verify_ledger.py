"""manage.py verify_ledger: is everything as the log says?"""

import json
import sys
from argparse import ArgumentParser
from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from audit.ledger import status
from audit.ledger.evidence import Problem
from audit.ledger.findings import Findings
from audit.ledger.keys import KeyRefused, public_file
from audit.ledger.verify import verify_ledger

_WIDTH = 200


class Command(BaseCommand):
    help = "Recompute the log from its events, and the rows from the log. Exit code 0: sound; 1: something was changed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the findings as JSON")
        parser.add_argument(
            "--copy", action="store_true", help="this database is a restored back-up: anchors go beyond its end"
        )
        parser.add_argument("--limit", type=int, default=20, help="how many problems to list (default 20)")

    def handle(self, *args: Any, json: bool, copy: bool, limit: int, **options: Any) -> None:
        began = monotonic()
        if copy:
            _only_read()
        try:
            findings = verify_ledger(limit=limit, is_copy=copy)
        except KeyRefused as error:
            raise CommandError(f"{public_file()}: {error}") from error
        if not copy:
            status.note_verified(is_sound=findings.is_sound, events=findings.events, problems=findings.problem_count)
        self.stdout.write(as_json(findings) if json else as_text(findings, monotonic() - began))
        if not findings.is_sound:
            sys.exit(1)


def _only_read() -> None:
    """Have the database itself refuse every write of this process."""
    only = {"sqlite": "PRAGMA query_only = ON", "postgresql": "SET default_transaction_read_only = on"}
    with connection.cursor() as cursor:
        cursor.execute(only[connection.vendor])


def as_json(findings: Findings) -> str:
    return json.dumps(findings.as_json(), indent=2)


def as_text(findings: Findings, seconds: float) -> str:
    """What was checked, what was found, and what follows, in plain words."""
    counted = (
        f"Checked in {seconds:.1f} s: {findings.events:,} events in the log and {findings.waiting:,} waiting for it, "
        f"{findings.checkpoints:,} checkpoints, {findings.anchors:,} anchors, {findings.rows:,} records as they are."
    )
    besides = [f"Checked besides: {name}." for name in findings.checks]
    lines = [counted, *besides, *(f"Note: {text}" for text in findings.remarks)]
    if findings.is_sound:
        return "\n".join([*lines, f"Sound. Head: {findings.events} events, root {findings.root}"])
    lines.append(f"NOT SOUND: {findings.problem_count:,} problems. The first:")
    lines += [f"  {number}. {problem_text(problem)}" for number, problem in enumerate(findings.problems, start=1)]
    if findings.problem_count > len(findings.problems):
        lines.append(f"  ... and {findings.problem_count - len(findings.problems):,} more (--limit lists more).")
    return "\n".join(lines)


def problem_text(problem: Problem) -> str:
    """One problem in one line: which record, which field, what the log says and what is there."""
    place = f"event {problem.seq}" if problem.seq is not None else ""
    record = f"{problem.kind} {problem.id}".strip()
    text = ", ".join(part for part in (record, place) if part) + f": {problem.what}"
    if problem.field:
        text += f" {problem.field}: the log says {_short(problem.expected)}, the row says {_short(problem.found)}."
    return text


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"
