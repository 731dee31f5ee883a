"""compare: runs beside one another."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

import click

from mled.here import Here, command
from mled.printing import is_terminal
from mled.problems import Usage

MAX = 100
KINDS = ("metric", "param", "tag", "data", "code", "package", "run")


@command("compare")
@click.argument("runs", nargs=-1, required=True, metavar="RUN RUN…")
@click.option("--all", "everything", is_flag=True, help="Also what is the same in all of them.")
@click.option("--kind", multiple=True, type=click.Choice(KINDS), help="Only these; several times.")
@click.option("--figure", type=click.Choice(["last", "min", "max", "best"]), help="Which value of each metric.")
def compare(here: Here, runs: Sequence[str], everything: bool, kind: Sequence[str], figure: str | None) -> None:
    """Compare runs: what differs, a column for each.

    2 to 100 runs; their metrics, params, tags, data, code and packages.
    """
    if not 2 <= len(runs) <= MAX:
        raise Usage(f"Between 2 and {MAX} runs are compared; these are {len(runs)}.", hint="mled compare VIS-1 VIS-2")
    asked: dict[str, str | Sequence[str]] = {"run": list(runs), "differing": "false" if everything else "true"}
    asked |= {name: value for name, value in (("kind", list(kind)), ("figure", figure)) if value}
    found = here.connection.get("compare/", asked)
    names = [run["readable_id"] for run in found["runs"]]
    address = f"{here.place.url}/compare/?{urlencode([('run', run['id']) for run in found['runs']])}"
    if here.show.as_json:
        here.show.json(found | {"url": address})
        return
    rows = [
        {"kind": row["kind"], "field": row["name"], **dict(zip(names, row["values"], strict=True))}
        for row in found["rows"]
    ]
    same = "They are the same in everything that is compared (--all shows it)."
    here.show.table(rows, ["kind", "field", *names], empty=same)
    if is_terminal():
        here.show.note(address)
