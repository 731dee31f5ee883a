"""Datasets and their versions: what is kept, what is refused, what the ledger says."""

import io
import subprocess
import time

import pytest

from accounts.roles import Role
from artifacts import trees
from artifacts.actions.datasets import create_dataset, edit_dataset
from artifacts.actions.records import write_record
from artifacts.actions.versions import add_external_version, add_version
from artifacts.blobs import receive
from artifacts.manifests import FILES_MAX, checked_manifest, tree_digest
from artifacts.models import ArtifactFile, Blob, Dataset, DatasetVersion, UnnamedBlob, VersionProfile
from artifacts.queries.datasets import dataset_table, find_dataset
from artifacts.queries.history import history_of_dataset, history_of_version
from artifacts.queries.versions import (
    completeness_of,
    get_version,
    get_version_by_alias,
    get_version_by_id,
    version_files,
    versions_in_short,
    versions_of,
)
from artifacts.storage import StoredBlob
from artifacts.tables import row_count_of
from audit.ledger.acting import acting
from kernel.actor import system
from kernel.errors import AlreadyExists, Conflict, Invalid, NotFound, Refused, Unavailable
from tests.factories import a_dataset, a_member, a_person, a_team, a_version, events_since

pytestmark = pytest.mark.django_db

ABC = "a" * 64


@pytest.fixture
def team():
    return a_team()


@pytest.fixture
def churn(team):
    return a_dataset(team.scientist, name="churn")


def stored(content: bytes) -> StoredBlob:
    return receive(io.BytesIO(content), expected=len(content))


# --- Datasets


def test_a_dataset_has_a_name_that_its_project_has_once(team, churn):
    assert find_dataset(team.manager, team.project, "churn") == churn
    assert find_dataset(team.manager, team.project, churn.pk) == churn
    with pytest.raises(AlreadyExists, match="churn"):
        create_dataset(team.engineer, team.project, name=" churn ")
    other = a_team()
    assert create_dataset(other.scientist, other.project, name="churn").name == "churn"


@pytest.mark.parametrize("name", ["", "  ", "/x", "x/", "a\x00b", "n" * 501, "\ud800"])
def test_a_name_that_is_none_is_refused(team, name):
    with pytest.raises(Invalid):
        create_dataset(team.scientist, team.project, name=name)
    assert not Dataset.objects.filter(project=team.project).exists()


def test_who_only_reads_makes_no_datasets(team, churn):
    for reader in (team.manager, team.auditor):
        with pytest.raises(Refused):
            create_dataset(reader, team.project, name="mine")
        with pytest.raises(Refused):
            add_version(reader, churn, files=[("a.txt", stored(b"a"))])
    for stranger in (a_person(), team.administrator):
        with pytest.raises(NotFound):
            edit_dataset(stranger, churn, description="x")
        with pytest.raises(NotFound):
            find_dataset(stranger, team.project, "churn")


def test_a_description_is_on_record_and_the_same_again_is_not(team, churn):
    (event,) = events_since(lambda: edit_dataset(team.engineer, churn, description="Left or stayed."))
    assert event.changed("artifacts.dataset") == {"description": ["", "Left or stayed."]}
    assert events_since(lambda: edit_dataset(team.engineer, churn, description="Left or stayed.")) == []


# --- Versions of files


def test_versions_are_numbered_and_keep_their_files(team, churn):
    first = a_version(team.scientist, churn, files={"b.txt": b"b", "a/x.csv": b"x\n1\n"})
    second = a_version(team.engineer, churn, files={"b.txt": b"other"})
    assert [(one.number, one.file_count, one.size_bytes) for one in versions_of(team.manager, churn)] == [
        (2, 1, 5),
        (1, 2, 5),
    ]
    assert [file.path for file in version_files(team.manager, get_version(team.manager, churn, 1))] == [
        "a/x.csv",
        "b.txt",
    ]
    assert first.digest != second.digest
    assert get_version_by_id(team.auditor, first.pk) == first


