"""Large files in parts with MLflow's own client, with files on disk and in S3; and what a forged address gets."""

from __future__ import annotations

import hashlib
import os
import urllib.parse
from pathlib import Path

import pytest
import requests
from mlflow import MlflowClient

from tests.client.wire import PEER_URL, Wire

pytestmark = pytest.mark.skipif(bool(PEER_URL), reason="needs MLED's own servers")

MB = 1 << 20
FILES = "api/2.0/mlflow-artifacts"


class Place:
    """A project on a live server, with a run in it."""

    def __init__(self, live, store: str) -> None:
        self.live, self.store = live, store
        slug, person = f"parts-{store}", f"parts-{store}@example.org"
        if not hasattr(live, "parts_token"):
            live.create_user(person)
            live.create_project(slug)
            live.add_member(slug, person, "ml_engineer")
            live.parts_token = live.issue_token(person, project=slug)
        self.wire = Wire(f"{live.url}/mlflow/{slug}", live.parts_token)
        self.run = self.wire.new_run(self.wire.new_experiment())
        self.root = self.wire.run(self.run)["info"]["artifact_uri"].removeprefix("mlflow-artifacts:/").lstrip("/")

    def mpu(self, step: str, folder: str = "", **body) -> requests.Response:
        where = f"{self.root}/{folder}".rstrip("/")
        return self.wire.call("POST", f"{FILES}/mpu/{step}/{where}", json=body)

    def get(self, path: str) -> requests.Response:
        return self.wire.call("GET", f"{FILES}/artifacts/{self.root}/{path}")

    def begun(self, parts: int = 2, name: str = "/tmp/a.bin") -> tuple[str, list[str]]:
        answer = self.mpu("create", path=name, num_parts=parts)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert [one["part_number"] for one in told["credentials"]] == list(range(1, parts + 1))
        return told["upload_id"], [one["url"] for one in told["credentials"]]


@pytest.fixture(params=["files", "s3"])
def place(request: pytest.FixtureRequest) -> Place:
    live = request.getfixturevalue("live_mled" if request.param == "files" else "live_mled_on_s3")
    return Place(live, request.param)


@pytest.fixture
def client(place: Place, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    """The real client, set to cut files over 6 MB into parts of 5 MB (S3 joins no smaller ones)."""
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", place.wire.token)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE", str(6 * MB))
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE", str(5 * MB))
    monkeypatch.setenv("MLFLOW_MULTIPART_DOWNLOAD_CHUNK_SIZE", str(5 * MB))
    return MlflowClient(tracking_uri=place.wire.base)


@pytest.fixture
def large(tmp_path: Path) -> Path:
    found = tmp_path / "größe & co.bin"
    found.write_bytes(os.urandom(17 * MB + 11))
    return found


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def calls_made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that the client's requests go to, in order."""
    made: list[str] = []
    before = requests.Session.request

    def noting(self, method, url, **options):
        made.append(f"{method.upper()} {url}")
        return before(self, method, url, **options)

    monkeypatch.setattr(requests.Session, "request", noting)
    return made


