"""Files of every kind looked into, by the libraries that made them; and files that mean harm."""

import io
import json
import os
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest
from PIL import Image

from artifacts.previews import json_tree, tables, workshop
from artifacts.previews.kinds import Kind, kind_of
from artifacts.previews.text import NotText, beginning_of, end_of
from artifacts.previews.workshop import CannotShow, Made
from kernel.digests import sha256_hex
from kernel.errors import Unavailable
from tests import specimens
from tests.services.processes import ROOT

pytestmark = pytest.mark.once


@pytest.fixture(autouse=True)
def own_directory(settings, tmp_path):
    settings.MLED_DATA = tmp_path


def made(kind: Kind, content: bytes, **options: int) -> Made:
    """What decoding the bytes gives, as a file on a disk."""
    path = Path(workshop.settings.MLED_DATA) / "specimen"
    path.write_bytes(content)
    with path.open("rb") as reader:
        return workshop.made(kind, sha256_hex(content), len(content), reader, **options)


def why_not(kind: Kind, content: bytes, **options: int) -> str:
    with pytest.raises(CannotShow) as refused:
        made(kind, content, **options)
    return str(refused.value)


# --- Pictures


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"])
def test_a_picture_is_drawn_anew(kind):
    found = made(Kind.IMAGE, specimens.picture(kind))
    image = Image.open(io.BytesIO(found.body))
    assert image.size == (60, 40)
    assert image.format == ("JPEG" if kind == "JPEG" else "PNG")
    assert (found.facts["format"], found.facts["width"]) == (kind, 60)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_a_picture_of_any_depth_is_drawn(mode):
    assert Image.open(io.BytesIO(made(Kind.IMAGE, specimens.picture("PNG", mode)).body)).mode in ("L", "RGB", "RGBA")


def test_values_that_are_no_colours_are_stretched_from_dark_to_bright():
    heat = Image.new("F", (2, 1))
    heat.putdata([-3.5, 12.25])
    stored = io.BytesIO()
    heat.save(stored, "TIFF")
    assert list(Image.open(io.BytesIO(made(Kind.IMAGE, stored.getvalue()).body)).get_flattened_data()) == [0, 255]


def test_a_plot_of_matplotlib_is_drawn():
    found = made(Kind.IMAGE, specimens.figure("png"))
    assert found.body.startswith(b"\x89PNG")
    assert found.facts["width"] == 500


def test_what_a_photograph_tells_of_its_place_is_gone_and_it_stands_upright():
    found = made(Kind.IMAGE, specimens.photograph())
    assert specimens.GPS.encode() in specimens.photograph()
    assert specimens.GPS.encode() not in found.body
    image = Image.open(io.BytesIO(found.body))
    assert not image.getexif()
    assert image.size == (200, 400)


def test_a_large_picture_is_shown_smaller():
    found = made(Kind.IMAGE, specimens.picture("PNG", "L", (5_000, 1_000)))
    assert Image.open(io.BytesIO(found.body)).size == (2_000, 400)
    assert (found.facts["width"], found.facts["shown_width"]) == (5_000, 2_000)


def test_of_an_animation_the_first_picture_is_shown():
    found = made(Kind.IMAGE, specimens.animation())
    assert found.facts["is_animated"]
    assert not getattr(Image.open(io.BytesIO(found.body)), "is_animated", False)


def test_a_picture_of_a_thousand_million_pixels_is_refused_before_one_is_decoded():
    begun = time.process_time()
    assert "50,000 × 20,000 pixels" in why_not(Kind.IMAGE, specimens.claimed_png(50_000, 20_000))
    assert time.process_time() - begun < 5


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG nothing",
        b"GIF89a",
        b"\xff\xd8\xff\xe0",
        specimens.claimed_png(10, 10)[:40],
        b"%!PS-Adobe-3.0 EPSF",
        b"x",
    ],
)
def test_a_broken_picture_says_so(content):
    assert "no picture that can be read" in why_not(Kind.IMAGE, content)


