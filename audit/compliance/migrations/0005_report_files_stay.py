"""The files of reports are inserted once."""

from django.db import migrations

from audit.ledger.triggers import RefuseUpdate


class Migration(migrations.Migration):
    dependencies = [("compliance", "0004_reports_holds_and_access")]

    operations = [RefuseUpdate("compliance_reportfile")]
