"""Artifacts through the server: put, get, list, delete, and what a path may not do."""

import os
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient

from tests.client.wire import Wire, mled_only

ARTIFACTS = "api/2.0/mlflow-artifacts/artifacts"


class Folder:
    """The artifacts of one run, through the routes that the Python client uses."""

    def __init__(self, wire: Wire, run: str) -> None:
        self.wire = wire
        self.run = run
        uri = wire.run(run)["info"]["artifact_uri"]
        assert uri.startswith("mlflow-artifacts:/")
        self.root = uri.removeprefix("mlflow-artifacts:/").lstrip("/")

    def url(self, path: str) -> str:
        return f"{ARTIFACTS}/{self.root}/{urllib.parse.quote(path)}"

    def put(self, path: str, content: bytes | Iterator[bytes]) -> None:
        answer = self.wire.call("PUT", self.url(path), data=content)
        assert answer.status_code == 200, answer.text[:400]
        assert answer.text in ("{}", "")

    def get(self, path: str) -> bytes:
        answer = self.wire.call("GET", self.url(path))
        assert answer.status_code == 200
        return answer.content

    def names(self, path: str = "") -> dict[str, int | None]:
        """What the listing of the client's route says: base name to size, None for folders."""
        where = f"{self.root}/{path}".rstrip("/")
        answer = self.wire.call("GET", ARTIFACTS, params={"path": where})
        assert answer.status_code == 200
        return {
            one["path"]: None if one["is_dir"] else one.get("file_size", 0) for one in answer.json().get("files", [])
        }

    def paths(self, path: str = "") -> dict[str, int | None]:
        """What the listing by run says: path from the run's root to size, None for folders."""
        answer = self.wire.get("artifacts/list", run_id=self.run, **({"path": path} if path else {}))
        files = answer.get("files", [])
        return {one["path"]: None if one.get("is_dir") else one.get("file_size", 0) for one in files}


@pytest.fixture
def folder(wire: Wire, run: str) -> Folder:
    return Folder(wire, run)


def test_a_put_creates_the_folders_above(folder: Folder) -> None:
    folder.put("a/b/c.bin", b"\x00\xff" * 100)
    assert folder.get("a/b/c.bin") == b"\x00\xff" * 100


def test_a_second_put_replaces_the_first(folder: Folder) -> None:
    folder.put("a.txt", b"a long first version")
    folder.put("a.txt", b"second")
    assert folder.get("a.txt") == b"second"
    assert folder.names() == {"a.txt": 6}


def test_an_empty_file_is_a_file(folder: Folder) -> None:
    folder.put("empty", b"")
    assert folder.get("empty") == b""
    assert folder.names() == {"empty": 0}


def test_a_body_may_come_in_chunks(folder: Folder) -> None:
    chunks = [os.urandom(70_000) for _ in range(20)]
    folder.put("chunked.bin", iter(chunks))
    assert folder.get("chunked.bin") == b"".join(chunks)


def test_both_listings_show_one_level(folder: Folder) -> None:
    for path in ("top.txt", "a/one.txt", "a/two.txt", "a/deep/three.txt"):
        folder.put(path, path.encode())
    assert folder.names() == {"a": None, "top.txt": 7}
    assert folder.names("a") == {"deep": None, "one.txt": 9, "two.txt": 9}
    assert folder.names("a/deep") == {"three.txt": 16}
    assert folder.paths() == {"a": None, "top.txt": 7}
    assert folder.paths("a") == {"a/deep": None, "a/one.txt": 9, "a/two.txt": 9}
    assert folder.paths("a/deep") == {"a/deep/three.txt": 16}


def test_the_listing_by_run_says_where_its_root_is(folder: Folder) -> None:
    answer = folder.wire.get("artifacts/list", run_id=folder.run)
    assert answer["root_uri"] == folder.wire.run(folder.run)["info"]["artifact_uri"]


def test_what_is_empty_or_missing_lists_nothing(folder: Folder) -> None:
    assert folder.names() == {}
    assert folder.paths() == {}
    assert folder.names("nowhere") == {}
    assert folder.paths("nowhere") == {}
    folder.put("a/file.txt", b"x")
    assert folder.names("a/file.txt") == {}
    assert folder.paths("a/file.txt") == {}


def test_a_missing_file_is_a_404_in_json(folder: Folder) -> None:
    folder.put("a/file.txt", b"x")
    for path in ("nothing.txt", "a/nothing.txt", "a/file.txt/below"):
        answer = folder.wire.call("GET", folder.url(path))
        assert answer.status_code == 404, path
        assert answer.json()["error_code"] == "RESOURCE_DOES_NOT_EXIST", path


