"""What a file costs the database on its way in and out: the same number of statements whatever lies there already."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import Everything, Team, a_file
from tests.mlflow_api.speaking import Mlflow

Upload = Callable[[str, bytes], None]


@contextmanager
def statements() -> Iterator[list[str]]:
    """What is asked of the database meanwhile."""
    told: list[str] = []
    with CaptureQueriesContext(connection) as captured:
        yield told
    told += [one["sql"] for one in captured.captured_queries]


@pytest.fixture
def folder(team: Team, things: Everything) -> str:
    a_file(team.engineer, things.run, "first.bin", b"first")
    return f"2.0/mlflow-artifacts/artifacts/{things.experiment.pk}/{things.run.uid.hex}/artifacts"


@pytest.fixture
def upload(engineer: Mlflow, folder: str) -> Upload:
    def send(path: str, content: bytes) -> None:
        kind = "application/octet-stream"
        answer = engineer.send("PUT", f"{folder}/{path}", body=content, content_type=kind)
        assert answer.status_code == 200, answer.content

    return send


def test_a_new_file_takes_few_statements(upload: Upload) -> None:
    upload("warm/up.bin", b"warm")
    with statements() as told:
        upload("a/deep/folder/new.bin", b"new")
    assert len(told) <= (9 if connection.vendor == "postgresql" else 13), told


def test_content_that_is_there_already_takes_fewer(upload: Upload) -> None:
    upload("one.bin", b"same")
    with statements() as told:
        upload("one.bin", b"same")
    assert len(told) <= (11 if connection.vendor == "postgresql" else 10), told  # the straight way finds the path taken


def test_a_download_takes_one_statement(engineer: Mlflow, folder: str) -> None:
    engineer.send("GET", f"{folder}/first.bin")
    with statements() as told:
        answer = engineer.send("GET", f"{folder}/first.bin")
    assert answer.getvalue() == b"first"
    assert len(told) == 1, told


def test_a_listing_takes_as_many_whatever_lies_deeper(engineer: Mlflow, folder: str, upload: Upload) -> None:
    where = {"path": folder.removeprefix("2.0/mlflow-artifacts/artifacts/")}
    counts = []
    for round_ in range(2):
        for number in range(3):
            upload(f"deep/{round_}/{number}/x.bin", b"x")
        with statements() as told:
            listed = engineer.get("2.0/mlflow-artifacts/artifacts", **where)["files"]
        assert {"deep", "first.bin"} <= {file["path"] for file in listed}
        counts.append(len(told))
    assert counts[0] == counts[1] <= 5
