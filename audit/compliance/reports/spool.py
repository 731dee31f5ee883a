"""What is gathered so far, on disk until the report is issued: one file of lines for each part.

    MLED_DATA/reports-in-work/<report>/part-00001.jsonl     one section a line, canonical JSON
                                       volume-00001.pdf     what was made of them

A file gets its name when it is whole and on the disk. Where one is gone (another machine took over) or is not what its
digests say, the part is gathered anew: nothing in here is needed.
"""

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

import msgspec
from django.conf import settings

from audit.compliance.reports.digest import section_bytes
from audit.compliance.reports.facts import Section
from kernel.digests import sha256_hex

_SECTION = msgspec.json.Decoder(Section, strict=False)


def root() -> Path:
    """Where all reports in work lie."""
    return Path(settings.MLED_DATA) / "reports-in-work"


class Spool:
    """The folder of one report."""

    def __init__(self, report_id: UUID) -> None:
        self.folder = root() / report_id.hex

    def part(self, number: int) -> Path:
        """The file of one part."""
        return self.folder / f"part-{number:05}.jsonl"

    def keep_part(self, number: int, sections: Iterable[Section]) -> list[str]:
        """Write down the sections of a part as they come; their digests."""
        digests = []
        with self.writing(self.part(number).name) as file:
            for section in sections:
                line = section_bytes(section)
                digests.append(sha256_hex(line))
                file.write(line + b"\n")
        return digests

    def holds(self, number: int, digests: Sequence[str]) -> bool:
        """Whether a part is there, and is what its digests say."""
        if not self.part(number).exists():
            return False
        found = (sha256_hex(line) for line in self.lines(number))
        return list(found) == list(digests)

    def lines(self, number: int) -> Iterator[bytes]:
        """The sections of a part as canonical JSON."""
        with self.part(number).open("rb") as file:
            for line in file:
                yield line.rstrip(b"\n")

    def sections(self, number: int) -> Iterator[Section]:
        """The sections of a part."""
        return map(_SECTION.decode, self.lines(number))

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        """A file that has its name once it is whole and on the disk."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = self.folder / f".{name}.{os.getpid()}.{os.urandom(4).hex()}"
        try:
            with draft.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            draft.rename(self.folder / name)
        finally:
            draft.unlink(missing_ok=True)

    def remove(self) -> None:
        """Take the folder away."""
        shutil.rmtree(self.folder, ignore_errors=True)


def reports_in_work() -> list[UUID]:
    """The reports that have a folder."""
    if not root().exists():
        return []
    return [UUID(hex=one.name) for one in root().iterdir() if len(one.name) == 32]
