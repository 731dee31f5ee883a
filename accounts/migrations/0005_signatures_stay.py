"""Signatures are never changed and never removed."""

from django.db import migrations

from audit.ledger.triggers import RefuseUpdateAndDelete


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_signatures_and_notices")]

    operations = [RefuseUpdateAndDelete("accounts_signature")]
