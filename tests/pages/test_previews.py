"""A look at one file: every kind as its library writes it, nothing of it able to run."""

import io
import json

import pytest
from PIL import Image

from artifacts.serving import CHUNK
from experiments.actions.files import put_file
from experiments.models import Run
from tests import specimens
from tests.factories import Team, a_run
from tests.pages.conftest import Browser, Page
from tests.world import stored

EVIL = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"


@pytest.fixture
def look(ada: Browser, team: Team):
    """look(path, content): the page of a run that holds just this file. look.run: the run."""

    def shown(path: str, content: bytes, **asked: object) -> Page:
        shown.run = a_run(team.scientist)
        put_file(team.scientist, shown.run, path=path, stored=stored(content))
        return ada.get(f"/r/{shown.run.uid.hex}/artifacts/", file=path, **asked)

    return shown


def below(run: Run, rest: str) -> str:
    return f"/r/{run.uid.hex}/{rest}"


def test_a_table_is_shown_as_cells_with_types(look):
    page = look("eval/by_ward.csv", b"ward,auroc\n1,0.87\n2,0.86\n")
    assert "ward integer" in page
    assert "auroc number" in page
    assert "2 rows." in page


def test_what_could_be_a_formula_or_a_tag_stays_text(look):
    page = look("x.csv", b"name,value\n=HYPERLINK(1),<b>bold</b>\n")
    assert "=HYPERLINK(1)" in page
    assert "<b>bold</b>" not in page.source


def test_two_hundred_rows_are_shown_and_the_rest_told(look):
    assert "200 of 5,000 rows." in look("x.csv", b"a,b\n" + b"1,2\n" * 5_000)
    page = look("x.csv", b"a,b\n" + b"1,2\n" * 2_000_000)
    assert "The first 200 rows; how many follow is not known." in page


def test_a_table_is_text_on_request_and_where_it_is_none(look):
    assert "a,b" in look("x.csv", b"a,b\n1,2\n", **{"as": "text"})
    assert "its first line alone is longer" in look("x.csv", b"x" * 2_000_000)


def test_a_parquet_file_is_a_table(look):
    page = look("x.parquet", specimens.parquet())
    assert "200 of 500 rows." in page
    assert "lactate double" in page
    assert "ward 3" in page
    assert "null" in page


def test_a_corrupt_parquet_file_says_so(look):
    assert "no Parquet file that can be read" in look("x.parquet", b"PAR1 and no more")


def test_json_lines_and_logged_tables_are_tables(look):
    assert "epoch integer" in look("x.jsonl", b'{"epoch": 1}\n{"epoch": 2}\n')
    page = look("eval.json", json.dumps({"columns": ["q", "a"], "data": [["why", None], ["how", "so"]]}).encode())
    assert "q text" in page
    assert "2 rows." in page


def test_json_folds_and_keeps_its_digits(look):
    page = look("x.json", b'{"metrics": {"auroc": 0.8700, "deep": {"n": [1, {"a": "<i>"}]}}}')
    assert "0.8700" in page
    assert "<details" in page.source
    assert "&lt;i&gt;" in page.source
    assert "<i>" not in page.source


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "no valid JSON"),
        (b"[" * 150_000, "nested too deep"),
        (b"[" + b"0," * 9_000 + b"0]", "more than 5,000 values"),
    ],
)
def test_json_that_cannot_be_folded_is_text_and_says_why(look, content, words):
    page = look("x.json", content)
    assert words in page
    assert 'class="m-code tall numbered"' in page.source


def test_text_is_shown_as_text_with_numbers(look):
    page = look("train.py", b"<script>alert(1)</script>\nprint(1)\n")
    assert "&lt;script&gt;alert(1)" in page.source
    assert "<script>alert" not in page.source
    assert 'class="m-code tall numbered"' in page.source


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("weights", b"\x00\x01\x02", "not text"),
        ("latin.txt", b"caf\xe9", "Read as Windows-1252"),
        ("wide.txt", "Größe".encode("utf-16"), "Größe"),
        ("empty.txt", b"", "This file is empty"),
        ("model.pkl", b"\x80\x04.", "MLED never opens it"),
    ],
)
def test_what_a_file_is_read_as_or_why_not(look, name, content, words):
    assert words in look(name, content)


def test_a_long_text_is_cut_says_so_and_shows_its_end(look):
    content = b"".join(b"epoch %d loss\n" % number for number in range(30_000))
    page = look("train.log", content)
    assert "The first 200 kB of 499 kB." in page
    assert "Only 5,000 lines" in page
    page = look("train.log", content, end=1)
    assert "epoch 29999 loss" in page
    assert "epoch 0 loss" not in page
    assert "The last 200 kB" in page


def test_markdown_is_laid_out_and_can_do_nothing(look):
    page = look(
        "README.md", b"# Model\n\n<script>alert(1)</script> [x](javascript:alert(1)) ![p](https://e.org/p.png) **b**\n"
    )
    assert "<h3>Model</h3>" in page.source
    assert "<strong>b</strong>" in page.source
    for evil in ("<script>alert", 'href="javascript:', "https://e.org"):
        assert evil not in page.source
    assert "# Model" in look("README.md", b"# Model\n", **{"as": "text"})


