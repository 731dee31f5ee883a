"""Datasets over REST: from upload to recall, by a program that knows nothing but the schema."""

import hashlib

import pytest

from artifacts.models import DatasetVersion
from artifacts.profiling.jobs import profile_version
from experiments.actions.inputs import DatasetInput, log_inputs


def upload(api, content):
    """Bytes of one's own, finished: the upload's id."""
    begun = api.post("projects/vision/uploads/", {"size_bytes": len(content)}, 201)
    sent = api.client.patch(
        f"/api/v1/uploads/{begun['id']}/", content, "application/octet-stream", headers={"Upload-Offset": "0"}
    )
    assert sent.status_code == 200, sent.content
    finished = api.post(f"uploads/{begun['id']}/finish/")
    assert finished["digest"] == hashlib.sha256(content).hexdigest()
    return begun["id"]


@pytest.fixture
def churn(api):
    made = api("ada").post("projects/vision/datasets/", {"name": "churn", "description": "Who left."}, 201)
    return f"projects/vision/datasets/{made['id']}/"


@pytest.fixture
def add(api, churn):
    """`add({"a.csv": b"…"})`: the next version as Ada's programs make it."""

    def make(files, by="ada", expecting=201, **more):
        named = [{"path": path, "upload": upload(api(by), content)} for path, content in files.items()]
        return api(by).post(f"{churn}versions/", {"files": named, **more}, expecting)

    return make


def test_datasets_are_made_found_and_described(api, churn):
    api("bob").post("projects/vision/datasets/", {"name": "Ants"}, 201)
    page = api("mia").get("projects/vision/datasets/")
    assert [(one["name"], one["created_by"]) for one in page["results"]] == [("Ants", "Bob"), ("churn", "Ada")]
    assert [one["name"] for one in api("mia").get("projects/vision/datasets/", name="CHU")["results"]] == ["churn"]
    edited = api("bob").send("PATCH", churn, {"description": "Who stayed."})
    assert edited == api("ann").get(churn)
    assert edited["description"] == "Who stayed."
    problem = api("ada").post("projects/vision/datasets/", {"name": "churn"}, 409)
    assert (problem["code"], problem["field"]) == ("ALREADY_EXISTS", "name")


def test_a_version_is_made_of_uploads_and_read_back(api, churn, add):
    made = add({"b.csv": b"x\n1\n2\n", "a/readme.md": b"# churn"}, note="raw", record={"licence": "MIT"})
    assert (made["number"], made["file_count"], made["size_bytes"]) == (1, 2, 13)
    assert (made["record"]["licence"], made["record"]["note"], made["created_by"]) == ("MIT", "raw", "Ada")
    assert "Purpose" in made["gaps"]
    assert api("mia").get(f"{churn}versions/1/") == made
    files = api("mia").get(f"{churn}versions/1/files/")["results"]
    assert [(one["path"], one["size_bytes"]) for one in files] == [("a/readme.md", 7), ("b.csv", 6)]
    answer = api("ann").client.get(f"/api/v1/{churn}versions/1/files/a/readme.md")
    assert (answer.status_code, answer.getvalue()) == (200, b"# churn")
    assert answer["Content-Disposition"].startswith("attachment")
    problem = add({"b.csv": b"x\n1\n2\n", "a/readme.md": b"# churn"}, by="bob", expecting=409)
    assert "Version 1" in problem["title"]


def test_files_come_in_pages(api, churn, add):
    add({f"{number}.txt": b"x" for number in range(5)})
    page, found = api("mia").get(f"{churn}versions/1/files/", limit=2), []
    while page:
        found += [one["path"] for one in page["results"]]
        page = api("mia").client.get(page["next"]).json() if page["next"] else None
    assert found == [f"{number}.txt" for number in range(5)]


