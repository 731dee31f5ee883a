"""What was asked, and what came out of it, is inserted once."""

from django.db import migrations

from audit.ledger.triggers import RefuseUpdate


class Migration(migrations.Migration):
    dependencies = [("runner", "0001_initial")]

    operations = [
        RefuseUpdate("runner_environment"),
        RefuseUpdate("runner_recipe"),
        RefuseUpdate("runner_recipeinput"),
        RefuseUpdate("runner_recreationcheck"),
    ]
