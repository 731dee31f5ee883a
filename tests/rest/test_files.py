"""The files of a run for programs: listed, read whole or in part, taken along as a zip."""

import hashlib
import io
import zipfile

import pytest
from django.test import Client

from accounts.roles import Scope
from experiments.actions.files import put_file
from tests.rest.conftest import Api, token_of
from tests.world import stored

CONTENTS = {"a.txt": b"one", "plots/loss.csv": b"step,loss\n1,0.5\n", "plots/b/c.bin": b"\x00\x01"}


@pytest.fixture
def files(ada, run):
    for path, content in CONTENTS.items():
        put_file(ada, run, path=path, stored=stored(content))
    return f"runs/{run.uid.hex}/"


@pytest.fixture
def program(people) -> Client:
    return Client(headers={"authorization": f"Bearer {token_of(people['ada'])}"})


def test_files_are_listed_with_size_and_digest(api, files):
    listed = api("ada").get(f"{files}files/")["results"]
    assert [one["path"] for one in listed] == sorted(CONTENTS)
    assert [one["size_bytes"] for one in listed] == [3, 2, 16]
    assert listed[0]["digest"] == hashlib.sha256(b"one").hexdigest()


def test_a_folder_is_listed_at_any_depth(api, files):
    listed = api("ada").get(f"{files}files/", folder="plots")["results"]
    assert [one["path"] for one in listed] == ["plots/b/c.bin", "plots/loss.csv"]
    assert api("ada").get(f"{files}files/", folder="plot")["results"] == []
    assert api("ada").get(f"{files}files/", expecting=400, folder="../x")["field"] == "path"


def test_files_come_in_pages(api, files):
    page = api("ada").get(f"{files}files/", limit=2)
    assert [one["path"] for one in page["results"]] == ["a.txt", "plots/b/c.bin"]
    following = page["next"].partition("/api/v1/")[2]
    assert [one["path"] for one in api("ada").get(following)["results"]] == ["plots/loss.csv"]


@pytest.mark.parametrize("takes", ["*/*", "application/octet-stream", "text/csv", "application/json"])
def test_a_file_is_read_whatever_the_client_says_it_takes(program, files, takes):
    answer = program.get(f"/api/v1/{files}files/plots/loss.csv", headers={"accept": takes})
    assert b"".join(answer) == CONTENTS["plots/loss.csv"]
    assert answer["Content-Disposition"].startswith("attachment")


def test_a_part_of_a_file_is_read(program, files):
    answer = program.get(f"/api/v1/{files}files/plots/loss.csv", headers={"range": "bytes=5-8"})
    assert (answer.status_code, b"".join(answer), answer["Content-Range"]) == (206, b"loss", "bytes 5-8/16")
    beyond = program.get(f"/api/v1/{files}files/plots/loss.csv", headers={"range": "bytes=16-"})
    assert (beyond.status_code, beyond["Content-Range"]) == (416, "bytes */16")
    head = program.head(f"/api/v1/{files}files/plots/loss.csv")
    assert (head.status_code, head["Content-Length"], head.content) == (200, "16", b"")


@pytest.mark.parametrize(("asked", "names"), [("", sorted(CONTENTS)), ("?path=plots", ["b/c.bin", "loss.csv"])])
def test_a_folder_is_taken_along_as_a_zip(program, files, asked, names):
    answer = program.get(f"/api/v1/{files}archive.zip{asked}", headers={"accept": "application/zip"})
    assert answer["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(b"".join(answer))) as packed:
        assert packed.testzip() is None
        assert sorted(packed.namelist()) == names


@pytest.mark.parametrize("rest", ["files/nothing", "archive.zip?path=nothing", "files/..%2f..%2fetc/passwd"])
def test_what_is_not_there_is_not_found(program, files, rest):
    answer = program.get(f"/api/v1/{files}{rest}")
    assert answer.status_code in (400, 404)
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("rest", ["files/", "files/a.txt", "archive.zip"])
def test_strangers_find_nothing_and_a_token_needs_its_scope(people, api, files, rest):
    api("eve").get(files + rest, expecting=404)
    assert Client().get(f"/api/v1/{files}{rest}").status_code == 401
    writer = Api(token_of(people["ada"], scopes=[Scope.LOG]))
    assert "needs the scope 'read'" in writer.get(files + rest, expecting=403)["title"]


def test_files_are_not_changed_in_place(program, files):
    for method in (program.put, program.patch):
        assert method(f"/api/v1/{files}files/a.txt").status_code == 405