def test_a_picture_that_stops_halfway_says_so():
    assert "no picture that can be read" in why_not(Kind.IMAGE, specimens.figure("png")[:3_000])


# --- PDF


def test_a_page_of_a_pdf_becomes_a_picture():
    found = made(Kind.PDF, specimens.figure("pdf"), page=2)
    assert found.facts["pages"] == 3
    assert Image.open(io.BytesIO(found.body)).width == 1_400


def test_a_page_that_is_not_there_is_named():
    assert "3 pages; there is no page 4" in why_not(Kind.PDF, specimens.figure("pdf"), page=4)


@pytest.mark.parametrize("content", [b"%PDF-1.7\nnothing", b"", b"\x00" * 5_000, specimens.figure("pdf")[:900]])
def test_a_broken_pdf_says_so(content):
    assert "no PDF that can be read" in why_not(Kind.PDF, content, page=1)


def test_a_page_of_a_square_kilometre_is_drawn_small():
    huge = specimens.figure("pdf").replace(b"/MediaBox [ 0 0 360 244.8 ]", b"/MediaBox [ 0 0 999999 999999 ]")
    assert huge != specimens.figure("pdf")
    found = made(Kind.PDF, huge, page=1)
    assert found.facts["width"] * found.facts["height"] <= 6_000_000


# --- Parquet


def test_a_table_of_pandas_shows_its_first_rows_its_types_and_how_many_there_are():
    facts = made(Kind.PARQUET, specimens.parquet()).facts
    assert [name for name, _ in facts["columns"]] == ["age", "lactate", "ward", "admitted", "vitals", "raw"]
    assert facts["total_rows"] == 500
    assert len(facts["rows"]) == 200
    assert facts["rows"][0] == ["0", None, "ward 0", "2026-01-01 00:00:00", "[0, 1]", "2 bytes"]


def test_of_many_columns_the_first_are_shown():
    facts = made(Kind.PARQUET, specimens.wide_parquet(300)).facts
    assert (len(facts["columns"]), facts["total_columns"]) == (60, 300)


def test_a_table_without_rows_shows_its_columns():
    facts = made(Kind.PARQUET, specimens.parquet(0)).facts
    assert (facts["rows"], facts["total_rows"], len(facts["columns"])) == ([], 0, 6)


@pytest.mark.parametrize(
    "content",
    [b"", b"PAR1", b"PAR1" + b"\xff" * 500 + b"PAR1", specimens.parquet()[:-60] + b"PAR1", b"col\n1\n"],
    ids=["empty", "mark", "noise", "torn footer", "csv"],
)
def test_a_corrupt_parquet_says_so(content):
    assert "no Parquet file that can be read" in why_not(Kind.PARQUET, content)


def test_a_parquet_that_unpacks_into_gigabytes_ends_with_words_and_leaves_the_server_alone():
    bomb = specimens.parquet_bomb()
    assert len(bomb) < 100_000
    begun = time.monotonic()
    words = why_not(Kind.PARQUET, bomb)
    assert "more memory than a preview" in words or "more time or memory" in words
    assert time.monotonic() - begun < workshop.SECONDS + 30


# --- Notebooks


def test_a_notebook_shows_text_code_and_pictures_and_nothing_that_could_run():
    facts = made(Kind.NOTEBOOK, specimens.notebook()).facts
    assert [cell["kind"] for cell in facts["cells"]] == ["markdown", "code", "raw"]
    outputs = facts["cells"][1]["outputs"]
    assert [output["kind"] for output in outputs] == ["text", "image", "note", "text"]
    assert outputs[1]["url"].startswith("data:image/png;base64,")
    assert outputs[2]["text"] == "An output that is not shown here: text/html"
    assert outputs[3]["text"] == "KeyError: 'ward'"
    assert facts["language"] == "Python 3 (ipykernel)"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "not valid JSON"),
        (b"[" * 200_000, "not valid JSON"),
        (b"[]", "no list of cells"),
        (b'{"cells": 3}', "no list"),
    ],
)
def test_a_broken_notebook_says_so(content, words):
    assert words in why_not(Kind.NOTEBOOK, content)


