"""Bundles that somebody changed: whatever it was, the verifier finds it, names it, and never falls over."""

from __future__ import annotations

import dataclasses
import json
import random
import struct
import zipfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from django.db import transaction
from django.db.models import Q
from django.test import override_settings

from accounts.actions.erasing import erase_payloads
from audit.ledger import keys, merkle, sequencer
from audit.ledger.models import AuditEvent, Checkpoint
from audit.ledger.sequencer import Sequencer
from experiments.actions.batches import log_batch
from experiments.actions.runs import set_tags
from kernel.actor import operator
from kernel.digests import canonical_json
from tests.factories import a_batch, a_run, a_team
from tests.ledger.bundles import (
    Members,
    Said,
    a_file,
    as_line,
    committed_anew,
    lines_of,
    put_together,
    rewritten,
    sealed,
    taken_apart,
    verify,
    with_lines,
    written,
)
from tests.services.scale import sized

pytestmark = pytest.mark.slow

CHANGES = sized(60, 1000)
PDF = bytes(range(256)) * 8


@dataclasses.dataclass(frozen=True)
class Made:
    """A bundle and what else a forger may have: another one of the same log, earlier heads. key: the public one."""

    sound: bytes
    part: Members
    notes: list[str]
    key: str


@pytest.fixture(scope="module")
def made(django_db_setup, django_db_blocker, tmp_path_factory) -> Made:
    """Of a project beside another, with an erasure, earlier heads and two files. Nothing stays in the database."""
    place = tmp_path_factory.mktemp("made")
    mine = override_settings(MLED_DATA=place, MLED_SIGNING_KEY="", MLED_LEDGER_ORIGIN="log.example.org")
    with django_db_blocker.unblock(), mine, pytest.MonkeyPatch.context() as patch, transaction.atomic():
        patch.setattr(sequencer, "BATCH", 5)
        found = _made(place)
        transaction.set_rollback(True)
    return found


def _made(place: Path) -> Made:
    team, others = a_team(), a_team()
    for number in range(4):
        run = a_run(team.scientist, name=f"gru-{number}")
        log_batch(team.scientist, run, batch=a_batch(params={"lr": f"0.{number}1"}, loss=[0.9]))
        set_tags(team.engineer, run, tags={"note": "zweiß"})
        a_run(others.scientist)
        Sequencer().run_until_empty()
    tagged = AuditEvent.objects.filter(project_id=team.project.pk, verb="experiments.set_tags").first()
    erase_payloads(operator(), events=[tagged.id], reason="GDPR 17(1)(a)")
    Sequencer().run_until_empty()
    content = sealed(
        team.auditor, team.project, files=(a_file("report-1.pdf", PDF), a_file("report.csv", b"a,b\n1,2\n"))
    )
    whole = written(team.auditor, team.project, content, place / "whole.mledlog")
    notes = list(Checkpoint.objects.order_by("pk").values_list("note", flat=True))
    some = sealed(operator(), team.project, matching=Q(verb="experiments.set_tags"))
    part = written(operator(), team.project, some, place / "part.mledlog")
    return Made(whole.read_bytes(), taken_apart(part), notes[:-1], keys.public_file().read_text())


@pytest.fixture
def key(made, tmp_path) -> Path:
    """The public key, from elsewhere than the bundle."""
    (tmp_path / "ledger.pub").write_text(made.key)
    return tmp_path / "ledger.pub"


@pytest.fixture
def bundle(made, tmp_path) -> Path:
    (tmp_path / "sound.mledlog").write_bytes(made.sound)
    return tmp_path / "sound.mledlog"


@pytest.fixture
def changed(bundle, key, tmp_path) -> Callable[[Members], Said]:
    """What the verifier says of other members in an archive with right checksums."""
    assert verify(bundle, "--key", key).code == 0

    def say(members: Members) -> Said:
        return verify(put_together(members, tmp_path / "changed.mledlog"), "--key", key)

    return say


# --- Each kind of change, and what is said of it


