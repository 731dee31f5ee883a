"""python -m audit.compliance.reports.pdf.typesetting < parts as JSON Lines: a line of JSON, then the PDF.

The line is {} or {"why": …}.
"""

import json
import re
import resource
import sys
from pathlib import Path
from typing import Final

MEMORY: Final = 6 * 1024**3
CPU_SECONDS: Final = 300
TEMPLATES: Final = Path(__file__).with_name("typeset")
# Marks that stand alone may have no place in any font; then everything but plain letters is shown as □.
_RARE = re.compile("[^\x00-\u017f\u2010-\u2027\u2030-\u203a□✓✗◌≤≥→×·]")


def confine() -> None:
    """Bounded memory and time, no file of its own, no core dump."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def gathered(lines: list[str]) -> tuple[str, int]:
    """All parts as one JSON text, and the second that is written into the file as its date."""
    frame, *sections, end = lines
    data = f'{{"frame":{frame},"sections":[{",".join(sections)}],"end":{end}}}'
    return data, int(json.loads(frame)["timestamp"])


def typeset(data: str, timestamp: int) -> bytes:
    """The PDF. Typst sees the templates alone: no fonts of the machine, no packages, no other folder."""
    import typst

    nowhere = str(TEMPLATES / "none")
    return typst.compile(
        str(TEMPLATES / "report.typ"),
        root=str(TEMPLATES),
        font_paths=[],
        ignore_system_fonts=True,
        package_path=nowhere,
        package_cache_path=nowhere,
        format="pdf",
        pdf_standards=["a-2a", "ua-1"],
        timestamp=timestamp,
        sys_inputs={"data": data},
    )


def main() -> None:
    """Typeset standard input; a text that no font can show goes in plain letters."""
    import typst

    confine()
    data, timestamp = gathered(sys.stdin.buffer.read().decode().rstrip("\n").split("\n"))
    said: dict[str, str] = {}
    body = b""
    try:
        try:
            body = typeset(data, timestamp)
        except typst.TypstError:
            body = typeset(_RARE.sub("□", data), timestamp)
    except typst.TypstError as error:
        said = {"why": str(error)}
    sys.stdout.buffer.write(json.dumps(said).encode() + b"\n" + body)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
