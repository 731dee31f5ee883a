"""Bundles of a real history, the verifier as strangers have it, and somebody who changes bundles."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import importlib.util
import io
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from django.db.models import Q

from accounts.models import Project
from audit.compliance.actions.bundles import seal_bundle
from audit.compliance.reports.bundle import BundleFile, Content, content_of, write_bundle
from audit.compliance.reports.sealed_zip import SealedZip
from audit.ledger import checkpoints, keys, merkle
from audit.ledger.queries.extract import places_of
from audit.ledger.queries.proofs import newest_checkpoint
from audit.ledger.sequencer import Sequencer
from kernel.actor import Actor
from kernel.digests import canonical_json, commitment

VERIFIER = Path(__file__).parents[2] / "audit" / "ledger" / "offline" / "mled_verify.py"


def _loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("stranger", VERIFIER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


stranger = _loaded()


@dataclasses.dataclass(frozen=True)
class Said:
    """What the verifier said."""

    code: int
    text: str


def verify(path: Path, *more: Any) -> Said:
    """The verifier in this process."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = stranger.main([str(path), *map(str, more)])
    return Said(code, out.getvalue())


def verify_apart(path: Path, *more: Any, python: tuple[str, ...] = (sys.executable,)) -> Said:
    """The verifier as a stranger runs it: a process of its own that sees nothing of MLED."""
    command = [*python, "-I", str(VERIFIER), str(path), *map(str, more)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    assert "Traceback" not in done.stderr, done.stderr
    return Said(done.returncode, done.stdout + done.stderr)


def a_file(name: str, content: bytes) -> BundleFile:
    """A file of a report."""
    return BundleFile(name, len(content), hashlib.sha256(content).hexdigest(), lambda: iter([content]))


def sealed(actor: Actor, project: Project, *, files: tuple[BundleFile, ...] = (), matching: Q | None = None) -> Content:
    """A bundle's content of the events of a project under the newest head."""
    head = newest_checkpoint()
    assert head is not None
    places = places_of(project.pk, matching or Q(), size=head.size)
    return content_of(project, {"kind": "log"}, places, (head.size, head.root, head.at), files)


def written(actor: Actor, project: Project, content: Content, path: Path) -> Path:
    """Seal it, wait for the checkpoint, write it."""
    event = seal_bundle(actor, project, manifest=content.manifest, question="{}")
    Sequencer().run_until_empty()
    with path.open("wb") as out:
        write_bundle(content, event, out)
    return path


# --- Somebody who changes bundles: members are taken out, changed, and put into a new archive with right checksums


Members = dict[str, bytes]


def taken_apart(path: Path) -> Members:
    """The members by name."""
    archive = stranger.Archive(str(path))
    found = {name: archive.bytes_at(start, size) for name, (start, size, _) in archive.members.items()}
    archive.file.close()
    return found


def put_together(members: Members, path: Path) -> Path:
    """An archive that is laid out as MLED's are."""
    with path.open("wb") as out:
        archive = SealedZip(out)
        for name, content in members.items():
            archive.add(name, [content])
        archive.close()
    return path


def lines_of(members: Members) -> list[dict[str, Any]]:
    return [json.loads(line) for line in members["events.jsonl"].splitlines()]


def as_line(event: dict[str, Any]) -> bytes:
    """A line as the log writes it."""
    salt = b"null" if event["salt"] is None else b'"%s"' % event["salt"].encode()
    leaf, payload = canonical_json(event["leaf"]), canonical_json(event["payload"])
    return b'{"seq":%d,"leaf_hash":"%s","leaf":%s,"salt":%s,"payload":%s}\n' % (
        event["seq"], event["leaf_hash"].encode(), leaf, salt, payload,
    )  # fmt: skip


def with_lines(members: Members, lines: list[bytes]) -> Members:
    return {**members, "events.jsonl": b"".join(lines)}


def committed_anew(event: dict[str, Any]) -> dict[str, Any]:
    """The event with commitment and leaf hash that fit what it says now."""
    leaf = {**event["leaf"], "commitment": commitment(bytes.fromhex(event["salt"]), canonical_json(event["payload"]))}
    return {**event, "leaf": leaf, "leaf_hash": merkle.leaf_hash(canonical_json(leaf)).hex()}


def rewritten(members: Members, event: dict[str, Any], key: keys.SigningKey) -> Members:
    """An event exchanged, every hash over it made to fit, and the new head signed with a key of the forger's own."""
    lines = [committed_anew(event) if one["seq"] == event["seq"] else one for one in lines_of(members)]
    proofs = json.loads(members["proofs.json"])
    nodes = {tuple(map(int, name.split("-"))): bytes.fromhex(told) for name, told in proofs["nodes"].items()}
    hashes = {one["seq"]: bytes.fromhex(one["leaf_hash"]) for one in lines}

    def root_of(start: int, end: int) -> bytes:
        if not any(start <= seq < end for seq in hashes):
            return nodes[start, end]
        if end - start == 1:
            return hashes[start]
        middle = start + merkle.split(end - start)
        return merkle.node_hash(root_of(start, middle), root_of(middle, end))

    root = root_of(0, proofs["size"])
    proofs["root"] = root.hex()
    proofs["nodes"] = {name: root_of(*map(int, name.split("-"))).hex() for name in proofs["nodes"]}
    return {
        **with_lines(members, [as_line(one) for one in lines]),
        "checkpoint": checkpoints.sign(key, proofs["size"], root).encode(),
        "proofs.json": json.dumps(proofs, separators=(",", ":")).encode(),
        "pubkey": f"{key.public.line()}\n".encode(),
    }
