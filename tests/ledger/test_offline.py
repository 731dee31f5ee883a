"""The sealed bundle and the verifier that strangers have: what holds, and what is found."""

from __future__ import annotations

import ast
import json
import zipfile
from pathlib import Path

import pytest
from django.db.models import Q

from audit.compliance.actions.bundles import seal_bundle
from audit.compliance.queries.log import log_lines
from audit.compliance.reports.bundle import write_bundle
from audit.compliance.reports.sealing import is_covered
from audit.ledger import anchors, checkpoints, keys, sequencer
from audit.ledger.models import AuditEvent, Checkpoint, Leaf
from audit.ledger.queries.multiproof import LogTree
from audit.ledger.queries.proofs import consistency_between
from audit.ledger.queries.search import Question
from audit.ledger.sequencer import Sequencer
from audit.ledger.verify import verify_ledger
from experiments.actions.batches import log_batch
from experiments.actions.runs import set_tags
from kernel.actor import operator
from kernel.errors import Conflict
from tests.factories import a_batch, a_run, a_team
from tests.ledger import bundles, forger
from tests.ledger.bundles import a_file, put_together, sealed, taken_apart, verify, verify_apart, written

pytestmark = pytest.mark.django_db

FILES = (a_file("report-1.pdf", b"%PDF-1.7 pages"), a_file("report.csv", b"run,loss\nSEP-1,0.5\n"))


@pytest.fixture
def team(monkeypatch):
    """A project with runs, and another one whose events lie between, in a log with heads every seven events."""
    monkeypatch.setattr(sequencer, "BATCH", 7)
    mine, others = a_team(), a_team()
    for number in range(5):
        run = a_run(mine.scientist, name=f"gru-{number}")
        log_batch(mine.scientist, run, batch=a_batch(params={"lr": f"0.{number}1"}, loss=[0.9, 0.5]))
        set_tags(mine.engineer, run, tags={"note": 'Größe "1 µm"\nzwei', "n": str(number)})
        a_run(others.scientist, name="secret-of-others")
    Sequencer().run_until_empty()
    return mine


@pytest.fixture
def bundle(team, tmp_path) -> Path:
    return written(team.auditor, team.project, sealed(team.auditor, team.project, files=FILES), tmp_path / "b.mledlog")


def note(*, size: int) -> str:
    return Checkpoint.objects.filter(size=size).latest("id").note


def test_an_untouched_bundle_is_verified_and_says_what_was_checked(bundle, team):
    said = verify_apart(bundle, "--key", keys.public_file(), "--anchor", anchors.anchor_file())
    assert said.code == 0, said.text
    count = AuditEvent.objects.filter(project_id=team.project.pk).count()
    assert f"events      {count} of {count} are in the log" in said.text
    assert "files       2 of 2 and report.json" in said.text
    assert "WARNING" not in said.text
    assert f"{Leaf.objects.count()} events, root {Checkpoint.objects.latest('id').root}" in said.text
    said = verify(bundle)
    assert said.code == 0
    assert "no outside anchor given: the operator could have rewritten all of it" in said.text
    assert "the public key came with the bundle" in said.text


def test_it_verifies_without_any_package_installed(bundle, tmp_path):
    said = verify_apart(bundle, "--key", keys.public_file(), python=(bundles.sys.executable, "-S"))
    assert said.code == 0, said.text
    members = taken_apart(bundle)
    text = members["checkpoint"].decode()
    wrong = text[:-8] + ("A" if text[-8] != "A" else "B") + text[-7:]
    forged = put_together({**members, "checkpoint": wrong.encode()}, tmp_path / "forged.mledlog")
    said = verify_apart(forged, python=(bundles.sys.executable, "-S"))
    assert said.code == 1
    assert "signature" in said.text


