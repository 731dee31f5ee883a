"""verify: a sealed bundle, offline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mled.here import Here, command
from mled.problems import Problem, Usage

UNREADABLE = 2


@command("verify")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--key", default="", metavar="FILE", help="Public keys that you trust, from elsewhere than the bundle.")
@click.option("--anchor", default="", metavar="FILE", help="Heads that somebody else kept: checkpoints.log, or notes.")
@click.option("--log", default="", metavar="FILE", help="An export of the log as JSON Lines, to compare.")
def verify(here: Here, bundle: Path, key: str, anchor: str, log: str) -> None:
    """Verify a sealed bundle (.mledlog) of a report or of a log, without any server.

    Exit code 0: verified. 1: something was changed, and the first bad record is named. 2: it cannot be read.
    """
    from mled import mled_verify

    for flag, path in (("BUNDLE", str(bundle)), ("--key", key), ("--anchor", anchor), ("--log", log)):
        if path and not Path(path).is_file():
            raise Usage(f"There is no file {path}.", hint="Check its path.", field=flag)
    told: dict[str, Any] = {"bundle": str(bundle)}
    try:
        lines, warnings = mled_verify.verify(str(bundle), anchor or None, key or None, log or None)
    except mled_verify.Tampered as error:
        _over(here, told | {"result": "tampered", "why": str(error)}, Problem.exit_code)
    except Exception as error:  # whatever is wrong with it, it cannot be read as a bundle
        why = f"{mled_verify.Tampered.at or bundle}: {str(error)[:200] or type(error).__name__}"
        _over(here, told | {"result": "unreadable", "why": why}, UNREADABLE)
    else:
        _over(here, told | {"result": "verified", "checked": lines, "warnings": warnings}, 0)


def _over(here: Here, told: dict[str, Any], code: int) -> None:
    if here.show.as_json:
        here.show.json(told)
    else:
        here.show.line(f"{told['result'].upper()}: {told.get('why', told['bundle'])}")
        for line in told.get("checked", ()):
            here.show.line(line)
        for warning in told.get("warnings", ()):
            here.show.line(f"WARNING: {warning}")
    click.get_current_context().exit(code)
