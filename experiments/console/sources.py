"""Where what a run printed comes from: its uploaded logs, and what rooms above register, such as a job that goes on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from experiments.models import Run
from kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class Stream:
    """One text that a run printed.

    key: its name in addresses; version: another one for another content ("" where it changes all the time);
    open: a seekable reader at its start; is_live: it is being written now; download_url: where all of it is.
    """

    key: str
    label: str
    size_bytes: int
    version: str
    open: Callable[[], BinaryIO]
    is_errors: bool = False
    is_live: bool = False
    download_url: str = ""


# Rooms above add theirs when they start: what a run prints while it goes on comes before its files.
live_sources: list[Callable[[Actor, Run], list[Stream]]] = []
