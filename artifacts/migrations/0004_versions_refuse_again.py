"""Rows that are inserted once: made again where SQLite rebuilt the table."""

from django.db import migrations

from audit.ledger.triggers import RefuseUpdate


class Migration(migrations.Migration):
    dependencies = [("artifacts", "0003_versions_in_full")]

    operations = [RefuseUpdate("artifacts_datasetversion")]
