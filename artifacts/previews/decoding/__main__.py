"""python -m artifacts.previews.decoding <kind> <options as JSON> < file: facts as a line of JSON, then a picture."""

import json
import resource
import sys
from collections.abc import Callable
from importlib import import_module
from typing import IO, Any, Final

from artifacts.previews.decoding.refusing import CannotDecode

MEMORY: Final = 1024**3
CPU_SECONDS: Final = 15
Decode = Callable[[IO[bytes], dict[str, int]], tuple[dict[str, Any], bytes]]
_DECODERS: Final = {"image": "pictures", "pdf": "documents", "parquet": "columnar", "notebook": "notebooks"}


def confine() -> None:
    """Little memory, little time, no file of its own, no core dump."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


def main(kind: str, options: str) -> None:
    """Decode standard input; what cannot be decoded is said as {"why": …}."""
    confine()
    decode: Decode = import_module(f"artifacts.previews.decoding.{_DECODERS[kind]}").decode
    try:
        with open(0, "rb", closefd=False) as source:
            facts, body = decode(source, json.loads(options))
    except CannotDecode as error:
        facts, body = {"why": str(error)}, b""
    except MemoryError:
        facts, body = {"why": "Looking into this file takes more memory than a preview is given."}, b""
    sys.stdout.buffer.write(json.dumps(facts).encode() + b"\n" + body)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