def test_it_is_one_short_file_of_old_python_that_imports_nothing_of_mled():
    text = bundles.VERIFIER.read_text()
    assert len(text.splitlines()) < 400
    tree = ast.parse(text, feature_version=(3, 8))
    named = {name.name.split(".")[0] for one in ast.walk(tree) if isinstance(one, ast.Import) for name in one.names}
    named |= {one.module.split(".")[0] for one in ast.walk(tree) if isinstance(one, ast.ImportFrom)}
    assert named <= {*bundles.sys.stdlib_module_names, "cryptography"}


def test_plain_python_and_the_package_agree_about_signatures():
    key = keys.new_key("log.example.org")
    for number in range(12):
        message = b"x" * number
        signature = key.sign(message)
        assert bundles.stranger.accepts_plain(key.public.raw, signature, message)
        for place in (0, 31, 32, 63):
            wrong = bytearray(signature)
            wrong[place] ^= 1 << (number % 8)
            for accepts in (bundles.stranger.accepts_plain, bundles.stranger.accepts):
                assert not accepts(key.public.raw, bytes(wrong), message)
        grown = int.from_bytes(signature[32:], "little") + bundles.stranger.ORDER
        again = signature[:32] + grown.to_bytes(32, "little")
        assert not bundles.stranger.accepts_plain(key.public.raw, again, message)
        assert not bundles.stranger.accepts(key.public.raw, again, message)
    assert not bundles.stranger.accepts_plain(b"\xff" * 32, bytes(64), b"")


def test_any_zip_tool_opens_it_and_nothing_of_other_projects_is_in_it(bundle):
    with zipfile.ZipFile(bundle) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [*bundles.stranger.MEMBERS, "files/report-1.pdf", "files/report.csv"]
        assert archive.read("files/report.csv") == b"run,loss\nSEP-1,0.5\n"
        assert b"python mled_verify.py" in archive.read("README.txt")
    content = b"".join(taken_apart(bundle).values())
    assert b"secret-of-others" not in content
    foreign = AuditEvent.objects.filter(subject_type="experiments.run").exclude(
        project_id=json.loads(taken_apart(bundle)["report.json"])["project"]["id"]
    )
    for event in foreign:
        assert event.id.hex.encode() not in content


def test_the_same_content_is_the_same_bytes(team, tmp_path):
    content = sealed(team.auditor, team.project, files=FILES)
    assert sealed(team.auditor, team.project, files=FILES) == content
    one = written(team.auditor, team.project, content, tmp_path / "one")
    event = AuditEvent.objects.get(verb="compliance.seal_bundle").id
    with (tmp_path / "two").open("wb") as out:
        write_bundle(content, event, out)
    assert (tmp_path / "two").read_bytes() == one.read_bytes()


def test_it_waits_for_its_checkpoint(team, tmp_path):
    content = sealed(team.auditor, team.project)
    event = seal_bundle(team.auditor, team.project, manifest=content.manifest, question="{}")
    assert not is_covered(event)
    with (tmp_path / "early").open("wb") as out, pytest.raises(Conflict, match="awaits its checkpoint"):
        write_bundle(content, event, out)
    Sequencer().run_until_empty()
    assert is_covered(event)


def test_a_part_of_the_log_is_proven_by_itself(team, tmp_path):
    content = sealed(team.auditor, team.project, matching=Q(verb="experiments.set_tags"))
    said = verify(written(team.auditor, team.project, content, tmp_path / "part.mledlog"))
    assert said.code == 0, said.text
    assert "events      6 of 6" in said.text  # five, and the one that sealed them


def test_a_bundle_of_nothing_still_says_so(team, tmp_path):
    content = sealed(team.auditor, team.project, matching=Q(verb="never"))
    said = verify(written(team.auditor, team.project, content, tmp_path / "empty.mledlog"))
    assert (said.code, "events      1 of 1" in said.text) == (0, True), said.text