def test_a_picture_in_a_notebook_that_is_too_large_becomes_a_note():
    import base64

    bomb = base64.b64encode(specimens.claimed_png(50_000, 50_000)).decode()
    cell = {
        "cell_type": "code",
        "source": "",
        "outputs": [{"output_type": "display_data", "data": {"image/png": bomb}}],
    }
    facts = made(Kind.NOTEBOOK, json.dumps({"cells": [cell, {"cell_type": 7, "outputs": 3}, "x"]}).encode()).facts
    assert "50,000 × 50,000 pixels" in facts["cells"][0]["outputs"][0]["text"]


# --- The process apart


def test_a_file_is_decoded_once(monkeypatch):
    first = made(Kind.IMAGE, specimens.figure("png"))
    monkeypatch.setattr(sys, "executable", "/bin/false")  # what would decode it again
    assert made(Kind.IMAGE, specimens.figure("png")) == first


def test_what_was_kept_is_forgotten_after_a_while():
    made(Kind.IMAGE, specimens.figure("png"))
    assert workshop.forget_old() == 0
    for kept in (Path(workshop.settings.MLED_DATA) / "previews").glob("*/*"):
        os.utime(kept, (0, 0))
    assert workshop.forget_old() == 1


def test_where_nothing_can_be_kept_it_is_made_again(settings, tmp_path, caplog):
    (tmp_path / "previews").write_text("a file is in the way")
    assert made(Kind.IMAGE, specimens.figure("png")).facts["width"] == 500
    assert "could not be kept" in caplog.text


def test_a_decoder_that_does_not_end_is_ended(monkeypatch, tmp_path):
    monkeypatch.setattr(workshop, "SECONDS", 1)
    sleeper = tmp_path / "python"
    sleeper.write_text("#!/bin/sh\nexec sleep 60\n")
    sleeper.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(sleeper))
    begun = time.monotonic()
    assert "more time or memory" in why_not(Kind.IMAGE, b"x")
    assert time.monotonic() - begun < 40


def test_a_decoder_that_pours_out_without_end_is_cut(monkeypatch, tmp_path):
    fountain = tmp_path / "python"
    fountain.write_text("#!/bin/sh\nexec cat /dev/zero\n")
    fountain.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(fountain))
    monkeypatch.setattr(workshop, "RESULT_MAX", 1_000_000)
    assert "more time or memory" in why_not(Kind.IMAGE, b"x")


def test_the_decoder_knows_no_secret_of_ours(monkeypatch, tmp_path):
    monkeypatch.setenv("MLED_SECRET_KEY", "hunter2")
    told = tmp_path / "python"
    told.write_text(f"#!/bin/sh\n/usr/bin/env > {tmp_path}/environment\necho '{{}}'\n")
    told.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(told))
    made(Kind.IMAGE, b"x")
    assert "hunter2" not in (tmp_path / "environment").read_text()


def test_the_decoder_is_confined_and_loads_no_django(tmp_path):
    code = (
        "import sys, resource; from artifacts.previews.decoding.__main__ import confine; confine();"
        "import artifacts.previews.decoding.pictures, artifacts.previews.decoding.notebooks;"
        "limits = [resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_FSIZE)];"
        "print('django' in sys.modules, *limits)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", str(1024**3), "0"]


def test_when_every_place_is_taken_one_is_told_to_come_again(monkeypatch):
    monkeypatch.setattr(workshop, "WAIT", 0.05)
    for _ in range(workshop.AT_ONCE):
        workshop._places.acquire()
    try:
        with pytest.raises(Unavailable, match="Too many previews"):
            made(Kind.IMAGE, specimens.figure("png"))
    finally:
        for _ in range(workshop.AT_ONCE):
            workshop._places.release()


def test_bytes_that_lie_on_no_disk_of_ours_are_brought_there():
    content = specimens.figure("png")
    reader = io.BytesIO(content)
    assert workshop.made(Kind.IMAGE, sha256_hex(content), len(content), reader).facts["width"] == 500


