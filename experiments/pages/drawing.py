"""What the addresses of curves have in common: smoothing, buckets, a window; and a table of numbers as a file."""

import math
from collections.abc import Sequence
from typing import Final

from django.http import HttpRequest, HttpResponse, QueryDict

from experiments.exporting.fields import Field, Rows
from experiments.exporting.texts import as_csv
from kernel.errors import Invalid

SMOOTHING: Final = 0.6  # as DEFAULT_SMOOTHING in static/src/charts/look.ts
BUCKETS_MAX: Final = 2_000


def smoothing_of(params: QueryDict) -> str:
    """The strength of the smoothing, 0.00 to 0.99; what is no number is the usual one."""
    try:
        asked = float(params.get("smooth", SMOOTHING))
    except ValueError:
        return f"{SMOOTHING:.2f}"
    return f"{min(0.99, max(0.0, asked)):.2f}"


def buckets_asked(request: HttpRequest, missing: int) -> int:
    """Into how many spans of x a curve is thinned. Raises Invalid."""
    buckets = int(number_asked(request, "buckets", missing))
    if not 1 <= buckets <= BUCKETS_MAX:
        raise Invalid(f"A curve comes in 1 to {BUCKETS_MAX:,} buckets, not {buckets:,}.", field="buckets")
    return buckets


def window_asked(request: HttpRequest, scale: float) -> tuple[float, float] | None:
    """Where x begins and ends, divided by `scale`; None for all of it. Raises Invalid."""
    if "from" not in request.GET or "to" not in request.GET:
        return None
    return number_asked(request, "from", 0) / scale, number_asked(request, "to", 0) / scale


def number_asked(request: HttpRequest, name: str, missing: float) -> float:
    """A finite number of the address. Raises Invalid."""
    text = request.GET.get(name, "")
    try:
        value = float(text) if text else float(missing)
    except ValueError:
        raise Invalid(f"'{name}' is a number, not '{text[:40]}'.", field=name) from None
    if not math.isfinite(value):
        raise Invalid(f"'{name}' is a finite number.", field=name)
    return value


def csv_file(name: str, fields: Sequence[Field], rows: Rows) -> HttpResponse:
    """A short table as CSV, to be saved under a name; no cell begins a formula."""
    response = HttpResponse(b"".join(as_csv(fields, rows)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response
