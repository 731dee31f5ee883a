"""What is read out of the files of a version: numbers that are right, limits that hold, words for what is broken."""

import dataclasses
import datetime as dt
import decimal
import gzip
import io
import math
import os
import random
import re
import statistics
import subprocess
import sys
import time

import pyarrow as pa
import pytest
from pyarrow import parquet

from artifacts.actions.versions import add_version
from artifacts.blobs import receive
from artifacts.profiling import running
from artifacts.profiling.limits import MEBIBYTE, Limits
from artifacts.profiling.running import read_version
from tests.factories import a_dataset, a_team, a_version
from tests.services.processes import ROOT

pytestmark = [pytest.mark.django_db, pytest.mark.once]  # the reading process knows no database


@pytest.fixture
def team():
    return a_team()


@pytest.fixture
def read(team):
    """What MLED reads in these files: path -> bytes."""

    def look(files, limits=None):
        return read_version(a_version(team.scientist, files=files), limits)

    return look


def columns(outcome):
    return {column["name"]: column for column in outcome.columns}


def parquet_bytes(table, **options):
    sink = io.BytesIO()
    parquet.write_table(table, sink, **options)
    return sink.getvalue()


# --- What it says


def test_a_csv_has_rows_columns_kinds_and_gaps(read):
    rows = "id,name,score,member,since,empty\n1,Ada,1.5,true,2024-01-31,\n2,,2.5,false,2024-02-01,NA\n3,Ada,,true,,\n"
    outcome = read({"people.csv": rows.encode()})
    assert (outcome.state, outcome.error, outcome.row_count, outcome.notes) == ("done", "", 3, [])
    found = columns(outcome)
    assert [(one["name"], one["kind"], one["missing"], one["distinct"]) for one in outcome.columns] == [
        ("id", "integer", 0, 3),
        ("name", "text", 1, 1),
        ("score", "number", 1, 2),
        ("member", "boolean", 0, 2),
        ("since", "time", 1, 2),
        ("empty", "empty", 3, None),
    ]
    assert (found["id"]["min"], found["id"]["max"], found["id"]["mean"], found["id"]["std"]) == (1, 3, 2.0, 1.0)
    assert (found["score"]["min"], found["score"]["max"], found["score"]["mean"]) == (1.5, 2.5, 2.0)
    assert (found["since"]["min"], found["since"]["max"]) == ("2024-01-31T00:00:00", "2024-02-01T00:00:00")
    assert found["name"]["top"] == [["Ada", 2]]
    assert found["member"]["top"] == [["true", 2], ["false", 1]]


def test_numbers_are_those_of_a_plain_computation(read):
    chance = random.Random(7)
    numbers = [chance.gauss(10, 3) for _ in range(20_000)] + [500.0]
    outcome = read({"x.csv": b"x\n" + "".join(f"{number!r}\n" for number in numbers).encode()})
    (column,) = outcome.columns
    assert column["mean"] == pytest.approx(statistics.fmean(numbers), rel=1e-12)
    assert column["std"] == pytest.approx(statistics.stdev(numbers), rel=1e-9)
    assert (column["min"], column["max"]) == (min(numbers), max(numbers))
    bars = column["histogram"]
    assert sum(bars["counts"]) == len(numbers)
    for place, count in enumerate(bars["counts"]):
        low = bars["start"] + place * bars["width"]
        inside = sum(low <= number < low + bars["width"] for number in numbers)
        assert abs(inside - count) <= (place in (0, len(bars["counts"]) - 1))
    assert column["distinct_is_estimate"]
    assert column["distinct"] == pytest.approx(len(set(numbers)), rel=0.05)


