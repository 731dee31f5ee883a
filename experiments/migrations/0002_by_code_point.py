"""Comparison by code point, and rows that are inserted once."""

from django.db import migrations

from audit.ledger.triggers import RefuseUpdate
from experiments.collation import CollateByCodePoint

_KEY = ("key", "varchar(250)")


class Migration(migrations.Migration):
    dependencies = [("experiments", "0001_initial"), ("artifacts", "0001_initial")]

    operations = [
        CollateByCodePoint("experiments_experiment", [("name", "varchar(500)")]),
        CollateByCodePoint("experiments_run", [("name", "varchar(500)")]),
        CollateByCodePoint("experiments_param", [_KEY, ("value", "text")]),
        CollateByCodePoint("experiments_runtag", [_KEY, ("value", "text")]),
        CollateByCodePoint("experiments_experimenttag", [_KEY, ("value", "text")]),
        CollateByCodePoint("experiments_metricseries", [_KEY, ("context", "varchar(250)")]),
        CollateByCodePoint(
            "artifacts_artifactfile", [("path", "varchar(1000)")]
        ),  # whose room lies below this operation
        RefuseUpdate("experiments_param", columns=["run_id", "key", "value", "number"]),
        RefuseUpdate("experiments_runinput"),
        RefuseUpdate("experiments_metricsegment"),
    ]
