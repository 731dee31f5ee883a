"""Runs that were sent to review, by how they stand: a project's first page counts them among a million."""

import importlib

from django.db import connection, migrations, models

before = importlib.import_module("experiments.migrations.0015_runs_by_state")


class Migration(migrations.Migration):
    atomic = connection.vendor != "postgresql"

    dependencies = [("experiments", "0017_decisions")]

    operations = [
        before.AddIndexWhileUsed(
            model_name="run",
            index=models.Index(
                fields=["project", "review_state", "lifecycle"],
                name="run_reviewed",
                condition=models.Q(("review_state", "not_reviewed"), _negated=True),
            ),
        ),
    ]