def test_the_nodes_of_many_paths_are_those_of_each(team):
    whole = bundles.stranger.Tree
    leaves = [bytes.fromhex(one) for one in Leaf.objects.order_by("seq").values_list("leaf_hash", flat=True)]
    for size in (1, 2, 3, 7, 20):
        tree = LogTree(size)
        root = tree.range_hash(0, size)
        for places in ([0], [size - 1], list(range(size)), list(range(0, size, 3))):
            nodes = {f"{start}-{end}": node.hex() for start, end, node in tree.nodes(places)}
            shown = whole(size, root, {"size": size, "root": root.hex(), "nodes": nodes})
            assert all(shown.has(place, leaves[place]) for place in places)
            assert all(shown.known[place] == node for place, node in shown.nodes.items())
            assert not whole(size, root, {"size": size, "root": root.hex(), "nodes": nodes}).has(places[0], b"\0" * 32)
        for old in range(1, size + 1):
            assert tree.consistency_with(old) == consistency_between(old, size)
            proof = list(tree.consistency_with(old))
            assert bundles.stranger.both_roots(old, size, proof, LogTree(old).range_hash(0, old))[1] == root
            assert proof == []


# --- What was erased


def erase(event: AuditEvent, basis: str = "GDPR 17(1)(a)") -> None:
    from accounts.actions.erasing import erase_payloads

    erase_payloads(operator(), events=[event.id], reason=basis)


def test_what_was_erased_is_accepted_with_the_event_that_erased_it(team, tmp_path):
    event = AuditEvent.objects.filter(project_id=team.project.pk, verb="experiments.set_tags").first()
    erase(event)
    Sequencer().run_until_empty()
    content = sealed(team.auditor, team.project, matching=Q(verb="experiments.set_tags"))
    path = written(team.auditor, team.project, content, tmp_path / "erased.mledlog")
    said = verify(path)
    assert said.code == 0, said.text
    place = Leaf.objects.get(event_id=event.id).seq
    assert f"event {place}: redacted by operator on" in said.text
    assert "basis: GDPR 17(1)(a)" in said.text
    lines = [
        line for line in taken_apart(path)["events.jsonl"].splitlines(keepends=True) if b"erase_payloads" not in line
    ]
    said = verify(put_together(bundles.with_lines(taken_apart(path), lines), tmp_path / "forged"))
    assert said.code == 1, said.text


def test_what_is_erased_after_sealing_comes_with_its_event(team, tmp_path):
    content = sealed(team.auditor, team.project, matching=Q(verb="experiments.set_tags"))
    event = seal_bundle(team.auditor, team.project, manifest=content.manifest, question="{}")
    erase(AuditEvent.objects.filter(project_id=team.project.pk, verb="experiments.set_tags").first())
    Sequencer().run_until_empty()
    with (tmp_path / "later").open("wb") as out:
        write_bundle(content, event, out)
    said = verify(tmp_path / "later")
    assert (said.code, "redacted by operator" in said.text) == (0, True), said.text


def test_what_is_erased_between_has_to_be_asked_for_again(team, tmp_path):
    content = sealed(team.auditor, team.project, matching=Q(verb="experiments.set_tags"))
    erase(AuditEvent.objects.filter(project_id=team.project.pk, verb="experiments.set_tags").first())
    event = seal_bundle(team.auditor, team.project, manifest=content.manifest, question="{}")
    Sequencer().run_until_empty()
    with (tmp_path / "between").open("wb") as out, pytest.raises(Conflict, match="erased since"):
        write_bundle(content, event, out)


# --- Keys and anchors


