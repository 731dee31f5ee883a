from django.db import migrations, models

ENDS = {
    "with_changes": models.BooleanField(default=False),
    "first_status": models.CharField(blank=True, default="", max_length=9),
    "again_status": models.CharField(blank=True, default="", max_length=9),
}


class Migration(migrations.Migration):
    dependencies = [("runner", "0003_attempts_of_jobs")]

    operations = [
        migrations.AddField(model_name=model, name=name, field=field)
        for model in ("recreationcheck", "historicalrecreationcheck")
        for name, field in ENDS.items()
    ]
