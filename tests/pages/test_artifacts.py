"""Files of a run: a tree that opens folder by folder, and downloads that can do no harm."""

import io
import zipfile

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from artifacts import trees
from artifacts.models import ArtifactFile, ArtifactRoot, Blob, BlobCheck
from artifacts.queries.tree import level_of, next_to, totals_of
from artifacts.storage import store
from audit.ledger.acting import acting
from experiments.actions.files import put_file
from experiments.models import Run
from kernel.actor import system
from tests.factories import Team, a_run, events_since, user_of
from tests.pages.conftest import Browser
from tests.world import stored


@pytest.fixture
def crowded(team: Team) -> Run:
    """A run with 10,000 files in one folder and a few elsewhere."""
    run = a_run(team.scientist)
    put_file(team.scientist, run, path="config.yaml", stored=stored(b"lr: 0.1\n"))
    run.refresh_from_db()
    digest = ArtifactFile.objects.get(root=run.artifact_root).blob_id
    with acting(system(), "tests.fill") as act:
        ArtifactFile.objects.bulk_create(
            ArtifactFile(root=run.artifact_root, path=f"frames/{number:05}.txt", blob_id=digest, size_bytes=8)
            for number in range(10_000)
        )
        act.always = True
    return run


def tree_of(browser: Browser, run: Run, **asked: object):
    return browser.get(f"/r/{run.uid.hex}/tree/", **asked)


def downloaded(browser: Browser, address: str, **headers: str):
    return browser.client.get(address, headers=headers)


# --- The tree


def test_the_tree_shows_folders_sizes_and_digests(ada: Browser, trained: Run):
    page = ada.get(f"/r/{trained.uid.hex}/artifacts/", file="eval/by_ward.csv")
    assert "2 files" in page
    assert "eval" in page
    assert "by_ward.csv 25 B" in page
    assert "sha256:" in page
    digest = ArtifactFile.objects.get(path="eval/by_ward.csv", root=trained.artifact_root).blob_id
    assert f'data-copy="{digest}"' in page.source


def test_a_run_without_files_says_what_to_do(ada: Browser, team: Team):
    run = a_run(team.scientist)
    assert "mlflow.log_artifact" in ada.get(f"/r/{run.uid.hex}/artifacts/")
    ada.get(f"/r/{run.uid.hex}/archive.zip", expecting=404)
    ada.get(f"/r/{run.uid.hex}/files/x", expecting=404)


def test_ten_thousand_files_in_a_folder_come_two_hundred_at_a_time(ada: Browser, crowded: Run):
    with CaptureQueriesContext(
        connection,
    ) as asked:
        page = ada.get(f"/r/{crowded.uid.hex}/artifacts/", file="config.yaml")
    assert len(asked) < 40
    assert "10001 files" in page
    assert "frames/" not in page.source.replace("folder=frames", "")
    level = tree_of(ada, crowded, folder="frames")
    assert level.source.count("data-file=") == 200
    (more,) = set(level.links("start="))
    assert "00200.txt" in ada.get(more).source
    last = tree_of(ada, crowded, folder="frames", start=9_900)
    assert last.source.count("data-file=") == 100
    assert last.links("start=") == []


def test_a_folder_opens_without_scripts(ada: Browser, crowded: Run):
    page = ada.get(f"/r/{crowded.uid.hex}/artifacts/", folder="frames")
    assert 'data-file="frames/00000.txt"' in page.source


def test_paths_are_searched(ada: Browser, crowded: Run):
    assert tree_of(ada, crowded, find="0999 TXT").source.count("data-file=") == 11
    assert "No path holds" in tree_of(ada, crowded, find="nothing%")
    assert 'data-folder="frames"' in tree_of(ada, crowded, find="").source
    assert 'data-file="frames/04711.txt"' in ada.get(f"/r/{crowded.uid.hex}/artifacts/", find="04711").source


@pytest.mark.parametrize("asked", [{"start": "x"}, {"start": "-1"}, {"folder": "../x"}, {"start": "9" * 30}])
def test_a_part_of_the_tree_that_makes_no_sense_is_refused(ada: Browser, trained: Run, asked):
    ada.get(f"/r/{trained.uid.hex}/tree/", expecting=400, **asked)


def test_folders_come_before_files_and_know_what_lies_in_them(team: Team):
    run = a_run(team.scientist)
    for path in ("z.txt", "a-b/x.txt", "a/b/c.txt", "a/d.txt", "A.txt", "é/ü.txt"):
        put_file(team.scientist, run, path=path, stored=stored(b"12345"))
    root = Run.objects.get(pk=run.pk).artifact_root
    level = level_of(team.scientist, root, "")
    assert [(one.path, one.is_folder, one.size_bytes, one.file_count) for one in level.branches] == [
        ("a", True, 10, 2), ("a-b", True, 5, 1), ("é", True, 5, 1), ("A.txt", False, 5, 1), ("z.txt", False, 5, 1),
    ]  # fmt: skip
    assert [one.path for one in level_of(team.scientist, root, "a").branches] == ["a/b", "a/d.txt"]
    assert level_of(team.scientist, root, "", start=1, limit=2).following == 3
    assert totals_of(team.scientist, root, "a").size_bytes == 10


