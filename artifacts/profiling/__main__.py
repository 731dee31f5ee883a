"""The reading process: takes a request on its standard input, gives a profile on its standard output.

It has no database, no network to speak of and no secrets; what a broken or hostile file does to it, it does to it
alone. Started by artifacts.profiling.running.
"""

import json
import os
import resource
import sys
from collections.abc import Mapping
from typing import Any

from artifacts.profiling.formats import Format
from artifacts.profiling.limits import Limits


def main() -> None:
    """Read what is asked for and say what is in it."""
    asked = json.load(sys.stdin)
    limits = Limits(**asked["limits"])
    json.dump(_profile(asked, limits), sys.stdout)
    sys.stdout.flush()
    os._exit(0)  # reading threads may still be at work on a file that was given up


def _confine(limits: Limits) -> None:
    """The system itself ends what goes beyond: memory, processor time, and writing files at all."""
    resource.setrlimit(resource.RLIMIT_DATA, (limits.memory, limits.memory))
    processor = int(limits.seconds) + 30
    resource.setrlimit(resource.RLIMIT_CPU, (processor, processor))
    for unwanted in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE):
        resource.setrlimit(unwanted, (0, 0))


def _profile(asked: Mapping[str, Any], limits: Limits) -> Mapping[str, Any]:
    try:
        import pyarrow as pa

        from artifacts.profiling.reading import Reading, Source

        pa.set_cpu_count(1)
        pa.set_io_thread_count(1)
        _confine(limits)  # only now: what was imported works, and what a file does to it is told in words
        files = [Source(one["path"], one["fd"], Format(one["format"]), one["is_packed"]) for one in asked["files"]]
        return Reading(limits).read(files)
    except MemoryError:
        said = f"Reading it needs more than {limits.memory // 1024**2:,} MiB of memory, which is the most."
        return {"state": "failed", "error": said, "notes": []}


if __name__ == "__main__":
    main()
