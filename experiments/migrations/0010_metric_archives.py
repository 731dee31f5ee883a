import django.db.models.deletion
from django.db import migrations, models

import kernel.clock


class Migration(migrations.Migration):
    dependencies = [
        ("artifacts", "0005_content_without_a_name"),
        ("experiments", "0009_lost_runs"),
    ]

    operations = [
        migrations.AddField(
            model_name="metricsegment",
            name="archive_row",
            field=models.BigIntegerField(null=True),
        ),
        migrations.CreateModel(
            name="MetricArchive",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("size_bytes", models.BigIntegerField()),
                ("points", models.BigIntegerField()),
                ("series", models.IntegerField()),
                (
                    "layout",
                    models.SmallIntegerField(default=1, help_text="Version of the file's layout, see docs/archive.md."),
                ),
                ("made_at", models.DateTimeField(default=kernel.clock.now)),
                (
                    "blob",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="metric_archives", to="artifacts.blob"
                    ),
                ),
                (
                    "run",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="metric_archive", to="experiments.run"
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="metricsegment",
            name="archive",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="segments",
                to="experiments.metricarchive",
            ),
        ),
        migrations.AddIndex(
            model_name="metricsegment",
            index=models.Index(
                condition=models.Q(("archive__isnull", False)), fields=["archive"], name="segment_archived"
            ),
        ),
    ]
