"""The reading process: asked on its standard input, answers on its standard output. It has no secrets and no network.

Started by transfer.mlflow.reader.process with the path of a copy of the store and the most memory and time.
"""

import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from kernel.errors import MledError
from transfer.mlflow.databases import Sqlite
from transfer.mlflow.folders import NoFiles
from transfer.mlflow.reader.wire import Series, receive, send
from transfer.mlflow.store import StoreSource


def main() -> None:
    """Open the store, then answer until nobody asks any more."""
    path, memory, seconds, fallback = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    come, go = sys.stdin.buffer, sys.stdout.buffer
    _confine(memory, seconds)
    try:
        database = Sqlite(path, is_still=True)
        database.check()
        source = StoreSource(database, NoFiles(), fallback=fallback)
    except MledError as error:
        send(go, b"e", [type(error).__name__, error.message, error.hint])
        go.flush()
        os._exit(0)
    send(go, b"r", None)
    go.flush()
    while True:
        kind, body = receive(come)
        if not kind:
            os._exit(0)
        _answer(source, msgspec.msgpack.decode(body, type=list[str]), go)
        go.flush()


def _confine(memory: int, seconds: int) -> None:
    """The system itself ends what goes beyond: memory, processor time, and writing files at all."""
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    for unwanted in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE):
        resource.setrlimit(unwanted, (0, 0))


def _answer(source: StoreSource, asked: list[str], go: Any) -> None:
    call, *given = asked
    try:
        found = getattr(source, call)(*given)
        if call == "history":
            found = (Series.of(key, points) for key, points in found)
        if isinstance(found, Iterator) or call == "notes":
            for one in found:
                send(go, b"i", one)
        else:
            send(go, b"i", found)
    except MledError as error:
        send(go, b"e", [type(error).__name__, error.message, error.hint])
        return
    except MemoryError:
        send(go, b"e", ["NotReadable", "Reading it needs more memory than it may have.", ""])
        return
    send(go, b"z", None)


if __name__ == "__main__":
    main()
