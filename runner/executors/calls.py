"""A filter of system calls: what no job needs of the kernel, and what holes were found in before.

The list follows that of Docker and Flatpak. A call that is not let through fails as if it were not permitted.
"""

import errno
import platform
import struct
from typing import Final

ALLOW: Final = 0x7FFF0000
FAIL: Final = 0x00050000
LOAD: Final = 0x20  # a word of the call: 0 its number, 4 the machine
EQUAL: Final = 0x15
AT_LEAST: Final = 0x35
RETURN: Final = 0x06
OTHER_TABLE: Final = 0x40000000  # numbers of x32, by which the same calls go under other names

# The machine as the kernel names it, and the numbers of its calls.
MACHINES: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# Each: x86_64, aarch64.
REFUSED: Final = {
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "unshare": (272, 97),
    "setns": (308, 268),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "reboot": (169, 142),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "syslog": (103, 116),
}


def program(machine: str | None = None) -> bytes | None:
    """The filter as the kernel takes it; None for a machine whose numbers are not known here."""
    machine = machine or platform.machine()
    if machine not in MACHINES:
        return None
    refused = sorted(numbers[list(MACHINES).index(machine)] for numbers in REFUSED.values())
    left = len(refused)
    steps = [_step(LOAD, 4), _step(EQUAL, MACHINES[machine], 1, 0), _step(RETURN, FAIL | errno.ENOSYS), _step(LOAD, 0)]
    steps.append(_step(AT_LEAST, OTHER_TABLE, left + 1, 0))
    steps += [_step(EQUAL, number, left - place, 0) for place, number in enumerate(refused)]
    steps += [_step(RETURN, ALLOW), _step(RETURN, FAIL | errno.EPERM)]
    return b"".join(steps)


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
