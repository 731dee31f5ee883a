"""Sheets of past experiments over REST: from an upload to an undo."""

from __future__ import annotations

import io

import pytest

from artifacts.actions.uploads import append_upload, begin_upload, finish_upload
from experiments.models import Run
from experiments.sheets.work import carry_on
from tests.factories import a_dataset, a_version
from tests.world import at

PLACE = "projects/vision/sheets/"
SHEET = b"""run,model,data,started,lr,auroc
svm-1,SVM,icu v1,2026-03-02 14:00,0.1,0.81
svm-2,SVM,icu v9,2026-03-03 14:00,0.2,0.82
svm-3,SVM,icu v1,2026-03-04 14:00,0.3,0.83
"""


@pytest.fixture
def icu(people, vision):
    dataset = a_dataset(at(people["ada"]), vision, name="icu")
    return a_version(at(people["ada"]), dataset, files={"icu.csv": b"a,b\n1,2\n"})


def upload_of(person, project, content=SHEET):
    ada = at(person)
    upload = begin_upload(ada, project, size_bytes=len(content))
    append_upload(ada, upload, offset=0, incoming=io.BytesIO(content))
    return str(finish_upload(ada, upload).pk)


def test_a_sheet_goes_all_the_way_over_rest(api, people, vision, icu):
    ada = api("ada")
    made = ada.post(PLACE, {"upload": upload_of(people["ada"], vision), "name": "old.csv"}, 201)
    assert (made["state"], made["name"], made["project"]) == ("reading", "old.csv", "vision")
    here = f"{PLACE}{made['id']}/"
    assert ada.post(f"{here}check/", expecting=409)["title"] == "This sheet is being read."
    carry_on()
    told = ada.get(here)
    assert (told["state"], told["row_count"]) == ("ready", 3)
    assert told["mapping"]["columns"] == ["name", "architecture", "dataset", "started", "param:lr", "result:auroc"]
    assert [one["field"] for one in told["missing"]] == ["defaults.experiment"]
    refused = ada.post(f"{here}check/", expecting=400)
    assert refused["field"] == "defaults.experiment"
    assert ada.send("PATCH", here, {"zone": "Mars"}, 400)["field"] == "zone"
    mapped = ada.send("PATCH", here, {"defaults": {"experiment": "icu"}, "zone": "Europe/Berlin"})
    assert (mapped["missing"], mapped["mapping"]["columns"][4]) == ([], "param:lr")
    to_days = {"columns": ["name", "architecture", "dataset", "ended", "param:lr", "result:auroc"], "dates": "mdy"}
    assert ada.send("PATCH", here, to_days)["mapping"]["dates"] == "mdy"
    ada.send("PATCH", here, {"columns": told["mapping"]["columns"], "dates": "iso"})
    assert ada.send("PATCH", here, {"worksheet": "x", "zone": "UTC"}, 400)["field"] == "worksheet"
    assert ada.post(f"{here}check/")["state"] == "checking"
    carry_on()
    wrong = ada.get(f"{here}rows/", state="wrong")["results"]
    assert [(row["number"], row["cells"][2]) for row in wrong] == [(3, "icu v9")]
    assert wrong[0]["problems"] == [
        {"column": 2, "field": "dataset", "what": "There is no v9: the latest is icu v1.", "next": "Write icu v1."}
    ]
    assert ada.get(f"{here}rows/", 400, state="odd")["field"] == "state"
    assert ada.post(f"{here}import/", {}, 409)["field"] == "leave_out"
    assert ada.post(f"{here}import/", {"leave_out": True})["state"] == "importing"
    carry_on()
    done = ada.get(here)
    assert (done["state"], done["rows"]["made"], done["rows"]["wrong"]) == ("done", 2, 1)
    rows = ada.get(f"{here}rows/", state="made")["results"]
    run = ada.get(f"runs/{rows[0]['run']}/")
    assert (run["name"], run["params"]["lr"], run["started_ms"]) == ("svm-1", "0.1", 1772456400000)
    ada.post(f"{here}undo/", {"reason": "Wrong file"})
    carry_on()
    assert ada.get(here)["rows"]["undone"] == 2
    assert all(one.is_deleted for one in Run.objects.all())
    assert [one["id"] for one in api("ann").get(PLACE)["results"]] == [made["id"]]
    api("ann").post(f"{here}undo/", {}, 403)
    api("bob").send("PATCH", here, {"zone": "UTC"}, 403)
    api("eve").get(here, 404)
    api("eve").get(PLACE, 404)
    ada.get(f"{PLACE}00000000-0000-0000-0000-000000000000/", 404)
    assert ada.post(f"{here}stop/", expecting=409)["title"] == "This sheet is undone."
    ada.send("DELETE", here, expecting=409)
    other = ada.post(PLACE, {"upload": upload_of(people["ada"], vision), "name": "looked-at.csv"}, 201)["id"]
    carry_on()
    api("eve").send("DELETE", f"{PLACE}{other}/", expecting=404)
    ada.send("DELETE", f"{PLACE}{other}/", expecting=204)
    ada.get(f"{PLACE}{other}/", 404)
