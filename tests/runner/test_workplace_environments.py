"""Environments of jobs: really built by uv, from the index that this machine has."""

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from kernel.errors import Invalid
from runner.models import Environment as Kept
from runner.packages import Packages, read_packages
from runner.working import environments, environments_building
from runner.working.environments_building import interpreter_for, last_words
from runner.working.environments_index import in_words_of_uv, local_folders, networks_of_indexes, passwords_for_others
from runner.working.environments_installed import installed_in
from tests.services.processes import ROOT, exists, wait_until

pytestmark = pytest.mark.once
SMALL = "iniconfig==2.3.1\n"


@pytest.fixture(autouse=True)
def worker(tmp_path: Path, settings, monkeypatch) -> Path:
    """A worker's own folder; what uv fetched is shared with whoever tests here."""
    settings.MLED_RUNNER_DATA = str(tmp_path / "worker")
    monkeypatch.setenv("UV_CACHE_DIR", str(Path.home() / ".cache" / "uv"))
    return tmp_path / "worker" / "cache" / "environments"


def quiet(stage: str) -> None:
    """Nobody listens."""


def requirements(text: str) -> Packages:
    return read_packages({"requirements": text, "python": "3.11"})


def made(packages: Packages | None, told=quiet) -> Path:
    place, holds = environments._built(packages, interpreter_for("", told=quiet), name="a-job", told=told)
    os.close(holds)
    return place


def test_two_jobs_that_want_an_environment_at_once_build_it_once(worker: Path, monkeypatch):
    built = []
    build = environments_building.build

    def counted(*given, **more):
        built.append(given)
        build(*given, **more)

    monkeypatch.setattr(environments, "build", counted)
    places: list[Path] = []
    threads = [threading.Thread(target=lambda: places.append(made(requirements(SMALL)))) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(set(places)) == len(built) == 1
    assert installed_in(places[0] / "venv") == ["iniconfig==2.3.1"]
    assert list((places[0] / "venv").rglob("__pycache__/*iniconfig*")) or list((places[0] / "venv").rglob("*.pyc"))


def test_one_that_was_half_built_is_built_anew(worker: Path):
    place = made(None)
    (place / "venv" / "left-behind").write_text("by a worker that died")
    place.with_suffix(".ready").unlink()
    assert made(None) == place
    assert not (place / "venv" / "left-behind").exists()
    assert (place / "venv" / "bin" / "python").exists()


def test_a_package_that_is_not_there_is_told_in_the_last_words_of_uv_and_nothing_stays(worker: Path):
    with pytest.raises(Invalid, match=r"(?s)cannot be built: .*surely-no-such-package-mled.*not found"):
        made(requirements("surely-no-such-package-mled==1\n"))
    assert not list(worker.glob("*.ready"))


def test_a_uv_lock_gives_exactly_what_it_names(worker: Path, tmp_path: Path):
    project = '[project]\nname = "study"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["iniconfig"]\n'
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(project)
    environments_building._uv(["lock", "--quiet", "--upgrade-package", "iniconfig==2.3.1"], quiet, at=folder)
    lock = (folder / "uv.lock").read_bytes()
    place = made(Packages(Kept.Kind.LOCK, "3.11", lock, project.encode()))
    assert installed_in(place / "venv") == ["iniconfig==2.3.1"]


def test_what_nobody_used_for_long_goes_unless_a_job_has_it(worker: Path):
    place, holds = environments._built(None, interpreter_for("", told=quiet), name="a-job", told=quiet)
    os.utime(place.with_suffix(".ready"), (0, 0))
    assert environments.collect(at_most=10**9, unused_seconds=3600) == 0
    os.close(holds)
    assert environments.collect(at_most=10**9, unused_seconds=3600) == 1
    assert not place.exists()


def test_pip_s_words_are_said_to_uv():
    told = in_words_of_uv(
        {
            "index-url": "https://index.example.org/simple",
            "extra-index-url": "\nfile:///a\nfile:///b",
            "find-links": "/wheels",
            "trusted-host": "index.example.org",
            "no-index": "false",
        }
    )
    assert told == {
        "UV_DEFAULT_INDEX": "https://index.example.org/simple",
        "UV_INDEX": "file:///a file:///b",
        "UV_FIND_LINKS": "/wheels",
        "UV_INSECURE_HOST": "index.example.org",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }
    assert in_words_of_uv({}) == {}


def test_a_build_reaches_the_index_that_the_operator_chose_and_sees_its_folders(tmp_path: Path):
    told = {"UV_DEFAULT_INDEX": "http://user:word@127.0.0.1:8000/simple", "UV_FIND_LINKS": f"{tmp_path},/not/there"}
    assert networks_of_indexes(told) == ["127.0.0.1"]
    assert local_folders({**told, "UV_INDEX": f"near=file://{tmp_path} far=https://x.example.org/y"}) == [tmp_path] * 2
    assert networks_of_indexes({"UV_DEFAULT_INDEX": "near=http://127.0.0.2/simple"}) == ["127.0.0.2"]


LOCK = """
version = 1
revision = 2
requires-python = "{python}"
[[package]]
name = "study"
version = "1"
source = {{ virtual = "." }}
dependencies = [{{ name = "foo" }}]
[[package]]
name = "foo"
version = "1.0"
source = {{ registry = "{url}/simple" }}
wheels = [{{ url = "{url}/foo-1.0-py3-none-any.whl", hash = "sha256:{hash}", size = 10 }}]
"""
PROJECT = """
[project]
name = "study"
version = "1"
requires-python = "{python}"
dependencies = ["foo"]
[tool.uv]
python-downloads-json-url = "{url}/pythons.json"
[[tool.uv.index]]
name = "internal"
url = "{url}/simple"
[tool.uv.sources]
foo = {{ index = "internal" }}
"""


@pytest.mark.parametrize("python", [">=3.11", ">=3.14"])
def test_a_project_leads_the_worker_to_no_address_of_its_own_network_nor_to_another_interpreter(
    worker: Path, monkeypatch, python: str
):
    monkeypatch.setenv("UV_INDEX_INTERNAL_USERNAME", "ada")
    monkeypatch.setenv("UV_INDEX_INTERNAL_PASSWORD", "of the operator")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    with socket.create_server(("127.0.0.1", 0)) as inside:
        told = {"url": f"http://127.0.0.1:{inside.getsockname()[1]}", "python": python, "hash": "0" * 64}
        inside.settimeout(0)
        lock = {"lock": LOCK.format(**told), "project_file": PROJECT.format(**told), "python": "3.11"}
        with pytest.raises(Invalid, match="cannot be built"):
            made(read_packages(lock))
        with pytest.raises(BlockingIOError):  # nobody came
            inside.accept()


def test_the_password_of_an_index_goes_to_the_address_that_the_operator_gave_it():
    given = {
        "UV_INDEX": "my-own=https://mirror.example.org/simple",
        "UV_INDEX_MY_OWN_PASSWORD": "x",
        "UV_INDEX_A_B": "y",
    }
    project = '[[tool.uv.index]]\nname = "my.own"\nurl = "https://{}/simple"\n'
    assert passwords_for_others(given, project.format("mirror.example.org").encode()) == set()
    assert passwords_for_others(given, project.format("evil.example.org").encode()) == {"UV_INDEX_MY_OWN_PASSWORD"}
    assert passwords_for_others(given, b"") == set()
    assert passwords_for_others(given, b"no toml") == {"UV_INDEX_MY_OWN_PASSWORD"}


def test_what_has_to_be_built_is_built_in_the_sandbox_and_not_into_the_shared_cache(sandbox, worker: Path):
    said: list[str] = []
    place = made(requirements("docopt==0.6.2\n"), said.append)
    assert "Building packages" in said
    assert installed_in(place / "venv") == ["docopt==0.6.2"]
    (module,) = (place / "venv").glob("lib/python*/site-packages/docopt.py")
    assert module.stat().st_nlink == 1
    assert {path.name for path in place.iterdir()} == {"venv"}


def test_a_link_in_the_place_of_an_environment_is_shown_to_no_job(worker: Path, tmp_path: Path, monkeypatch):
    """As packages may leave it that are built from sources: they may write where they are built."""
    secret = tmp_path / "worker" / "cache" / "inputs"
    secret.mkdir(parents=True)

    def build(packages, interpreter, venv: Path, **_) -> None:
        venv.symlink_to(secret)

    monkeypatch.setattr(environments, "build", build)
    with pytest.raises(Invalid, match="in the place of the environment"):
        made(requirements(SMALL))
    assert not list(worker.glob("*.ready"))


def test_a_link_to_packages_elsewhere_tells_nothing_of_them(tmp_path: Path):
    """The worker's own packages are no part of an environment that links to them."""
    there = tmp_path / "elsewhere" / "secret-1.dist-info"
    there.mkdir(parents=True)
    (there / "METADATA").write_text("Name: secret\nVersion: 1\n")
    packages = tmp_path / "venv" / "lib" / "python3.11" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "secret-1.dist-info").symlink_to(there)
    (packages / "circle-1.dist-info").symlink_to("circle-1.dist-info")
    assert installed_in(tmp_path / "venv") == []


