"""The note of a run, and what of it is needed to do the run again."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from artifacts.queries.files import files_of
from experiments.actions.notes import NOTE_MAX, edit_notes, state_of
from experiments.conditions import Condition, conditions_of
from experiments.models import Run
from experiments.queries.notes import Note, note_of
from experiments.queries.runs import inputs_of, params_of, series_of, tags_of
from experiments.rest.on_run import OnRun


class NoteJson(serializers.Serializer[Any]):
    text = serializers.CharField(help_text="Markdown.")
    edited_by = serializers.CharField(allow_null=True, help_text="Who wrote it last; null where the log does not tell.")
    edited_at = serializers.DateTimeField(allow_null=True)
    version = serializers.CharField(help_text="Another one when name or note changed: send it as `expected`.")


class NoteWanted(serializers.Serializer[Any]):
    text = serializers.CharField(allow_blank=True, max_length=NOTE_MAX, trim_whitespace=False, help_text="Markdown.")
    expected = serializers.CharField(max_length=64, help_text="The `version` that you read, or * for any.")


class ConditionJson(serializers.Serializer[Any]):
    name = serializers.CharField()
    held = serializers.BooleanField(help_text="Whether the record says it.")
    found = serializers.CharField(help_text="What the record says.")
    how = serializers.CharField(help_text="The line of code that records it.")


class ConditionsJson(serializers.Serializer[Any]):
    captured = serializers.IntegerField()
    conditions = ConditionJson(many=True, source="items")


class RunNote(OnRun):
    """The note of a run."""

    needs = {"GET": "experiments.see", "PUT": "experiments.edit_notes"}
    serializer_class = NoteJson

    @extend_schema(responses={200: NoteJson})
    def get(self, request: Request, run: str) -> Response:
        """The text, and who wrote it last."""
        return self._shown(self.run())

    @extend_schema(request=NoteWanted, responses={200: NoteJson})
    def put(self, request: Request, run: str) -> Response:
        """Write it, if nobody else changed name or note since you read them (409)."""
        found, asked = self.run(), self.parsed(NoteWanted)
        return self._shown(edit_notes(self.actor, found, expected=asked["expected"], note=asked["text"]))

    def _shown(self, run: Run) -> Response:
        note: Note = note_of(self.actor, run)
        edited = note.edited
        return Response(
            {
                "text": note.text,
                "edited_by": edited.who if edited else None,
                "edited_at": edited.past.event.at if edited else None,
                "version": state_of(run.name, note.text),
            }
        )


class RunConditions(OnRun):
    """What is needed to do the run again, and whether the record holds it."""

    needs = {"GET": "experiments.see"}
    serializer_class = ConditionsJson

    @extend_schema(responses={200: ConditionsJson})
    def get(self, request: Request, run: str) -> Response:
        """Code, data, packages, parameters, seed, hardware, command, container, determinism."""
        found, viewer = self.run(), self.actor
        paths = [file.path for file in files_of(viewer, found.artifact_root)]
        conditions = conditions_of(
            found,
            params=params_of(viewer, found),
            tags=tags_of(viewer, found),
            series=series_of(viewer, found),
            inputs=inputs_of(viewer, found),
            paths=paths,
        )
        items: list[Condition] = conditions.items
        return Response(ConditionsJson({"captured": conditions.captured, "items": items}).data)
