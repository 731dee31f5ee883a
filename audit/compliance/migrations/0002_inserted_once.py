"""Assessments are inserted once."""

from django.db import migrations

from audit.ledger.triggers import RefuseUpdate


class Migration(migrations.Migration):
    dependencies = [("compliance", "0001_profiles_assessments_reviews")]

    operations = [RefuseUpdate("compliance_assessment")]
