#!/usr/bin/env python3
"""Verify a sealed bundle of MLED offline: python mled_verify.py report.mledlog [--anchor FILE] [--key FILE]

Exit code 0: verified. 1: something was changed, and the first bad record is named. 2: it cannot be read.
Needs Python 3.8 or newer and nothing else; the package `cryptography` checks signatures where it is installed.

Checked is: each event is in the log under the signed head, by a path of its own; what it says is what the log committed
to, or an event erased it; the head is signed; an event names report.json by its digest, which names events and files.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import os
import re
import struct
import sys
import zlib
from typing import Any

try:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except Exception:  # not installed, or broken
    Ed25519PublicKey = None  # type: ignore[misc, assignment]

MEMBERS = ["README.txt", "events.jsonl", "checkpoint", "proofs.json", "consistency.json", "pubkey", "report.json"]
FORM, SMALL, LARGE, PIECE = 1, 64 << 20, 1 << 30, 1 << 20
EVENT = re.compile(r'\{"seq":(0|[1-9][0-9]{0,17}),"leaf_hash":"([0-9a-f]{64})","leaf":')
NOTE = re.compile(r"[^\n]+\n[0-9]+\n[A-Za-z0-9+/=]+\n\n(?:— [^\n]+\n)+")
PAYLOAD, SEAL = "ledger.auditpayload", "compliance.bundle"
PRIME, ORDER = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, PRIME - 2, PRIME) % PRIME


class Tampered(Exception):
    at = ""  # what is being read, for messages


def require(good: object, words: str, at: str = "") -> None:
    if not good:
        raise Tampered(f"{at or Tampered.at}: {words}")


def accepts_plain(key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether an Ed25519 signature (RFC 8032) is the key's, without any package."""

    def x_of(y: int, sign: int) -> int:
        square = (y * y - 1) * pow(D * y * y + 1, PRIME - 2, PRIME) % PRIME
        x = pow(square, (PRIME + 3) // 8, PRIME)
        x = x if (x * x - square) % PRIME == 0 else x * pow(2, (PRIME - 1) // 4, PRIME) % PRIME
        if (x * x - square) % PRIME or y >= PRIME or (x == 0 and sign):
            raise ValueError("no point of the curve")
        return PRIME - x if x & 1 != sign else x

    def added(one: Any, other: Any) -> Any:
        a, b = (one[1] - one[0]) * (other[1] - other[0]), (one[1] + one[0]) * (other[1] + other[0])
        c, d = 2 * one[3] * other[3] * D, 2 * one[2] * other[2]
        e, f, g, h = b - a, d - c, d + c, b + a
        return e * f % PRIME, g * h % PRIME, f * g % PRIME, e * h % PRIME

    def times(number: int, x: int, y: int) -> Any:
        total, point = (0, 1, 1, 0), (x, y, 1, x * y % PRIME)
        while number:
            total = added(total, point) if number & 1 else total
            point, number = added(point, point), number >> 1
        return total

    packed, scalar = int.from_bytes(key, "little"), int.from_bytes(signature[32:], "little")
    y, base = packed & (1 << 255) - 1, 4 * pow(5, PRIME - 2, PRIME) % PRIME
    hashed = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % ORDER
    try:
        point = added(times(scalar, x_of(base, 0), base), times(hashed, PRIME - x_of(y, packed >> 255), y))
    except ValueError:
        return False
    inverse = pow(point[2], PRIME - 2, PRIME)
    found = point[1] * inverse % PRIME | (point[0] * inverse % PRIME & 1) << 255
    return scalar < ORDER and found.to_bytes(32, "little") == signature[:32]


def accepts(key: bytes, signature: bytes, message: bytes) -> bool:
    """The same by the package `cryptography`, where it is installed and works."""
    if Ed25519PublicKey is None:
        return accepts_plain(key, signature, message)
    try:
        return Ed25519PublicKey.from_public_bytes(key).verify(signature, message) is None
    except Exception:  # InvalidSignature, or no point of the curve
        return False


class Archive:
    """A zip that is stored, in a fixed order, each byte of which is accounted for."""

    def __init__(self, path: str) -> None:
        self.file = open(path, "rb")  # noqa: SIM115 - open for the life of the process
        self.total, directory, at = os.path.getsize(path), b"", 0
        self.members: Any = {}
        while not at or self.bytes_at(at, 4) != b"PK\1\2":
            head = self.bytes_at(at, 30)
            if len(head) < 30 or head[:4] != b"PK\3\4":
                raise ValueError("it is cut short or damaged" if at else "it is no .mledlog file")
            _, _, _, method, _, _, crc, _, size, length, _ = struct.unpack("<4s5H3L2H", head)
            raw, start = self.bytes_at(at + 30, length), at + 30 + length
            name = raw.decode("ascii", "replace")
            if method:
                raise ValueError(f"'{name}' is packed: nothing in a bundle unfolds")
            laid_out = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, 33, crc, size, size, length, 0)
            if head != laid_out or name in self.members:
                raise ValueError(f"it is not laid out as MLED wrote it: '{name}'")
            of_it = (b"PK\1\2", 788, 20, 0, 0, 0, 33, crc, size, size, length, 0, 0, 0, 0, 0o100644 << 16, at)
            directory += struct.pack("<4s6H3L5H2L", *of_it) + raw
            self.members[name], at = (start, size, crc), start + size
        directory += struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, n := len(self.members), n, len(directory), at, 0)
        if self.total - at != len(directory) or self.bytes_at(at, len(directory)) != directory:
            raise ValueError("the directory at its end is cut short or was changed")
        if list(self.members)[: len(MEMBERS)] != MEMBERS:
            missing = [f"'{name}' is missing" for name in MEMBERS if name not in self.members]
            raise ValueError((missing or ["its members are not in their order"])[0])

    def bytes_at(self, start: int, size: int) -> bytes:
        self.file.seek(start)
        return self.file.read(min(size, self.total))

    def read(self, name: str, limit: int = SMALL) -> bytes:
        Tampered.at, (start, size, _) = name, self.members[name]
        if size > limit:
            raise ValueError(f"'{name}' is too large: {size:,} bytes")
        return self.bytes_at(start, size)

    def lines(self, name: str) -> Any:
        at, end = self.members[name][0], sum(self.members[name][:2])
        while at < end:
            self.file.seek(at)
            line = self.file.readline(min(end - at, SMALL))
            at += len(line)
            yield line

    def require_sums(self, told: Any) -> None:
        """Whether each member is the one that report.json names, and the zip's own checksums are right."""
        for name, (start, size, crc) in self.members.items():
            Tampered.at, digest, found = name, hashlib.sha256(), 0
            for at in range(start, start + size, PIECE):
                piece = self.bytes_at(at, min(PIECE, start + size - at))
                digest.update(piece)
                found = zlib.crc32(piece, found)
            require(told.get(name, digest.hexdigest()) == digest.hexdigest(), "it is not the file that the log sealed")
            require(found == crc, "its checksum in the zip was changed")


