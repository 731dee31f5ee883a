"""Answers as tables: which format is asked for, and the streamed file."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request

from experiments.exporting.formats import FORMATS
from kernel.errors import Invalid


def format_parameter(*kinds: str) -> OpenApiParameter:
    """`?format=` for the schema."""
    words = f"{', '.join(kinds)}; the header Accept says the same. Without it {kinds[0]}."
    return OpenApiParameter("format", str, enum=list(kinds), description=words)


class Anything(BaseContentNegotiation):
    """The view itself looks at `format` and Accept, see `kind_of`."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


_PLAIN: Final = {kind: form.media_type.partition(";")[0] for kind, form in FORMATS.items()}


def kind_of(request: Request, *kinds: str) -> str:
    """The format that the address or the header Accept asks for; the first where they name none. Raises Invalid."""
    asked = request.query_params.get("format", "")
    if asked:
        if asked not in kinds:
            words = f"There is no '{asked[:20]}' of this."
            raise Invalid(words, hint=f"Choose {', '.join(kinds)}.", field="format")
        return asked
    accepted = [part.partition(";")[0].strip() for part in request.headers.get("Accept", "").split(",")]
    return next((kind for media in accepted for kind in kinds if _PLAIN[kind] == media), kinds[0])


def streamed(content: Iterator[bytes], kind: str, name: str) -> StreamingHttpResponse:
    """The file piece by piece, to be saved under a name without its ending. What is wrong has to be told before."""
    response = StreamingHttpResponse(content, content_type=FORMATS[kind].media_type)
    if kind != "json":
        response["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    response["Cache-Control"] = "private, no-store"
    return response


def also_as(answer: Any, *kinds: str) -> Mapping[tuple[int, str], Any]:
    """The answers of a view for the schema: JSON as told, the others as files."""
    texts = {"csv", "jsonl"}
    files = {kind: OpenApiTypes.STR if kind in texts else OpenApiTypes.BINARY for kind in kinds}
    return {(200, "application/json"): answer, **{(200, _PLAIN[kind]): what for kind, what in files.items()}}
