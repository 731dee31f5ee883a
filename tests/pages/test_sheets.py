"""Pages of sheets, read and posted to as a browser without scripts does."""

from __future__ import annotations

import re

from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.workers import sign_of_life
from experiments.models import Run, SheetImport
from experiments.sheets.limits import FILE_BYTES
from experiments.sheets.template import template
from experiments.sheets.work import carry_on
from tests.pages.conftest import Page, address

SHEET = """experiment,run,model,dataset,started,took,lr,auroc,ward
icu,svm-1,SVM,icu-vitals v2,02.03.2026 14:00,1h 20m,"0,1","0,81",icu-1
icu,svm-2,SVM,icu-vitals v9,03.03.2026 14:00,80 min,"0,2","0,82",
icu,<svm-3>,SVM,icu-vitals v2,04.03.2026 14:00,2h,"0,3","0,83",icu-2
"""


def form_of(page: Page) -> dict[str, str]:
    """What the mapping form sends as it stands."""
    kinds = re.findall(r'<select[^>]* name="(to-\d+)".*?</select>', page.source, re.S)
    blocks = re.findall(r'<select[^>]* name="to-\d+".*?</select>', page.source, re.S)
    chosen = {
        name: re.search(r'value="([^"]*)" selected', block)[1]  # type: ignore[index]
        for name, block in zip(kinds, blocks, strict=True)
    }
    keys = dict(re.findall(r'name="(key-\d+)" value="([^"]*)"', page.source))
    commas = {"decimal_comma": "1"} if re.search(r'name="decimal_comma" value="1" checked', page.source) else {}
    dates = re.search(r'<option value="(\w+)" selected>\d', page.source)
    return {**chosen, **keys, **commas, "dates": dates[1] if dates else "iso", "zone": page.field("zone")}


def brought(ada, team, content: str | bytes = SHEET, name: str = "old.csv") -> str:
    """The address of a sheet that was uploaded and read."""
    file = SimpleUploadedFile(name, content if isinstance(content, bytes) else content.encode())
    answer = ada.client.post(address(team.project, "sheets/"), {"file": file})
    assert answer.status_code == 302, answer.content.decode()[:2000]
    carry_on()
    return str(answer.url)


def test_a_sheet_is_uploaded_mapped_checked_imported_and_undone_without_scripts(ada, otto, team, icu):
    assert "No sheet was brought in yet" in ada.get(address(team.project, "sheets/"))
    here = brought(ada, team)
    page = ada.get(here)
    assert "Waits for its columns" in page
    assert "As they will be stored" in page
    assert "2 Mar 2026 14:00 UTC" in page
    assert "auroc = 0.81" in page
    assert "&lt;svm-3&gt;" in page.source
    form = form_of(page)
    assert (form["to-5"], form["to-6"], form["dates"], form["decimal_comma"]) == ("duration", "param", "dmy", "1")
    form |= {"to-8": "tag", "default-email": "ada@example.org"}
    saved = ada.follow(f"{here}do/map/", **form)
    assert "ward = icu-1" in saved
    ada.follow(f"{here}do/check/", **form)
    assert "0 of 3 rows" in ada.get(here)
    assert "0 of 3 rows" in ada.get(f"{here}state/")
    carry_on()
    assert ada.client.get(f"{here}state/").headers["HX-Refresh"] == "true"
    found = ada.get(here)
    assert "D, dataset: There is no v9: the latest is icu-vitals v2. Write icu-vitals v2." in found
    assert "1 with errors" in found
    wrong = b"".join(ada.client.get(f"{here}errors.csv")).decode().splitlines()
    assert (
        wrong[1]
        == '3,"D, dataset",dataset,icu-vitals v9,There is no v9: the latest is icu-vitals v2.,Write icu-vitals v2.'
    )
    assert not Run.objects.exists()
    refused = ada.follow(f"{here}do/import/")
    assert "1 row of this sheet cannot be imported as they are." in refused
    ada.follow(f"{here}do/import/", leave_out="1")
    carry_on()
    done = ada.get(f"{here}?rows=made")
    run = Run.objects.order_by("number").last()
    assert f"/r/{run.uid.hex}/" in done.links("/r/")
    assert "2 imported" in done
    assert "How it was read" in done
    assert "Hyperparameter lr" in done
    assert "times without a zone are of UTC; 0,81 is 0.81" in done
    (table,) = [link for link in done.links("/runs/") if "run_id" in link]
    listed = ada.get(table)
    assert {"svm-1", "<svm-3>"} <= set(re.findall(r"svm-1|<svm-3>|svm-2", listed.text)), table
    seen = otto.get(here)
    assert "2 imported" in seen
    assert "Take back" not in seen
    first = ada.get(f"/r/{Run.objects.order_by('number').first().uid.hex}/")
    assert "param lr" in first
    assert "artifact_location" not in first.source
    assert "sheets/" in "".join(ada.get(address(team.project, "transfers/")).links("/sheets/"))
    assert "recorded by hand by Ada" in ada.get(f"/r/{run.uid.hex}/")
    ada.follow(f"{here}do/undo/", reason="Wrong file")
    carry_on()
    assert "2 taken back" in ada.get(here)
    assert all(one.is_deleted for one in Run.objects.all())
    assert "Undone" in ada.get(address(team.project, "sheets/"))