DECODER = json.JSONDecoder(parse_int=lambda digits: int(digits) if len(digits) < 20 else float(digits))


def strict(raw: bytes) -> Any:
    """JSON that is written in one way only."""
    found = DECODER.decode(raw.decode())
    again = json.dumps(found, separators=(",", ":")).encode()
    require(again == raw and re.fullmatch(rb'[-0-9a-z{}\[\]":,]*', raw), "it is not written as MLED writes it")
    return found


def keys_in(text: str, where: str) -> Any:
    """The public keys of a file: {id: (origin, key)}. Lines: <origin>+<id>+<base64 of 1 and the key>."""
    keys = {}
    for number, line in enumerate(text.splitlines() or [""], 1):
        Tampered.at = f"{where} line {number}"
        if not (found := re.fullmatch(r"([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})", line)):
            raise ValueError("this is no public key of a log; one is a line NAME+ID+KEY, as in ledger.pub")
        (origin, key_id, _), raw = found.groups(), base64.b64decode(found[3])
        named = hashlib.sha256(origin.encode() + b"\n" + raw).digest()[:4].hex()
        require(named == key_id and len(raw) == 33 and raw[0] == 1, "the key does not match its own id")
        keys[key_id] = (origin, raw[1:])
    return keys


def head_in(note: str, keys: Any, trusted: Any, sizes: Any = None) -> Any:
    """Origin, size, root and signers of a signed note whose signatures hold (looked at for these sizes; None: all)."""
    body, signed = note.split("\n\n")
    origin, size, root = body.split("\n")
    made = [base64.b64decode(line.split(" ")[-1], validate=True) for line in signed.split("\n")[:-1]]
    again = "".join(f"— {origin} {base64.b64encode(raw).decode()}\n" for raw in made)
    raw_root = base64.b64decode(root, validate=True)
    body = f"{origin}\n{int(size)}\n{base64.b64encode(raw_root).decode()}\n"
    require(f"{body}\n{again}" == note and len(raw_root) == 32, "it is not written as a signed head is")
    signers = {raw[:4].hex(): raw[4:] for raw in made}
    for key_id, signature in signers.items():
        require(key_id in keys, f"it was signed with key {key_id}, which is not among the keys")
        good = keys[key_id][0] == origin and (sizes is not None and int(size) not in sizes)
        good = good or accepts(keys[key_id][1], signature, body.encode())
        require(good, f"the signature of key {key_id} does not match")
    require(set(signers) & set(trusted), f"it was signed with {', '.join(signers) or 'no key'}, which you do not trust")
    return origin, int(size), raw_root, signers


