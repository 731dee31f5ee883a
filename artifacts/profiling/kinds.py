"""What a column holds: told by its type in files that have types, by its texts in those that have none."""

import pyarrow as pa
import pyarrow.compute as pc

TIME = pa.timestamp("us")
_TIME_UTC = pa.timestamp("us", "UTC")
# A column of texts is the first of these that all its values are; once it is one, it only goes on in this order.
_NARROW = ("integer", "number", "boolean", "time", "text")
_TARGETS = {"integer": [pa.int64()], "number": [pa.float64()], "boolean": [pa.bool_()], "time": [TIME, _TIME_UTC]}


def kind_of(kind: pa.DataType) -> str:
    """The kind of a typed column."""
    if pa.types.is_dictionary(kind):
        return kind_of(kind.value_type)
    tests = (
        ("empty", pa.types.is_null),
        ("boolean", pa.types.is_boolean),
        ("integer", pa.types.is_integer),
        ("number", pa.types.is_floating),
        ("number", pa.types.is_decimal),
        ("time", pa.types.is_timestamp),
        ("date", pa.types.is_date),
        ("nested", pa.types.is_nested),
    )
    return next((name for name, test in tests if test(kind)), "text")


def measured(values: pa.Array, kind: str) -> pa.Array | None:
    """The values as float64 or times in UTC, for statistics; None for kinds that have none."""
    if kind not in ("integer", "number", "time", "date"):
        return None
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if kind in ("integer", "number"):
        return pc.cast(values, pa.float64(), safe=False)
    zone = values.type.tz if pa.types.is_timestamp(values.type) else None
    times = pc.cast(values, pa.timestamp("us", zone), safe=False)
    return pc.cast(pc.cast(times, pa.int64()), TIME)


def narrowed(texts: pa.Array, kind: str) -> tuple[str, pa.Array | None]:
    """The kind of a column of texts after this batch, and the batch's values as `measured` gives them.

    kind: what it was so far, '' at first. texts: no nulls, at least one value. Blanks around a value do not count.
    """
    candidates = _NARROW[_NARROW.index(kind) if kind else 0 : -1]
    found = _first(texts, candidates)
    if found is None and candidates:
        trimmed = pc.utf8_trim_whitespace(texts)
        found = None if trimmed.equals(texts) else _first(trimmed, candidates)
    return found or ("text", None)


def _first(texts: pa.Array, candidates: tuple[str, ...]) -> tuple[str, pa.Array | None] | None:
    for kind in candidates:
        for target in _TARGETS[kind]:
            try:
                values = pc.cast(texts, target)
            except pa.ArrowInvalid:
                continue
            return kind, measured(values, kind)
    return None
