"""docker-compose.yml and the Dockerfile, run without an engine: their own commands, in their own environment, on a
PostgreSQL and a Valkey server of the run. Only names of hosts and directories are those of this machine."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.services.postgres import running_postgres
from tests.services.processes import ROOT, free_port, start, stop, wait_until

pytestmark = pytest.mark.once

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
PARTS = ["web", "worker", "runner", "sequencer"]


def image_environment() -> dict[str, str]:
    final = DOCKERFILE.rpartition("\nFROM ")[2]
    return dict(re.findall(r"(\w+)=(\S+)", "".join(re.findall(r"^ENV (.*)$", final, re.M))))


def health_command() -> list[str]:
    found = re.search(r"^HEALTHCHECK .*CMD (\[.*\])$", DOCKERFILE, re.M)
    assert found, "The image has no health check."
    return list(json.loads(found[1]))


@pytest.fixture(scope="module")
def database_url():
    with running_postgres() as url:
        yield url


@pytest.fixture
def here(database_url: str, valkey_url: str, tmp_path: Path):
    """How a container's environment reads on this machine."""

    def environment(service: dict[str, Any]) -> dict[str, str]:
        values = image_environment() | service["environment"]
        values = {name: re.sub(r"\$\{\w+:-(.*?)\}", r"\1", value) for name, value in values.items()}
        assert "@postgres:" in values["DATABASE_URL"]
        assert "//redis:" in values["REDIS_URL"]
        values |= {"DATABASE_URL": database_url, "REDIS_URL": valkey_url, "MLED_PORT": str(free_port())}
        values |= {"MLED_DATA": str(tmp_path / "data"), "MLED_STATIC_ROOT": str(tmp_path / "collected")}
        programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return {"PATH": programs, "HOME": str(tmp_path), "LANG": "C.UTF-8", **values}

    return environment


def run(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"


def test_every_part_starts_and_is_healthy(here, tmp_path):
    services = COMPOSE["services"]
    environments = {name: here(services[name]) for name in ["migrate", *PARTS]}
    collect = re.search(r"^RUN \S+=\S+ (python manage.py collectstatic.*)$", DOCKERFILE, re.M)
    assert collect
    run(collect[1].split(), environments["web"])
    run(services["migrate"]["command"], environments["migrate"])
    log = tmp_path / "log"
    with log.open("w") as words:
        running = {
            name: start(services[name]["command"], env=environments[name], stdout=words, stderr=words) for name in PARTS
        }
    try:
        checks = {"web": health_command(), "worker": services["worker"]["healthcheck"]["test"][1:]}
        for name, command in checks.items():
            wait_until(lambda: is_healthy(command, environments[name]), within=60, every=0.5, what=f"{name} is healthy")  # noqa: B023
        ended = [name for name, process in running.items() if process.poll() is not None]
        assert not ended, log.read_text()
    finally:
        codes = {name: stop(process, within=20) for name, process in running.items()}
    assert codes["web"] == 0, log.read_text()


def is_healthy(command: list[str], environment: dict[str, str]) -> bool:
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False).returncode == 0


def test_the_image_does_not_run_as_root():
    users = re.findall(r"^USER (\S+)$", DOCKERFILE, re.M)
    assert users[-1:] == ["mled"]
    assert "useradd --uid 10001" in DOCKERFILE


@pytest.mark.parametrize("name", list(COMPOSE["services"]))
def test_every_service_says_how_it_is_checked_and_when_it_restarts(name):
    service = COMPOSE["services"][name]
    assert "restart" in service
    from_the_image = service.get("image") == "mled" and "healthcheck" not in service
    assert from_the_image or "healthcheck" in service


def test_no_password_has_a_default():
    text = (ROOT / "docker-compose.yml").read_text()
    assert "${MLED_DB_PASSWORD:?" in text
    assert "${MLED_DB_PASSWORD:-" not in text


def test_what_the_image_leaves_out_is_what_git_leaves_out():
    """A local database, key or virtual environment must not travel in an image."""
    left_out = (ROOT / ".dockerignore").read_text().split()
    assert {".venv", "node_modules", "var", ".env", ".git", "static/dist"} <= set(left_out)