def test_too_many_bytes_elsewhere_are_not_brought(monkeypatch):
    monkeypatch.setattr(workshop, "FED_MAX", 10)
    with pytest.raises(CannotShow, match="Only files of up to"):
        workshop.made(Kind.IMAGE, "0" * 64, 11, io.BytesIO(b"x" * 11))


def test_a_decoder_that_crashes_is_told_in_words(monkeypatch, tmp_path):
    crash = tmp_path / "python"
    crash.write_text(f"#!/bin/sh\nkill -{signal.SIGSEGV.value} $$\n")
    crash.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(crash))
    assert "more time or memory" in why_not(Kind.PDF, b"x", page=1)


# --- Text


@pytest.mark.parametrize(
    ("content", "text", "encoding"),
    [
        ("Größe".encode(), "Größe", ""),
        ("Größe".encode("utf-8-sig"), "Größe", "UTF-8 with a byte order mark"),
        ("Größe".encode("utf-16"), "Größe", "UTF-16"),
        ("Größe".encode("utf-32"), "Größe", "UTF-32"),
        ("Größe €".encode("cp1252"), "Größe €", "Windows-1252"),
        (b"", "", ""),
    ],
)
def test_text_is_read_in_the_usual_encodings(content, text, encoding):
    passage = beginning_of(io.BytesIO(content))
    assert (passage.text, passage.encoding, passage.is_cut) == (text, encoding, False)


@pytest.mark.parametrize("content", [b"\x00\x01", b"\x80\x04\x95\x05", b"\xff\x00\x81", b"\xff\xfe\x00\xd8"])
def test_what_is_no_text_is_not_taken_for_one(content):
    with pytest.raises(NotText):
        beginning_of(io.BytesIO(content))


def test_a_cut_divides_no_character():
    passage = beginning_of(io.BytesIO("é".encode() * 100), limit=101)
    assert (passage.text, passage.is_cut) == ("é" * 50, True)


def test_the_end_begins_with_a_whole_line():
    content = "".join(f"zeile {number} é\n" for number in range(1_000)).encode()
    passage = end_of(io.BytesIO(content), len(content), limit=100)
    assert passage.lines[0].startswith("zeile 99")
    assert passage.lines[-1] == "zeile 999 é"


def test_the_end_of_wide_characters_divides_none():
    content = "".join(f"größe {number}\n" for number in range(1_000)).encode("utf-16")
    passage = end_of(io.BytesIO(content), len(content), limit=1_001)
    assert passage.lines[-1] == "größe 999"
    assert passage.encoding == "UTF-16"


def test_signs_for_a_terminal_are_left_out():
    assert beginning_of(io.BytesIO(b"\x1b[32mok\x1b[0m\r\n12%\x08\n")).lines == ["ok", "12%"]


# --- Tables


def test_the_columns_of_a_table_have_types():
    table = tables.delimited(
        io.BytesIO(b"a;b;c;d;e\n1;0.5;x;true;2026-01-01\n-2;nan;;false;2026-01-02T10:00Z\n"), "csv"
    )
    assert [(column.name, column.type) for column in table.columns] == [
        ("a", "integer"), ("b", "number"), ("c", "text"), ("d", "boolean"), ("e", "time"),
    ]  # fmt: skip
    assert table.total_rows == 2


def test_a_table_that_goes_on_beyond_what_is_read_does_not_guess_its_rows():
    content = b"a,b\n" + b"1,2\n" * 2_000_000
    table = tables.delimited(io.BytesIO(content), "csv")
    assert (len(table.rows), table.total_rows, table.hides_rows) == (200, None, True)


def test_quoted_line_ends_stay_in_their_cell():
    table = tables.delimited(io.BytesIO(b'name,note\r\nx,"two\nlines"\r\n'), "csv")
    assert table.rows == [["x", "two\nlines"]]


