"""Servers that the examples log to: files on disk, and files in S3."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.services.live import LiveMled
from tests.services.s3 import S3Server


@pytest.fixture(scope="session")
def live_on_s3(
    databases,
    collected_static: Path,
    shared_directory: Path,
    worker_id: str,
    valkey_url: str,
    django_db_blocker,
    s3_server: S3Server,
) -> Iterator[LiveMled]:
    """A server whose files lie in a bucket."""
    options = urlencode({"endpoint": s3_server.endpoint, "addressing": "path"})
    database = databases.clone()
    live = LiveMled(
        database=database,
        data=shared_directory / f"live-on-s3-{worker_id}",
        static_root=collected_static,
        blocker=django_db_blocker,
        REDIS_URL=valkey_url,
        MLED_BLOBS=f"s3://{s3_server.bucket()}/examples-{worker_id}?{options}",
        **s3_server.environment,
    )
    try:
        yield live.start()
    finally:
        live.stop()
        databases.drop(database)


@pytest.fixture(params=["disk", "s3"])
def server(request: pytest.FixtureRequest) -> LiveMled:
    """Each kind of store in turn."""
    return request.getfixturevalue({"disk": "live_mled", "s3": "live_on_s3"}[request.param])
