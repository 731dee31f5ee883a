"""An export holds everything that the viewer may see, at one moment, and can be read with plain tools."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from typing import Any

import pytest

from tests.factories import a_batch, a_run, a_team, log_batch
from tests.services.processes import ROOT
from tests.transfer.moving import exported, opened
from tests.transfer.projects import a_rich_project

pytestmark = pytest.mark.django_db
VERIFIER = ROOT / "audit/ledger/offline/mled_verify.py"


def test_a_manager_gets_everything_with_the_log_and_the_same_digest_again():
    rich = a_rich_project()
    one = exported(rich.team.manager, rich.team.project, with_log=True)
    assert one.state == "done", one.failure
    archive = opened(one)
    manifest = json.loads(archive.read("manifest.json"))
    assert one.counts == manifest["counts"]
    assert (manifest["counts"]["runs"], manifest["counts"]["points"], manifest["log"]["waiting"]) == (4, 3014, 0)
    assert "ledger/project.mledlog" in archive.namelist()
    again = exported(rich.team.manager, rich.team.project)
    assert again.digest == one.digest == manifest["digest"]
    second = opened(again)
    same = set(archive.namelist()) - {"manifest.json", "ledger/project.mledlog"}
    assert [name for name in same if archive.read(name) != second.read(name)] == []


def test_a_stranger_computes_the_digest_and_verifies_the_log_with_nothing_but_python(tmp_path):
    """As docs/archive.md tells: no code of ours but the offline verifier."""
    team = a_team()
    run = a_run(team.scientist, name="größe\u2028 \x7f", tags={"mled.import.author": "Zoë", "t": 'quo"te \\ \n'})
    log_batch(team.scientist, run, batch=a_batch(loss=[1, 2], params={"lr": "1e-3"}))
    archive = opened(exported(team.manager, team.project, with_log=True))
    manifest = json.loads(archive.read("manifest.json"))
    for kind, wanted in manifest["content"].items():
        digest = hashlib.sha256()
        for line in archive.read(f"{kind}.jsonl").decode().split("\n")[:-1]:
            told = json.loads(line)
            del told["claims"]
            if "tags" in told:
                told["tags"] = {key: text for key, text in told["tags"].items() if not key.startswith("mled.import.")}
            digest.update(plain(told) + b"\n")
        assert digest.hexdigest() == wanted, kind
    assert hashlib.sha256(plain(manifest["content"])).hexdigest() == manifest["digest"]
    bundle = tmp_path / "project.mledlog"
    bundle.write_bytes(archive.read("ledger/project.mledlog"))
    verified = subprocess.run([sys.executable, str(VERIFIER), str(bundle)], capture_output=True, text=True, check=False)
    assert verified.returncode == 0, verified.stdout + verified.stderr


def plain(told: dict[str, Any]) -> bytes:
    return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