def test_a_version_is_on_record_with_every_file(team, churn):
    (event,) = events_since(lambda: a_version(team.scientist, churn, files={"a.csv": b"x\n"}, note="raw"))
    version = DatasetVersion.objects.get(dataset=churn)
    assert event.subject == f"artifacts.datasetversion {version.pk.hex}"
    assert event.changed("artifacts.datasetversion")["digest"] == [None, version.digest]
    assert list(event.changed("artifacts.artifactfile")) == ["a.csv"]
    assert event.changed("artifacts.versionrecord")["note"] == [None, "raw"]
    assert [one.past.event.verb for one in history_of_version(team.manager, version)] == ["artifacts.add_version"]
    assert [one.past.event.verb for one in history_of_dataset(team.manager, churn)] == [
        "artifacts.add_version",
        "artifacts.create_dataset",
    ]


def test_the_digest_is_what_coreutils_say_of_the_folder(team, churn, tmp_path):
    """As the documentation tells people to check it."""
    contents = {"b.csv": b"2", "a b/c.csv": b"1", "a.csv": b"", "Zürich.csv": b"z", "a/b": b"x", "back\\slash": b"y"}
    for path, content in contents.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(content)
    command = r"find . -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 sha256sum -z | sha256sum"
    said = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, check=True).stdout
    version = a_version(team.scientist, churn, files=contents)
    assert said.decode().split()[0] == version.digest


def test_the_same_content_again_is_refused_by_the_name_of_the_version_that_has_it(team, churn):
    files = {"a.csv": b"1", "b.csv": b"2"}
    a_version(team.scientist, churn, files=files)
    a_version(team.scientist, churn, files={"a.csv": b"1"})
    with pytest.raises(AlreadyExists, match=r"Version 1 of 'churn'"):
        a_version(team.engineer, churn, files=dict(reversed(files.items())))
    assert DatasetVersion.objects.filter(dataset=churn).count() == 2
    assert a_version(team.engineer, a_dataset(team.engineer), files=files).number == 1


@pytest.mark.parametrize(
    "path",
    ["../x", "a/../../x", "/etc/passwd", "file:x", "FILE:///x", "%2e%2e/x", "a//b", "./a", "a/.", "", "a\x00", "a\nb",
     "%252e%252e%252fx", "\ud800", "x" * 1001, "y" * 256],
)  # fmt: skip
def test_paths_that_lead_out_or_are_none_are_refused(team, churn, path):
    with pytest.raises(Invalid) as refused:
        add_version(team.scientist, churn, files=[("good.csv", stored(b"1")), (path, stored(b"2"))])
    assert refused.value.field == "files"
    assert not DatasetVersion.objects.filter(dataset=churn).exists()
    assert not ArtifactFile.objects.filter(root__project=team.project).exists()


@pytest.mark.parametrize(
    ("paths", "said"),
    [
        (["A.csv", "a.csv"], "capital"),
        (["data/X.csv", "DATA/x.csv"], "capital"),
        (["caf\u00e9.csv", "cafe\u0301.csv"], "one file"),
        (["a.csv", "a.csv"], "twice"),
        (["a", "a/b"], "'a' is a file"),
        (["A", "a/b"], "'A' is a file"),
        ([], "at least one"),
    ],
)
def test_files_that_cannot_lie_side_by_side_are_refused(paths, said):
    with pytest.raises(Invalid, match=said):
        checked_manifest([(path, StoredBlob(ABC, 1)) for path in paths])


def test_more_files_than_a_version_may_have_are_refused():
    with pytest.raises(Invalid, match="at most"):
        checked_manifest((f"{number}", StoredBlob(ABC, 1)) for number in range(FILES_MAX + 1))