def test_a_line_that_is_left_out_doubled_or_moved_is_named(bundle, changed):
    members = taken_apart(bundle)
    lines = members["events.jsonl"].splitlines(keepends=True)
    seq = json.loads(lines[3])["seq"]
    said = changed(with_lines(members, lines[:3] + lines[4:]))
    assert (said.code, f"event {seq} is missing before it" in said.text) == (1, True), said.text
    said = changed(with_lines(members, [*lines[:4], lines[3], *lines[4:]]))
    assert (said.code, "line 5" in said.text, "order of the log" in said.text) == (1, True, True), said.text
    said = changed(with_lines(members, [lines[1], lines[0], *lines[2:]]))
    assert (said.code, "line 1" in said.text) == (1, True), said.text
    assert changed(with_lines(members, lines[:-1])).code == 1
    assert changed(with_lines(members, [])).code == 1


def test_what_an_event_says_cannot_be_changed_exchanged_or_taken_away(bundle, changed):
    members = taken_apart(bundle)
    events = lines_of(members)
    place = next(at for at, one in enumerate(events) if one["leaf"]["verb"] == "experiments.log_batch")

    def with_event(event: dict) -> Said:
        return changed(with_lines(members, [as_line(event if at == place else one) for at, one in enumerate(events)]))

    mine, other = events[place], next(one for one in events[place + 1 :] if one["payload"] is not None)
    where = f"events.jsonl line {place + 1}, event {mine['seq']}"
    assert with_event(mine).code == 0
    for event, words in (
        ({**mine, "payload": {**mine["payload"], "reason": "other"}}, "what it says is not what the log committed to"),
        ({**mine, "payload": other["payload"], "salt": other["salt"]}, "what it says is not what the log committed to"),
        ({**mine, "leaf": {**mine["leaf"], "verb": "nothing"}}, "the event was changed"),
        ({**mine, "payload": None, "salt": None}, "no event of the log erased it"),
        ({**mine, "payload": None}, "its salt or its payload was taken away"),
        ({**mine, "salt": mine["salt"].upper()}, "what it says is not what the log committed to"),
        (committed_anew({**mine, "payload": {"changes": []}}), "not in the log under the signed head"),
        ({**other, "seq": mine["seq"]}, "not in the log under the signed head"),
    ):
        said = with_event(event)
        assert (said.code, where in said.text, words in said.text) == (1, True, True), said.text


def test_an_event_that_is_put_in_is_found(bundle, changed):
    members = taken_apart(bundle)
    events = lines_of(members)
    leaf = {**events[2]["leaf"], "id": "0" * 32, "verb": "made.up"}
    fresh = {**events[2], "seq": events[-1]["seq"] + 1, "leaf": leaf}
    fresh["leaf_hash"] = merkle.leaf_hash(canonical_json(leaf)).hex()
    assert changed(with_lines(members, [*map(as_line, events), as_line(fresh)])).code == 1
    free = next(one["seq"] + 1 for one, after in pairwise(events) if after["seq"] > one["seq"] + 1)
    fresh["seq"] = free
    lines = sorted([*events, fresh], key=lambda one: one["seq"])
    said = changed(with_lines(members, [*map(as_line, lines)]))
    assert (said.code, f"event {free}" in said.text) == (1, True), said.text


def test_true_events_of_another_bundle_do_not_fit_in(made, bundle, changed):
    members, part = taken_apart(bundle), made.part
    for name in ("events.jsonl", "proofs.json", "checkpoint", "report.json", "consistency.json"):
        assert changed({**members, name: part[name]}).code in (1, 2), name
    assert (
        changed({**members, **{name: part[name] for name in ("events.jsonl", "proofs.json", "checkpoint")}}).code == 1
    )
    assert changed({**part, "report.json": members["report.json"]}).code == 1


def test_a_forger_with_a_key_of_their_own_is_found_with_a_key_or_without(bundle, changed, tmp_path):
    members = taken_apart(bundle)
    event = next(one for one in lines_of(members) if one["leaf"]["verb"] == "experiments.log_batch")
    forged = rewritten(members, {**event, "payload": {"changes": []}}, keys.new_key("log.example.org"))
    assert changed({**forged, "pubkey": members["pubkey"]}).code == 1
    assert changed(forged).code == 1
    said = verify(put_together(forged, tmp_path / "alone"))
    assert (said.code, "consistency.json" in said.text) == (1, True), said.text


