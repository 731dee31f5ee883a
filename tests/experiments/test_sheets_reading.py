"""Sheets as they are read: CSV and XLSX of all sorts, and what bad files are told. No database is asked."""

from __future__ import annotations

import datetime as dt
import io
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from experiments.sheets.decoding import delimited, workbook
from experiments.sheets.decoding.words import Table, Unreadable
from experiments.sheets.limits import Limits
from experiments.sheets.running import CannotRead, read_sheet

pytestmark = pytest.mark.once


def csv_of(content: bytes | str, limits: Limits | None = None) -> Table:
    return delimited.read(io.BytesIO(content.encode() if isinstance(content, str) else content), "", limits or Limits())


def book(fill: Callable[[Any], None]) -> io.BytesIO:
    made, file = openpyxl.Workbook(), io.BytesIO()
    fill(made)
    made.save(file)
    file.seek(0)
    return file


def xlsx_of(fill: Callable[[Any], None], worksheet: str = "", limits: Limits | None = None) -> Table:
    return workbook.read(book(fill), worksheet, limits or Limits())


def rows_of(table: Table) -> list[list[Any]]:
    return [cells for _, cells in table.rows]


@pytest.mark.parametrize(
    ("content", "encoding", "separator"),
    [
        ("name,größe\na,1\n", "utf-8", "comma"),
        ("\ufeffname;größe\r\na;1\r\n", "utf-8", "semicolon"),
        ("name\tgröße\na\t1", "utf-8", "tab"),
        ("name;größe\na;1\n".encode("cp1252"), "windows-1252", "semicolon"),
        ("name\tgröße\r\na\t1\r\n".encode("utf-16"), "utf-16-le", "tab"),
        ("sep=;\nname;größe\na;1\n", "utf-8", "semicolon"),
        ('name;größe\n"a";1\n', "utf-8", "semicolon"),
    ],
)
def test_csv_is_read_however_it_is_written(content, encoding, separator):
    table = csv_of(content)
    assert (list(table.header), [row[1] for row in rows_of(table)]) == (["name", "größe"], ["1"])
    assert table.facts == {"encoding": encoding, "separator": separator}
    assert bool(table.notes) == (encoding == "windows-1252")


def test_csv_keeps_what_stands_in_it_and_knows_its_rows():
    table = csv_of('Our trials,,\n\nname,note,C\na,"two\nlines, =1+1",\n,,\nb,=SUM(A1),1;2\n ,\t, \n')
    assert (list(table.header), table.header_row) == (["name", "note", "C"], 3)
    assert table.rows == [(4, ["a", "two\nlines, =1+1"]), (6, ["b", "=SUM(A1)", "1;2"])]
    assert table.notes == ["1 row above the header, which is row 3."]
    wide = csv_of("a,b\n1,2,3\n4,5\n")
    assert (rows_of(wide)[0], "Cells in C have no name" in wide.notes[0]) == (["1", "2", "3"], True)
    assert rows_of(csv_of("a,b\n1;2,3\n")) == [["1;2", "3"]]


BAD: list[tuple[bytes | str, str]] = [
    ("", "The file is empty."),
    ("a,b\n", "no row below it"),
    ("\n , \n", "nothing in this sheet"),
    ('a,b\n"1,2\n3,4\n', "Row 2 cannot be read"),
    (b"a,b\n\x00\x01", "neither a text nor"),
    (b"%\xe2\xe3\x01 a,b\n1,2\n", "neither a text nor"),
    (b"a,b\n\x81\xff", "neither UTF-8 nor Windows-1252"),
    (b"\xef\xbb\xbfa,b\n\xff", "not text in UTF-8"),
    (",".join("c" * 501) + "\n1,2", "501 columns; at most 500"),
    ("a,b\n" + "1,2\n" * 10_001, "more than 10,000 rows"),
]


@pytest.mark.parametrize(("content", "words"), BAD)
def test_a_bad_csv_is_told_in_words(content, words):
    with pytest.raises(Unreadable, match=words):
        csv_of(content)


def test_limits_are_met_to_the_row_and_the_cell():
    assert len(csv_of("a,b\n" + "1,2\n" * 10_000).rows) == 10_000
    assert len(csv_of(",".join(f"c{n}" for n in range(500)) + "\n" + "1," * 499 + "1").header) == 500
    with pytest.raises(Unreadable, match="more than 6 cells"):
        csv_of("a,b\n" + "1,2\n" * 4, Limits(cells=6))
    with pytest.raises(Unreadable, match="characters"):
        csv_of("a,b\n" + "1,2\n" * 4, Limits(text_characters=3))
    long = csv_of("a,b\n" + "x" * 65_537 + ",1\n")
    assert rows_of(long) == [[["l", "65,537"], "1"]]


