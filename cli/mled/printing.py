"""What is shown: tables on a terminal, tabs in a pipe, JSON on request. Words for people go to stderr."""

from __future__ import annotations

import datetime as dt
import json
import sys
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from mled.problems import Problem

NOTHING = "–"
SHORT = frozenset({"id", "status", "started", "ended", "duration", "version", "number", "kind", "state", "requested"})
"""Columns that are never cut or folded."""


class Ticks(Protocol):
    """Told how many bytes or steps more are done."""

    def __call__(self, more: int) -> None: ...


@dataclass(frozen=True)
class Show:
    """How one command speaks. as_json: for programs; quiet: only what was asked for, and problems."""

    as_json: bool = False
    quiet: bool = False

    def table(
        self, rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, empty: str = "", whole: bool = True
    ) -> None:
        """Rows with these columns. empty: what to say where there are none. whole: long cells take several lines on a
        terminal; else they are cut there, and only there."""
        if self.as_json:
            self.json([dict(row) for row in rows])
            return
        if not rows and empty:
            self.note(empty)
        elif is_terminal():
            _print_table(rows, columns, whole)
        else:
            print("\t".join(columns))
            for row in rows:
                print("\t".join(plain(row.get(column)) for column in columns))

    def record(self, fields: Mapping[str, Any]) -> None:
        """One thing: a line for each field."""
        if self.as_json:
            self.json(dict(fields))
            return
        width = max((len(name) for name in fields), default=0) if is_terminal() else 0
        for name, value in fields.items():
            print(f"{name:<{width}}  {worded(value)}" if width else f"{name}\t{plain(value)}")

    def json(self, value: Any) -> None:
        """Anything, as JSON."""
        print(json_of(value, indent=2 if is_terminal() else None))

    def line(self, text: str) -> None:
        """A result of one line."""
        print(clean(text))

    def note(self, text: str) -> None:
        """A word on the side."""
        if not self.quiet and text:
            print(clean(text), file=sys.stderr)

    def problem(self, problem: Problem) -> None:
        """What went wrong, where, what next, and the request's id."""
        if self.as_json:
            print(json_of(problem.as_json()), file=sys.stderr)
        else:
            for line in told(problem):
                print(clean(line), file=sys.stderr)

    @contextmanager
    def progress(self, what: str, total: int | None, *, of_bytes: bool = True) -> Iterator[Ticks]:
        """A bar on a terminal's stderr; nothing anywhere else."""
        if self.quiet or self.as_json or not sys.stderr.isatty():
            yield nothing
            return
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        amount = DownloadColumn() if of_bytes else MofNCompleteColumn()
        words = TextColumn("{task.description}", markup=False)
        with Progress(
            words, BarColumn(), amount, TimeRemainingColumn(), console=Console(stderr=True), transient=True
        ) as bar:
            task = bar.add_task(clean(what), total=total)
            yield lambda more: bar.advance(task, more)


def nothing(more: int) -> None:
    """Where no bar is shown."""


def told(problem: Problem) -> list[str]:
    """A problem in lines."""
    lines = [f"Error: {problem.message}"]
    many = len(problem.problems) > 1 or (problem.problems and problem.problems[0].get("field") != problem.field)
    if many:
        for one in problem.problems:
            said = " ".join(part for part in (one.get("title", ""), one.get("hint", "")) if part)
            lines.append(f"  {one.get('field', '')}: {said}")
        if problem.hint and problem.hint not in {one.get("hint") for one in problem.problems}:
            lines.append(f"  What next: {problem.hint}")
    else:
        lines += [f"  Where: {problem.field}"] if problem.field else []
        lines += [f"  What next: {problem.hint}"] if problem.hint else []
    lines += [f"  Request: {problem.request_id}"] if problem.request_id else []
    return lines


def is_terminal() -> bool:
    """Whether a person reads stdout."""
    return sys.stdout.isatty()


def clean(text: str) -> str:
    """The text without signs that would move the cursor, colour what follows, or turn its direction."""
    if text.isprintable():
        return text
    return "".join(sign if sign in "\n\t" or not _unfit(sign) else f"\\x{ord(sign):02x}" for sign in text)


def json_of(value: Any, indent: int | None = None) -> str:
    """A value as JSON: letters of any script as they are, and what `clean` would take out as JSON spells it."""
    text = json.dumps(value, ensure_ascii=False, indent=indent, default=str)
    if text.isprintable():
        return text
    return "".join(json.dumps(sign)[1:-1] if sign != "\n" and _unfit(sign) else sign for sign in text)


def _unfit(sign: str) -> bool:
    return unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")


def worded(value: Any) -> str:
    """A value as people read it."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return clean(", ".join(worded(one) for one in value)) or NOTHING
    return clean(str(value))


def plain(value: Any) -> str:
    """A value in one cell of tab-separated text: whole, without tabs and ends of lines."""
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list | bool) else str(value)
    return clean(" ".join(text.split()) if any(sign in text for sign in "\t\n\r\x0b\x0c") else text)


def moment(ms: int | None) -> str:
    """A time in milliseconds as it is read, in UTC."""
    if ms is None:
        return ""
    try:
        return dt.datetime.fromtimestamp(ms / 1000, dt.timezone.utc).strftime(
            "%Y-%m-%d %H:%MZ" if is_terminal() else "%Y-%m-%dT%H:%M:%SZ"
        )
    except (OverflowError, ValueError, OSError):
        return f"{ms} ms"


def moment_of(iso: str | None) -> str:
    """A time of the server (ISO 8601) in the same form."""
    if not iso:
        return ""
    return moment(round(dt.datetime.fromisoformat(iso.replace("Z", "+00:00")).timestamp() * 1000))


def lasting(ms: int | None) -> str:
    """A length of time: 1h 20m 05s."""
    if ms is None or ms < 0:
        return ""
    if ms < 1000:
        return f"{ms}ms"
    minutes, seconds = divmod(round(ms / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h {minutes:02}m"
    return f"{minutes}m {seconds:02}s" if minutes else f"{seconds}s"


def size(count: int) -> str:
    """Bytes in words."""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def _print_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], whole: bool) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        numbers = all(isinstance(row.get(column), int | float) for row in rows)
        table.add_column(
            Text(clean(column)),
            justify="right" if numbers else "left",
            overflow="fold" if whole else "ellipsis",
            no_wrap=column in SHORT or not whole,
            min_width=_longest(rows, column) if column in SHORT else None,
        )
    for row in rows:
        table.add_row(*(Text(worded(row.get(column))) for column in columns))
    Console().print(table)


def _longest(rows: Sequence[Mapping[str, Any]], column: str) -> int:
    return max(len(column), *(len(worded(row.get(column))) for row in rows))