def test_what_is_installed_is_read_without_following_a_link_or_waiting_for_a_pipe(tmp_path: Path):
    packages = tmp_path / "lib" / "python3.11" / "site-packages"
    for name in ("good-1.dist-info", "linked-1.dist-info", "piped-1.dist-info", "git-1.dist-info"):
        (packages / name).mkdir(parents=True)
    (packages / "good-1.dist-info" / "METADATA").write_text("Name: Good\nVersion: 1\n\nWords: of its description")
    (packages / "linked-1.dist-info" / "METADATA").symlink_to("/etc/passwd")
    os.mkfifo(packages / "piped-1.dist-info" / "METADATA")
    (packages / "git-1.dist-info" / "METADATA").write_text("Name: git-one\nVersion: 1\n")
    (packages / "git-1.dist-info" / "direct_url.json").write_text(
        '{"url": "https://ada:word@example.org/x", "vcs_info": {"vcs": "git", "commit_id": "abc"}}'
    )
    assert installed_in(tmp_path) == ["git-one @ git+https://example.org/x@abc", "Good==1"]


def test_the_last_words_are_short():
    said = "\n".join(["Using Python 3.11.7 environment at: /x", *(f"line {number}" for number in range(100))])
    assert last_words(said).splitlines() == [f"line {number}" for number in range(88, 100)]
    assert len(last_words("x" * 100_000)) == 2000
    assert last_words("") == "uv said nothing."


@pytest.mark.once
def test_what_a_worker_runs_to_build_packages_ends_with_the_worker_however_that_ends(tmp_path):
    told = tmp_path / "pid"
    script = (
        "import sys; from runner.working.environments_building import _run;"
        f"_run(['/bin/sh', '-c', 'echo $$ > {told}; exec sleep 600'], {{'PATH': '/bin:/usr/bin'}}, lambda stage: None)"
    )
    worker = subprocess.Popen([sys.executable, "manage.py", "shell", "-v0", "-c", script], cwd=ROOT)
    try:
        wait_until(lambda: told.exists() and told.read_text().strip(), within=30, what="it builds")
        worker.kill()
        worker.wait(10)
        wait_until(lambda: not exists(int(told.read_text())), within=10, what="nothing goes on")
    finally:
        worker.kill()
