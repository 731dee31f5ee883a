"""Memory that the parts share: what is loaded before they are forked, left untouched afterwards."""

from __future__ import annotations

import ctypes
import gc

# From what fills a page down to the least that glibc hands out.
SIZES = (1000, 700, 500, 350, 250, 200, 168, 152, 136, 120, 104, 88, 72, 56, 40, 24)
FEW_BYTES = 2048

# mallopt's names and what it gets here. Threads share two heaps, so that what one frees the next one takes; blocks of
# 4 MiB and more go back to the system when they are freed (glibc raises that to 32 MiB by itself after the first);
# and so does what is free at a heap's end beyond 8 MiB. After 48 searches of 1,000 runs: 398 MiB instead of 437.
ALLOCATION = {"M_ARENA_MAX": (-8, 2), "M_MMAP_THRESHOLD": (-3, 4 << 20), "M_TRIM_THRESHOLD": (-1, 8 << 20)}


class Mallinfo(ctypes.Structure):
    """glibc's struct mallinfo2: of the main heap, its size, what is free in it, and of that the end of the heap."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost",
        )
    ]  # fmt: skip


def settle() -> None:
    """Before the first fork: the collector leaves alone what is there, and no part writes into holes among it.

    Nothing is collected before: what that frees would be more holes. Where the C library is not glibc only the
    collector is told.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallinfo2"):
        for option, value in ALLOCATION.values():
            libc.mallopt(option, value)
        fill_holes(libc)
    gc.freeze()


def fill_holes(libc: ctypes.CDLL) -> None:
    """Take the small free places that loading left all over the heap, 1.5 MiB in some 3,500 pieces, and keep them.

    A part that got one of them would copy the page around it: SQLite's first statement, which takes 0.7 MiB in small
    pieces for the names of all tables and indexes, cost 8 MiB in each process.
    """
    libc.mallinfo2.restype = Mallinfo
    libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    libc.malloc_trim(0)
    for size in SIZES:
        grown_beyond = libc.mallinfo2().arena
        while True:
            heap = libc.mallinfo2()
            if heap.arena > grown_beyond or heap.fordblks - heap.keepcost < FEW_BYTES:
                break
            for _ in range(16):
                libc.malloc(size)
        libc.malloc_trim(0)
