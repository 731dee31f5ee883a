"""Artifacts up and down through the server."""

import os
from functools import partial

from bench.connection import Server, new_run
from bench.load import timed
from bench.writing import Measured, Size

BYTES = "application/octet-stream"


def _root(server: Server, experiment: str) -> str:
    """The path of a new run's artifacts, as MLflow's client makes it from the artifact URI."""
    connection = server.connect()
    uri = connection.get("runs/get", run_id=new_run(connection, experiment))["run"]["info"]["artifact_uri"]
    return "api/2.0/mlflow-artifacts/artifacts/" + str(uri).removeprefix("mlflow-artifacts:/").lstrip("/")


def artifact(server: Server, experiment: str, size: Size) -> Measured:
    connection, root = server.connect(), _root(server, experiment)
    content = os.urandom(1 << 20) * size.mebibytes

    def up(number: int) -> None:
        # A new name and a changed byte each time: a store that knows its content should not win by knowing it.
        connection.request("PUT", f"{root}/large-{number}.bin", bytes([number]) + content[1:], BYTES)

    def down() -> None:
        if connection.request("GET", f"{root}/large-0.bin")[1:] != content[1:]:
            raise RuntimeError("The large artifact came back changed.")

    yield "artifact.up", size.mebibytes / min(timed(partial(up, number)) for number in range(3))
    yield "artifact.down", size.mebibytes / min(timed(down) for _ in range(3))


def files(server: Server, experiment: str, size: Size) -> Measured:
    connection, root = server.connect(), _root(server, experiment)
    contents = [os.urandom(4096) for _ in range(size.files)]

    def up() -> None:
        for number, content in enumerate(contents):
            connection.request("PUT", f"{root}/files/{number}.bin", content, BYTES)

    def down() -> None:
        for number, content in enumerate(contents):
            if connection.request("GET", f"{root}/files/{number}.bin") != content:
                raise RuntimeError(f"File {number} came back changed.")

    yield "files.up", size.files / timed(up)
    yield "files.down", size.files / timed(down)
