import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import kernel.clock


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_notices_to_mail"),
    ]

    operations = [
        migrations.CreateModel(
            name="KeptAnswer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=200)),
                ("call", models.CharField(help_text="SHA-256 of method and address.", max_length=64)),
                ("digest", models.CharField(help_text="HMAC-SHA256 of what the call said.", max_length=64)),
                ("status", models.PositiveSmallIntegerField(null=True)),
                ("location", models.CharField(blank=True, default="", max_length=2000)),
                (
                    "body",
                    models.TextField(blank=True, default="", help_text="JSON as it was answered, without secrets."),
                ),
                (
                    "project_id",
                    models.UUIDField(
                        help_text="Where the call acted; asked for again before it is repeated.", null=True
                    ),
                ),
                ("at", models.DateTimeField(db_index=True, default=kernel.clock.now)),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("user", "key", "call"), name="kept_answer_once")],
            },
        ),
    ]
