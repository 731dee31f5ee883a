"""Archives that were changed, cut off, or made by somebody who means ill: told in words, and nothing is written."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from experiments.models import Experiment, Run
from kernel.errors import Invalid
from registry.actions.versions import create_version
from registry.models import RegisteredModel
from tests.factories import a_batch, a_file, a_run, a_team, log_batch
from tests.transfer.moving import content, exported, imported, rewritten
from transfer.archive import points
from transfer.archive.layout import DIRECTORY_MAX, MEMBERS_MAX
from transfer.archive.points import read_points
from transfer.archive.reading import Archive, origin_in
from transfer.mlflow.folders import ArchiveFiles
from transfer.mlflow.records import NotReadable
from transfer.models import Moved

pytestmark = [pytest.mark.django_db, pytest.mark.once]
LINE = '{"id": "%s", "experiment": "Default", "name": "x", "status": "FINISHED"%s}\n'


@pytest.fixture
def small():
    """A small archive and somebody elsewhere."""
    team = a_team()
    run = a_run(team.scientist, name="one")
    log_batch(team.scientist, run, batch=a_batch(loss=[2, 1], params={"lr": "1"}))
    a_file(team.scientist, run, "a/b.txt", b"content")
    other = a_team()
    return content(exported(team.scientist, team.project)), other.scientist, other.project, run


def zipped(members: dict[str, bytes], kind: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", kind) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return out.getvalue()


def of(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def test_what_is_no_archive_is_refused_at_the_door(small):
    archive, actor, project, _ = small
    members = of(archive)
    twice = io.BytesIO()
    with zipfile.ZipFile(twice, "w") as double:
        for name, body in members.items():
            double.writestr(name, body)
        with pytest.warns(UserWarning, match="Duplicate"):
            double.writestr("runs.jsonl", b"")
    newer = json.loads(members["manifest.json"]) | {"version": 9}
    inner = zipped({**members, "first.npz": zipped({"first.npy": b"x"}) + b"the rest"})
    for bad, words in (
        (b"not a zip", "no archive of MLED: it is no zip"),
        (archive[: len(archive) // 2], f"cut off or was changed: it has {len(archive) // 2:,} bytes"),
        (inner[: inner.index(b"the rest")], "cut off or was changed"),
        (archive + b"more", "cut off or was changed"),
        (zipped({"hello.txt": b"x", "xl/workbook.xml": b""}), "no archive of MLED: it has no manifest.json"),
        (zipped({}), "no manifest.json"),
        (zipped({**members, "../../etc/passwd": b"x"}), "does not belong"),
        (zipped({**members, "/abs": b"x"}), "does not belong"),
        (zipped({**members, "files/sha256/ab/../../x": b"x"}), "does not belong"),
        (zipped(members, zipfile.ZIP_DEFLATED), "is compressed"),
        (twice.getvalue(), "stands twice"),
        (zipped({**members, "manifest.json": b"{"}), "no JSON"),
        (zipped({**members, "manifest.json": b'{"format": "tar"}'}), "no archive of MLED"),
        (
            zipped({**members, "manifest.json": json.dumps(newer).encode()}),
            "format version 9; this MLED",
        ),
    ):
        with pytest.raises(Invalid) as told:
            imported(actor, project, bad)
        assert words in str(told.value), bad[:60]


def test_a_directory_without_end_is_refused_before_an_object_is_made_of_each_entry(small, monkeypatch):
    """zipfile reads as many bytes as the end record says and keeps all entries, however few it claims."""
    archive, *_ = small

    def listed(self: zipfile.ZipFile) -> None:
        raise AssertionError("The directory was read.")

    begins, end = archive.rindex(b"PK\x05\x06"), bytearray(archive[-22:])
    entry = b"PK\x01\x02" + bytes(42)
    many, size = entry * (MEMBERS_MAX + 1), (MEMBERS_MAX + 1) * len(entry)
    end[8:12] = (1).to_bytes(2, "little") * 2
    end[12:20] = size.to_bytes(4, "little") + begins.to_bytes(4, "little")
    large = bytearray(end)
    large[12:20] = (DIRECTORY_MAX + 1).to_bytes(4, "little") + (0).to_bytes(4, "little")
    monkeypatch.setattr(zipfile.ZipFile, "_RealGetContents", listed)
    for bad, words in (
        (archive[:begins] + many + end, f"more than {MEMBERS_MAX:,} members"),
        (archive[:4] + bytes(DIRECTORY_MAX) + large, "directory of this zip has"),
    ):
        with pytest.raises(Invalid) as told:
            Archive(io.BytesIO(bad), len(bad))
        assert words in str(told.value)
        with pytest.raises(NotReadable, match=r"members|directory"):
            ArchiveFiles(io.BytesIO(bad), entries_max=MEMBERS_MAX, directory_max=DIRECTORY_MAX)


def test_a_record_is_found_without_reading_those_before_it(small):
    archive, *_ = small
    members = of(archive)
    lines = [(LINE % (f"{number:032x}", ', "tags": {"a": "' + "x" * 2000 + '"}')).encode() for number in range(1000)]
    whole = rewritten(archive, {"runs.jsonl": b"".join(lines)}, told=True)
    counting = Counting(whole)
    opened = Archive(counting, len(whole))
    assert members.keys() == of(whole).keys()
    counting.count, place = 0, 0
    for number, line in enumerate(lines):
        assert opened.record_at("runs", place).id == f"{number:032x}"
        place += len(line)
    assert counting.count < 2 * place
    with opened.table("metrics.parquet") as table:
        counting.count = 0
        for _ in range(100):
            table.seek(0, io.SEEK_END)
            table.seek(0)
            assert table.read(4) == b"PAR1"
    assert counting.count < 200 * len(members["metrics.parquet"]) < 100 * place


def test_a_text_that_stands_once_in_a_file_is_not_written_out_for_each_of_its_rows(monkeypatch):
    """A dictionary of one word, named a million times, as packed as can be."""
    rows = 1_000_000
    made = io.BytesIO()
    whole = pa.array(np.zeros(rows, np.int64))
    word = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array(["x" * 1_000_000]))
    short = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array(["x"]))
    columns = {"run": short, "key": word, "context": short, "step": whole, "timestamp": whole}
    table = pa.table({**columns, "value": pa.array(np.zeros(rows))})
    pq.write_table(table, made, compression="zstd", store_schema=False, dictionary_pagesize_limit=1 << 30)
    assert made.tell() < 100_000
    before = pa.default_memory_pool().max_memory()
    with pytest.raises(Invalid, match="has a key of 1,000,000 characters"):
        next(read_points(io.BytesIO(made.getvalue())))
    assert pa.default_memory_pool().max_memory() < before + 100_000_000, "65,536 rows of it would be 65 GB."
    for limit, words in (("GROUP_MAX", "more than 10 bytes"), ("FOOTER_MAX", "more of its row groups")):
        monkeypatch.setattr(points, limit, 10)
        with pytest.raises(Invalid, match=words):
            next(read_points(io.BytesIO(made.getvalue())))


class Counting(io.BytesIO):
    """Counts the bytes that are read of it."""

    count = 0

    def read(self, size: int | None = -1, /) -> bytes:
        told = super().read(size)
        self.count += len(told)
        return told


def test_a_zip_whose_members_overlap_is_no_archive(small):
    """As bombs are made: many entries of the directory that share the same bytes."""
    archive, actor, project, _ = small
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        largest = max(opened.infolist(), key=lambda one: one.file_size)
        shared = {**{one.filename: one for one in opened.infolist()}}
    raw = bytearray(archive)
    for name, info in shared.items():
        at = raw.rindex(b"PK\x01\x02", 0, raw.rindex(name.encode()))
        if name != largest.filename:
            raw[at + 20 : at + 28] = largest.file_size.to_bytes(4, "little") * 2
            raw[at + 42 : at + 46] = largest.header_offset.to_bytes(4, "little")
            assert info.file_size <= largest.file_size
    with pytest.raises(Invalid, match=r"overlap|cut off"):
        imported(actor, project, bytes(raw))


def test_what_is_inside_is_checked_whole_before_anything_is_written(small):
    archive, actor, project, run = small
    members = of(archive)
    file = next(name for name in members if name.startswith("files/"))
    lines = members["runs.jsonl"].decode()
    uid, longer = run.uid.hex, lines.replace('"loss","",2', '"loss","",3')
    strange = json.loads(lines) | {"files": [["a", "0" * 64, 7]]}
    other_points = of(content(exported(actor, project)))["metrics.parquet"]
    cases = {
        "'runs.jsonl' is not what": ({"runs.jsonl": lines.replace("one", "two").encode()}, False),
        f"'{file}' is not what": ({file: b"CONTENT"}, False),
        "'comments.jsonl' is missing": ({"comments.jsonl": None}, False),
        "A file of": ({file: None}, False),
        "'runs.jsonl' has 0 lines, and manifest.json says 1": ({"runs.jsonl": b""}, True),
        "Line 1 of 'runs.jsonl': Object missing": ({"runs.jsonl": b'{"status": "FINISHED"}\n'}, True),
        "contains unknown field `admin`": ({"runs.jsonl": (LINE % (uid, ', "admin": true')).encode()}, True),
        "Line 1 of 'runs.jsonl': Expected `object`": ({"runs.jsonl": b"[" * 100_000 + b"\n"}, True),
        "Line 1 of 'runs.jsonl' holds a NUL": ({"runs.jsonl": lines.replace('"one"', '"o\\u0000e"').encode()}, True),
        "is missing: files/sha256/00/": ({"runs.jsonl": json.dumps(strange).encode()}, True),
        f"has '{uid}' twice": ({"runs.jsonl": (LINE % (uid, "") * 2).encode()}, True),
        "'metrics.parquet' is no Parquet file": ({"metrics.parquet": b"PAR1nothingPAR1"}, True),
        "has 0 points, and runs.jsonl speaks of 2": ({"metrics.parquet": other_points}, True),
        f"'loss' of run {uid} are not those": ({"runs.jsonl": longer.encode()}, True),
    }
    counts = json.loads(members["manifest.json"])
    counts["counts"]["experiments"] = 0
    empty = {"experiments.jsonl": b"", "manifest.json": json.dumps(counts).encode()}
    cases["which is not in experiments.jsonl"] = (empty, True)
    for words, (changes, told) in cases.items():
        done = imported(actor, project, rewritten(archive, changes, told=told))
        assert done.state == "failed", words
        assert words in done.failure
        assert not Run.objects.filter(project=project).exists(), words
        assert not Moved.objects.filter(project=project).exists(), words


def test_what_our_rules_refuse_is_named_and_the_rest_comes_in(small):
    archive, actor, project, run = small
    good = json.loads(of(archive)["runs.jsonl"])
    bad = good | {"id": "ab" * 16, "params": {"../up": "1"}, "files": [], "series": []}
    out = good | {"id": "cd" * 16, "files": [["../../x", good["files"][0][1], 7]], "series": []}
    lines = "".join(json.dumps(one) + "\n" for one in (good, bad, out))
    counts = json.loads(of(archive)["manifest.json"])
    counts["counts"]["runs"] = 3
    changes = {"runs.jsonl": lines.encode(), "manifest.json": json.dumps(counts).encode()}
    done = imported(actor, project, rewritten(archive, changes, told=True))
    assert done.state == "done", done.failure
    assert done.counts["runs"] == {"held": 3, "new": 1, "there": 0, "refused": 2}
    assert {one["where"] for one in done.problems} == {"runs.jsonl: " + "ab" * 16, "runs.jsonl: " + "cd" * 16}
    assert Run.objects.get(project=project).name == run.name


def test_a_version_with_a_number_that_no_column_holds_is_named_and_counting_goes_on(small):
    archive, actor, project, run = small
    held = json.loads(of(archive)["manifest.json"])
    held["counts"] |= {"registered_models": 1, "model_versions": 4}
    version = {"model": "net", "source": f"runs:/{run.uid.hex}/a", "run": run.uid.hex}
    numbered = "".join(json.dumps(version | {"number": one}) + "\n" for one in (1, 10**9, 2**31, 2**63 - 1))
    changes = {
        "registered_models.jsonl": (json.dumps({"name": "net", "aliases": {"far": 2**40}}) + "\n").encode(),
        "model_versions.jsonl": numbered.encode(),
        "manifest.json": json.dumps(held).encode(),
    }
    done = imported(actor, project, rewritten(archive, changes, told=True))
    assert (done.state, done.counts["model_versions"]["refused"]) == ("done", 2), (done.failure, done.problems)
    assert "Versions are numbered up to 1,000,000,000." in {one["message"] for one in done.problems}
    model = RegisteredModel.objects.get(project=project)
    made = create_version(actor, model, source="https://example.org/net")
    assert sorted(model.versions.values_list("number", flat=True)) == [1, 10**9, made.number] == [1, 10**9, 10**9 + 1]


def test_content_that_the_archive_does_not_hold_is_never_taken_from_the_store(small):
    """A digest alone opens nothing: who names the content of another project gets none of it."""
    _, actor, project, run = small
    mine = content(exported(actor, project, with_files=True))
    secret = run.artifact_root.files.get()
    line = LINE % ("ef" * 16, f', "files": [["stolen.txt", "{secret.blob_id}", {secret.size_bytes}]]')
    counts = json.loads(of(mine)["manifest.json"])
    counts["counts"]["runs"] = 1
    changes = {"runs.jsonl": line.encode(), "manifest.json": json.dumps(counts).encode()}
    done = imported(actor, project, rewritten(mine, changes, told=True))
    assert done.state == "failed"
    assert "is missing" in done.failure
    counts["files"]["held"] = False
    changes["manifest.json"] = json.dumps(counts).encode()
    done = imported(actor, project, rewritten(mine, changes, told=True))
    assert done.state == "done"
    assert "made without the content" in done.problems[0]["message"]
    assert Run.objects.get(project=project).artifact_root is None
    assert Experiment.objects.filter(project=project).count() == 1


def test_a_nul_in_what_names_the_source_is_refused_at_the_door(small):
    from tests.transfer.moving import receive

    archive, *_ = small
    told = json.loads(of(archive)["manifest.json"])
    told["project"]["id"] = "a\x00b"
    hurt = rewritten(archive, {"manifest.json": json.dumps(told).encode()})
    with pytest.raises(Invalid, match="NUL"):
        origin_in(receive(io.BytesIO(hurt), expected=len(hurt)))
    told["project"]["id"] = "a\\u0000b"  # these six signs are a text like any other
    fine = rewritten(archive, {"manifest.json": json.dumps(told).encode()})
    assert origin_in(receive(io.BytesIO(fine), expected=len(fine))) == "a\\u0000b"


def test_the_source_is_named_by_its_project(small):
    from tests.transfer.moving import receive

    archive, *_, run = small
    assert origin_in(receive(io.BytesIO(archive), expected=len(archive))) == run.project.pk.hex