def test_data_elsewhere_is_a_version_by_address_and_digest(api, churn):
    asked = {"digest": "v1", "source": "s3://lake/churn", "source_type": "s3"}
    made = api("ada").post(f"{churn}versions/", asked, 201)
    assert (made["number"], made["source"], made["file_count"]) == (1, "s3://lake/churn", None)
    assert api("ada").get(f"{churn}versions/1/files/")["results"] == []
    assert api("ada").get(f"{churn}versions/1/files/x.csv", expecting=409)["code"] == "CONFLICT"
    assert api("ada").get(f"{churn}versions/1/profile/")["state"] == ""


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "digest"),
        ({"digest": "d"}, "source"),
        ({"digest": "d", "source": "/mnt/x"}, "source"),
        ({"files": [{"path": "../x", "upload": None}]}, "files"),
        ({"files": [{"path": "a.csv", "upload": None}, {"path": "A.csv", "upload": None}]}, "files"),
        ({"files": [{"path": "a.csv", "upload": None}], "digest": "d"}, "files"),
        ({"files": [{"path": "a.csv", "upload": None}], "record": {"colour": "red"}}, "colour"),
    ],
)
def test_a_version_that_cannot_be_made_is_explained(api, churn, body, field):
    for one in body.get("files", []):
        one["upload"] = upload(api("ada"), b"x")
    assert api("ada").post(f"{churn}versions/", body, 400)["field"] == field
    assert not DatasetVersion.objects.exists()


def test_only_one_s_own_finished_uploads_become_a_version(api, churn):
    bobs = upload(api("bob"), b"x")
    open_one = api("ada").post("projects/vision/uploads/", {"size_bytes": 3}, 201)["id"]
    for upload_id, status in ((bobs, 404), (open_one, 409)):
        asked = {"files": [{"path": "a.csv", "upload": upload_id}]}
        api("ada").post(f"{churn}versions/", asked, status)


def test_what_is_in_a_version_and_what_changed(api, churn, add):
    add({"a.csv": b"x,y\n1,a\n2,b\n", "gone.txt": b"1", "old.txt": b"same"}, record={"licence": "MIT"})
    add({"a.csv": b"x,z\n1,a\n5,b\n6,c\n", "new.txt": b"same"}, record={"licence": "CC0-1.0"})
    for version in DatasetVersion.objects.all():
        profile_version(version.pk)
    profile = api("mia").get(f"{churn}versions/2/profile/")
    assert (profile["state"], profile["row_count"]) == ("done", 3)
    assert [(one["name"], one["kind"], one["mean"]) for one in profile["columns"]] == [
        ("x", "integer", 4.0),
        ("z", "text", None),
    ]
    diff = api("mia").get(f"{churn}diff/", old=1, new=2)
    assert (diff["old_rows"], diff["new_rows"], diff["is_same_content"]) == (2, 3, False)
    assert {one["path"]: one["change"] for one in diff["files"]["changes"]} == {
        "a.csv": "changed",
        "gone.txt": "removed",
        "new.txt": "renamed",
    }
    assert [(one["name"], one["change"]) for one in diff["columns"]] == [
        ("x", "changed"), ("z", "added"), ("y", "removed"),
    ]  # fmt: skip
    mean = next(one for one in diff["columns"][0]["statistics"] if one["name"] == "mean")
    assert (mean["old"], mean["new"], mean["delta"]) == (1.5, 4.0, 2.5)
    assert diff["record"] == [{"field": "licence", "label": "Licence", "old": "MIT", "new": "CC0-1.0"}]
    same = api("mia").get(f"{churn}diff/", old=2, new=2)
    assert (same["is_same_content"], same["files"]["changes"]) == (True, [])
    for wrong in ({}, {"old": "1"}, {"old": "1", "new": "x"}, {"old": "-1", "new": "1"}):
        api("mia").get(f"{churn}diff/", expecting=400, **wrong)
    api("mia").get(f"{churn}diff/", expecting=404, old=1, new=9)


def test_an_alias_moves_and_goes(api, churn, add):
    for number in range(2):
        add({"a.txt": b"%d" % number})
    assert api("ada").send("PUT", f"{churn}aliases/current/", {"version": 2})["version"] == 2
    assert api("bob").send("PUT", f"{churn}aliases/current/", {"version": 1})["set_by"] == "Bob"
    assert [(one["name"], one["version"]) for one in api("mia").get(f"{churn}aliases/")["results"]] == [("current", 1)]
    assert api("mia").get(f"{churn}versions/1/")["aliases"] == ["current"]
    api("mia").send("PUT", f"{churn}aliases/current/", {"version": 1}, 403)
    api("ada").send("PUT", f"{churn}aliases/v3/", {"version": 1}, 400)
    api("ada").send("PUT", f"{churn}aliases/current/", {"version": 7}, 404)
    assert api("ada").client.delete(f"/api/v1/{churn}aliases/current/").status_code == 204
    assert api("ada").client.delete(f"/api/v1/{churn}aliases/current/").status_code == 404