@pytest.mark.parametrize("content", ["-----BEGIN PUBLIC KEY-----\n", "", "a+b\n", "\x00\udcff", "n+12345678+AAA!\n"])
def test_a_file_that_is_no_key_is_told_apart_from_a_bundle_that_is_none(bundle, tmp_path, content):
    other = tmp_path / "other.pub"
    other.write_text(content, errors="surrogateescape")
    said = verify(bundle, "--key", other)
    assert said.code == 2
    assert f"UNREADABLE: {other}" in said.text
    assert "no public key" in said.text


def test_an_older_head_and_another_key_do_not_fit(made, bundle, changed):
    members = taken_apart(bundle)
    assert members["checkpoint"].decode() not in made.notes
    for note in made.notes:
        assert changed({**members, "checkpoint": note.encode()}).code == 1
    assert changed({**members, "checkpoint": b"nothing"}).code == 2
    other = keys.new_key("log.example.org").public.line().encode() + b"\n"
    assert changed({**members, "pubkey": other}).code == 1
    assert changed({**members, "pubkey": members["pubkey"] + other}).code == 1


def test_files_and_what_names_them_cannot_be_changed(bundle, changed):
    members = taken_apart(bundle)
    said = changed({**members, "files/report-1.pdf": PDF + b" "})
    assert (said.code, "files/report-1.pdf: it is not the file that the log sealed" in said.text) == (1, True)
    assert changed({name: content for name, content in members.items() if name != "files/report.csv"}).code == 1
    assert changed({**members, "files/more.txt": b"more"}).code == 1
    assert changed({**members, "README.txt": b"Trust me."}).code == 1
    manifest = json.loads(members["report.json"])
    said = changed({**members, "report.json": canonical_json({**manifest, "title": "Another"})})
    assert (said.code, "seals another report.json" in said.text) == (1, True)


def test_proofs_that_are_changed_are_found(bundle, changed):
    members = taken_apart(bundle)
    for name in ("proofs.json", "consistency.json"):
        told = json.loads(members[name])
        nodes = told.get("nodes", told)
        first = next(iter(nodes))
        for fresh in (
            {**nodes, first: "ab" * 32 if name == "proofs.json" else ["ab" * 32]},
            {key: value for key, value in nodes.items() if key != first},
            {**nodes, "5-6": "ab" * 32},
            dict(reversed(nodes.items())),
        ):
            if fresh == nodes and list(fresh) == list(nodes):
                continue
            said = {**told, "nodes": fresh} if name == "proofs.json" else fresh
            raw = json.dumps(said, separators=(",", ":")).encode()
            assert changed({**members, name: raw}).code in (1, 2), fresh
        assert changed({**members, name: members[name] + b" "}).code == 1


NONSENSE = (b"", b"[]", b"{}", b"null", b'{"form": 1}', b"[" * 100_000, b"\xff\xfe", b'{"form":NaN}', b"1" * 5000)


def test_what_makes_no_sense_is_unreadable(bundle, changed):
    members = taken_apart(bundle)
    for content in NONSENSE:
        for name in ("report.json", "proofs.json", "consistency.json", "checkpoint", "events.jsonl", "pubkey"):
            assert changed({**members, name: content}).code in (1, 2), (name, content[:20])


def test_another_version_says_that_a_newer_verifier_is_needed(bundle, changed):
    members = taken_apart(bundle)
    manifest = json.loads(members["report.json"])
    said = changed({**members, "report.json": canonical_json({**manifest, "form": 2})})
    assert (said.code, "take a newer one" in said.text) == (2, True)


