"""What only a real server shows: bytes that stop coming, answers to a client that is still sending, large files."""

import os
import socket
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from accounts.roles import Role
from tests.factories import unique

MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def place(live_mled: Any) -> tuple[Any, str, str, dict[str, str]]:
    """A server, a project on it, a run's folder of files, and the headers of one who may write there."""
    slug, person = unique("door"), f"{unique('door')}@example.org"
    live_mled.create_user(person)
    live_mled.create_project(slug)
    live_mled.add_member(slug, person, Role.ML_ENGINEER.value)
    headers = {"Authorization": f"Bearer {live_mled.issue_token(person, project=slug)}"}
    api = f"{live_mled.tracking_uri(slug)}/api/2.0/mlflow"
    run = requests.post(f"{api}/runs/create", json={}, headers=headers, timeout=30).json()["run"]["info"]
    files = f"{live_mled.tracking_uri(slug)}/api/2.0/mlflow-artifacts/artifacts/0/{run['run_id']}/artifacts"
    return live_mled, api, files, headers


def say(port: int, *words: bytes) -> None:
    """Open a connection, say so much, and hang up."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        for word in words:
            connection.sendall(word)


@pytest.mark.parametrize("torn", ["announced", "in chunks"])
def test_a_sender_who_hangs_up_leaves_nothing(place: tuple[Any, str, str, dict[str, str]], torn: str) -> None:
    live, _, files, headers = place
    path = f"{files.removeprefix(live.url)}/torn-{torn.replace(' ', '-')}.bin"
    length = b"Content-Length: 1000000" if torn == "announced" else b"Transfer-Encoding: chunked"
    head = f"PUT {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {headers['Authorization']}\r\n".encode()
    body = b"x" * 1000 if torn == "announced" else b"3e8\r\n" + b"x" * 1000 + b"\r\n"
    say(live.port, head + length + b"\r\n\r\n", body)
    assert requests.get(live.url + path, headers=headers, timeout=30).status_code == 404
    assert requests.get(f"{live.url}/health", timeout=30).text == "OK"


def test_a_client_that_is_still_sending_sees_why_it_is_refused(place: tuple[Any, str, str, dict[str, str]]) -> None:
    _, api, files, headers = place
    batch = requests.post(f"{api}/runs/log-batch", data=b"x" * 40 * MEGABYTE, headers=headers, timeout=30)
    assert (batch.status_code, batch.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    nobody = requests.put(f"{files}/a.bin", data=b"x" * 20 * MEGABYTE, timeout=30)
    assert (nobody.status_code, nobody.json()["error_code"]) == (401, "UNAUTHENTICATED")


def test_an_upload_without_a_length_is_taken(place: tuple[Any, str, str, dict[str, str]]) -> None:
    _, _, files, headers = place
    chunks = [os.urandom(1000) for _ in range(50)]
    assert requests.put(f"{files}/chunks.bin", data=iter(chunks), headers=headers, timeout=30).json() == {}
    assert requests.get(f"{files}/chunks.bin", headers=headers, timeout=30).content == b"".join(chunks)
    assert requests.put(f"{files}/none.bin", data=iter([]), headers=headers, timeout=30).json() == {}
    assert requests.get(f"{files}/none.bin", headers=headers, timeout=30).content == b""


def test_a_large_file_needs_no_memory_of_its_size(place: tuple[Any, str, str, dict[str, str]], tmp_path: Path) -> None:
    live, _, files, headers = place
    size = 200 * MEGABYTE
    large = tmp_path / "large.bin"
    with large.open("wb") as file:
        file.truncate(size)
    before = _memory(live)
    with large.open("rb") as file:
        assert requests.put(f"{files}/large.bin", data=file, headers=headers, timeout=120).status_code == 200
    with requests.get(f"{files}/large.bin", headers=headers, stream=True, timeout=120) as answer:
        assert sum(len(chunk) for chunk in answer.iter_content(MEGABYTE)) == size
    assert _memory(live) - before < 60 * MEGABYTE


def _memory(live: Any) -> int:
    return sum(psutil.Process(pid).memory_info().rss for pid in live.web_workers())


def test_a_long_history_comes_whole(place: tuple[Any, str, str, dict[str, str]]) -> None:
    _, api, _, headers = place
    run = requests.post(f"{api}/runs/create", json={}, headers=headers, timeout=30).json()["run"]["info"]["run_id"]
    for start in range(0, 60_000, 1000):
        points = [{"key": "loss", "value": at / 7, "timestamp": at, "step": at} for at in range(start, start + 1000)]
        answer = requests.post(
            f"{api}/runs/log-batch", json={"run_id": run, "metrics": points}, headers=headers, timeout=30
        )
        assert answer.json() == {}
    asked = {"run_id": run, "metric_key": "loss"}
    history = requests.get(f"{api}/metrics/get-history", params=asked, headers=headers, timeout=60).json()["metrics"]
    assert [point["value"] for point in history] == [at / 7 for at in range(60_000)]
