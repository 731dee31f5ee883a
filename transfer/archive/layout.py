"""What lies where in an archive, and its limits: docs/archive.md tells strangers the same."""

import re
from typing import Final

FORMAT: Final = "mled-archive"
VERSION: Final = 1
MEDIA_TYPE: Final = "application/vnd.mled.archive+zip"

README: Final = "README.txt"
MANIFEST: Final = "manifest.json"
METRICS: Final = "metrics.parquet"
MODEL_METRICS: Final = "model_metrics.parquet"
LEDGER: Final = "ledger/project.mledlog"
PEOPLE: Final = "people.jsonl"
# Kind -> member, in the order of the archive. The content digest is taken over these.
KINDS: Final = {
    "experiments": "experiments.jsonl",
    "datasets": "datasets.jsonl",
    "dataset_versions": "dataset_versions.jsonl",
    "runs": "runs.jsonl",
    "logged_models": "logged_models.jsonl",
    "registered_models": "registered_models.jsonl",
    "model_versions": "model_versions.jsonl",
    "comments": "comments.jsonl",
    "views": "views.jsonl",
    "directions": "directions.jsonl",
}
FILE: Final = re.compile(r"files/sha256/([0-9a-f]{2})/([0-9a-f]{64})")

MEMBERS_MAX: Final = 500_000
DIRECTORY_MAX: Final = MEMBERS_MAX * 192  # an entry: 46 bytes, a name of 80, at most 28 of zip64
MANIFEST_MAX: Final = 16 * 1024**2
LINE_MAX: Final = 64 * 1024**2
SIZE_MAX: Final = 1 << 44
ROWS_MAX: Final = 5_000_000  # of one row group of Parquet
BY_IMPORT: Final = (
    "mled.import."  # tags that an import adds: they say where a thing came from, and are no content of it
)

README_TEXT: Final = """An archive of a project of MLED: everything that was logged in it, in open formats.

manifest.json          what this is, of which project and which moment of its log, counts, and a SHA-256 of each member
experiments.jsonl      one JSON object a line; so are all files that end in .jsonl
runs.jsonl             with params, tags, inputs, outputs, the files of each run and a digest of each of its series
metrics.parquet        every point of every series: run, key, context, step, timestamp (ms UTC), value
model_metrics.parquet  points that were logged for a model, with the dataset they were measured on
datasets.jsonl, dataset_versions.jsonl, logged_models.jsonl, registered_models.jsonl, model_versions.jsonl,
comments.jsonl, views.jsonl, directions.jsonl, people.jsonl
files/sha256/ab/abcd…  the content of files, each once, under its SHA-256
ledger/project.mledlog the events of the project with proofs, where whoever exported may read them (mled_verify.py)

Reading it needs nothing of MLED:

    import pandas as pd, zipfile
    archive = zipfile.ZipFile("archive.zip")
    runs = pd.read_json(archive.open("runs.jsonl"), lines=True, convert_dates=False)
    metrics = pd.read_parquet(archive.open("metrics.parquet"))

    unzip archive.zip && duckdb -c "SELECT run, key, max(value) FROM 'metrics.parquet' GROUP BY run, key"

What stands under "claims" belongs to the place that it came from: who did it, when by that server's clock, numbers and
verdicts. docs/archive.md of MLED tells every field, and how the digest of the content is taken.
"""


def file_member(digest: str) -> str:
    """Where the content with this SHA-256 lies."""
    return f"files/sha256/{digest[:2]}/{digest}"