def test_next_and_previous_lead_through_the_whole_tree(team: Team):
    run = a_run(team.scientist)
    order = ["a/b/c.txt", "a/b/d.txt", "a/e.txt", "a-b/x.txt", "f/g/h/i.txt", "f/z.txt", "A.txt", "a.txt"]
    for path in order:
        put_file(team.scientist, run, path=path, stored=stored(b"x"))
    root = Run.objects.get(pk=run.pk).artifact_root
    walked = [order[0]]
    while following := next_to(team.scientist, root, walked[-1], step=1):
        walked.append(following)
    assert walked == order
    back = [order[-1]]
    while before := next_to(team.scientist, root, back[-1], step=-1):
        back.append(before)
    assert back == order[::-1]
    assert next_to(team.scientist, root, "a/e.txt", step=1, top="a") == ""


def test_the_page_walks_from_file_to_file(ada: Browser, trained: Run):
    page = ada.get(f"/r/{trained.uid.hex}/artifacts/", file="eval/by_ward.csv")
    following = page.links("file=model")[-1]
    assert "Next file" in page
    assert "numpy==2.4.6" in ada.get(following)


def test_choosing_a_file_brings_the_right_side_only(ada: Browser, trained: Run):
    answer = ada.client.get(
        f"/r/{trained.uid.hex}/artifacts/",
        {"file": "model/requirements.txt"},
        headers={"HX-Request": "true", "HX-Target": "file"},
    )
    assert "numpy==2.4.6" in answer.content.decode()
    assert b'id="tree"' not in answer.content


# --- Downloads


def test_a_download_is_an_attachment_that_runs_nothing(ada: Browser, trained: Run):
    answer = ada.client.get(f"/r/{trained.uid.hex}/files/eval/by_ward.csv")
    assert answer.getvalue() == b"ward,auroc\n1,0.87\n2,0.86\n"
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "private, no-cache"
    assert "sandbox" in answer["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("asked", "status", "content", "said"),
    [
        ("bytes=0-3", 206, b"ward", "bytes 0-3/25"),
        ("bytes=20-", 206, b"0.86\n", "bytes 20-24/25"),
        ("bytes=-5", 206, b"0.86\n", "bytes 20-24/25"),
        ("bytes=24-999", 206, b"\n", "bytes 24-24/25"),
        ("bytes=25-", 416, b"", "bytes */25"),
        ("bytes=5-2", 200, None, None),
        ("lines=1-2", 200, None, None),
    ],
)
def test_a_part_of_a_file_is_given(ada: Browser, trained: Run, asked, status, content, said):
    answer = downloaded(ada, f"/r/{trained.uid.hex}/files/eval/by_ward.csv", range=asked)
    assert answer.status_code == status
    assert answer.get("Content-Range") == said
    if content is not None:
        assert (b"".join(answer) if answer.streaming else answer.content) == content


def test_the_head_of_a_file_says_how_much_there_is(ada: Browser, trained: Run):
    answer = ada.client.head(f"/r/{trained.uid.hex}/files/eval/by_ward.csv")
    assert (answer.status_code, answer["Content-Length"], answer["Accept-Ranges"]) == (200, "25", "bytes")
    assert answer.content == b""


@pytest.mark.parametrize(
    "path", ["../../etc/passwd", "%2e%2e/secret", "..%2f..%2fetc/passwd", "a//b", "file:/etc/passwd"]
)
@pytest.mark.parametrize("door", ["files", "preview", "frame"])
def test_a_path_that_leads_out_is_refused(ada: Browser, trained: Run, path, door):
    assert ada.client.get(f"/r/{trained.uid.hex}/{door}/{path}").status_code in (400, 404)


def test_a_missing_file_is_not_found(ada: Browser, trained: Run):
    ada.get(f"/r/{trained.uid.hex}/artifacts/", expecting=404, file="nothing.txt")
    for door in ("files/nothing.txt", "preview/nothing.png", "frame/nothing.html", "archive.zip?path=nothing"):
        ada.get(f"/r/{trained.uid.hex}/{door}", expecting=404)


def test_names_with_signs_of_every_kind_are_kept(ada: Browser, team: Team):
    run = a_run(team.scientist)
    put_file(team.scientist, run, path='Größe & "mehr"/50% ü?#.txt', stored=stored(b"yes"))
    page = ada.get(f"/r/{run.uid.hex}/artifacts/")
    assert 'Größe & "mehr"' in page
    answer = ada.client.get(page.links("/files/")[0])
    assert answer.getvalue() == b"yes"
    (archive,) = page.links("archive.zip?path=")
    with zipfile.ZipFile(io.BytesIO(b"".join(ada.client.get(archive)))) as packed:
        assert [name for name in packed.namelist() if "NOTES" not in name] == ["50% ü_#.txt"]