def test_ten_thousand_files_in_one_folder_are_a_version_in_seconds(team, churn):
    content = stored(b"x")
    files = [(f"images/{number:05}.png", content) for number in range(10_000)]
    began = time.monotonic()
    version = add_version(team.scientist, churn, files=files)
    assert time.monotonic() - began < 120
    assert version.file_count == version_files(team.manager, get_version(team.manager, churn, 1)).count() == 10_000
    assert version.digest == tree_digest(checked_manifest(files))
    began = time.monotonic()
    with pytest.raises(AlreadyExists):
        add_version(team.scientist, churn, files=files)
    assert time.monotonic() - began < 60


def test_content_that_was_about_to_be_cleared_away_stays(team, churn):
    kept, other = stored(b"kept"), stored(b"other")
    with acting(system(), "test.content"):
        Blob.objects.create(digest=kept.digest, size_bytes=kept.size_bytes)
    UnnamedBlob.objects.create(blob_id=kept.digest)
    add_version(team.scientist, churn, files=[("a", kept), ("b", other)])
    assert not UnnamedBlob.objects.filter(blob_id=kept.digest).exists()


def test_content_that_was_cleared_away_makes_no_version(team, churn):
    with pytest.raises(Unavailable, match="cleared away"):
        add_version(team.scientist, churn, files=[("a", stored(b"a")), ("b", StoredBlob(ABC, 5))])
    assert not DatasetVersion.objects.filter(dataset=churn).exists()


def test_the_files_of_a_version_never_change(team, churn):
    version = a_version(team.scientist, churn)
    with acting(system(), "test.sly"):
        with pytest.raises(Conflict, match="never change"):
            trees.place(team.scientist, version.root, path="more.csv", stored=stored(b"1"))
        with pytest.raises(Conflict, match="never change"):
            trees.remove(version.root, "")
    assert version_files(team.manager, version).count() == 1


def test_files_with_tables_wait_to_be_read_and_others_do_not(team, churn):
    table = a_version(team.scientist, churn, files={"a.csv": b"x\n1\n"})
    image = a_version(team.scientist, churn, files={"a.png": b"x"})
    assert VersionProfile.objects.get(version=table).state == "waiting"
    assert VersionProfile.objects.get(version=image).state == "none"


def test_files_are_for_those_who_may_download(team, churn):
    version = a_version(team.scientist, churn)
    assert version_files(team.auditor, version).count() == 1
    assert version_files(team.administrator, version).count() == 0
    assert version_files(a_person(), version).count() == 0


# --- Versions elsewhere


def test_data_elsewhere_is_known_by_address_and_digest(team, churn):
    version = add_external_version(
        team.scientist, churn, digest="v2024-06", source="s3://lake/churn", source_type="s3", record={"licence": "MIT"}
    )
    assert (version.number, version.root, version.record.licence) == (1, None, "MIT")
    with pytest.raises(AlreadyExists, match="Version 1"):
        add_external_version(team.engineer, churn, digest="v2024-06", source="s3://elsewhere")


@pytest.mark.parametrize(
    "source", ["", "/mnt/data", "file:///x", "C:\\data", "data.csv", "runs:/x/y", "s3://" + "x" * 3000]
)
def test_a_source_that_is_no_address_is_refused(team, churn, source):
    with pytest.raises(Invalid) as refused:
        add_external_version(team.scientist, churn, digest="d", source=source)
    assert refused.value.field == "source"


def test_a_project_that_refuses_outside_locations_refuses_them_here(team, churn):
    with acting(system(), "test.settings"):
        team.project.refuses_outside_locations = True
        team.project.save()
    churn.refresh_from_db()
    with pytest.raises(Invalid, match="inside MLED"):
        add_external_version(team.scientist, churn, digest="d", source="s3://lake/churn")


# --- What people write