def test_parquet_of_every_type_is_read(read):
    table = pa.table(
        {
            "i": pa.array([1, 2, None], pa.int32()),
            "f": [1.5, math.nan, math.inf],
            "word": pa.array(["a", "b", "a"]).dictionary_encode(),
            "day": [dt.date(2024, 1, 1), dt.date(2023, 12, 31), None],
            "at": pa.array([dt.datetime(2024, 1, 1)] * 3, pa.timestamp("ns", "Europe/Zurich")),
            "price": [decimal.Decimal("1.10")] * 3,
            "list": [[1], [2], None],
            "raw": [b"\xff", b"a", b""],
            "none": pa.nulls(3),
            "big": pa.array([2**64 - 1, 1, 2], pa.uint64()),
            "a.b": [1, 2, 3],
        }
    )
    outcome = read({"t.parquet": parquet_bytes(table)})
    assert (outcome.state, outcome.row_count) == ("done", 3)
    assert {one["name"]: (one["kind"], one["missing"]) for one in outcome.columns} == {
        "i": ("integer", 1),
        "f": ("number", 1),  # NaN is what pandas writes for a missing number
        "word": ("text", 0),
        "day": ("date", 1),
        "at": ("time", 0),
        "price": ("number", 0),
        "list": ("nested", 1),
        "raw": ("text", 0),
        "none": ("empty", 3),
        "big": ("integer", 0),
        "a.b": ("integer", 0),
    }
    found = columns(outcome)
    assert (found["day"]["min"], found["day"]["max"]) == ("2023-12-31", "2024-01-01")
    assert found["word"]["top"] == [["a", 2], ["b", 1]]
    assert found["f"]["max"] == 1.5
    assert found["i"]["stored"] == "int32"


def test_json_lines_may_change_their_columns_and_types(read):
    lines = b'{"a": 1, "b": "x"}\n{"a": 2.5, "c": [1]}\n\n{"a": null, "d": {"x": 1}, "b": 3}\n'
    outcome = read({"rows.jsonl": lines})
    assert (outcome.state, outcome.row_count) == ("done", 3)
    assert {one["name"]: (one["kind"], one["missing"]) for one in outcome.columns} == {
        "a": ("number", 1),
        "b": ("text", 1),
        "c": ("nested", 2),
        "d": ("nested", 2),
    }


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("semicolon.csv", "a;b\n1;2\n".encode("utf-8-sig")),
        ("tabs.tsv", b"a\tb\n1\t2\n"),
        ("windows.csv", b"a,b\r\n1,2\r\n"),
        ("no-end.csv", b"a,b\n1,2"),
        ("quoted.csv", b'"a","b"\n"1","2"\n\n'),
        ("packed.csv.gz", gzip.compress(b"a,b\n1,2\n", mtime=0)),
        ("UPPER.CSV", b"a,b\n1,2\n"),
        ("rows.ndjson", b'{"a": 1, "b": 2}'),
        ("packed.jsonl.gz", gzip.compress(b'{"a": 1, "b": 2}\n', mtime=0)),
    ],
)
def test_one_table_in_many_spellings(read, name, content):
    outcome = read({name: content})
    assert (outcome.state, outcome.row_count) == ("done", 1)
    assert {one["name"]: (one["kind"], one["mean"]) for one in outcome.columns} == {
        "a": ("integer", 1.0),
        "b": ("integer", 2.0),
    }


def test_values_may_hold_line_breaks_and_names_may_repeat(read):
    outcome = read({"x.csv": b'a,a,\n"one\ntwo",1,2\nthree,4,5\n'})
    assert (outcome.state, outcome.row_count) == ("done", 2)
    assert [(one["name"], one["kind"]) for one in outcome.columns] == [("a", "text"), ("a", "integer"), ("", "integer")]


def test_a_letter_in_the_last_row_makes_a_column_text(read):
    outcome = read({"x.csv": b"a,b\n" + b"1,1\n" * 2_000_000 + b"x,1.5\n"})
    assert {one["name"]: one["kind"] for one in outcome.columns} == {"a": "text", "b": "number"}
    assert "mean" not in columns(outcome)["a"]
    assert columns(outcome)["b"]["max"] == 1.5