def test_a_notebook_is_laid_out_and_can_do_nothing(look):
    page = look("analysis.ipynb", specimens.notebook())
    assert "<h3>Sepsis early warning</h3>" in page.source
    assert "epoch 1" in page
    assert 'src="data:image/png;base64,' in page.source
    assert "An output that is not shown here: text/html" in page
    assert "<script>alert" not in page.source
    assert "no list of cells" in look("x.ipynb", b"[]")


def test_a_picture_is_a_copy_under_a_policy_that_runs_nothing(ada: Browser, look):
    page = look("loss.png", specimens.figure("png"))
    address = below(look.run, "preview/loss.png")
    assert f'src="{address}"' in page.source
    assert "PNG, 500 × 340 pixels" in page
    answer = ada.client.get(address)
    assert answer["Content-Type"] == "image/png"
    assert answer.content != specimens.figure("png")
    assert Image.open(io.BytesIO(answer.content)).size == (500, 340)
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"].startswith("private")


def test_the_stored_bytes_of_a_picture_never_come_as_a_picture(ada: Browser, look):
    look("photo.jpg", specimens.photograph())
    answer = ada.client.get(below(look.run, "preview/photo.jpg"))
    assert specimens.GPS.encode() not in answer.content


def test_html_that_calls_itself_a_picture_is_none(ada: Browser, look):
    page = look("evil.png", b"<html><script>alert(1)</script>")
    assert "no picture that can be read" in page
    answer = ada.client.get(below(look.run, "preview/evil.png"))
    assert answer.status_code == 422
    assert b"alert(1)" not in answer.content


def test_a_picture_with_too_many_pixels_says_how_many(look):
    assert "100,000 × 100,000 pixels" in look("x.png", specimens.claimed_png(100_000, 100_000))


def test_a_pdf_is_shown_page_by_page(ada: Browser, look):
    page = look("report.pdf", specimens.figure("pdf"))
    assert "Page 1 of 3" in page
    (following,) = page.links("page=2")
    page = ada.get(following)
    assert "Page 2 of 3" in page
    answer = ada.client.get(below(look.run, "preview/report.pdf"), {"page": 2})
    assert answer["Content-Type"] == "image/png"
    assert answer.content.startswith(b"\x89PNG")


@pytest.mark.parametrize(("page", "status"), [("0", 400), ("x", 400), ("-1", 400), ("9" * 30, 400), ("4", 422)])
def test_a_page_that_is_not_there_is_refused(ada: Browser, look, page, status):
    look("report.pdf", specimens.figure("pdf"))
    assert ada.client.get(below(look.run, "preview/report.pdf"), {"page": page}).status_code == status
    ada.get(below(look.run, "artifacts/"), file="report.pdf", page=page)


@pytest.mark.parametrize("name", ["page.html", "plot.svg", "x.txt", "data.csv", "model.pkl"])
def test_only_pictures_and_documents_are_previewed(ada: Browser, look, name):
    look(name, EVIL)
    ada.get(below(look.run, f"preview/{name}"), expecting=404)


@pytest.mark.parametrize(("name", "kind"), [("page.html", "text/html; charset=utf-8"), ("plot.svg", "image/svg+xml")])
def test_what_could_run_is_framed_only_on_request(ada: Browser, look, name, kind):
    page = look(name, EVIL)
    assert "it may look like anything" in page
    assert "<iframe" not in page.source
    (show,) = page.links("look=still")
    still = ada.get(show)
    assert "Its scripts do not run" in still
    assert 'sandbox=""' in still.source
    frame = ada.client.get(below(look.run, f"frame/{name}"))
    assert frame["Content-Type"] == kind
    policy = frame["Content-Security-Policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "script-src" not in policy
    assert "frame-ancestors 'self'" in policy
    assert frame["X-Frame-Options"] == "SAMEORIGIN"
    assert frame["X-Content-Type-Options"] == "nosniff"
    (run,) = still.links("look=running")
    running = ada.get(run)
    assert 'sandbox="allow-scripts"' in running.source
    policy = ada.client.get(below(look.run, f"frame/{name}"), {"run": 1})["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-scripts; default-src 'none'")
    assert "allow-same-origin" not in policy + running.source
    assert "connect-src" not in policy


def test_a_framed_file_of_one_long_line_goes_out_in_pieces(ada: Browser, look):
    content = b"<p>" + b"x" * (3 * CHUNK)
    look("page.html", content)
    pieces = list(ada.client.get(below(look.run, "frame/page.html")).streaming_content)
    assert b"".join(pieces) == content
    assert max(map(len, pieces)) == CHUNK


@pytest.mark.parametrize("name", ["x.txt", "x.png", "x.js", "x.pdf", "html"])
def test_nothing_else_is_framed(ada: Browser, look, name):
    look(name, EVIL)
    ada.get(below(look.run, f"frame/{name}"), expecting=404)
    assert "<iframe" not in ada.get(below(look.run, "artifacts/"), file=name, look="still").source


def test_our_own_pages_stay_out_of_frames(ada: Browser, look):
    page = look("page.html", EVIL, look="still")
    assert page.response["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in page.response["Content-Security-Policy"]
    assert "frame-src 'self'" in page.response["Content-Security-Policy"]