def test_a_folder_is_downloaded_as_a_zip_with_its_size_told_before(ada: Browser, trained: Run):
    page = ada.get(f"/r/{trained.uid.hex}/artifacts/", file="eval/by_ward.csv")
    assert "Download all as zip, 38 B" in page
    assert "eval as zip, 25 B" in page
    (all_files, folder) = page.links("archive.zip")
    answer = ada.client.get(all_files)
    assert answer["Content-Type"] == "application/zip"
    assert f"{trained.readable_id}.zip" in answer["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(b"".join(answer))) as packed:
        assert sorted(packed.namelist()) == ["eval/by_ward.csv", "model/requirements.txt"]
    with zipfile.ZipFile(io.BytesIO(b"".join(ada.client.get(folder)))) as packed:
        assert packed.namelist() == ["by_ward.csv"]


# --- Who may, what is on record, what is damaged


DOORS = ["artifacts/", "tree/", "files/eval/by_ward.csv", "preview/plot.png", "frame/page.html", "archive.zip"]


@pytest.mark.parametrize("door", DOORS)
def test_strangers_find_nothing_and_guests_are_led_to_sign_in(zoe: Browser, trained: Run, door):
    zoe.get(f"/r/{trained.uid.hex}/{door}", expecting=404)
    assert "/login/" in Browser().get(f"/r/{trained.uid.hex}/{door}", expecting=302).response["Location"]


@pytest.mark.parametrize("door", DOORS)
def test_files_are_only_read(ada: Browser, trained: Run, door):
    assert ada.client.post(f"/r/{trained.uid.hex}/{door}").status_code in (404, 405)


def test_rights_are_asked_for_each_time(ada: Browser, team: Team, trained: Run):
    from accounts.actions.members import remove_member
    from accounts.models import Membership

    address = f"/r/{trained.uid.hex}/files/eval/by_ward.csv"
    b"".join(ada.client.get(address))
    membership = Membership.objects.get(project=team.project, user=user_of(team.scientist))
    remove_member(team.manager, membership)
    assert downloaded(ada, address, **{"if-none-match": '"x"'}).status_code == 404


def test_what_an_auditor_looks_at_and_takes_along_is_on_record(otto: Browser, trained: Run):
    def look() -> None:
        otto.get(f"/r/{trained.uid.hex}/artifacts/", file="eval/by_ward.csv")

    def take() -> None:
        b"".join(otto.client.get(f"/r/{trained.uid.hex}/files/eval/by_ward.csv"))

    def take_all() -> None:
        b"".join(otto.client.get(f"/r/{trained.uid.hex}/archive.zip"))

    for act, words in ((look, "'eval/by_ward.csv'"), (take, "'eval/by_ward.csv'"), (take_all, "all files as a zip")):
        (event,) = events_since(act)
        assert event.verb == "artifacts.open_file"
        assert words in event.reason


def test_a_file_whose_content_is_missing_or_torn_says_so(ada: Browser, team: Team):
    run = a_run(team.scientist)
    for number, spoil in enumerate((lambda place: place.unlink(), lambda place: place.write_bytes(b"x"))):
        content = f"precious {number} {run.pk}".encode()
        put_file(team.scientist, run, path=f"{number}.txt", stored=stored(content))
        root = Run.objects.get(pk=run.pk).artifact_root
        spoil(store().place(ArtifactFile.objects.get(root=root, path=f"{number}.txt").blob_id))
        page = ada.get(f"/r/{run.uid.hex}/artifacts/", file=f"{number}.txt")
        assert "This file cannot be given out" in page
        assert 'role="alert"' in page.source
        ada.get(f"/r/{run.uid.hex}/files/{number}.txt", expecting=503)
        assert "is NOT in this zip" in zipped_notes(ada, run)


def zipped_notes(browser: Browser, run: Run) -> str:
    with zipfile.ZipFile(io.BytesIO(b"".join(browser.client.get(f"/r/{run.uid.hex}/archive.zip")))) as packed:
        return packed.read("_NOTES.txt").decode()


def test_a_root_of_another_kind_is_no_way_in(ada: Browser, trained: Run):
    """A path is looked for below the run's own root only, whoever else stored the same content."""
    assert trees.find_root(ArtifactRoot.Kind.RUN, trained.ledger_id) == trained.artifact_root
    assert Blob.objects.count() >= 2
    ada.get(f"/r/{trained.uid.hex}/files/by_ward.csv", expecting=404)


def test_what_a_check_of_the_content_found_is_shown(ada: Browser, trained: Run):
    page = ada.get(f"/r/{trained.uid.hex}/artifacts/", file="eval/by_ward.csv")
    assert "Checked" not in page
    assert "All match" not in page
    held = ArtifactFile.objects.filter(root=trained.artifact_root)
    for file in held:
        BlobCheck.objects.create(blob_id=file.blob_id, outcome=BlobCheck.Outcome.SOUND)
    page = ada.get(f"/r/{trained.uid.hex}/artifacts/", file="eval/by_ward.csv")
    assert "All match" in page
    assert "Checked today" in page
    spoilt = BlobCheck.objects.get(blob__files__path="eval/by_ward.csv")
    spoilt.outcome = BlobCheck.Outcome.CHANGED
    spoilt.save()
    page = ada.get(f"/r/{trained.uid.hex}/artifacts/", file="eval/by_ward.csv")
    assert "Damaged" in page
    assert "Changed found today" in page
