"""A report as text: for a terminal, and for a bug report. Holds no secret: see secrecy."""

import textwrap
from typing import Final

from mled_site.diagnostics.results import Level, Report, Result

SIGNS: Final = {Level.OK: "ok", Level.WARNING: "warning", Level.FAILED: "FAILED"}
_WIDTH = 110


def headline(report: Report) -> str:
    """In one line: how it is all in all."""
    failed, warned = report.count(Level.FAILED), report.count(Level.WARNING)
    if not failed and not warned:
        return "Everything that was looked at is all right."
    told = [text for count, text in ((failed, f"{failed} failed"), (warned, f"{warned} to look at")) if count]
    return f"Of {len(report.results)} checks: {', '.join(told)}."


def as_text(report: Report) -> str:
    """All of it, to read or to send."""
    head = f"MLED {report.version}, {report.at:%Y-%m-%d %H:%M:%S} UTC. {headline(report)}"
    return "\n".join([head, "", *(_result(one) for one in report.results)]) + "\n"


def _result(result: Result) -> str:
    lines = [f"{SIGNS[result.level]:<8}{result.title} ({result.took_ms} ms)"]
    for one in result.problems:
        lines += _wrapped(f"! {one.what} [{one.code}]", indent=8)
        lines += _wrapped(f"> {one.next_step}", indent=8)
    lines += [f"          {name}: {value}" for name, value in result.figures]
    return "\n".join(lines)


def _wrapped(text: str, *, indent: int) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent=" " * indent, subsequent_indent=" " * (indent + 2), break_long_words=False
    )
