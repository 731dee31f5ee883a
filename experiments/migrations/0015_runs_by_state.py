"""Runs by state, of all that did not simply finish; and those below a younger run, where loops of parents begin.

PostgreSQL makes them while runs go on being logged, which no transaction can hold.
"""

from django.db import connection, migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState


class AddIndexWhileUsed(migrations.AddIndex):
    """What an earlier attempt left behind half made is taken away first."""

    leads_to_its_state = True

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            name = schema_editor.quote_name(self.index.name)
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            schema_editor.execute(self.index.create_sql(model, schema_editor, concurrently=True), params=None)


class Migration(migrations.Migration):
    atomic = connection.vendor != "postgresql"

    dependencies = [("experiments", "0014_fewer_run_indexes")]

    operations = [
        AddIndexWhileUsed(
            model_name="run",
            index=models.Index(
                fields=["status", "lifecycle", "experiment", "-started_ms", "uid"],
                name="run_unfinished",
                condition=models.Q(("status", "FINISHED"), _negated=True),
            ),
        ),
        AddIndexWhileUsed(
            model_name="run",
            index=models.Index(
                fields=["experiment"], name="run_below_younger", condition=models.Q(("parent__gt", models.F("id")))
            ),
        ),
    ]