def test_files_with_the_same_columns_are_one_table_and_others_another(read):
    files = {"p/1.csv": b"a,b\n1,2\n", "p/2.csv": b"a,b\n3,4\n", "users.csv": b"name\nAda\n", "readme.md": b"# x"}
    outcome = read(files)
    assert outcome.row_count == 3
    assert [(one["table"], one["name"]) for one in outcome.columns] == [
        ("p/1.csv and 1 more with the same columns", "a"),
        ("p/1.csv and 1 more with the same columns", "b"),
        ("users.csv", "name"),
    ]
    assert columns(outcome)["a"]["mean"] == 2.0


def test_a_header_alone_is_a_table_without_rows(read):
    outcome = read({"x.csv": b"a,b\n"})
    assert (outcome.state, outcome.row_count, [one["kind"] for one in outcome.columns]) == ("done", 0, ["empty"] * 2)


# --- What is broken


@pytest.mark.parametrize(
    ("name", "content", "state", "said"),
    [
        ("ragged.csv", b"a,b,c\n1,2,3\n1,2\n4,5,6\n", "failed", r"ragged.csv: row 3 has 2 values, the header has 3"),
        ("wide.csv", b"a,b\n1,2\n1,2,3\n", "failed", r"row 3 has 3 values, the header has 2"),
        ("empty.csv", b"", "none", "empty"),
        ("blank.csv", b"\n \n", "none", "empty"),
        ("empty.jsonl", b"\n\n", "none", "empty"),
        ("empty.parquet", b"", "none", "empty"),
        ("utf16.csv", "a,b\n1,2\n".encode("utf-16"), "failed", "UTF-8"),
        ("latin.csv", "name\nZürich\n".encode("latin-1"), "failed", "UTF-8"),
        ("late.csv", b"name\n" + b"x\n" * 900_000 + "ü\n".encode("latin-1"), "failed", "UTF-8"),
        ("open.csv", b'a,b\n"x,2\n' + b"1,2\n" * 2_000_000, "failed", "quote is never closed|row 2 has 1 value"),
        ("bad.jsonl", b'{"a": 1}\n{"a":\n', "failed", "line 2 is no JSON"),
        ("list.jsonl", b"[1]\n", "failed", "line 1 is not an object"),
        ("deep.jsonl", b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "failed", "line 1|nest|reader"),
        ("not.parquet", b"hello" * 100, "failed", "no Parquet file"),
        ("not.csv.gz", b"a,b\n1,2\n", "failed", "damaged"),
        ("cut.csv.gz", gzip.compress(os.urandom(90_000).hex().encode())[:40_000], "failed", "damaged"),
    ],
)  # fmt: skip
def test_what_is_broken_is_said_in_words(read, name, content, state, said):
    outcome = read({name: content})
    assert (outcome.state, outcome.row_count, list(outcome.columns)) == (state, None, [])
    assert re.search(said, outcome.error), outcome.error


@pytest.mark.parametrize("damage", [0.1, 0.3, 0.5, 0.7, 0.95])
def test_a_parquet_file_that_is_damaged_anywhere_breaks_nothing(read, damage):
    whole = parquet_bytes(pa.table({"a": list(range(5000)), "b": [str(number) for number in range(5000)]}))
    at = int(len(whole) * damage)
    outcome = read({"x.parquet": whole[:at] + bytes(byte ^ 0xFF for byte in whole[at : at + 64]) + whole[at + 64 :]})
    assert outcome.state in ("failed", "done")
    assert (outcome.state == "failed") == bool(outcome.error)


def test_a_parquet_file_that_is_cut_short_is_said_to_be(read):
    whole = parquet_bytes(pa.table({"a": list(range(5000))}))
    assert "damaged" in read({"x.parquet": whole[:-50]}).error


def test_a_packed_file_that_expands_beyond_measure_is_given_up(read):
    bomb = io.BytesIO()
    with gzip.GzipFile(fileobj=bomb, mode="wb") as packed:
        packed.write(b"a,b\n")
        for _ in range(300):
            packed.write(b"1,2\n" * 250_000)
    began = time.monotonic()
    outcome = read({"bomb.csv.gz": bomb.getvalue()})
    assert outcome.state == "failed"
    assert "expands to more than 300 times its size" in outcome.error
    assert time.monotonic() - began < 20