def test_a_head_signed_by_two_keys_is_verified_by_either(team, tmp_path):
    from audit.ledger.rotation import rotate_key

    old = keys.public_file().read_text()
    rotate_key(operator(), reason="yearly")
    path = written(team.auditor, team.project, sealed(team.auditor, team.project), tmp_path / "rotated.mledlog")
    new = tmp_path / "new.pub"
    new.write_text(keys.public_file().read_text().removeprefix(old))
    assert verify(path, "--key", new, "--anchor", anchors.anchor_file()).code == 0
    (tmp_path / "old.pub").write_text(old)
    said = verify(path, "--key", tmp_path / "old.pub")
    assert (said.code, "which you do not trust" in said.text) == (1, True)
    at = Checkpoint.objects.filter(note__contains="\n— ").order_by("-size")
    both = next(one for one in at if len(checkpoints.parse(one.note).signatures) == 2)
    assert (
        bundles.stranger.head_in(both.note, *[bundles.stranger.keys_in(old + new.read_text(), "k")] * 2)[1] == both.size
    )


def test_an_operator_who_rewrites_everything_is_found_by_key_and_by_anchor_alone(team, tmp_path, settings):
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "ledger.pub").write_bytes(keys.public_file().read_bytes())
    (kept / "checkpoints.log").write_bytes(anchors.anchor_file().read_bytes())
    one_note = note(size=Leaf.objects.count())
    mine = keys.new_key("log.example.org")
    with forger.forging():
        place = Leaf.objects.get(event_id=AuditEvent.objects.filter(verb="experiments.set_tags").first().id).seq
        forger.sql("UPDATE ledger_auditevent SET client = 'another' WHERE id = %s", forger.event_of(place))
        forger.recompute_hashes(sign_with=mine)
        settings.MLED_SIGNING_KEY = mine.line()
        keys.public_file().write_text(mine.public.line() + "\n")
        path = written(team.auditor, team.project, sealed(team.auditor, team.project), tmp_path / "forged.mledlog")
    said = verify(path)
    assert (said.code, said.text.count("WARNING")) == (0, 2), said.text
    assert verify(path, "--key", kept / "ledger.pub").code == 1
    assert verify(path, "--anchor", kept / "checkpoints.log").code == 1
    (kept / "one-note").write_text(one_note)
    assert verify(path, "--anchor", kept / "one-note").code == 1


def test_an_older_copy_of_the_anchor_is_compared_as_far_as_it_goes(team, bundle, tmp_path):
    lines = anchors.anchor_file().read_text().splitlines(keepends=True)
    older = tmp_path / "older.log"
    older.write_text("".join(lines[:-2]) + '{"checkpoint": 9, "no')
    said = verify(bundle, "--anchor", older)
    assert (said.code, "WARNING: no" in said.text) == (0, False), said.text
    met = int(said.text.split("anchor ")[1].split()[0])
    assert 2 <= met <= len(lines) - 2
    older.write_text(checkpoints.sign(keys.signing_key(), 1_000_000, b"\1" * 32))
    said = verify(bundle, "--anchor", older)
    assert (said.code, "no head of the anchor could be compared" in said.text) == (0, True), said.text
    other = keys.new_key("other.example.org")
    older.write_text(checkpoints.sign(other, 3, b"\1" * 32))
    assert verify(bundle, "--anchor", older).code == 1
    older.write_bytes(b"\xff\xfe nothing")
    assert verify(bundle, "--anchor", older).code == 2


def test_an_export_of_the_log_is_compared_line_by_line(team, bundle, tmp_path):
    export = tmp_path / "log.jsonl"
    lines = list(log_lines(team.auditor, team.project, Question(), size=Leaf.objects.count()))
    export.write_bytes(b"".join(lines))
    said = verify(bundle, "--log", export)
    assert (said.code, f"{len(lines)} lines fit" in said.text) == (0, True), said.text
    export.write_bytes(b"".join(lines).replace(b"gru-1", b"gru-9"))
    said = verify(bundle, "--log", export)
    assert (said.code, "not what the log committed to" in said.text) == (1, True)


def test_sealing_is_an_event_that_leaves_the_log_sound(team, bundle):
    findings = verify_ledger()
    assert findings.is_sound, findings.problems
    assert not any("compliance.bundle" in text for text in findings.remarks)
