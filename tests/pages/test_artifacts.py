"""Files of a run: a tree, a safe look, and downloads that can do no harm."""

import pytest

from experiments.actions.files import put_file
from experiments.models import Run
from tests.factories import Team, a_run
from tests.pages.conftest import Browser
from tests.world import stored

EVIL = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"


def test_the_tree_shows_folders_sizes_and_digests(ada: Browser, trained: Run):
    page = ada.get(f"/r/{trained.uid.hex}/artifacts/")
    assert "2 files" in page
    assert "eval" in page
    assert "by_ward.csv 25 B" in page
    assert "sha256:" in page


def test_a_table_is_shown_as_cells(ada: Browser, trained: Run):
    page = ada.get(f"/r/{trained.uid.hex}/artifacts/", file="eval/by_ward.csv")
    assert "<th>ward</th>" in page.source
    assert "2 rows" in page


def test_text_is_shown_as_text(ada: Browser, team: Team):
    run = a_run(team.scientist)
    put_file(team.scientist, run, path="page.html", stored=stored(b"<h1>hello</h1><script>alert(1)</script>"))
    page = ada.get(f"/r/{run.uid.hex}/artifacts/", file="page.html")
    assert "&lt;script&gt;alert(1)" in page.source
    assert "<script>alert" not in page.source


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [("weights.bin", b"\x00\x01\x02", "not text"), ("latin.txt", b"caf\xe9", "not text"), ("empty.txt", b"", "empty")],
)
def test_what_cannot_be_shown_says_why(ada: Browser, team: Team, name, content, words):
    run = a_run(team.scientist)
    put_file(team.scientist, run, path=name, stored=stored(content))
    assert words in ada.get(f"/r/{run.uid.hex}/artifacts/")


def test_a_long_text_is_cut_and_says_so(ada: Browser, team: Team):
    run = a_run(team.scientist)
    put_file(team.scientist, run, path="log.txt", stored=stored("é".encode() * 150_000))
    page = ada.get(f"/r/{run.uid.hex}/artifacts/")
    assert "The first 200 kB of 300 kB" in page


def test_a_download_is_an_attachment_that_runs_nothing(ada: Browser, trained: Run):
    answer = ada.client.get(f"/r/{trained.uid.hex}/files/eval/by_ward.csv")
    assert b"".join(answer.streaming_content) == b"ward,auroc\n1,0.87\n2,0.86\n"
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]


def test_a_picture_is_shown_under_a_policy_that_runs_nothing(ada: Browser, team: Team):
    run = a_run(team.scientist)
    put_file(team.scientist, run, path="plot.svg", stored=stored(EVIL))
    assert f"/r/{run.uid.hex}/preview/plot.svg" in ada.get(f"/r/{run.uid.hex}/artifacts/").source
    answer = ada.client.get(f"/r/{run.uid.hex}/preview/plot.svg")
    assert answer["Content-Type"] == "image/svg+xml"
    assert answer["Content-Security-Policy"].startswith("default-src 'none'")
    assert "sandbox" in answer["Content-Security-Policy"]


def test_only_pictures_are_previewed(ada: Browser, team: Team):
    run = a_run(team.scientist)
    put_file(team.scientist, run, path="page.html", stored=stored(EVIL))
    ada.get(f"/r/{run.uid.hex}/preview/page.html", expecting=404)


@pytest.mark.parametrize("path", ["../../etc/passwd", "%2e%2e/secret", "..%2f..%2fetc/passwd", "a//b"])
def test_a_path_that_leads_out_is_refused(ada: Browser, trained: Run, path):
    assert ada.client.get(f"/r/{trained.uid.hex}/files/{path}").status_code in (400, 404)


def test_a_missing_file_is_not_found(ada: Browser, trained: Run):
    ada.get(f"/r/{trained.uid.hex}/artifacts/", expecting=404, file="nothing.txt")
    ada.get(f"/r/{trained.uid.hex}/files/nothing.txt", expecting=404)


def test_names_with_signs_of_every_kind_are_kept(ada: Browser, team: Team):
    run = a_run(team.scientist)
    put_file(team.scientist, run, path='Größe & "mehr"/50% ü.txt', stored=stored(b"yes"))
    page = ada.get(f"/r/{run.uid.hex}/artifacts/")
    assert 'Größe & "mehr"' in page
    answer = ada.client.get(page.links("/files/")[0])
    assert b"".join(answer.streaming_content) == b"yes"