def test_rows_of_uneven_length_and_values_without_names_are_shown():
    table = tables.delimited(io.BytesIO(b"a,b\n1\n1,2,3\n"), "csv")
    assert [column.name for column in table.columns] == ["a", "b", "column 3"]
    assert table.rows == [["1", "", ""], ["1", "2", "3"]]
    assert [column.name for column in tables.delimited(io.BytesIO(b"1,2\n3,4\n"), "csv").columns] == [
        "column 1",
        "column 2",
    ]


@pytest.mark.parametrize("content", [b"x" * 1_500_000, b"a," * 700_000 + b"\n1\n", b'"' + b"x" * 1_200_000, b"\n\n"])
def test_a_line_without_end_is_no_table(content):
    begun = time.process_time()
    with pytest.raises(tables.NoTable):
        tables.delimited(io.BytesIO(content), "csv")
    assert time.process_time() - begun < 5


def test_json_lines_become_a_table():
    content = b'{"a": 1, "b": "x"}\n{"a": 2.5, "c": {"d": [1]}}\n\n{"b": null}\n'
    table = tables.json_lines(io.BytesIO(content))
    assert [(column.name, column.type) for column in table.columns] == [("a", "number"), ("b", "text"), ("c", "text")]
    assert table.rows == [["1", "x", None], ["2.5", None, '{"d": [1]}'], [None, None, None]]
    assert table.total_rows == 3


@pytest.mark.parametrize("content", [b"[1]\n[2]\n", b"{\n", b"[" * 5_000 + b"\n", b""])
def test_lines_that_are_no_objects_are_no_table(content):
    with pytest.raises(tables.NoTable):
        tables.json_lines(io.BytesIO(content))


# --- JSON


def test_no_key_is_lost_and_no_digit_changes():
    value = json_tree.parsed('{"a": 1.10, "a": 12345678901234567890123, "b": [NaN, -0.0, 1e400]}')
    assert [key for key, _ in value] == ["a", "a", "b"]
    assert json_tree.one_line(value, 200) is None
    assert json_tree.one_line(value[2][1], 200) == "[NaN, -0.0, 1e400]"
    assert json_tree.literal(value[1][1]) == "12345678901234567890123"


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "[" * 60 + "]" * 60, "[" + "1," * 6_000 + "1]", '{"a":' * 500 + "1" + "}" * 500]
)
def test_what_is_too_deep_or_too_much_is_not_folded(text):
    with pytest.raises(json_tree.TooMuch):
        json_tree.parsed(text)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("a/B.PNG", Kind.IMAGE), ("x.tar.gz", Kind.OPAQUE), ("png", Kind.TEXT), ("a.png/b", Kind.TEXT),
        (".json", Kind.JSON), ("MLmodel", Kind.TEXT), ("x.svg", Kind.PAGE), ("y.jsonl", Kind.LINES),
    ],
)  # fmt: skip
def test_a_file_is_taken_for_what_its_name_ends_in(path, kind):
    assert kind_of(path) is kind


def test_a_compressed_text_chunk_of_a_png_does_not_unpack_without_end():
    png = specimens.figure("png")
    bomb = b"zTXtx\x00\x00" + zlib.compress(b"\0" * 200_000_000, 9)
    body = bomb[4:]
    chunk = len(body).to_bytes(4, "big") + bomb + zlib.crc32(bomb).to_bytes(4, "big")
    spoiled = png[:33] + chunk + png[33:]
    begun = time.monotonic()
    assert "no picture that can be read" in why_not(Kind.IMAGE, spoiled)
    assert time.monotonic() - begun < 40


def test_a_notebook_of_endless_text_is_cut():
    cells = [{"cell_type": "markdown", "source": "![[]()" * 10_000}] * 400
    facts = made(Kind.NOTEBOOK, json.dumps({"cells": cells}).encode()).facts
    assert sum(len(cell["text"]) for cell in facts["cells"]) < 700_000
    laid_out = [cell for cell in facts["cells"] if cell["kind"] == "markdown"]
    assert 0 < sum(len(cell["text"]) for cell in laid_out) <= 100_000
