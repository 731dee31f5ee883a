"""A table as a file, read again by other libraries, equals the table."""

import csv
import datetime as dt
import io
import json
import math

import openpyxl
import pyarrow.parquet as pq
import pytest

from experiments.exporting.fields import DoesNotFit, Field, Kind, defused
from experiments.exporting.files import as_parquet, as_xlsx
from experiments.exporting.texts import as_csv, as_json, iso

FIELDS = [Field("name"), Field("loss", Kind.NUMBER), Field("took", Kind.INTEGER), Field("at", Kind.TIME)]
AT = 1_700_000_000_123
ROWS = [
    ["one", 0.1 + 0.2, 2**60, AT],
    ['zwei 🚀, "quoted"\nsecond line', math.nan, None, None],
    ["", -math.inf, 0, 0],
    [None, None, -5, -1],
]


def whole(pieces) -> bytes:
    return b"".join(pieces)


def test_csv_keeps_every_digit_and_every_sign():
    lines = list(csv.reader(io.StringIO(whole(as_csv(FIELDS, ROWS)).decode(), newline="")))
    assert lines[0] == ["name", "loss", "took", "at"]
    assert float(lines[1][1]) == 0.1 + 0.2
    assert int(lines[1][2]) == 2**60
    assert lines[1][3] == "2023-11-14T22:13:20.123+00:00"
    assert lines[2][0] == ROWS[1][0]
    assert math.isnan(float(lines[2][1]))
    assert lines[4] == ["", "", "-5", "1969-12-31T23:59:59.999+00:00"]


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-cmd|x", "@sum", "\t=1", "\r=1"])
def test_no_text_begins_a_formula_in_csv(text):
    [_, line] = csv.reader(io.StringIO(whole(as_csv([Field("p")], [[text]])).decode(), newline=""))
    assert line == [f"'{text}"]


@pytest.mark.parametrize("text", ["-0.5", "+3", "-1e-3", "plain", ""])
def test_numbers_and_plain_texts_stay_as_they_are(text):
    assert defused(text) == text


def test_json_is_an_array_of_objects_with_words_for_what_json_has_not():
    found = json.loads(whole(as_json(FIELDS, ROWS)))
    assert [row["loss"] for row in found] == [0.1 + 0.2, "NaN", "-Infinity", None]
    assert found[0]["took"] == 2**60
    assert found[1]["name"] == ROWS[1][0]
    assert json.loads(whole(as_json(FIELDS, []))) == []


def test_parquet_has_types_and_nulls():
    table = pq.read_table(io.BytesIO(whole(as_parquet(FIELDS, ROWS))))
    assert [str(field.type) for field in table.schema] == ["string", "double", "int64", "timestamp[ms, tz=UTC]"]
    assert table["took"].to_pylist() == [2**60, None, 0, -5]
    assert table["name"].to_pylist() == [row[0] for row in ROWS]
    assert table["at"].to_pylist()[0] == dt.datetime(2023, 11, 14, 22, 13, 20, 123_000, tzinfo=dt.UTC)
    losses = table["loss"].to_pylist()
    assert losses[0] == 0.1 + 0.2
    assert math.isnan(losses[1])
    assert losses[2:] == [-math.inf, None]


def test_an_empty_table_still_has_its_columns():
    assert pq.read_table(io.BytesIO(whole(as_parquet(FIELDS, [])))).column_names == ["name", "loss", "took", "at"]
    assert whole(as_csv(FIELDS, [])) == b"name,loss,took,at\r\n"


def test_xlsx_keeps_numbers_as_numbers_and_texts_as_texts():
    rows = [*ROWS, ["=1+1", 1.5, 7, AT]]
    sheet = openpyxl.load_workbook(io.BytesIO(whole(as_xlsx(FIELDS, rows)))).active
    found = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert found[0] == ["name", "loss", "took", "at"]
    assert found[1][1] == pytest.approx(0.1 + 0.2, rel=1e-15)  # a sheet keeps fifteen digits
    assert found[1][2] == str(2**60)  # more digits than a cell holds as a number
    assert found[2][:2] == [ROWS[1][0], "nan"]
    assert sheet.cell(6, 1).data_type == "s"
    assert found[5][0] == "=1+1"
    assert found[4][3] == "1969-12-31T23:59:59.999+00:00"  # before the sheet's calendar


def test_a_text_longer_than_a_cell_is_refused_before_the_first_byte():
    with pytest.raises(DoesNotFit, match="32,767"):
        as_xlsx([Field("p")], [["x" * 32_768]])


def test_more_columns_than_a_sheet_has_are_refused():
    fields = [Field(f"p{n}") for n in range(16_385)]
    with pytest.raises(DoesNotFit, match="16,384 columns"):
        as_xlsx(fields, [])


def test_rows_are_read_as_they_are_written():
    """Pieces go out while later rows are not made yet: memory does not grow with the table."""
    made = 0

    def endless():
        nonlocal made
        while True:
            made += 1
            yield ["x"]

    pieces = as_csv([Field("p")], endless())
    assert next(pieces).startswith(b"p\r\nx\r\n")
    assert made <= 500


def test_times_that_no_calendar_has_stay_numbers():
    assert iso(2**62) == str(2**62)
