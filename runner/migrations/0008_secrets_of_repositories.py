from django.db import migrations, models

from audit.ledger.triggers import RefuseUpdate


class Migration(migrations.Migration):
    dependencies = [
        ("runner", "0007_checks_refuse_again"),
    ]

    operations = [
        migrations.AddField(
            model_name="historicalrecipe",
            name="repository_secret",
            field=models.CharField(blank=True, default="", help_text="Its name.", max_length=60),
        ),
        migrations.AddField(
            model_name="recipe",
            name="repository_secret",
            field=models.CharField(blank=True, default="", help_text="Its name.", max_length=60),
        ),
        RefuseUpdate("runner_recipe"),
    ]
