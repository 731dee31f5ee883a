"""What a sealed bundle costs: writing one, and verifying it, with the package `cryptography` and without.

python bench/bundle.py                         100,000 events of one project in a log of 200,000, on SQLite
python bench/bundle.py --events 10000          a smaller one, for a first look
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.ledger import fill, prepare  # noqa: E402 - once the root is on the path

VERIFIER = ROOT / "audit" / "ledger" / "offline" / "mled_verify.py"
TURNS = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mled-bench-") as place:
        os.environ |= {"MLED_DATA": place, "DJANGO_SETTINGS_MODULE": "mled_site.settings"}
        prepare()
        lines = list(measured(asked.events, Path(place) / "b.mledlog"))
    print("\n| | measured |\n| --- | --- |")
    print("\n".join(f"| {' | '.join(line)} |" for line in lines))


def measured(events: int, path: Path) -> Iterator[tuple[str, str]]:
    """The events of a project lie between as many of others."""
    from django.db.models import Q

    from accounts.actions.projects import create_project
    from audit.compliance.actions.bundles import seal_bundle
    from audit.compliance.reports.bundle import content_of, write_bundle
    from audit.ledger.queries.extract import places_of
    from audit.ledger.queries.proofs import newest_checkpoint
    from audit.ledger.sequencer import Sequencer
    from kernel.actor import operator

    project = create_project(operator(), slug="bench", name="Bench")
    for _ in range(TURNS):
        fill(events // TURNS, project=project.pk)
        fill(events // TURNS)
    Sequencer().run_until_empty()
    head = newest_checkpoint()
    if head is None:
        raise SystemExit("Nothing was put into the log.")
    before, begun = _peak(), time.perf_counter()
    places = places_of(project.pk, Q(), size=head.size)
    content = content_of(project, {"log": {"question": {}}}, places, (head.size, head.root, head.at))
    seal = seal_bundle(operator(), project, manifest=content.manifest, question="{}")
    Sequencer().run_until_empty()
    with path.open("wb") as out:
        write_bundle(content, seal, out)
    took = time.perf_counter() - begun
    yield f"write a bundle of {len(content.places):,} events, {path.stat().st_size / 1e6:.0f} MB", f"{took:.1f} s"
    yield "memory that it added at its peak", f"{_peak() - before:.0f} MB"
    for name, more in (("with cryptography", []), ("with plain Python", ["-S"])):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-I", *more, str(VERIFIER), str(path)], check=True, capture_output=True)
        yield f"verify it, {name}", f"{time.perf_counter() - begun:.1f} s"


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
