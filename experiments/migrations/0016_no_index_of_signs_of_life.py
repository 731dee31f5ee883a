"""Runs of which nothing is heard are found among those that go on. An index on the sign of life had every index of a
run written anew with each sign, on PostgreSQL."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("experiments", "0015_runs_by_state")]

    operations = [migrations.RemoveIndex(model_name="run", name="run_silent")]