def test_what_is_no_bundle_is_unreadable(bundle, tmp_path):
    whole = bundle.read_bytes()
    path = tmp_path / "x"
    for content in (b"", b"hello", b"PK\3\4", whole[:-1], whole[: len(whole) // 2], whole[1:], whole + b"x", whole * 2):
        path.write_bytes(content)
        assert verify(path).code == 2
    assert verify(tmp_path / "absent").code == 2
    assert verify(tmp_path).code == 2


def test_packed_huge_doubled_and_missing_members_are_unreadable(bundle, tmp_path):
    members, path = taken_apart(bundle), tmp_path / "x"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", b"\0" * 50_000_000)
    said = verify(path)
    assert (said.code, "packed" in said.text) == (2, True), said.text
    for name in list(members)[:7]:
        rest = {one: content for one, content in members.items() if one != name}
        said = verify(put_together(rest, path))
        assert (said.code, f"'{name}' is missing" in said.text) == (2, True), said.text
    said = verify(put_together(dict(reversed(members.items())), path))
    assert (said.code, "order" in said.text) == (2, True), said.text
    whole = bytearray(bundle.read_bytes())
    struct.pack_into("<LL", whole, 18, 0xFFFFFFF0, 0xFFFFFFF0)
    path.write_bytes(whole)
    assert verify(path).code == 2


# --- Any change at all


def _flip_in_file(chance: random.Random, path: Path) -> bytes:
    whole = bytearray(path.read_bytes())
    whole[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
    return bytes(whole)


def _cut_file(chance: random.Random, path: Path) -> bytes:
    whole = path.read_bytes()
    return whole[: chance.randrange(len(whole))]


def _flip(chance: random.Random, members: Members) -> Members:
    name = chance.choice([one for one in members if members[one]])
    content = bytearray(members[name])
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    return {**members, name: bytes(content)}


def _insert(chance: random.Random, members: Members) -> Members:
    name = chance.choice(list(members))
    at = chance.randrange(len(members[name]) + 1)
    return {**members, name: members[name][:at] + chance.choice([b" ", b"\n", b"0", b"}"]) + members[name][at:]}


def _cut(chance: random.Random, members: Members) -> Members:
    name = chance.choice([one for one in members if members[one]])
    return {**members, name: members[name][: chance.randrange(len(members[name]))]}


def _lines(chance: random.Random, members: Members) -> Members:
    lines = members["events.jsonl"].splitlines(keepends=True)
    at, other = chance.sample(range(len(lines)), 2)
    way = chance.choice(["drop", "double", "swap", "move"])
    if way == "drop":
        del lines[at]
    elif way == "double":
        lines.insert(other, lines[at])
    elif way == "swap":
        lines[at], lines[other] = lines[other], lines[at]
    else:
        lines.insert(other, lines.pop(at))
    return with_lines(members, lines)


def _payloads(chance: random.Random, members: Members) -> Members:
    events = lines_of(members)
    whole = [at for at, one in enumerate(events) if one["payload"] is not None]
    at, other = chance.sample(whole, 2)
    way = chance.choice(["swap", "strip", "anew"])
    if way == "swap":
        for name in ("salt", "payload"):
            events[at][name], events[other][name] = events[other][name], events[at][name]
    elif way == "strip":
        events[at] |= {"salt": None, "payload": None}
    else:
        events[at]["payload"] = {"changes": []}
        events[at] = committed_anew(events[at])
    return with_lines(members, [as_line(one) for one in events])


def _forge(chance: random.Random, members: Members) -> Members:
    event = chance.choice([one for one in lines_of(members) if one["payload"] is not None])
    event["payload"] = {"changes": [], "reason": str(chance.random())}
    forged = rewritten(members, event, keys.new_key("log.example.org"))
    return forged if chance.random() < 0.5 else {**forged, "pubkey": members["pubkey"]}


def _nodes(chance: random.Random, members: Members) -> Members:
    told = json.loads(members["proofs.json"])
    name = chance.choice(list(told["nodes"]))
    if chance.random() < 0.5:
        del told["nodes"][name]
    else:
        told["nodes"][name] = chance.choice(list(set(told["nodes"].values()) - {told["nodes"][name]}))
    return {**members, "proofs.json": json.dumps(told, separators=(",", ":")).encode()}


ON_MEMBERS = (_flip, _insert, _cut, _lines, _payloads, _forge, _nodes)
ON_FILES = (_flip_in_file, _cut_file)


def test_whatever_is_changed_is_found(bundle, key, tmp_path):
    chance, members, sound = random.Random(20261122), taken_apart(bundle), bundle.read_bytes()
    path = tmp_path / "changed.mledlog"
    for number in range(CHANGES):
        way = chance.choice([*ON_MEMBERS, *ON_FILES, _flip, _lines])
        if way in ON_FILES:
            path.write_bytes(way(chance, bundle))
        else:
            put_together(way(chance, members), path)
        if path.read_bytes() == sound:
            continue
        said = verify(path, "--key", key)
        assert said.code in (1, 2), f"{number}: {way.__name__} was not found"
        assert said.text.startswith(("TAMPERED: ", "UNREADABLE: ")), said.text
        assert len(said.text.splitlines()) == 1, said.text
    assert verify(bundle, "--key", key).code == 0
