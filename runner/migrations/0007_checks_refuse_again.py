"""Rows that are inserted once: made again where SQLite rebuilt the table."""

from django.db import migrations

from audit.ledger.triggers import RefuseUpdate


class Migration(migrations.Migration):
    dependencies = [("runner", "0006_lists_of_jobs")]

    operations = [RefuseUpdate("runner_recreationcheck")]