def test_the_client_sends_a_large_file_in_parts(place, client, large, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD", "true")
    made = calls_made(monkeypatch)
    client.log_artifact(place.run, str(large), "deep/folder")
    assert sum("/mpu/create/" in one for one in made) == 1
    assert sum(one.startswith("PUT") for one in made) == 4
    assert sum("/mpu/complete/" in one for one in made) == 1
    if place.store == "s3":
        assert all(place.live.url not in one for one in made if one.startswith("PUT")), "parts go to the store itself"
    back = Path(client.download_artifacts(place.run, f"deep/folder/{large.name}", str(tmp_path)))
    assert digest(back) == digest(large)
    (entry,) = client.list_artifacts(place.run, "deep/folder")
    assert entry.file_size == 17 * MB + 11


def test_the_client_does_by_itself_what_the_server_offers(place, client, large, tmp_path, monkeypatch):
    info = place.wire.call("GET", "api/3.0/mlflow/server-info").json()
    offered = place.store == "s3"
    assert info["multipart_uploads_enabled"] is offered
    assert info["multipart_downloads_enabled"] is offered
    made = calls_made(monkeypatch)
    client.log_artifact(place.run, str(large))
    assert any("/mpu/" in one for one in made) is offered
    made.clear()
    (tmp_path / "back").mkdir()
    back = Path(client.download_artifacts(place.run, large.name, str(tmp_path / "back")))
    assert digest(back) == digest(large)
    assert any("/presigned/" in one for one in made) is offered


def test_a_client_that_insists_on_presigned_downloads_falls_back(place, client, large, tmp_path, monkeypatch):
    client.log_artifact(place.run, str(large))
    monkeypatch.setenv("MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD", "true")
    (tmp_path / "back").mkdir()
    back = Path(client.download_artifacts(place.run, large.name, str(tmp_path / "back")))
    assert digest(back) == digest(large)
    answer = place.wire.call("GET", f"{FILES}/presigned/{place.root}/{urllib.parse.quote(large.name)}")
    assert answer.status_code == (200 if place.store == "s3" else 501)


def test_parts_come_in_any_order_of_any_size_and_again(place):
    upload, links = place.begun(3)
    contents = [b"a" * 10, b"b" * 7, b"c"]
    for number in (2, 0, 1, 0):
        sent = requests.put(links[number], data=contents[number], timeout=30)
        assert sent.status_code == 200
        assert sent.headers["ETag"]
    parts = [{"part_number": number, "etag": "x"} for number in (3, 1, 2)]
    for _ in range(2):
        assert place.mpu("complete", path="/tmp/a.bin", upload_id=upload, parts=parts).status_code == 200
    assert place.get("a.bin").content == b"".join(contents)


def test_what_is_not_complete_is_not_there(place):
    upload, links = place.begun(2)
    requests.put(links[0], data=b"first", timeout=30)
    for parts in ([1, 2], [1], [], [1, 1], [1, 2, 3], [0, 1]):
        asked = [{"part_number": number} for number in parts]
        answer = place.mpu("complete", path="/tmp/a.bin", upload_id=upload, parts=asked)
        assert 400 <= answer.status_code < 500, parts
        assert answer.json()["message"]
    assert place.get("a.bin").status_code == 404


def test_an_upload_goes_only_to_the_path_it_was_begun_for(place):
    upload, links = place.begun(1)
    requests.put(links[0], data=b"x", timeout=30)
    asked = {"upload_id": upload, "parts": [{"part_number": 1}]}
    assert place.mpu("complete", path="/tmp/other.bin", **asked).status_code == 404
    assert place.mpu("complete", "folder", path="/tmp/a.bin", **asked).status_code == 404
    assert place.mpu("complete", path="/tmp/a.bin", **asked).status_code == 200


def test_what_is_given_up_is_gone(place):
    upload, links = place.begun(1)
    requests.put(links[0], data=b"x", timeout=30)
    for _ in range(2):
        assert place.mpu("abort", path="/tmp/a.bin", upload_id=upload).status_code == 200
    answer = place.mpu("complete", path="/tmp/a.bin", upload_id=upload, parts=[{"part_number": 1}])
    assert answer.status_code == 404


@pytest.mark.parametrize("name", ["..", "/tmp/..", "a/", ".", "/tmp/%2e%2e", "x" * 300])
def test_a_part_upload_cannot_leave_its_run(place, name):
    assert place.mpu("create", path=name, num_parts=1).status_code == 400
    assert place.mpu("create", "../other", path="/tmp/a.bin", num_parts=1).status_code in (400, 404)


def test_a_path_of_windows_is_cut_as_windows_does(place):
    upload, links = place.begun(1, "C:\\Users\\ada\\model.bin")
    requests.put(links[0], data=b"x", timeout=30)
    asked = {"upload_id": upload, "parts": [{"part_number": 1}]}
    assert place.mpu("complete", path="C:\\Users\\ada\\model.bin", **asked).status_code == 200
    assert place.get("model.bin").content == b"x"


@pytest.mark.parametrize("count", [0, -1, 10_001, 2**40])
def test_a_number_of_parts_that_no_store_takes_is_refused(place, count):
    assert place.mpu("create", path="/tmp/a.bin", num_parts=count).status_code == 400


def test_only_an_address_that_was_given_out_takes_a_part(place):
    upload, links = place.begun(2)
    _, others = place.begun(2)
    for wrong in (
        links[0].partition("?")[0],
        links[0].replace("signature=", "signature=x").replace("Signature=", "Signature=0"),
        links[0].partition("?")[0] + "?" + others[0].partition("?")[2],
        links[0].partition("?")[0] + "?" + links[1].partition("?")[2],
    ):
        refused = requests.put(wrong, data=b"evil", timeout=30)
        assert refused.status_code in (401, 403), wrong
    asked = {"upload_id": upload, "parts": [{"part_number": 1}, {"part_number": 2}]}
    assert "Part 1 has not come" in place.mpu("complete", path="/tmp/a.bin", **asked).text


def test_a_link_of_ours_ends_with_its_token(live_mled):
    place = Place(live_mled, "files")
    secret = live_mled.issue_token("parts-files@example.org", project="parts-files", name="short")
    place.wire = Wire(place.wire.base, secret)
    _, links = place.begun(1)
    assert requests.put(links[0], data=b"x", timeout=30).status_code == 200
    with live_mled.in_database():
        from accounts.actions.tokens import revoke_token
        from accounts.models import ApiToken
        from kernel.actor import operator

        revoke_token(operator(), token=ApiToken.objects.get(name="short", user__email="parts-files@example.org"))
    assert requests.put(links[0], data=b"y", timeout=30).status_code == 401


def test_a_part_that_breaks_off_is_no_part(live_mled):
    import socket

    from tests.services.processes import wait_until

    place = Place(live_mled, "files")
    upload, links = place.begun(1)
    where = urllib.parse.urlsplit(links[0])
    incoming = live_mled.data / "blobs" / "incoming"
    before = set(incoming.iterdir())
    with socket.create_connection((where.hostname, where.port), timeout=10) as line:
        line.sendall(
            f"PUT {where.path}?{where.query} HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Length: 1000\r\n\r\n".encode()
            + b"x" * 100
        )
        wait_until(lambda: set(incoming.iterdir()) > before, within=20, what="the part arrives")
    wait_until(lambda: set(incoming.iterdir()) <= before, within=20, what="the broken part is cleared away")
    answer = place.mpu("complete", path="/tmp/a.bin", upload_id=upload, parts=[{"part_number": 1}])
    assert "Part 1 has not come" in answer.json()["message"]