def test_a_record_is_written_field_by_field(api, churn, add):
    add({"a.txt": b"1"})
    said = api("bob").send("PATCH", f"{churn}versions/1/record/", {"licence": "MIT", "personal_data": "none"})
    assert (said["record"]["licence"], said["record"]["personal_data"]) == ("MIT", "none")
    api("bob").send("PATCH", f"{churn}versions/1/record/", {"licence": ""})
    assert api("mia").get(f"{churn}versions/1/")["record"]["licence"] == ""
    for wrong in ({"state": "withdrawn"}, {"personal_data": "some"}, {"licence": 3, "x": 1}, {"licence": ["a"]}):
        api("bob").send("PATCH", f"{churn}versions/1/record/", wrong, 400)
    api("mia").send("PATCH", f"{churn}versions/1/record/", {"licence": "MIT"}, 403)


def test_a_recall_reaches_uses_and_notices(api, churn, add, ada, run):
    made = add({"a.txt": b"1"}, by="bob")
    log_inputs(ada, run, inputs=[DatasetInput("churn", made["digest"][:36], tags={"mlflow.data.context": "train"})])
    (uses,) = [one for one in api("mia").get(f"{churn}versions/1/uses/") if one["kind"] == "runs"]
    assert (uses["total"], uses["newest"][0]["context"], uses["newest"][0]["who"]) == (1, "train", "Ada")
    api("ada").post(f"{churn}versions/1/withdraw/", {"reason": "wrong labels"}, 403)
    api("mia").post(f"{churn}versions/1/withdraw/", {}, 400)
    recalled = api("mia").post(f"{churn}versions/1/withdraw/", {"reason": "wrong labels"})
    assert (recalled["is_recalled"], recalled["recall_reason"]) == (True, "wrong labels")
    assert api("mia").post(f"{churn}versions/1/withdraw/", {"reason": "wrong labels"}) == recalled
    api("bob").post(f"{churn}versions/1/withdraw/", {"reason": "another"}, 409)
    api("ada").send("PUT", f"{churn}aliases/current/", {"version": 1}, 409)
    assert [one["name"] for one in api("ann").get("runs/", q="recalled = true")["results"]] == ["first try"]
    (notice,) = api("ada").get("notices/")["results"]
    assert (notice["kind"], notice["project"], notice["read_at"]) == ("dataset.recalled", "vision", None)
    assert api("ada").post("notices/read/", {"ids": [notice["id"]]}) == {"marked": 1}
    assert api("ada").get("notices/")["results"][0]["read_at"]
    assert api("bob").post("notices/read/") == {"marked": 1}
    restored = api("bob").post(f"{churn}versions/1/reinstate/", {"reason": "fine"})
    assert restored["is_recalled"] is False


def test_another_team_finds_nothing(api, churn, add):
    add({"a.txt": b"1"})
    for path in (
        "", "versions/", "versions/1/", "versions/1/files/", "versions/1/files/a.txt", "versions/1/profile/",
        "versions/1/uses/", "aliases/", "diff/?old=1&new=1",
    ):  # fmt: skip
        api("eve").get(churn + path, expecting=404)
    for path, method in (("", "PATCH"), ("versions/1/record/", "PATCH"), ("aliases/x/", "PUT")):
        api("eve").send(method, churn + path, {"description": "x", "licence": "x", "version": 1}, 404)
    for path in ("versions/", "versions/1/withdraw/", "versions/1/reinstate/"):
        api("eve").post(churn + path, {"reason": "x", "digest": "d", "source": "s3://x"}, 404)
    assert api("eve").get("notices/")["results"] == []


def test_an_id_of_another_project_s_dataset_leads_nowhere(api, churn):
    api("ada").get(churn.replace("vision", "other"), expecting=404)
