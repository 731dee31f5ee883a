"""What the docs tell people to type is there: targets of make, commands of the server and the command line, files."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import get_commands

from mled.commands import COMMANDS
from tests.services.processes import answers, free_port, start, stop, wait_until
from tests.services.scale import sized

ROOT = Path(__file__).resolve().parents[2]
DOCS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

pytestmark = pytest.mark.once


def lines_to_type(path: Path) -> Iterator[str]:
    """The lines of shell blocks, and what stands in backticks."""
    text = path.read_text()
    for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
        yield from (line.partition("  #")[0].strip() for line in block.splitlines())
    yield from re.findall(r"`([^`\n]+)`", text)


def named(pattern: str) -> dict[str, set[str]]:
    """Words that follow a program in the docs -> the files that name them."""
    found: dict[str, set[str]] = {}
    for path in DOCS:
        for line in lines_to_type(path):
            for word in re.findall(pattern, line):
                found.setdefault(word, set()).add(path.name)
    return found


def test_each_target_of_make_is_there():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    told = named(r"^make ([a-z-]+)")
    assert {"up", "test", "demo"} <= set(told)
    assert {word: where for word, where in told.items() if word not in targets} == {}


def test_each_command_of_the_server_is_there():
    told = named(r"manage\.py ([a-z_]+)")
    assert len(told) > 15
    assert {word: where for word, where in told.items() if word not in get_commands()} == {}


def test_each_command_of_the_command_line_is_there():
    told = named(r"(?:^|\(|\| )(?:\.venv/bin/)?mled ([a-z][a-z-]+)")
    assert len(told) > 15
    assert {word: where for word, where in told.items() if word not in COMMANDS} == {}
    assert set(COMMANDS) - set(told) == set()


@pytest.mark.skipif(not sized(0, 1), reason="it prepares everything anew: with MLED_TEST_FULL=1 only")
def test_the_readmes_first_command_starts_it_in_a_fresh_clone(tmp_path):
    subprocess.run(["git", "clone", "-q", str(ROOT), str(tmp_path / "clone")], check=True)
    (target, *_) = re.findall(r"```sh\nmake (\S+)", (ROOT / "README.md").read_text())
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MLED_", "DJANGO_"))}
    environment |= {"MLED_PORT": str(port), "MLED_DATA": str(tmp_path / "data")}
    with (tmp_path / "log").open("w") as log:
        started = start(["make", "-C", str(tmp_path / "clone"), target], env=environment, stdout=log, stderr=log)
    try:
        wait_until(lambda: answers(port), within=300, what="MLED answers")
        assert "set-up" in (tmp_path / "log").read_text()
    finally:
        stop(started, by=signal.SIGTERM)


def test_each_link_between_documents_leads_somewhere():
    broken = {
        f"{path.relative_to(ROOT)}: {link}"
        for path in [*DOCS, *(ROOT / "docs" / "adr").glob("*.md")]
        for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text())
        if "://" not in link and not link.startswith(("mailto:", "/")) and not (path.parent / link).exists()
    }
    assert broken == set()