def test_a_parquet_page_that_expands_beyond_memory_is_given_up(read):
    """One value of 64 MiB, named a thousand times: 64 GiB if anybody wrote it out."""
    once = pa.DictionaryArray.from_arrays(pa.array([0] * 1000, pa.int32()), pa.array(["x" * 64 * MEBIBYTE]))
    content = parquet_bytes(pa.table({"a": once}), store_schema=False)
    assert len(content) < 8 * MEBIBYTE
    outcome = read({"bomb.parquet": content}, dataclasses.replace(Limits(), memory=600 * MEBIBYTE, seconds=60))
    assert outcome.state == "failed"
    assert outcome.error


# --- Limits


def test_two_million_rows_are_read_in_bounded_memory(team, tmp_path):
    """Seconds, and no more memory than a small part of the file: 110 MB on disk."""
    place = tmp_path / "big.csv"
    with place.open("w") as file:
        file.write("id,name,score,flag,city\n")
        for start in range(0, 2_000_000, 100_000):
            file.writelines(
                f"{n},customer number {n % 90_000},{n * 37 % 10_007 / 7:.4f},{'true' if n % 3 else 'false'},Basel\n"
                for n in range(start, start + 100_000)
            )
    with place.open("rb") as file:
        stored = receive(file, expected=place.stat().st_size)
    version = add_version(team.scientist, a_dataset(team.scientist), files=[("big.csv", stored)])
    began = time.monotonic()
    outcome = read_version(version, dataclasses.replace(Limits(), memory=700 * MEBIBYTE))
    assert (outcome.state, outcome.row_count, outcome.notes) == ("done", 2_000_000, [])
    assert columns(outcome)["id"]["max"] == 1_999_999
    assert columns(outcome)["name"]["distinct"] == pytest.approx(90_000, rel=0.05)
    assert time.monotonic() - began < 60


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"rows": 1000}, "1,000 rows were read, which is the most"),
        ({"bytes": 4 * MEBIBYTE}, "4 MiB were read, which is the most"),
        ({"seconds": 0.0}, "0 seconds had passed, which is the most"),
    ],
)
def test_what_is_cut_is_said(read, limits, said):
    files = {"a.csv": b"x\n" + b"1\n" * 4_000_000, "b.csv": b"x\n2\n"}
    outcome = read(files, dataclasses.replace(Limits(), **limits))
    assert (outcome.state, outcome.row_count) == ("done", None)
    assert said in outcome.notes[0]
    assert "'a.csv'" in outcome.notes[0]


def test_more_columns_and_files_than_are_read_are_said(read):
    wide = b",".join(b"c%d" % n for n in range(30)) + b"\n" + b",".join(b"1" for _ in range(30)) + b"\n"
    outcome = read({"wide.csv": wide}, dataclasses.replace(Limits(), columns=3))
    assert [one["name"] for one in outcome.columns] == ["c0", "c1", "c2"]
    assert "30 columns; the first 3 were read" in outcome.notes[0]
    outcome = read({f"{n}.csv": b"a\n%d\n" % n for n in range(4)}, dataclasses.replace(Limits(), files=3))
    assert outcome.row_count == 3
    assert "There are 4 tables; the first 3 by path were read." in outcome.notes


def test_memory_has_a_limit(read):
    outcome = read(
        {"x.csv": b"a,b\n" + b"1,2\n" * 3_000_000}, dataclasses.replace(Limits(), memory=120 * MEBIBYTE, seconds=10)
    )
    assert outcome.state == "failed"
    assert "more than 120 MiB of memory" in outcome.error


def test_the_reading_process_has_no_secrets_and_no_django():
    code = "import sys, artifacts.profiling.reading as r; print('django' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"
    assert not {"DATABASE_URL", "MLED_SECRET_KEY", "MLED_SIGNING_KEY", "EMAIL_URL"} & set(running._environment())
