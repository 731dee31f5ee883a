"""Files through the door: whole, in parts, as attachments, and never half of one."""

import io
from typing import Any

import pytest

from tests.factories import Everything, Team, a_file
from tests.mlflow_api.speaking import Mlflow, error_of

CONTENT = bytes(range(256)) * 40


@pytest.fixture
def url(team: Team, things: Everything) -> str:
    a_file(team.engineer, things.run, "data/numbers.bin", CONTENT)
    return f"2.0/mlflow-artifacts/artifacts/{things.experiment.pk}/{things.run.uid.hex}/artifacts/data/numbers.bin"


def part(engineer: Mlflow, url: str, asked: str, **more: str) -> Any:
    return engineer.send("GET", url, headers={"range": asked, **more})


def content_of(answer: Any) -> bytes:
    return answer.getvalue()


def test_a_file_comes_whole_and_as_an_attachment(engineer: Mlflow, url: str) -> None:
    answer = engineer.send("GET", url)
    assert content_of(answer) == CONTENT
    assert answer["Content-Length"] == str(len(CONTENT))
    assert answer["Content-Disposition"] == "attachment; filename*=UTF-8''numbers.bin"
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("bytes=0-0", 0, 1), ("bytes=10-19", 10, 20), ("bytes=10000-", 10_000, 10_240), ("bytes=-5", 10_235, 10_240),
     ("bytes=10200-99999", 10_200, 10_240), ("bytes=-99999", 0, 10_240)],
)  # fmt: skip
def test_a_range_of_it_comes_alone(engineer: Mlflow, url: str, asked: str, start: int, end: int) -> None:
    answer = part(engineer, url, asked)
    assert answer.status_code == 206
    assert content_of(answer) == CONTENT[start:end]
    assert answer["Content-Range"] == f"bytes {start}-{end - 1}/{len(CONTENT)}"
    assert answer["Content-Length"] == str(end - start)


@pytest.mark.parametrize("asked", ["bytes=10240-", "bytes=99999-100000", "bytes=-0"])
def test_a_range_behind_the_end_is_refused(engineer: Mlflow, url: str, asked: str) -> None:
    answer = part(engineer, url, asked)
    assert answer.status_code == 416
    assert answer["Content-Range"] == f"bytes */{len(CONTENT)}"


@pytest.mark.parametrize(
    "asked", ["bytes=0-1,5-6", "lines=1-2", "bytes=a-b", "bytes=9-3", "bytes=-", "bytes=" + "9" * 30 + "-"]
)
def test_what_is_no_single_range_gets_the_whole(engineer: Mlflow, url: str, asked: str) -> None:
    answer = part(engineer, url, asked)
    assert (answer.status_code, content_of(answer)) == (200, CONTENT)


def test_a_range_of_an_older_content_gets_the_whole(engineer: Mlflow, url: str) -> None:
    answer = part(engineer, url, "bytes=0-4", **{"if-range": '"something else"'})
    assert (answer.status_code, content_of(answer)) == (200, CONTENT)


@pytest.mark.parametrize("known", ["{tag}", "W/{tag}", '"another", {tag}', "*"])
def test_what_the_client_has_is_not_sent_again(engineer: Mlflow, url: str, known: str) -> None:
    tag = engineer.send("GET", url)["ETag"]
    answer = engineer.send("GET", url, headers={"if-none-match": known.format(tag=tag)})
    assert (answer.status_code, answer.content) == (304, b"")


def test_what_the_client_has_of_other_content_is_sent(engineer: Mlflow, url: str) -> None:
    answer = engineer.send("GET", url, headers={"if-none-match": '"another", W/"third"'})
    assert (answer.status_code, content_of(answer)) == (200, CONTENT)


def test_an_empty_file_is_a_file(engineer: Mlflow, team: Team, things: Everything, url: str) -> None:
    a_file(team.engineer, things.run, "empty", b"")
    empty = url.replace("data/numbers.bin", "empty")
    assert content_of(engineer.send("GET", empty)) == b""
    assert part(engineer, empty, "bytes=0-").status_code == 416


def test_an_upload_that_breaks_off_leaves_nothing(engineer: Mlflow, url: str) -> None:
    torn = url.replace("numbers.bin", "torn.bin")
    announced = {"wsgi.input": io.BytesIO(b"half"), "CONTENT_LENGTH": "8"}
    answer = engineer.send("PUT", torn, **announced)
    assert error_of(answer) == (400, "INVALID_PARAMETER_VALUE")
    assert "broke off" in answer.json()["message"]
    assert error_of(engineer.send("GET", torn)) == (404, "RESOURCE_DOES_NOT_EXIST")


def test_an_upload_in_chunks_is_taken(engineer: Mlflow, url: str) -> None:
    chunked = url.replace("numbers.bin", "chunked.bin")
    stream = {"wsgi.input": io.BytesIO(CONTENT), "HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}
    assert engineer.send("PUT", chunked, **stream).status_code == 200
    assert content_of(engineer.send("GET", chunked)) == CONTENT


def test_an_upload_beyond_the_limit_is_refused(engineer: Mlflow, url: str, settings: Any) -> None:
    settings.MLED_MAX_UPLOAD_BYTES = 10
    answer = engineer.send("PUT", url.replace("numbers", "large"), body=b"x" * 11)
    assert error_of(answer) == (413, "INVALID_PARAMETER_VALUE")


def test_the_two_listings_name_files_their_own_way(engineer: Mlflow, things: Everything, url: str) -> None:
    folder = f"{things.experiment.pk}/{things.run.uid.hex}/artifacts/data"
    entry = {"is_dir": False, "file_size": len(CONTENT)}
    assert engineer.get("2.0/mlflow-artifacts/artifacts", path=folder)["files"] == [{"path": "numbers.bin", **entry}]
    listed = engineer.get("artifacts/list", run_id=things.run.uid.hex, path="data")
    assert listed["files"] == [{"path": "data/numbers.bin", **entry}]
    assert listed["root_uri"] == f"mlflow-artifacts:/{things.experiment.pk}/{things.run.uid.hex}/artifacts"


def test_an_experiment_with_a_place_of_its_own_keeps_its_files_here(engineer: Mlflow) -> None:
    place = "mlflow-artifacts:/teams/vision"
    made = engineer.post("experiments/create", name="own place", artifact_location=place)
    info = engineer.post("runs/create", experiment_id=made["experiment_id"])["run"]["info"]
    assert info["artifact_uri"] == f"{place}/{info['run_id']}/artifacts"
    url = f"2.0/mlflow-artifacts/artifacts/teams/vision/{info['run_id']}/artifacts/a.txt"
    assert engineer.send("PUT", url, body=b"here").status_code == 200
    assert content_of(engineer.send("GET", url)) == b"here"


def test_files_of_a_place_outside_are_not_taken(engineer: Mlflow) -> None:
    made = engineer.post("experiments/create", name="outside", artifact_location="s3://bucket/x")
    run = engineer.post("runs/create", experiment_id=made["experiment_id"])["run"]["info"]
    assert run["artifact_uri"] == f"s3://bucket/x/{run['run_id']}/artifacts"
    url = f"2.0/mlflow-artifacts/artifacts/{made['experiment_id']}/{run['run_id']}/artifacts/a.txt"
    assert error_of(engineer.send("PUT", url, body=b"x")) == (400, "INVALID_PARAMETER_VALUE")
