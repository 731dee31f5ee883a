"""What a run printed: its streams, their lines by range, and where words stand in them."""

from typing import Any, BinaryIO

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from experiments.console.indexes import index_of
from experiments.console.reading import Index, Line, find_lines, last_lines, lines_before, lines_from
from experiments.console.sources import Stream
from experiments.queries.console import stream_of, streams_of
from experiments.rest.on_run import OnRun

LINES, LINES_MAX = 300, 5_000
FIND_MAX = 200
_LINE_MAX = 10**15


class StreamJson(serializers.Serializer[Any]):
    key = serializers.CharField(help_text="Its name, for `file`.")
    label = serializers.CharField()  # type: ignore[assignment]  # the field is named as people read it
    size_bytes = serializers.IntegerField()
    is_errors = serializers.BooleanField()
    is_live = serializers.BooleanField(help_text="It is being written now.")


class LineJson(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    text = serializers.CharField()
    hidden = serializers.IntegerField(help_text="Bytes of a very long line that were left out.")


class LinesJson(serializers.Serializer[Any]):
    file = serializers.CharField()
    total = serializers.IntegerField(help_text="Lines that there are.")
    lines = LineJson(many=True)
    matches = serializers.ListField(child=serializers.IntegerField(), help_text="Lines that hold what `find` says.")
    more_matches = serializers.BooleanField()


class LinesAsked(serializers.Serializer[Any]):
    file = serializers.CharField(required=False, max_length=1000, trim_whitespace=False, help_text="The first stream.")
    first = serializers.IntegerField(required=False, min_value=1, max_value=_LINE_MAX, help_text="From this line on.")
    until = serializers.IntegerField(required=False, min_value=1, max_value=_LINE_MAX, help_text="Before this line.")
    count = serializers.IntegerField(min_value=1, max_value=LINES_MAX, default=LINES)
    find = serializers.CharField(required=False, max_length=FIND_MAX, trim_whitespace=False)


class RunConsole(OnRun):
    """What a run printed, as streams: its uploaded logs, and what a job that goes on prints."""

    needs = {"GET": "experiments.download"}
    serializer_class = StreamJson
    pagination_class = None
    filter_backends = ()

    @extend_schema(responses={200: StreamJson(many=True)})
    def get(self, request: Request, run: str) -> Response:
        """The streams that one may read."""
        return Response(StreamJson(streams_of(self.actor, self.run()), many=True).data)


class RunConsoleLines(OnRun):
    """Lines of one stream."""

    needs = {"GET": "experiments.download"}
    serializer_class = LinesJson

    @extend_schema(parameters=[LinesAsked], responses={200: LinesJson})
    def get(self, request: Request, run: str) -> Response:
        """The last lines, or those from `first` on, or those before `until`; and which lines hold `find`."""
        found = self.run()
        asked = self.asked(LinesAsked)
        stream = self._stream(found, asked.get("file", ""))
        with stream.open() as reader:
            index = index_of(stream, reader)
            lines = _lines(reader, index, asked)
            words = asked.get("find", "")
            matches = find_lines(reader, index, words) if words else None
        told = {
            "file": stream.key,
            "total": index.lines,
            "lines": lines,
            "matches": matches.lines if matches else [],
            "more_matches": bool(matches and matches.is_more),
        }
        return Response(LinesJson(told).data)

    def _stream(self, run: Any, key: str) -> Stream:
        streams = [] if key else streams_of(self.actor, run)
        return streams[0] if streams else stream_of(self.actor, run, key)


def _lines(reader: BinaryIO, index: Index, asked: dict[str, Any]) -> list[Line]:
    count = asked["count"]
    if "first" in asked:
        return lines_from(reader, index, asked["first"], count)
    if "until" in asked:
        return lines_before(reader, index, min(asked["until"], index.lines + 1), count)
    return last_lines(reader, index, count)