def joined(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


class Tree:
    """The nodes of proofs.json. known: what was shown to be under the signed root."""

    def __init__(self, size: int, root: bytes, said: Any) -> None:
        require((said["size"], said["root"]) == (size, root.hex()), "it speaks of another head than the checkpoint")
        self.known, self.path, self.nodes, before = {(0, size): root}, [(0, size)], {}, (0, 0)
        for name, told in said["nodes"].items():
            start, end = map(int, name.split("-"))
            require(f"{start}-{end}" == name and (end, -start) > before, f"node {name[:50]} is not in its place")
            before, self.nodes[start, end] = (end, -start), bytes.fromhex(told)

    def has(self, seq: int, leaf: bytes) -> bool:
        """Whether a leaf stands there: hashed upwards until it meets what is known, at the latest the root."""
        path, shown = self.path, {}
        while not path[-1][0] <= seq < path[-1][1]:
            path.pop()
        while path[-1][1] - path[-1][0] > 1:
            start, end = path[-1]
            middle = start + (1 << (end - start - 1).bit_length() - 1)
            path.append((start, middle) if seq < middle else (middle, end))
        at, node = len(path) - 1, leaf
        while path[at] not in self.known:
            (start, end), (first, last) = path[at], path[at - 1]
            beside = (end, last) if start == first else (first, start)
            if beside not in self.nodes:
                return False
            shown[path[at]], shown[beside] = node, self.nodes[beside]
            node = joined(node, shown[beside]) if start == first else joined(shown[beside], node)
            at -= 1
        self.known.update(shown if self.known[path[at]] == node else {})
        return self.known[path[at]] == node


def both_roots(old: int, new: int, proof: Any, known: Any) -> Any:
    """The roots over `old` and `new` leaves that a consistency proof leads to (RFC 9162, 2.1.4); takes it to pieces."""
    if old == new:
        node = known or proof.pop()
        return node, node
    middle, beside = 1 << (new - 1).bit_length() - 1, proof.pop()
    if old <= middle:
        before, after = both_roots(old, middle, proof, known)
        return before, joined(after, beside)
    before, after = both_roots(old - middle, new - middle, proof, None)
    return joined(beside, before), joined(beside, after)


def event_in(line: bytes, where: str) -> Any:
    """Place, leaf hash, leaf and payload of a line as an export of the log has them, after checking each by itself."""
    Tampered.at, text = where, line.decode()
    found: Any = EVENT.match(text)
    require(found, "this is no line of the log")
    leaf, cut = DECODER.raw_decode(text, found.end())
    salt, end = DECODER.raw_decode(text, cut + len(',"salt":'))
    payload, last = DECODER.raw_decode(text, end + len(',"payload":'))
    raw, body = text[found.end() : cut], text[end + len(',"payload":') : last]
    Tampered.at = f"{where}, event {found[1]}"
    again = f'{found[0]}{raw},"salt":{json.dumps(salt)},"payload":{body}}}\n'
    require(again == text, "it is not written as the log writes events")
    require(hashlib.sha256(b"\0" + raw.encode()).hexdigest() == found[2], "the event was changed: it is not that leaf")
    require((salt is None) == (payload is None), "its salt or its payload was taken away")
    if salt is not None:
        made = hmac.new(bytes.fromhex(salt), body.encode(), hashlib.sha256).hexdigest()
        fits = made == leaf["commitment"] and re.fullmatch("[0-9a-f]{64}", salt)
        require(fits, "what it says is not what the log committed to")
    return int(found[1]), found[2], leaf, payload


class Events:
    """The events of a bundle: each in the log, all of those that report.json names, and what was erased since."""

    def __init__(self, archive: Archive, tree: Tree, size: int, manifest: Any, digest: str) -> None:
        self.seal: Any = None
        self.hashes, self.gone, self.erasures, later = {}, [], {}, {}
        wanted, before = (seq for first, last in manifest["places"] for seq in range(first, last + 1)), -1
        for number, line in enumerate(archive.lines("events.jsonl"), 1):
            seq, told, leaf, payload = event_in(line, f"events.jsonl line {number}")
            require(before < seq < size, "it is not in the order of the log")
            require(tree.has(seq, bytes.fromhex(told)), "it is not in the log under the signed head")
            before, self.hashes[seq] = seq, told
            changes = payload["changes"] if payload is not None and leaf["outcome"] == "done" else []
            seals = [one["fields"]["manifest"][1] for one in changes if (one["type"], one["id"]) == (SEAL, leaf["id"])]
            if payload is None:
                self.gone.append((Tampered.at, seq, leaf))
            if self.seal is not None:
                later[leaf["id"]] = Tampered.at
            elif digest in seals:
                self.seal = (seq, leaf)
            else:
                due = next(wanted, None)
                require(due is not None or not seals, "it seals another report.json than the one that is here")
                require(due is None or due >= seq, f"event {due} is missing before it")
                require(due == seq, "this event does not belong into the bundle")
            for one in changes:
                if (one["type"], one["op"]) == (PAYLOAD, "delete"):
                    self.erasures[one["id"]] = (one["fields"]["commitment"][0], leaf, payload.get("reason", ""))
        missing = next(wanted, None)
        require(missing is None, f"event {missing} is missing", "events.jsonl")
        require(self.seal, "it is not the one that the log names: no event here has its digest", "report.json")
        self.redactions, used = [], set()
        for Tampered.at, seq, leaf in self.gone:
            told, by, basis = self.erasures.get(leaf["id"], (None, None, None))
            require(by and told == leaf["commitment"], "what it says is missing, and no event of the log erased it")
            used.add(by["id"])
            who, when = by["actor_id"] or by["actor_kind"], by["at"][:19]
            self.redactions.append(f"event {seq}: redacted by {who} on {when}Z, basis: {basis or 'not given'}")
        for event, Tampered.at in later.items():
            require(event in used, "this event does not belong into the bundle")


def compare_anchor(path: str, keys: Any, origin: str, heads: Any) -> Any:
    """How many heads of an anchor file there are, and how many of them the bundle could be compared with."""
    Tampered.at = f"the anchor {path}"
    text, count, met = open(path, encoding="utf-8").read(LARGE), 0, 0  # noqa: SIM115
    for number, note in enumerate(text.splitlines() if text.startswith("{") else NOTE.findall(text), 1):
        Tampered.at = f"{path}, head {number}"
        if text.startswith("{") and not note.endswith("}"):
            continue  # a crash cut this line short; the anchor goes on after it
        note = DECODER.decode(note)["note"] if text.startswith("{") else note
        named, size, root, _ = head_in(note, keys, keys, heads)
        require(named == origin, f"the anchor is of the log {named}, the bundle of {origin}")
        require(heads.get(size, root) == root, f"at {size:,} events the log had another root: it was rewritten")
        count, met = count + 1, met + (size in heads)
    return count, met


def verify(path: str, anchor: Any = None, key: Any = None, log: Any = None) -> Any:
    """What was checked, and what to beware of, in lines. Raises Tampered; anything else where it cannot be read."""
    archive, warnings = Archive(path), []
    raw = archive.read("report.json")
    manifest = DECODER.decode(raw.decode())
    if manifest["form"] != FORM:
        raise ValueError(f"report.json has form {manifest['form']}, this verifier reads form {FORM}: take a newer one")
    own = keys_in(archive.read("pubkey").decode(), "pubkey")
    pinned = keys_in(open(key, encoding="utf-8", errors="replace").read(SMALL), key) if key else own  # noqa: SIM115
    keys = {**own, **pinned}
    if not key:
        warnings.append("the public key came with the bundle; whoever forged one forged both. Pin yours: --key FILE")
    origin, size, root, signers = head_in(archive.read("checkpoint").decode(), keys, pinned)
    tree = Tree(size, root, strict(archive.read("proofs.json", LARGE)))
    events = Events(archive, tree, size, manifest, hashlib.sha256(raw).hexdigest())
    for place, node in tree.nodes.items():
        require(tree.known.get(place) == node, f"node {place[0]}-{place[1]} is of no event here", "proofs.json")
    said = strict(archive.read("consistency.json"))
    heads = {place: bytes.fromhex(told) for place, told in manifest["heads"]}
    require([manifest["size"], manifest["root"]] in manifest["heads"], "its head is not proven", "report.json")
    require(list(said) == [str(place) for place in heads], "it does not prove the heads of report.json")
    for place, proof in said.items():
        left = [bytes.fromhex(one) for one in proof]
        found = both_roots(int(place), size, left, heads[int(place)])
        require(found == (heads[int(place)], root) and not left, f"the log did not go on from its head at {place}")
    told = {f"files/{one['name']}": one["sha256"] for one in manifest["files"]}
    require(list(told) == list(archive.members)[len(MEMBERS) :], "it names other files than are here", "report.json")
    archive.require_sums({**told, **manifest["members"]})
    (seq, leaf), count, gone = events.seal, len(events.hashes), len(events.gone)
    lines = [
        f"events      {count:,} of {count:,} are in the log, each by a path of its own",
        f"payloads    {count - gone:,} of {count:,} are what the log committed to, {gone:,} were erased",
        *(f"            {one}" for one in events.redactions),
        f"head        {origin}, {size:,} events, root {root.hex()}",
        f"signatures  {len(signers)} of {len(signers)} hold: key {', '.join(signers)}",
        f"files       {len(told)} of {len(told)} and report.json are those sealed by event {seq} on {leaf['at'][:19]}Z",
        f"earlier     {len(heads)} of {len(heads)} heads are beginnings of this log",
    ]
    if anchor:
        count, met = compare_anchor(anchor, keys, origin, {**heads, size: root})
        lines.append(f"anchor      {met:,} of its {count:,} heads are compared, and are of this log")
        if not met:
            warnings.append("no head of the anchor could be compared: it says nothing about this bundle")
    else:
        warnings.append("no outside anchor given: the operator could have rewritten all of it")
    for number, line in enumerate(open(log, "rb") if log else [], 1):  # noqa: SIM115
        seq, told, _, _ = event_in(line, f"{log} line {number}")
        require(events.hashes.get(seq, told) == told, "the bundle has another event at this place")
    if log:
        lines.append(f"export      {number:,} lines fit by themselves and do not contradict the bundle")
    return lines, warnings


def main(words: Any = None) -> int:
    parser = argparse.ArgumentParser(description="Verify a sealed bundle of MLED.")
    parser.add_argument("bundle", help="the .mledlog file")
    parser.add_argument("--anchor", help="checkpoints that somebody else kept: checkpoints.log, or signed notes")
    parser.add_argument("--key", help="public keys that you trust, from elsewhere than the bundle")
    parser.add_argument("--log", help="an export of the log as JSON Lines, to compare")
    given = parser.parse_args(words)
    try:
        lines, warnings = verify(given.bundle, given.anchor, given.key, given.log)
    except Tampered as error:
        print(f"TAMPERED: {error}")
        return 1
    except Exception as error:  # whatever is wrong with it, it cannot be read as a bundle
        print(f"UNREADABLE: {Tampered.at or given.bundle}: {str(error)[:200] or type(error).__name__}")
        return 2
    print("\n".join([f"VERIFIED: {given.bundle}", *lines, *(f"WARNING: {one}" for one in warnings)]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
