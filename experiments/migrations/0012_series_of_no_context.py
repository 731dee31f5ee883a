"""Searches read the last values of series without a context: their index holds these alone."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("experiments", "0010_metric_archives")]

    operations = [
        migrations.RemoveIndex(model_name="metricseries", name="series_last"),
        migrations.AddIndex(
            model_name="metricseries",
            index=models.Index(
                condition=models.Q(("context", "")),
                fields=["experiment", "key", "last_value"],
                name="series_last",
            ),
        ),
    ]
