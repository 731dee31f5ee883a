"""Rows that are inserted once."""

from django.db import migrations

from audit.ledger.triggers import RefuseUpdate


class Migration(migrations.Migration):
    dependencies = [("artifacts", "0001_initial")]

    operations = [
        RefuseUpdate("artifacts_blob"),
        RefuseUpdate("artifacts_datasetversion"),
    ]
