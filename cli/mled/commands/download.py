"""download: runs as a table in a file."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click

from mled.commands.boards import download_board
from mled.commands.runs import query_line
from mled.downloads import Fetched, fetch
from mled.here import Here, command
from mled.printing import size
from mled.problems import Usage

EXPORT: Final = "search/export/"
BINARY: Final = ("parquet", "xlsx")
_ENDINGS: Final = {
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
    ".xlsx": "xlsx",
}


@command("download")
@click.argument("query", default="")
@click.option("-o", "--output", default="", metavar="FILE", help="Where to; its ending says the format. Else stdout.")
@click.option(
    "-f", "--format", "kind", type=click.Choice(["csv", "jsonl", "json", "parquet", "xlsx"]), help="CSV without it."
)
@click.option("-c", "--columns", default="", metavar="A,B,…", help="Such as started,metrics.loss,params.lr.")
@click.option("-s", "--sort", multiple=True, metavar="KEY [DESC]", help="Such as 'metrics.loss' or 'created DESC'.")
@click.option("--status", multiple=True, help="finished, failed, stopped, running, queued.")
@click.option("--experiment", multiple=True, metavar="NAME", help="Of experiments of this name.")
@click.option("--user", default="", metavar="NAME|EMAIL", help="Whose.")
@click.option("--email", default="", metavar="LABEL", help="Submitted under this e-mail label.")
@click.option("--tag", multiple=True, metavar="KEY[=VALUE]", help="With this tag.")
@click.option("--since", default="", metavar="TIME|7d", help="Started then or later.")
@click.option("--until", default="", metavar="TIME", help="Started then or earlier.")
@click.option("--deleted", is_flag=True, help="Deleted ones.")
@click.option("--board", default="", metavar="SLUG", help="The entries of a public board instead.")
@click.option("--claim-token", default="", help="Of that board (MLED_CLAIM_TOKEN).")
def download(
    here: Here,
    query: str,
    output: str,
    kind: str | None,
    columns: str,
    sort: Sequence[str],
    deleted: bool,
    board: str,
    claim_token: str,
    **filters: Any,
) -> None:
    """Download runs as a table: CSV, Parquet and more.

    Every run that you may read, or those that match, with all of their columns; of all your projects, or of
    --project. It streams, whatever its size; cells of CSV that a spreadsheet would take for formulas are made
    harmless. A download that breaks off begins anew, and FILE is written only once it is whole.
    """
    target = Path(output) if output and output != "-" else None
    chosen = kind or _by_ending(target)
    if target is None and chosen in BINARY and sys.stdout.isatty():
        raise Usage(f"{chosen} is nothing for a terminal.", hint=f"Say --output runs.{chosen}.", field="--output")
    if board:
        _tell(here, download_board(here, board, target, kind=chosen, claim_token=claim_token))
        return
    params: dict[str, str | int | Sequence[str]] = {
        "format": chosen,
        "q": query_line(query, filters),
        "project": here.asked_project,
        "lifecycle": "deleted" if deleted else "",
        "order": list(sort),
        "columns": [column.strip() for column in columns.split(",") if column.strip()],
    }
    params = {name: value for name, value in params.items() if value}
    with here.show.progress(f"Downloading {chosen}", None) as ticks:
        got = fetch(here.connection, EXPORT, target, params=params, ticks=ticks, told=here.show.note)
    _tell(here, got)


def _by_ending(target: Path | None) -> str:
    """The format that a file's name says; CSV where it has no ending. Raises Usage for another one."""
    ending = target.suffix.lower() if target else ""
    if ending and ending not in _ENDINGS:
        hint = f"End it with one of {', '.join(_ENDINGS)}, or say --format."
        raise Usage(f"'{ending[:20]}' says no format.", hint=hint, field="--output")
    return _ENDINGS.get(ending, "csv")


def _tell(here: Here, got: Fetched) -> None:
    if got.path is None:
        return
    if here.show.as_json:
        here.show.json({"file": str(got.path), "size_bytes": got.size_bytes, "sha256": got.digest})
    else:
        here.show.note(f"{got.path}: {size(got.size_bytes)}, SHA-256 {got.digest}")