@mled_only
def test_a_folder_is_no_file(folder: Folder) -> None:
    folder.put("a/file.txt", b"x")
    assert folder.wire.call("GET", folder.url("a")).status_code == 404


BAD_PATHS = [
    "../escape.txt",
    "a/../../escape.txt",
    "a/..",
    "%2e%2e/escape.txt",
    "a/%2e%2e/%2e%2e/escape.txt",
    "%252e%252e/escape.txt",
    "..%2fescape.txt",
    "..%252fescape.txt",
]
FILE_URIS = [pytest.param(uri, marks=mled_only) for uri in ("file:///etc/passwd", "file:%2f%2f%2fetc%2fpasswd")]


def raw(wire: Wire, method: str, path: str, body: bytes | None = None) -> int:
    """A request whose path reaches the server exactly as written: no library tidies up the dots."""
    import http.client

    where = urllib.parse.urlsplit(wire.base)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=30)
    headers = {"Authorization": f"Bearer {wire.token}"} if wire.token else {}
    connection.request(method, f"{where.path}/{path}", body=body, headers=headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


@pytest.mark.parametrize("path", [*BAD_PATHS, *FILE_URIS])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_path_cannot_leave_its_run(folder: Folder, method: str, path: str) -> None:
    body = b"x" if method == "PUT" else None
    status = raw(folder.wire, method, f"{ARTIFACTS}/{folder.root}/{path}", body)
    assert status in (400, 404) if method == "GET" else status == 400
    assert folder.names() == {}


@pytest.mark.parametrize("path", ["..", "a/..", "../other", "/etc", "%2e%2e", "%252e%252e", "file:///etc"])
def test_a_listing_cannot_leave_its_run(folder: Folder, path: str) -> None:
    answer = folder.wire.call("GET", "api/2.0/mlflow/artifacts/list", params={"run_id": folder.run, "path": path})
    assert answer.status_code == 400
    assert answer.json()["error_code"] == "INVALID_PARAMETER_VALUE"


@pytest.mark.parametrize("path", ["..", "../..", "/etc", "1/../../x", "file:///etc"])
def test_the_clients_listing_cannot_leave_the_store(wire: Wire, path: str) -> None:
    answer = wire.call("GET", ARTIFACTS, params={"path": path})
    assert answer.status_code == 400
    assert answer.json()["error_code"]


STRANGE_NAMES = [
    "with space.txt",
    "+&=;.txt",
    "(a)[b]{c}.txt",
    ".hidden",
    "..two dots",
    "größe/精度/🧪.txt",
    "quo'te\".txt",
    "comma,colon:at@.txt",
    "back\\slash.txt",
    "~tilde$dollar!.txt",
    "n" * 200,
]


@pytest.mark.parametrize("name", STRANGE_NAMES)
def test_strange_names_survive(folder: Folder, name: str) -> None:
    folder.put(f"files/{name}", name.encode())
    assert folder.get(f"files/{name}") == name.encode()
    listed = folder.names("files" + "/".join(["", *name.split("/")[:-1]]))
    assert listed == {name.split("/")[-1]: len(name.encode())}
    assert f"files/{name}" in folder.paths("/".join(["files", *name.split("/")[:-1]]))


@mled_only
@pytest.mark.parametrize("name", ["a#b.txt", "a?b.txt", "50%.txt", "a%20b.txt"])
def test_names_with_signs_that_urls_use_survive_too(folder: Folder, name: str) -> None:
    folder.put(f"files/{name}", b"x")
    assert folder.get(f"files/{name}") == b"x"
    assert folder.names("files") == {name: 1}


@mled_only
def test_a_name_of_dots_once_encoded_is_refused_in_every_route(folder: Folder) -> None:
    for path in ("%2e%2e%2f%2e%2e%2fx", "%25%32%65%25%32%65/x"):
        assert raw(folder.wire, "GET", f"{ARTIFACTS}/{folder.root}/{path}") in (400, 404)


def test_a_file_and_a_folder_can_be_deleted(folder: Folder) -> None:
    for path in ("a/one.txt", "a/deep/two.txt", "b.txt", "c.txt"):
        folder.put(path, b"x")
    for path in ("b.txt", "a"):
        answer = folder.wire.call("DELETE", folder.url(path))
        assert (answer.status_code, answer.json()) == (200, {})
    assert folder.names() == {"c.txt": 1}
    assert folder.wire.call("GET", folder.url("a/one.txt")).status_code == 404


def test_artifacts_outlive_the_end_the_deletion_and_a_new_name(wire: Wire, experiment: str) -> None:
    run = wire.new_run(experiment)
    folder = Folder(wire, run)
    folder.put("a.txt", b"kept")
    wire.post("runs/update", run_id=run, status="FINISHED", end_time=5)
    assert folder.get("a.txt") == b"kept"
    folder.put("later.txt", b"also after the end")
    wire.post("experiments/update", experiment_id=experiment, new_name=f"moved {run}")
    assert folder.get("a.txt") == b"kept"
    assert wire.run(run)["info"]["artifact_uri"].endswith(folder.root)
    wire.post("runs/delete", run_id=run)
    assert folder.get("a.txt") == b"kept"
    assert folder.names() == {"a.txt": 4, "later.txt": 18}
    assert folder.paths() == {"a.txt": 4, "later.txt": 18}


@mled_only
def test_a_deleted_run_takes_no_file(folder: Folder) -> None:
    folder.wire.post("runs/delete", run_id=folder.run)
    answer = folder.wire.call("PUT", folder.url("late.txt"), data=b"x")
    assert answer.status_code == 400
    assert folder.names() == {}


@mled_only
def test_a_file_of_no_run_is_refused(wire: Wire, experiment: str) -> None:
    for path in (f"{experiment}/{'f' * 32}/artifacts/x.txt", "nowhere/x.txt", "x.txt"):
        answer = wire.call("PUT", f"{ARTIFACTS}/{path}", data=b"x")
        assert answer.status_code in (400, 404), path
        assert answer.json()["error_code"], path


def test_a_download_is_never_run_as_a_page(folder: Folder) -> None:
    folder.put("page.html", b"<script>alert(1)</script>")
    answer = folder.wire.call("GET", folder.url("page.html"))
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize("field", ["run_id", "run_uuid"])
def test_the_route_of_web_pages_sends_an_attachment(folder: Folder, field: str) -> None:
    folder.put("pages/page.html", b"<script>alert(1)</script>")
    answer = folder.wire.call("GET", "get-artifact", params={field: folder.run, "path": "pages/page.html"})
    assert (answer.status_code, answer.content) == (200, b"<script>alert(1)</script>")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    missing = folder.wire.call("GET", "get-artifact", params={field: folder.run, "path": "pages/none.html"})
    assert missing.status_code in (400, 404)
    escape = folder.wire.call("GET", "get-artifact", params={field: folder.run, "path": "../../x"})
    assert escape.status_code == 400


def test_an_interrupted_upload_leaves_nothing(folder: Folder) -> None:
    import socket

    where = urllib.parse.urlsplit(folder.wire.base)
    with socket.create_connection((where.hostname, where.port), timeout=10) as line:
        head = (
            f"PUT {where.path}/{folder.url('torn.bin')} HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Length: 1000000\r\n"
        )
        token = f"Authorization: Bearer {folder.wire.token}\r\n" if folder.wire.token else ""
        line.sendall((head + token + "\r\n").encode() + b"x" * 5000)
    folder.put("whole.bin", b"x")
    assert "whole.bin" in folder.names()
    answer = folder.wire.call("GET", folder.url("torn.bin"))
    assert answer.status_code == 404


def test_a_presigned_download_from_a_store_on_disk_is_declined_so_that_the_client_falls_back(folder: Folder) -> None:
    folder.put("a.bin", b"x")
    answer = folder.wire.call("GET", f"api/2.0/mlflow-artifacts/presigned/{folder.root}/a.bin")
    assert answer.status_code == 501
    assert answer.json()["error_code"] == "NOT_IMPLEMENTED"


def test_server_info_promises_nothing_that_is_missing(wire: Wire) -> None:
    answer = wire.call("GET", "api/3.0/mlflow/server-info")
    assert answer.status_code == 200
    info = answer.json()
    assert not any(info.get(name) for name in ("artifacts_presigned_only", "workspaces_enabled"))


def test_the_client_uploads_and_downloads_folders(client: MlflowClient, run: str, tmp_path: Path) -> None:
    files = {"a.txt": b"1", "deep/er/b.bin": os.urandom(200_000), "deep/with space & more.txt": b"2"}
    for name, content in files.items():
        (tmp_path / "up" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "up" / name).write_bytes(content)
    client.log_artifacts(run, str(tmp_path / "up"), "data")
    client.log_artifact(run, str(tmp_path / "up/a.txt"))
    home = Path(client.download_artifacts(run, "data", str(tmp_path)))
    assert {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()} == files
    assert [entry.path for entry in client.list_artifacts(run)] == ["a.txt", "data"]


def test_a_file_of_many_megabytes_comes_back_whole(client: MlflowClient, run: str, tmp_path: Path) -> None:
    content = os.urandom(1 << 20) * 12
    (tmp_path / "large.bin").write_bytes(content)
    client.log_artifact(run, str(tmp_path / "large.bin"), "large")
    assert Path(client.download_artifacts(run, "large/large.bin", str(tmp_path / ""))).read_bytes() == content
