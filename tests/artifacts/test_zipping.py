"""Folders as zips: every name unpacks everywhere, memory stays small, damage is never hidden."""

import hashlib
import io
import tracemalloc
import zipfile

import pytest

from artifacts.models import ArtifactFile, ArtifactRoot
from artifacts.queries.folders import open_folder
from artifacts.storage import store
from artifacts.storage.base import BlobDamaged
from artifacts.zipping import safe_names, zipped
from audit.ledger.models import AuditEvent
from experiments.actions.files import put_file
from experiments.models import Run
from kernel.clock import now
from kernel.errors import NotFound
from tests.factories import Team, a_run, a_team, events_since
from tests.world import stored


@pytest.fixture
def team(db) -> Team:
    return a_team()


@pytest.fixture
def run(team: Team) -> Run:
    made = a_run(team.scientist)
    for path, content in {"a.txt": b"one", "plots/loss.png": b"two", "plots/deep/x.bin": bytes(300_000)}.items():
        put_file(team.scientist, made, path=path, stored=stored(content))
    return Run.objects.get(pk=made.pk)


def opened(pieces) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(b"".join(pieces)))
    assert archive.testzip() is None
    return archive


def in_memory(contents: dict[str, bytes]):
    """Files that are in no database, and how to read them."""
    files = [
        (
            path,
            ArtifactFile(path=path, blob_id=hashlib.sha256(held).hexdigest(), size_bytes=len(held), created_at=now()),
        )
        for path, held in contents.items()
    ]
    return files, lambda file: io.BytesIO(contents[file.path])


def test_everything_lies_in_the_zip_under_its_path(team, run):
    archive = opened(open_folder(team.scientist, run.artifact_root, "").zipped())
    assert {name: len(archive.read(name)) for name in archive.namelist()} == {
        "a.txt": 3,
        "plots/deep/x.bin": 300_000,
        "plots/loss.png": 3,
    }


def test_a_folder_lies_in_its_zip_below_itself(team, run):
    folder = open_folder(team.scientist, run.artifact_root, "plots/")
    assert sorted(opened(folder.zipped()).namelist()) == ["deep/x.bin", "loss.png"]
    assert (folder.zip_name("VIS-1"), folder.size_bytes) == ("VIS-1-plots", 300_003)


@pytest.mark.parametrize("folder", ["nothing", "a.txt", "plot"])
def test_a_folder_that_is_not_there_is_not_found(team, run, folder):
    with pytest.raises(NotFound):
        open_folder(team.scientist, run.artifact_root, folder)


def test_a_stranger_finds_no_folder(run):
    with pytest.raises(NotFound):
        open_folder(a_team().scientist, run.artifact_root, "")


def test_what_an_auditor_takes_along_is_one_event(team, run):
    (event,) = events_since(lambda: open_folder(team.auditor, run.artifact_root, "plots"))
    assert event.verb == "artifacts.open_file"
    assert "the folder 'plots' as a zip: 2 files, 300003 bytes" in event.reason
    assert events_since(lambda: open_folder(team.scientist, run.artifact_root, "plots")) == []


def test_a_file_that_is_missing_from_the_store_is_told_in_the_zip(team, run):
    digest = ArtifactFile.objects.get(root=run.artifact_root, path="plots/loss.png").blob_id
    store().place(digest).unlink()
    archive = opened(open_folder(team.scientist, run.artifact_root, "").zipped())
    assert sorted(archive.namelist()) == ["_NOTES.txt", "a.txt", "plots/deep/x.bin"]
    notes = archive.read("_NOTES.txt").decode()
    assert "plots/loss.png" in notes
    assert "NOT in this zip" in notes
    assert digest[:12] in notes


def test_content_that_is_not_what_it_was_breaks_the_zip_off(team, run):
    digest = ArtifactFile.objects.get(root=run.artifact_root, path="plots/loss.png").blob_id
    store().place(digest).write_bytes(b"TWO")
    pieces: list[bytes] = []
    with pytest.raises(BlobDamaged, match=r"plots/loss\.png"):
        pieces.extend(open_folder(team.scientist, run.artifact_root, "").zipped())
    assert pieces
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(b"".join(pieces)))


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["Plot.png", "plot.png", "PLOT.PNG"], ["Plot.png", "plot (2).png", "PLOT (3).PNG"]),
        (["Eval/a", "eval/b", "EVAL/A"], ["Eval/a", "Eval/b", "Eval/A (2)"]),
        (["CON", "aux.txt", "lpt1.tar.gz", "console"], ["_CON", "_aux.txt", "_lpt1.tar.gz", "console"]),
        (['a<b>:"c|?*.txt', "dir./x", "end "], ["a_b___c___.txt", "dir_/x", "end_"]),
        (["back\\slash", "back/slash"], ["back_slash", "back/slash"]),
        (["caf\u00e9", "cafe\u0301"], ["caf\u00e9", "cafe\u0301 (2)"]),
        (["Data", "data/x"], ["Data (2)", "data/x"]),
        ([".hidden", ".HIDDEN"], [".hidden", ".HIDDEN (2)"]),
        (["a:b", "a?b"], ["a_b", "a_b (2)"]),
    ],
)
def test_names_unpack_on_every_system(paths, names):
    assert safe_names(paths) == names


def test_a_name_that_had_to_change_is_told():
    archive = opened(zipped(*in_memory({"CON": b"x", "_NOTES.txt": b"mine"})))
    assert sorted(archive.namelist()) == ["_CON", "_NOTES (2).txt", "_NOTES.txt"]
    assert "CON\n    is stored as _CON" in archive.read("_NOTES (2).txt").decode()


def test_many_and_large_files_need_little_memory():
    """2,000 small files and one of 256 MiB: what is held is one piece and the list of names."""
    large, small = 256 * 1024**2, b"x" * 100

    class Zeros(io.RawIOBase):
        left = large

        def read(self, size=-1):
            given = min(size, self.left)
            self.left -= given
            return bytes(given)

    digest = hashlib.sha256(bytes(1024**2) * 256).hexdigest()
    root = ArtifactRoot()
    files = [
        (f"many/{number:05}.txt", ArtifactFile(root=root, path=f"{number}", size_bytes=100, created_at=now(),
                                               blob_id=hashlib.sha256(small).hexdigest()))
        for number in range(2_000)
    ]  # fmt: skip
    files.append(
        ("large.bin", ArtifactFile(root=root, path="large", size_bytes=large, blob_id=digest, created_at=now()))
    )
    tracemalloc.start()
    total = sum(
        len(piece) for piece in zipped(files, lambda file: Zeros() if file.path == "large" else io.BytesIO(small))
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total > large + 2_000 * 100
    assert peak < 12 * 1024**2


def test_a_file_of_more_than_four_gibibytes_is_announced_as_such():
    """Its sizes do not fit the old fields: the local header has room for 64 bits from the start."""
    file = ArtifactFile(path="huge", blob_id="0" * 64, size_bytes=5 * 1024**3, created_at=now())
    first = next(iter(zipped([("huge", file)], lambda _: io.BytesIO(b"x" * 1000))))
    version, extra_length = int.from_bytes(first[4:6], "little"), int.from_bytes(first[28:30], "little")
    assert version == zipfile.ZIP64_VERSION
    assert extra_length == 20


def test_no_event_is_left_by_those_whose_reading_is_no_evidence(team, run):
    before = AuditEvent.objects.count()
    b"".join(open_folder(team.manager, run.artifact_root, "").zipped())
    assert AuditEvent.objects.count() == before
