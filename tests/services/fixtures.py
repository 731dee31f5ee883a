"""The fixtures that tests/services/__init__.py describes."""

from __future__ import annotations

import fcntl
import gc
import itertools
import os
import subprocess
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
import pytest_rerunfailures

from tests.services.once import mark_if_without_database
from tests.services.once import no_connection_without_asking as no_connection_without_asking
from tests.services.processes import ROOT

# Playwright keeps an event loop in the main thread, where the ORM of a browser test then runs as well.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"

COLLECT = "import django; django.setup(); from mled_site.supervise import preparing; preparing.collect_if_changed()"
# What starts servers, browsers or many processes. These come first, so that the end of a run is of short tests.
LONG = ("live_mled", "live_mled_on_s3", "own_live_mled", "page")
LIVE = (*LONG, "valkey_url", "s3_server", "sandbox", "registry")
LONG_PLACES = ("tests/client/", "tests/crash/", "tests/examples/", "tests/site/", "tests/ledger/test_ordinary_use")
# Whether each first try of a live part counts as failed at its end, to see that a second one holds.
TWICE = os.environ.get("MLED_TEST_TWICE") == "1"
DECLARED = "held, and declared failed as MLED_TEST_TWICE asks"
FLUSHES = ("transactional_db", "live_server", "django_db_reset_sequences")


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """What is loaded by now stays: the collector of garbage need not walk through it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def takes_long(item: pytest.Item) -> bool:
    return item.nodeid.startswith(LONG_PLACES) or any(name in LONG for name in getattr(item, "fixturenames", ()))


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses by the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not takes_long(item))
    for item in items:
        mark_if_without_database(item)
        if any(name in LIVE for name in getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.flaky(reruns=1))  # the run names it, see docs/adr/0054
        mark = item.get_closest_marker("django_db")
        flushes = any(name in FLUSHES for name in getattr(item, "fixturenames", ()))
        if flushes or (mark and (mark.kwargs.get("transaction") or (mark.args and mark.args[0]))):
            raise pytest.UsageError(
                f"{item.nodeid} would empty the tables afterwards, which the ledger's triggers refuse. "
                "Use the fixture committed_db, or live_mled for a server (tests/services/__init__.py)."
            )


@pytest.hookimpl(tryfirst=True)  # before its fixtures are made
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A second try has servers, databases and browsers of its own: the first may have stopped anywhere.

    pytest-rerunfailures keeps what belongs to more than the test; here it is ended, so that it is made anew.
    """
    if getattr(item, "execution_count", 1) > 1:
        pytest_rerunfailures._restore_suspended_finalizers(item)
        item.session._setupstate.teardown_exact(None)


@pytest.hookimpl(wrapper=True, trylast=True)  # within pytest-rerunfailures, which then sees a failure
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    is_first = getattr(item, "execution_count", 0) == 1 and item.get_closest_marker("flaky")
    if TWICE and is_first and report.when == "call" and report.passed:
        report.outcome, report.longrepr = "failed", DECLARED
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Why a test needed its second try."""
    for report in terminalreporter.stats.get("rerun", []):
        if report.longreprtext == DECLARED:
            continue
        terminalreporter.section(f"first try of {report.nodeid}", sep="_")
        terminalreporter.write_line(report.longreprtext)


@pytest.fixture(scope="session")
def shared_directory(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """One directory for all pytest workers of this run."""
    base = tmp_path_factory.getbasetemp()
    return base if worker_id == "master" else base.parent


@pytest.fixture(scope="session")
def databases(shared_directory: Path, worker_id: str, django_test_environment: None, django_db_blocker):
    from tests.services.databases import Databases

    run = os.getpid() if worker_id == "master" else os.getppid()
    made = Databases(shared_directory, run=run, worker=worker_id)
    with django_db_blocker.unblock():
        made.ensure_template()
    return made


@pytest.fixture(scope="session")
def django_db_setup(databases, django_db_blocker) -> Iterator[None]:
    """Replaces pytest-django's: the database that `db` tests roll back on is a clone as well."""
    with django_db_blocker.unblock():
        clone = databases.committed()
        clone.__enter__()
    yield
    with django_db_blocker.unblock():
        clone.__exit__(None, None, None)


@pytest.fixture
def committed_db(request: pytest.FixtureRequest, databases, django_db_setup: None, django_db_blocker) -> Iterator[str]:
    from tests.services.databases import url_of

    if "db" in request.fixturenames or request.node.get_closest_marker("django_db"):
        pytest.fail("A test takes either db or committed_db; a transaction cannot span both.")
    with django_db_blocker.unblock(), databases.committed() as name:
        yield url_of(name)


@pytest.fixture(scope="session")
def collected_static(shared_directory: Path) -> Path:
    """Static files with their manifest, collected once per run."""
    place = shared_directory / "static"
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "mled_site.settings",
        "DATABASE_URL": "sqlite://:memory:",
        "MLED_DATA": str(shared_directory / "collecting"),
        "MLED_STATIC_ROOT": str(place),
    }
    with (shared_directory / "static.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = shared_directory / "static.done"
        if not done.exists():
            subprocess.run([sys.executable, "-c", COLLECT], check=True, cwd=ROOT, env=environment)
            done.touch()
    return place


@pytest.fixture(scope="session")
def live_mled(
    databases, collected_static: Path, shared_directory: Path, worker_id: str, valkey_url: str, django_db_blocker
):
    place = new_folder(shared_directory / f"live-{worker_id}")
    yield from running_mled(databases, collected_static, place, valkey_url, django_db_blocker)


@pytest.fixture(scope="session")
def live_mled_on_s3(
    databases,
    collected_static: Path,
    shared_directory: Path,
    worker_id: str,
    valkey_url: str,
    s3_server,
    django_db_blocker,
):
    endpoint, place = s3_server.endpoint, new_folder(shared_directory / f"live-s3-{worker_id}")
    bucket = f"s3://{s3_server.bucket()}/live?endpoint={endpoint}&public={endpoint}"
    environment = {"MLED_BLOBS": bucket, **s3_server.environment}
    yield from running_mled(databases, collected_static, place, valkey_url, django_db_blocker, **environment)


@pytest.fixture
def own_live_mled(databases, collected_static: Path, tmp_path: Path, valkey_url: str, django_db_blocker):
    yield from running_mled(databases, collected_static, tmp_path / "live", valkey_url, django_db_blocker)


def new_folder(wanted: Path) -> Path:
    """This one, or one beside it: a second try has its own."""
    return next(place for n in itertools.count(1) if not (place := wanted.with_name(f"{wanted.name}-{n}")).exists())


def running_mled(databases, static_root: Path, data: Path, valkey_url: str, blocker, **environment: str):
    from tests.services.live import LiveMled

    database = databases.clone()
    environment["REDIS_URL"] = valkey_url
    live = LiveMled(database=database, data=data, static_root=static_root, blocker=blocker, **environment)
    try:
        yield live.start()
    finally:
        live.stop()
        databases.drop(database)


@pytest.fixture(scope="session")
def sandbox() -> None:
    """Tests that take it are skipped where no sandbox can be made, with the reason."""
    from tests.services.sandbox import skip_without

    skip_without()


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory):
    """A container registry that is open to everybody, skipped where there is none, with the reason."""
    from tests.services.registry import running_registry

    with running_registry(tmp_path_factory.mktemp("registry")) as server:
        yield server


@pytest.fixture(scope="session")
def s3_server():
    from tests.services.s3 import running_s3

    with running_s3() as server:
        yield server


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    from tests.services.valkey import running_valkey

    with running_valkey() as url:
        yield url