def test_a_workbook_gives_what_its_cells_show():
    def fill(made: Any) -> None:
        sheet = made.active
        sheet.title = "Trials"
        sheet.append(["name", "started", "day", "took", "at", "lr", "C", "share", "ok", "text", "sum", "broken"])
        at = dt.datetime(2026, 3, 2, 14, 30, 0, 250_000)
        sheet.append(["a", at, dt.date(2026, 3, 2), dt.timedelta(hours=26, minutes=5), dt.time(1, 20), 0.25, 10,
                      0.813, True, "0,81", "=F2+1", "#DIV/0!"])  # fmt: skip
        sheet["D2"].number_format, sheet["H2"].number_format, sheet["L2"].data_type = "[h]:mm:ss", "0.0 %", "e"
        sheet.append(["b"])
        sheet.merge_cells("A3:B3")
        made.create_sheet("Other").append(["x", "y"])
        made["Other"].append([1, '=HYPERLINK("http://example.org")'])

    table = xlsx_of(fill)
    assert rows_of(table)[0] == [
        "a", ["d", "2026-03-02T14:30:00.250"], ["d", "2026-03-02T00:00:00"], ["t", "26:05:00"], ["t", "01:20:00"],
        ["n", "0.25"], ["n", "10"], ["%", "0.813"], ["b", "true"], "0,81", ["f", "=F2+1"],
        ["e", "#DIV/0!"],
    ]  # fmt: skip
    assert (table.worksheets, table.worksheet) == (("Trials", "Other"), "Trials")
    assert [
        words in " ".join(table.notes) for words in ("2 sheets", "merged cell (A3:B3)", "in 'share'", "formulas")
    ] == [True] * 4
    assert xlsx_of(fill, "Other").rows == [(2, [["n", "1"], ["f", '=HYPERLINK("http://example.org")']])]
    with pytest.raises(Unreadable, match="no sheet 'Third'"):
        xlsx_of(fill, "Third")


def test_both_calendars_of_workbooks_tell_the_same_day():
    def fill(made: Any) -> None:
        made.active.append(["a", "b"])
        made.active.append(["x", dt.datetime(2026, 3, 2, 12)])

    def fill_mac(made: Any) -> None:
        made.epoch = CALENDAR_MAC_1904
        fill(made)

    assert rows_of(xlsx_of(fill)) == rows_of(xlsx_of(fill_mac)) == [["x", ["d", "2026-03-02T12:00:00"]]]


def rezipped(file: io.BytesIO, changed: dict[str, bytes]) -> io.BytesIO:
    """The workbook with some of its parts exchanged."""
    made = io.BytesIO()
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target:
        for one in source.infolist():
            target.writestr(one.filename, changed.get(one.filename, source.read(one.filename)))
    made.seek(0)
    return made


def small(made: Any) -> None:
    made.active.append(["a", "b"])
    made.active.append([1, 2])


SHEET = "xl/worksheets/sheet1.xml"
NAMESPACE = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
BOMB = (
    b"<?xml version='1.0'?><!DOCTYPE w [<!ENTITY a0 'aaaaaaaaaa'>"
    + b"".join(b"<!ENTITY a%d '%s'>" % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10))
    + b"]><worksheet "
    + NAMESPACE
    + b"><sheetData><row r='1'><c t='str'><v>&a9;</v></c></row></sheetData></worksheet>"
)


def test_hostile_and_broken_workbooks_are_told_and_read_nowhere_but_in_their_own_process():
    far = b"".join((
        b"<worksheet ", NAMESPACE, b"><dimension ref='A1:XFD1048576'/><sheetData>",
        b"<row r='1'><c r='A1'><v>1</v></c><c r='B1'><v>2</v></c></row>",
        b"<row r='1048576'><c r='A1048576'><v>3</v></c></row></sheetData></worksheet>",
    ))  # fmt: skip
    assert read_sheet(rezipped(book(small), {SHEET: far})).rows == [(1_048_576, [["n", "3"]])]
    wide = far.replace(b"A1048576", b"XFD1048576")
    packed = book(small).getvalue()
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("[Content_Types].xml", b"x")
        target.writestr("xl/workbook.xml", b" " * 300_000_000)
    locked = bytearray(packed)
    at = packed.index(b"PK\x01\x02")
    locked[at + 8 : at + 10] = struct.pack("<H", 1)
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as target:
        target.writestr("content.xml", b"x")
    for file, words in (
        (rezipped(book(small), {SHEET: wide}), "16,384 columns; at most 500"),
        (rezipped(book(small), {SHEET: BOMB}), "This workbook is damaged|memory"),
        (rezipped(book(small), {SHEET: b"<worksheet"}), "This workbook is damaged"),
        (whole, "unpacks to more than 256 MiB"),
        (io.BytesIO(bytes(locked)), "protected by a password"),
        (io.BytesIO(packed[: len(packed) // 2]), "parts cannot be listed"),
        (other, "no XLSX workbook"),
        (io.BytesIO(b"\xd0\xcf\x11\xe0" + b"x" * 100), "old XLS workbook"),
        (io.BytesIO(b"%PDF-1.4\na,b\n1,2\n"), "a PDF, not a sheet"),
        (io.BytesIO(b"\n<!DOCTYPE html><table><td>1,2"), "a web page, not a sheet"),
    ):
        file.seek(0)
        with pytest.raises(CannotRead, match=words):
            read_sheet(file)


def test_reading_that_takes_too_much_is_given_up_in_words():
    many = io.BytesIO(b"a,b\n" + (b"x" * 2_000 + b",2\n") * 9_000)
    with pytest.raises(CannotRead, match="memory"):
        read_sheet(many, limits=Limits(memory=60 * 1024**2))


def test_the_reading_process_imports_no_django_and_gets_no_secrets(monkeypatch):
    monkeypatch.setenv("MLED_SECRET_KEY", "secret")
    sheet = read_sheet(io.BytesIO("name;größe\na;0,81\n".encode()))
    assert (sheet.form, sheet.header, sheet.rows) == ("csv", ["name", "größe"], [(2, ["a", "0,81"])])
