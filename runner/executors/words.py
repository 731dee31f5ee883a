"""What is said to people whose job came to an end before it was done: figures, and the way out."""

import signal
from typing import Final

from runner.executors.contract import Ended, Usage
from runner.models import Job
from runner.recipes import Resources

MIB: Final = 1024 * 1024
MORE: Final = "Ask for more under Resources, or have it use less."


def size(count: float) -> str:
    """2.1 GB, 300 MB: of 1,024 each, as the form asks for them."""
    megabytes = count / MIB
    if megabytes < 1000:
        return f"{max(1, round(megabytes))} MB"
    return f"{megabytes / 1024:.1f}".removesuffix(".0") + " GB"


def span(seconds: int) -> str:
    """90 seconds, 12 minutes, 3 hours."""
    for unit, length in (("hour", 3600), ("minute", 60)):
        if seconds >= 2 * length or seconds == length:
            count = f"{seconds / length:.1f}".removesuffix(".0")
            return f"{count} {unit}" + ("" if count == "1" else "s")
    return f"{seconds} second" + ("" if seconds == 1 else "s")


def too_long(limits: Resources) -> Ended:
    return Ended(
        Job.Cause.TIME, why=f"It was not done after {span(limits.seconds)}, which is all the time it has. {MORE}"
    )


def too_much_memory(limits: Resources, taken: int | None = None) -> Ended:
    """taken: None where the system did not even let it have more."""
    allowed = limits.memory_mb * MIB
    if taken is None:
        return Ended(
            Job.Cause.MEMORY, why=f"It wanted more than the {size(allowed)} of memory that are allowed. {MORE}"
        )
    return Ended(Job.Cause.MEMORY, why=f"It took {size(taken)} of memory; {size(allowed)} are allowed. {MORE}")


def too_much_disk(limits: Resources, taken: int) -> Ended:
    allowed = limits.disk_mb * MIB
    said = f"more than {size(allowed)}" if size(taken) == size(allowed) else size(taken)
    return Ended(Job.Cause.DISK, why=f"It wrote {said}; {size(allowed)} are allowed. {MORE}")


def too_large_a_file(limits: Resources, code: int | None) -> Ended:
    allowed = size(limits.disk_mb * MIB)
    return Ended(Job.Cause.DISK, code, f"It tried to write a file of more than the {allowed} that are allowed. {MORE}")


def too_many_processes(limits: Resources, started: int | None = None) -> Ended:
    """started: None where the system did not even let it start more."""
    allowed = f"{limits.processes} are allowed (threads count as processes). {MORE}"
    if started is None:
        return Ended(Job.Cause.PROCESSES, why=f"It tried to start too many processes; {allowed}")
    return Ended(Job.Cause.PROCESSES, why=f"It started {started} processes; {allowed}")


def exited(code: int) -> Ended:
    """Its command ended by itself. code: below 0 for the signal that ended it."""
    if code >= 0:
        return Ended(Job.Cause.EXIT, code, f"Its command ended with exit code {code}." if code else "")
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return Ended(Job.Cause.EXIT, 128 - code, f"Its command was ended by {name}.")


def beyond(limits: Resources, used: Usage) -> Ended | None:
    """What it takes too much of; None where it keeps to what it may."""
    if used.processes > limits.processes:
        return too_many_processes(limits, used.processes)
    if used.memory_bytes > limits.memory_mb * MIB:
        return too_much_memory(limits, used.memory_bytes)
    if used.disk_bytes > limits.disk_mb * MIB:
        return too_much_disk(limits, used.disk_bytes)
    return None
