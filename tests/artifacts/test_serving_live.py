"""Downloads from a real server: heads, ranges and zips as other programs meet them."""

import io
import urllib.error
import urllib.request
import zipfile
from collections.abc import Mapping

import pytest

from tests.services.live import LiveMled

pytestmark = pytest.mark.once
CONTENT = bytes(range(256)) * 4_000


@pytest.fixture(scope="module")
def address(live_mled: LiveMled, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where a run with two files is in the REST API, and a token for it, parted by a bar."""
    from mlflow import MlflowClient

    live_mled.create_project("served")
    live_mled.create_user("sam.served@example.org", name="Sam", role="data_scientist", project="served")
    token = live_mled.issue_token("sam.served@example.org")
    folder = tmp_path_factory.mktemp("served")
    (folder / "weights.bin").write_bytes(CONTENT)
    (folder / "note.txt").write_text("hello")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MLFLOW_TRACKING_TOKEN", token)
        client = MlflowClient(live_mled.tracking_uri("served"))
        run = client.create_run(client.create_experiment("served")).info.run_id
        client.log_artifacts(run, str(folder))
        client.set_terminated(run)
    return f"{live_mled.url}/api/v1/runs/{run}/|{token}"


def asked(address: str, rest: str, method: str = "GET", **headers: str) -> tuple[int, Mapping[str, str], bytes]:
    place, _, token = address.partition("|")
    headers |= {"Authorization": f"Bearer {token}"}
    request = urllib.request.Request(place + rest, method=method, headers=headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def test_a_head_tells_the_size_and_sends_nothing(address):
    status, headers, content = asked(address, "files/weights.bin", "HEAD")
    assert (status, headers["Content-Length"], headers["Accept-Ranges"], content) == (
        200,
        str(len(CONTENT)),
        "bytes",
        b"",
    )


def test_a_download_goes_on_where_it_broke_off(address):
    status, headers, content = asked(address, "files/weights.bin", Range="bytes=1000000-")
    assert (status, content) == (206, CONTENT[1_000_000:])
    assert headers["Content-Range"] == f"bytes 1000000-{len(CONTENT) - 1}/{len(CONTENT)}"
    assert asked(address, "files/weights.bin", Range=f"bytes={len(CONTENT)}-")[0] == 416
    tag = headers["ETag"]
    assert asked(address, "files/weights.bin", **{"If-None-Match": tag})[0] == 304
    assert asked(address, "files/weights.bin", Range="bytes=0-9", **{"If-Range": '"another"'})[0] == 200


def test_everything_comes_as_a_zip(address):
    status, headers, content = asked(address, "archive.zip")
    assert (status, headers["Content-Type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        assert packed.testzip() is None
        assert packed.read("weights.bin") == CONTENT
    assert asked(address, "archive.zip", "HEAD")[2] == b""