def test_a_record_says_how_complete_it_is(team, churn):
    version = a_version(team.scientist, churn)
    assert completeness_of(team.manager, version).words.startswith("0 of 9 recorded, gaps: licence, purpose,")
    said = {"licence": "CC-BY-4.0", "purpose": "Predict who leaves.", "personal_data": "none", "note": "x"}
    (event,) = events_since(lambda: write_record(team.engineer, version, fields=said))
    assert event.subject == f"artifacts.datasetversion {version.pk.hex}"
    fresh = get_version(team.manager, churn, 1)
    known = completeness_of(team.manager, fresh)
    assert (known.recorded, known.of) == (3, 8)  # nobody in it, so no lawful basis is asked
    assert "Lawful basis" not in known.gaps
    assert completeness_of(a_person(), fresh) is None
    assert events_since(lambda: write_record(team.engineer, fresh, fields=said)) == []
    write_record(team.engineer, fresh, fields={"licence": ""})
    assert get_version(team.manager, churn, 1).record.licence == ""


@pytest.mark.parametrize(
    "fields",
    [{"state": "withdrawn"}, {"licence": "x" * 501}, {"split_role": "all"}, {"personal_data": "a\x00"}, {"x": "y"},
     {"licence": 3}],
)  # fmt: skip
def test_a_record_takes_only_what_it_asks_for(team, churn, fields):
    version = a_version(team.scientist, churn)
    with pytest.raises(Invalid) as refused:
        write_record(team.scientist, version, fields=fields)
    assert refused.value.field in fields


def test_who_only_reads_writes_nothing_about_a_version(team, churn):
    version = a_version(team.scientist, churn)
    with pytest.raises(Refused):
        write_record(team.manager, version, fields={"licence": "MIT"})
    with pytest.raises(NotFound):
        write_record(a_person(), version, fields={"licence": "MIT"})


# --- The catalogue


def test_the_catalogue_costs_the_same_for_any_number(team, django_assert_max_num_queries):
    for number in range(7):
        dataset = a_dataset(team.scientist, name=f"data {number}")
        for _ in range(number % 3):
            a_version(team.scientist, dataset, record={"licence": "MIT"})
    with django_assert_max_num_queries(14):
        rows, total = dataset_table(team.manager, team.project, limit=5)
        shown = [(row.dataset.name, row.version_count, row.latest and row.latest.record.licence) for row in rows]
    assert total == 7
    assert shown == [
        ("data 0", 0, None), ("data 1", 1, "MIT"), ("data 2", 2, "MIT"), ("data 3", 0, None), ("data 4", 1, "MIT"),
    ]  # fmt: skip
    assert [row.dataset.name for row in dataset_table(team.manager, team.project, text="A 6")[0]] == ["data 6"]
    assert dataset_table(a_person(), team.project) == ([], 0)


def test_versions_cost_the_same_for_any_number(team, churn, django_assert_max_num_queries):
    for _ in range(4):
        a_version(team.scientist, churn, record={"licence": "MIT"})
    viewer = a_member(team.project, Role.ML_ENGINEER)
    with django_assert_max_num_queries(6):
        for version in versions_of(viewer, churn):
            said = (version.record.licence, version.computed.state, version.dataset.project.slug)
            assert said == ("MIT", "waiting", team.project.slug)
            assert list(version.aliases.all()) == []


def test_a_list_of_versions_reads_no_columns(team, churn):
    for rows in (7, 8):
        made = a_version(team.scientist, churn)
        VersionProfile.objects.filter(version=made).update(state="done", row_count=rows, columns=[{"not": "read"}])
    found = list(versions_in_short(team.scientist, churn))
    assert [row_count_of(version) for version in found] == [8, 7]
    assert all("columns" in version.computed.get_deferred_fields() for version in found)


@pytest.mark.parametrize("number", [0, 2, -1, 2**31, 2**70])
def test_a_version_that_is_not_there_is_not_found(team, churn, number):
    a_version(team.scientist, churn)
    with pytest.raises(NotFound):
        get_version(team.scientist, churn, number)
    with pytest.raises(NotFound):
        get_version_by_alias(team.scientist, churn, "current")
