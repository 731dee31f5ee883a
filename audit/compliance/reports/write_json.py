"""A report as JSON Lines: a head line that names who asked and when, then a line for each section."""

from collections.abc import Iterable
from typing import BinaryIO

import msgspec

from audit.compliance.reports.digest import FORM
from audit.compliance.reports.facts import Head
from kernel.digests import sha256_hex

MEDIA_TYPE = "application/x-ndjson"


def write_jsonl(out: BinaryIO, head: Head, digest: str, sections: Iterable[bytes]) -> None:
    """{"form", "digest", "head"}, then {"sha256", "section"} with the canonical bytes that the digest covers."""
    first = {"form": FORM, "digest": digest, "head": msgspec.to_builtins(head)}
    out.write(msgspec.json.encode(first) + b"\n")
    for section in sections:
        out.write(b'{"sha256":"%s","section":%s}\n' % (sha256_hex(section).encode(), section))