def test_a_mapping_that_is_none_is_shown_as_it_was_typed(ada, team, icu):
    here = brought(ada, team)
    form = form_of(ada.get(here)) | {"to-6": "result", "key-6": "auroc", "to-8": "tag", "default-started": "soon"}
    page = ada.post(f"{here}do/map/", 200, **{**form, "zone": "Mars"})
    assert "'Mars' is no time zone." in page
    assert (page.field("zone"), page.field("default-started")) == ("Mars", "soon")
    again = ada.post(f"{here}do/check/", 200, **form)
    assert "Result auroc is column G already. Keep one of the two." in again
    assert "No column is a hyperparameter." in again
    assert SheetImport.objects.get().state == "ready"


def test_a_sheet_begins_with_the_zone_of_the_browser_and_days_are_seen_anew(ada, team):
    content = "run,Lauf seit,seit,C\na,01.03.2026 14:30,gestern,1\n"
    file = SimpleUploadedFile("deutsch.csv", content.encode())
    here = str(ada.client.post(address(team.project, "sheets/"), {"file": file, "zone": "Europe/Berlin"}).url)
    carry_on()
    page = ada.get(here)
    form = form_of(page)
    assert (form["zone"], form["to-1"], form["dates"]) == ("Europe/Berlin", "started", "dmy")
    form = form_of(ada.follow(f"{here}do/map/", **(form | {"to-1": "ignore", "to-2": "started", "dates": "iso"})))
    assert form["dates"] == "iso"
    saved = ada.follow(f"{here}do/map/", **(form | {"to-1": "started", "to-2": "ignore"}))
    assert form_of(saved)["dates"] == "dmy"
    assert "2026-03-01T14:30:00+01:00" in saved
    said = ada.follow(f"{here}do/map/", **(form | {"dates": "mdy"}))
    assert form_of(said)["dates"] == "mdy"
    labels = re.findall(r'<label class="form-label" for="default-(\w+)">([^<]*)(<span)?', said.source)
    optional = {name: bool(mark) for name, _, mark in labels}
    assert (optional["dataset"], optional["architecture"], optional["started"]) == (False, False, True)
    unknown = SimpleUploadedFile("a.csv", b"a,b\n1,2\n")
    ada.client.post(address(team.project, "sheets/"), {"file": unknown, "zone": "Mars/Olympus"})
    carry_on()
    assert SheetImport.objects.latest("created_at").mapping["zone"] == "UTC"


def test_what_cannot_be_read_is_told_and_what_is_too_large_not_taken(ada, team):
    here = brought(ada, team, b"\x00\x01\x02")
    assert "This is neither a text nor an XLSX workbook." in ada.get(here)
    large = SimpleUploadedFile("large.csv", b"x" * (FILE_BYTES + 1))
    page = ada.post(address(team.project, "sheets/"), 200, file=large)
    assert "a sheet has at most 20,971,520" in page
    assert "No file is chosen." in ada.post(address(team.project, "sheets/"), 200)


def test_a_sheet_says_when_no_worker_is_there_to_read_it(ada, team):
    cache.delete("workers.alive")
    file = SimpleUploadedFile("old.csv", SHEET.encode())
    sheet = ada.client.post(address(team.project, "sheets/"), {"file": file}).url
    assert "No worker is running" in ada.get(f"{sheet}state/").text
    sign_of_life()
    assert "No worker is running" not in ada.get(f"{sheet}state/").text


def test_who_may_not_bring_in_reads_and_strangers_find_nothing(ada, otto, zoe, team, icu):
    here = brought(ada, team)
    listed = otto.get(address(team.project, "sheets/"))
    assert "old.csv" in listed
    assert "Upload and look at it" not in listed
    assert "Save and preview" not in otto.get(here)
    otto.post(address(team.project, "sheets/"), 403)
    for verb in ("map", "check", "import", "stop", "undo", "worksheet"):
        otto.post(f"{here}do/{verb}/", 403)
        zoe.post(f"{here}do/{verb}/", 404)
    for part in ("", "state/", "errors.csv"):
        zoe.get(here + part, 404)
    zoe.get(address(team.project, "sheets/"), 404)
    ada.post(f"{here}do/nothing/", 404)


def test_the_template_comes_back_as_a_record(ada, team, icu):
    content = ada.client.get(address(team.project, "sheets/template.csv")).content
    assert content == template()
    page = ada.get(brought(ada, team, content))
    assert "Before it can be checked" not in page
    assert "svm-rbf-w24" in page
    assert address(team.project, "sheets/") in ada.get(address(team.project, "record/")).links("sheets")
    assert address(team.project, "sheets/") in ada.get(address(team.project, "runs/")).links("sheets")
