"""What happened stays: the tables of the log refuse UPDATE and DELETE."""

from django.db import migrations

from audit.ledger.triggers import RefuseUpdateAndDelete, RefuseUpdateAndDeleteUnlessErasing


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]

    operations = [
        RefuseUpdateAndDelete("ledger_auditevent"),
        RefuseUpdateAndDelete("ledger_leaf"),
        RefuseUpdateAndDelete("ledger_subtree"),
        RefuseUpdateAndDelete("ledger_checkpoint"),
        RefuseUpdateAndDeleteUnlessErasing("ledger_auditpayload"),
    ]
