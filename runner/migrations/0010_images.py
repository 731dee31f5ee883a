from django.db import migrations, models

from audit.ledger.triggers import RefuseUpdate

KINDS = [("lock", "uv.lock"), ("requirements", "Requirements file"), ("image", "Image")]
SECRET = {"blank": True, "default": "", "help_text": "Its name; it opens the registry of an image.", "max_length": 60}
IMAGE = {"blank": True, "default": "", "help_text": "With the digest that it was found by.", "max_length": 600}


class Migration(migrations.Migration):
    dependencies = [
        ("runner", "0009_jobs_by_their_end"),
    ]

    operations = [
        *(
            migrations.AlterField(model_name=name, name="kind", field=models.CharField(choices=KINDS, max_length=12))
            for name in ("environment", "historicalenvironment")
        ),
        *(
            migrations.AddField(model_name=name, name="secret", field=models.CharField(**SECRET))
            for name in ("environment", "historicalenvironment")
        ),
        *(
            migrations.AddField(model_name=name, name="image", field=models.CharField(**IMAGE))
            for name in ("job", "historicaljob")
        ),
        RefuseUpdate("runner_environment"),
    ]
