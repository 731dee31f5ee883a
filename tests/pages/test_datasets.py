"""Datasets on their pages: catalogue, versions, uploads, diff, aliases, records; who may do what."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from artifacts.actions.aliases import set_dataset_alias
from artifacts.actions.recall import withdraw_version
from artifacts.models import Dataset, DatasetVersion, VersionProfile
from tests.factories import Team, a_dataset, a_team, a_version, user_of
from tests.pages.conftest import Browser, address
from tests.pages.icu import FIRST, SECOND, an_upload, at, number, trained_on

# --- Catalogue


def test_an_empty_catalogue_says_what_to_do(ada: Browser, team: Team):
    page = ada.get(address(team.project, "datasets/"))
    assert "No dataset yet" in page
    assert "mlflow.log_input(data" in page
    assert page.links("datasets/new/")


def test_the_catalogue_tells_newest_version_rows_record_uses_and_recalls(ada: Browser, team: Team, icu: Dataset):
    trained_on(team.scientist, number(icu, 2))
    set_dataset_alias(team.scientist, icu, name="current", version=number(icu, 2))
    withdraw_version(team.scientist, number(icu, 1), reason="Units are mixed.")
    page = ada.get(address(team.project, "datasets/"))
    for words in ("icu-vitals", "v2 v1 recalled", "current", "Pseudonymous", "DUA-2291", "1 run", "Ada"):
        assert words in page


def test_the_catalogue_is_searched_by_name(ada: Browser, team: Team, icu: Dataset):
    a_dataset(team.scientist, team.project, name="ward-notes")
    page = ada.get(address(team.project, "datasets/"), q="WARD")
    assert "ward-notes" in page
    assert "icu-vitals" not in page
    assert "No name holds “zebra”" in ada.get(address(team.project, "datasets/"), q="zebra")


def test_a_page_of_a_dataset_reads_the_columns_of_no_other_version(ada: Browser, team: Team):
    dataset = a_dataset(team.scientist)
    for _ in range(3):
        version = a_version(team.scientist, dataset)
        VersionProfile.objects.filter(version=version).update(state="done", row_count=7, columns=[{"broken": True}])
    VersionProfile.objects.filter(version=version).update(columns=[])
    page = ada.get(address(team.project, f"datasets/{dataset.pk}/v/3/use/"))
    assert page.source.count("7 rows") >= 3


def test_the_catalogue_costs_the_same_for_many_datasets(ada: Browser, team: Team):
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            ada.get(address(team.project, "datasets/"))
        return len(seen)

    a_version(team.scientist)
    queries()
    few = queries()
    for _ in range(4):
        a_version(team.scientist)
    assert queries() == few


def test_a_page_far_beyond_the_last_is_empty_and_no_error(ada: Browser, team: Team, icu: Dataset):
    for start in ("900000000000000000000", "-1", "x", "²"):
        ada.get(address(team.project, "datasets/"), start=start)


# --- Making


def test_a_new_dataset_goes_on_to_its_first_version(ada: Browser, team: Team):
    page = ada.follow(address(team.project, "datasets/new/"), name="icu-vitals", description="Vital signs.")
    assert "icu-vitals v1" in page
    assert Dataset.objects.get(project=team.project).description == "Vital signs."


def test_a_taken_name_is_explained_and_kept(ada: Browser, team: Team, icu: Dataset):
    page = ada.post(address(team.project, "datasets/new/"), expecting=200, name="icu-vitals", description="again")
    assert "has a dataset 'icu-vitals' already" in page
    assert page.field("id_name") == "icu-vitals"


def test_uploaded_files_become_a_version_with_its_record(ada: Browser, team: Team, icu: Dataset):
    sent = [
        {"id": an_upload(team.scientist, team, b"a,b\n1,2\n"), "path": "new/a.csv", "size": 8},
        {"id": an_upload(team.scientist, team, b"# about\n"), "path": "README.md", "size": 8},
    ]
    page = ada.follow(at(icu, "new-version/"), uploads=json.dumps(sent), note="Half of it.", licence="CC0-1.0")
    assert "icu-vitals v3 is there" in page
    made = number(icu, 3)
    assert made.file_count == 2
    assert (made.record.note, made.record.licence) == ("Half of it.", "CC0-1.0")


def test_the_form_begins_with_what_was_written_before(ada: Browser, icu: Dataset):
    page = ada.get(at(icu, "new-version/"))
    assert page.field("id_licence") == "DUA-2291"
    assert "as of v2, change what changed" in page


def test_a_form_without_scripts_sends_small_files_itself(ada: Browser, icu: Dataset):
    files = [SimpleUploadedFile("a.csv", b"a\n1\n"), SimpleUploadedFile("b.csv", b"b\n2\n")]
    assert "icu-vitals v3 is there" in ada.follow(at(icu, "new-version/"), files=files, note="Plain.")
    assert number(icu, 3).file_count == 2


def test_the_same_content_again_names_the_version_that_has_it(ada: Browser, team: Team, icu: Dataset):
    sent = [
        {"id": an_upload(team.scientist, team, SECOND), "path": "data/icu.csv", "size": len(SECOND)},
        {"id": an_upload(team.scientist, team, b"# icu\n"), "path": "README.md", "size": 6},
    ]
    page = ada.post(at(icu, "new-version/"), expecting=200, uploads=json.dumps(sent), note="Typed with care.")
    assert "Version 2 of 'icu-vitals' has exactly this content" in page
    assert "Typed with care." in page
    assert "data/icu.csv" in page.source  # what was sent need not be sent again


@pytest.mark.parametrize(
    "uploads",
    ["{", "7", "[1]", '[{"id": "x"}]', '[{"id": "nothing", "path": "a"}]', "[" * 3000, '{"a": 1}', '[{"id": null}]'],
)
def test_a_list_that_no_page_made_is_refused_in_the_form(ada: Browser, icu: Dataset, uploads):
    page = ada.post(at(icu, "new-version/"), expecting=200, uploads=uploads, note="kept")
    assert "Choose the files again." in page
    assert "kept" in page
    assert DatasetVersion.objects.filter(dataset=icu).count() == 2


@pytest.mark.parametrize("path", ["../up.csv", "/etc/passwd", "file:///x", "a/%2e%2e/b", "a\\..\\b\x00", ""])
def test_a_path_that_leads_out_makes_nothing(ada: Browser, team: Team, icu: Dataset, path):
    sent = [{"id": an_upload(team.scientist, team, b"x"), "path": path, "size": 1}]
    ada.post(at(icu, "new-version/"), expecting=200, uploads=json.dumps(sent))
    assert DatasetVersion.objects.filter(dataset=icu).count() == 2


def test_somebody_elses_upload_is_not_there(ada: Browser, team: Team, icu: Dataset):
    sent = [{"id": an_upload(team.engineer, team, b"emil's"), "path": "a.csv", "size": 6}]
    page = ada.post(at(icu, "new-version/"), expecting=200, uploads=json.dumps(sent))
    assert "no longer there" in page


def test_no_file_at_all_is_explained(ada: Browser, icu: Dataset):
    assert "A version needs at least one file" in ada.post(at(icu, "new-version/"), expecting=200, note="x")


def test_a_reference_is_registered_and_never_opened(ada: Browser, icu: Dataset):
    page = ada.follow(
        at(icu, "external/"), source="s3://bucket/icu/2026", digest="ab12cd34", source_type="s3", note="On S3."
    )
    assert "icu-vitals v3" in page
    assert "s3://bucket/icu/2026" in page
    assert not [link for link in page.links("/v/3/files/") if "files/" in link]
    ada.get(at(icu, "v/3/files/"), expecting=404)


@pytest.mark.parametrize("source", ["file:///etc/passwd", "/etc/passwd", "runs:/x", "C:\\data"])
def test_a_local_place_is_no_reference(ada: Browser, icu: Dataset, source):
    page = ada.post(at(icu, "external/"), expecting=200, source=source, digest="d1")
    assert "no place for artifacts of a team" in page
    assert page.field("id_digest") == "d1"


# --- One version


def test_a_dataset_opens_with_its_newest_version(ada: Browser, icu: Dataset):
    assert ada.get(at(icu), expecting=302).response.url == at(icu, "v/2/")


def test_a_dataset_without_versions_says_how_to_make_one(ada: Browser, team: Team):
    page = ada.get(at(a_dataset(team.scientist, name="bare")))
    assert "No version yet" in page
    assert page.links("new-version/")
    assert page.links("external/")


def test_the_overview_tells_what_it_is_what_changed_and_what_is_missing(ada: Browser, team: Team, icu: Dataset):
    trained_on(team.scientist, number(icu, 2), "gru-d")
    page = ada.get(at(icu, "v/2/"))
    for words in (
        "icu-vitals v2", "Active", "1 run use it", "What changed since v1", "Pseudonymous",
        "Not recorded. Write it : purpose", "1 changed, 1 the same bytes", "gru-d", "in 2 files",
    ):  # fmt: skip
        assert words in page


def test_every_part_of_a_version_opens(ada: Browser, icu: Dataset):
    for part in ("files", "schema", "diff", "used-by", "use", "history"):
        ada.get(at(icu, f"v/2/{part}/"))
    ada.get(at(icu, "v/2/nonsense/"), expecting=404)
    ada.get(at(icu, "v/9/"), expecting=404)
    ada.get(at(icu, "v/0/"), expecting=404)
    ada.get(at(icu, f"v/{2**70}/"), expecting=404)
    ada.get(at(icu, "v/1/diff/"), expecting=404)


def test_a_script_is_told_the_digest_that_binds_its_run(ada: Browser, team: Team, icu: Dataset):
    version = number(icu, 2)
    page = ada.get(at(icu, "v/2/use/"))
    assert f'name= "icu-vitals" , digest= "{version.digest[:36]}"' in page
    assert 'pandas.read_csv( "data/data/icu.csv" )' in page
    run = trained_on(team.scientist, version)
    assert run.inputs.get().dataset_version_id == version.pk


def test_files_are_listed_shown_and_saved(ada: Browser, icu: Dataset):
    page = ada.get(at(icu, "v/1/files/"), file="data/icu.csv")
    assert "lactate" in page
    saved = ada.client.get(at(icu, "v/1/files/data/icu.csv"))
    assert b"".join(saved) == FIRST
    assert "attachment" in saved["Content-Disposition"]
    assert ada.client.get(at(icu, "v/1/archive.zip")).status_code == 200


def test_a_diff_of_any_two_versions(ada: Browser, icu: Dataset):
    page = ada.get(at(icu, "diff/"), old="2", new="1")
    assert "record 2 of 9 0 of 9 licence, personal data" in page
    assert "v2 to v1" in page
    assert "data/icu.csv" in page
    assert "DUA-2291 not recorded" in page
    ada.get(at(icu, "diff/"), old="1", new="77", expecting=404)
    ada.get(at(icu, "diff/"), old="x", expecting=400)


def test_a_diff_needs_two_versions(ada: Browser, team: Team):
    version = a_version(team.scientist)
    assert "Nothing to compare yet" in ada.get(at(version.dataset, "diff/"))


def test_the_history_tells_who_did_what_and_why(ada: Browser, team: Team, icu: Dataset):
    set_dataset_alias(team.engineer, icu, name="current", version=number(icu, 1))
    withdraw_version(team.engineer, number(icu, 1), reason="Units are mixed.")
    page = ada.get(at(icu, "v/1/history/"))
    for words in ("Emil recalled", "Reason: Units are mixed.", "Emil set current v1", "Ada added version v2"):
        assert words in page
    ada.get(at(icu, "v/1/history/"), before="nonsense", expecting=400)


# --- What people write


def test_gaps_are_filled_on_the_records_page(ada: Browser, icu: Dataset):
    page = ada.follow(at(icu, "v/1/record/"), licence="CC0-1.0", purpose="Early warning.", personal_data="none")
    assert "The record of v1 is written." in page
    assert "Early warning." in page
    assert "Not needed: it speaks of nobody." in page


def test_a_wrong_field_is_told_beside_it_and_the_rest_is_kept(ada: Browser, icu: Dataset):
    page = ada.post(at(icu, "v/1/record/"), expecting=200, licence="x" * 501, purpose="Kept.", personal_data="maybe")
    assert "at most 500 characters" in page
    assert "Kept." in page
    assert not hasattr(number(icu, 1), "record") or number(icu, 1).record.purpose == ""


def test_the_dataset_is_described(ada: Browser, icu: Dataset):
    assert "Vital signs." in ada.follow(at(icu, "edit/"), description="Vital signs.")
    icu.refresh_from_db()
    assert icu.description == "Vital signs."


# --- Aliases


def test_an_alias_is_set_moved_back_and_removed(ada: Browser, icu: Dataset):
    assert "'current' names v2 now" in ada.follow(at(icu, "aliases/"), name="current", version="2")
    assert "'current' names v1 now" in ada.follow(at(icu, "aliases/"), name="current", version="1")
    assert "'current' names v1 now" in ada.follow(at(icu, "aliases/"), name="current", version="1")
    assert icu.aliases.get().version.number == 1
    assert "names nothing any more" in ada.follow(at(icu, "aliases/remove/"), name="current")
    assert "has no alias 'current'" in ada.follow(at(icu, "aliases/remove/"), name="current")


@pytest.mark.parametrize("name", ["v2", "7", "a b", "", "../x", "é" * 200])
def test_a_name_that_is_no_alias_is_explained(ada: Browser, icu: Dataset, name):
    ada.post(at(icu, "aliases/"), expecting=200, name=name, version="2")
    assert not icu.aliases.exists()


def test_a_recalled_version_gets_no_alias(ada: Browser, team: Team, icu: Dataset):
    withdraw_version(team.scientist, number(icu, 1), reason="Units are mixed.")
    ada.post(at(icu, "aliases/"), expecting=200, name="current", version="1")
    assert not icu.aliases.exists()


# --- Who sees, who writes

WRITES = ("new-version/", "external/", "edit/", "v/1/record/", "v/1/recall/", "v/1/reinstate/")
READS = ("", "v/1/", "v/1/files/", "v/1/schema/", "v/2/diff/", "v/1/used-by/", "v/1/use/", "v/1/history/",
         "v/1/profile/", "diff/", "aliases/", "v/1/archive.zip", "v/1/files/data/icu.csv")  # fmt: skip


def test_a_stranger_finds_nothing(zoe: Browser, team: Team, icu: Dataset):
    for path in ("", *READS, *WRITES):
        assert zoe.client.get(at(icu, path)).status_code == 404, path
    for path in (*WRITES, "aliases/", "aliases/remove/"):
        assert zoe.client.post(at(icu, path), {"reason": "x", "name": "a"}).status_code == 404, path
    for path in ("datasets/", "datasets/new/"):
        assert zoe.client.get(address(team.project, path)).status_code == 404, path


def test_an_auditor_reads_all_and_is_offered_no_change(otto: Browser, icu: Dataset):
    for path in READS:
        assert otto.client.get(at(icu, path)).status_code in (200, 302), path
    page = otto.get(at(icu, "v/1/"))
    for part in ("/recall/", "/new-version/", "/record/"):
        assert not page.links(part)
    for path in WRITES:
        assert otto.client.get(at(icu, path)).status_code == 403, path
        assert otto.client.post(at(icu, path), {"reason": "x"}).status_code == 403, path
    assert otto.client.post(at(icu, "aliases/"), {"name": "current", "version": "1"}).status_code == 403


def test_an_administrator_reads_no_data(team: Team, icu: Dataset):
    root = Browser(team.administrator)
    root.get(address(team.project, "datasets/"), expecting=403)
    root.get(at(icu, "v/1/"), expecting=404)


def test_a_dataset_of_another_project_is_not_under_ones_own_address(team: Team, icu: Dataset):
    other = a_team()
    theirs = Browser(other.scientist)
    theirs.get(address(other.project, f"datasets/{icu.pk}/"), expecting=404)
    theirs.post(address(other.project, f"datasets/{icu.pk}/v/1/recall/"), expecting=404, reason="x")


def test_nobody_signed_in_is_led_to_the_sign_in_page(icu: Dataset):
    for path in ("", "v/1/", "new-version/"):
        assert "/login/" in Browser().get(at(icu, path), expecting=302).response.url


# --- Found from elsewhere


def test_the_jump_finds_datasets_also_where_a_name_looks_like_an_id(ada: Browser, zoe: Browser, team: Team):
    dataset = a_dataset(team.scientist, name="icu-7")
    assert ada.get("/jump/", q="icu-7").links(str(dataset.pk))
    assert not zoe.get("/jump/", q="icu-7").links(str(dataset.pk))


def test_a_run_leads_to_its_data(ada: Browser, team: Team, icu: Dataset):
    run = trained_on(team.scientist, number(icu, 2))
    assert at(icu, "v/2/") in ada.get(f"/r/{run.uid.hex}/").links("/datasets/")
    assert at(icu, "v/2/") in ada.get(f"/r/{run.uid.hex}/data/").links("/datasets/")


def test_names_with_odd_letters_do_no_harm(ada: Browser, team: Team):
    odd = a_dataset(team.scientist, name="<script>alert(1)</script> “é” 'x'")
    a_version(team.scientist, odd, files={"<b>.csv": b"<i>,b\n1,2\n"})
    for part in ("", "files/", "schema/", "use/", "history/"):
        page = ada.get(at(odd, f"v/1/{part}"))
        assert "<script>alert" not in page.source
        assert "<i>" not in page.source
    assert user_of(team.scientist).name in ada.get(at(odd, "v/1/"))
