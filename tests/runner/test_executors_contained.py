"""What the sandbox keeps code of others from, tried by code that means harm."""

import json
import os
import platform
import secrets
import socket
import struct
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from time import monotonic

import pytest
from django.conf import settings

from kernel.errors import Unavailable
from runner.executors.calls import REFUSED, program
from runner.executors.groups import Groups, found_parents, remove_leftovers
from runner.executors.sandbox import USERS, Sandbox
from runner.models import Job
from runner.recipes import Resources
from tests.runner.executing import Bench, until, until_ended
from tests.services.processes import ROOT
from tests.services.scale import sized

pytestmark = pytest.mark.once


@pytest.fixture
def bench(sandbox, tmp_path: Path):
    made = Bench(Sandbox(), tmp_path, secrets.token_hex(8))
    yield made
    assert made.strays() == []


@pytest.fixture
def without_groups(monkeypatch):
    """As on a machine where nobody may make control groups: the watch alone."""
    monkeypatch.setattr(Groups, "make", classmethod(lambda cls, *_: cls()))


MACHINES = ["x86_64", "aarch64"]
TRIES = """
import ctypes, json, os, signal, socket, subprocess, sys
libc = ctypes.CDLL(None, use_errno=True)

def tried(what, *arguments):
    try:
        found = what(*arguments)
    except OSError as error:
        return error.strerror
    return f"got {found!r}"

def call(name, *arguments):
    if getattr(libc, name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

def connect(address, family=socket.AF_INET):
    with socket.socket(family) as opened:
        opened.settimeout(3)
        opened.connect(address)

def write(path):
    with open(path, "a"): pass

asked = json.loads(sys.argv[1])
print(json.dumps({
    "read": {path: tried(lambda: len(open(path, "rb").read(1))) for path in asked["read"]},
    "list": {path: tried(os.listdir, path) for path in asked["list"]},
    "connect": [tried(connect, ("127.0.0.1", asked["port"])), tried(connect, ("192.0.2.1", 443)),
                tried(connect, "\\0" + asked["abstract"], socket.AF_UNIX)],
    "kill": [tried(os.kill, pid, 9) for pid in asked["pids"]],
    "ptrace": [tried(call, "ptrace", 16, pid, None, None) for pid in [*asked["pids"], 1]],
    "first": [tried(lambda: open("/proc/1/environ").read()), *(tried(os.kill, 1, number) for number in (9, 19))],
    "mount": tried(call, "mount", b"none", b"/tmp", b"tmpfs", 0, None),
    "calls": [tried(call, "syscall", number, 0, 0, 0) for number in asked["calls"]],
    "namespace": [tried(call, "unshare", flag) for flag in (0x10000000, 0x00020000)],
    "write": {path: tried(write, path) for path in asked["write"]},
    "change": tried(os.chmod, asked["venv"], 0o777),
    "root": [tried(os.setuid, 0), tried(os.chroot, "/tmp"), tried(socket.sethostname, "mine")],
    "status": {line.split(":")[0]: line.split()[1] for line in open("/proc/self/status") if line[:3] in ("Cap", "NoN")},
    "processes": sorted(name for name in os.listdir("/proc") if name.isdigit()),
    "descriptors": sorted(os.readlink(f"/proc/self/fd/{one}") for one in os.listdir("/proc/self/fd") if int(one) < 3),
    "open": len(os.listdir("/proc/self/fd")),
    "devices": sorted(os.listdir("/dev")),
    "mounts": [line.split()[1] for line in open("/proc/mounts") if "rw" in line.split()[3].split(",")],
}))
"""


def test_a_command_reaches_nothing_of_the_machine_but_its_order(bench, tmp_path):
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "pyvenv.cfg").write_text("home = /usr/bin\n")
    venv.chmod(0o777)
    abstract = f"mled-{secrets.token_hex(8)}"
    with closing(socket.create_server(("127.0.0.1", 0))) as listening, closing(socket.socket(socket.AF_UNIX)) as other:
        other.bind("\0" + abstract)
        other.listen()
        mine = [str(ROOT / "manage.py"), str(Path(settings.MLED_DATA) / "keys" / "secret_key"), str(tmp_path / "other")]
        (tmp_path / "other").write_text("of another job")
        asked = {
            "read": ["/etc/shadow", "/etc/hostname", f"/proc/{os.getpid()}/environ", "/proc/1/mem", *mine],
            "list": ["/home", "/var", "/srv", "/opt", "/sys", "/run/user", str(ROOT), str(settings.MLED_DATA)],
            "port": listening.getsockname()[1],
            "abstract": abstract,
            "pids": [os.getpid(), os.getppid()],
            "calls": [
                REFUSED[name][MACHINES.index(platform.machine())] for name in ("keyctl", "io_uring_setup", "bpf")
            ],
            "write": ["/new", "/etc/passwd", "/usr/new", str(venv / "new"), str(venv / "pyvenv.cfg"), "/dev/new"],
            "venv": str(venv),
        }
        done = bench.do(bench.python(TRIES, json.dumps(asked), readable=[venv]))
    assert done.err == ""
    found = json.loads(done.out)
    nowhere = {"No such file or directory", "Permission denied"}
    assert set(found["read"].values()) <= nowhere
    assert set(found["list"].values()) <= nowhere
    assert found["connect"] == ["Connection refused", "Network is unreachable", "Connection refused"]
    assert found["kill"] == ["No such process"] * 2
    assert found["ptrace"] == ["No such process", "No such process", "Operation not permitted"]
    assert found["first"] == ["Permission denied", "got None", "got None"]  # and it lives on
    assert found["mount"] == "Operation not permitted"
    assert found["calls"] == ["Operation not permitted"] * 3
    assert set(found["namespace"]) <= {"Operation not permitted", "No space left on device"}
    assert set(found["write"].values()) <= {"Read-only file system", "Permission denied"}
    assert found["change"] == "Read-only file system"
    assert {one for one in found["root"] if one.startswith("got")} == set()
    assert found["status"] == dict.fromkeys(["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"], "0" * 16) | {
        "NoNewPrivs": "1"
    }
    assert found["processes"] == ["1", "2"]
    assert found["descriptors"] == sorted(["/dev/null", str(done.order.stdout), str(done.order.stderr)])
    assert found["open"] == 4  # with that of the folder
    assert not {"sda", "vda", "kmsg", "mem", "fuse", "kvm"} & set(found["devices"])
    home = str(done.order.home)
    assert set(found["mounts"]) <= {"/tmp", home, "/dev/shm", "/proc", "/dev/pts"} | {
        f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom", "tty")
    }


def test_the_filter_of_calls_leads_each_number_to_its_answer():
    """Read as the kernel does, step by step."""
    for machine, known in (("x86_64", 0xC000003E), ("aarch64", 0xC00000B7)):
        made = program(machine)
        assert made is not None
        refused = {numbers[MACHINES.index(machine)] for numbers in REFUSED.values()}
        assert len(refused) == len(REFUSED)
        for number in {*range(500), 0x40000000, 0x40000200}:
            wanted = 0x00050001 if number in refused or number >= 0x40000000 else 0x7FFF0000
            assert answer(made, number, known) == wanted, number
        assert answer(made, 0, 0x40000003) == 0x00050026
    assert program("riscv64") is None


def answer(made: bytes, number: int, machine: int) -> int:
    """What the filter says to a call."""
    steps, held, place = list(struct.iter_unpack("=HBBI", made)), 0, 0
    while True:
        code, if_true, if_false, value = steps[place]
        place += 1
        if code == 0x06:
            return value
        if code == 0x20:
            held = {0: number, 4: machine}[value]
        else:
            place += if_true if (held == value if code == 0x15 else held >= value) else if_false


def test_outside_it_is_nobody_of_this_machine(bench):
    done = bench.do(bench.order("sh", "-c", "id -u; touch mine"))
    owner = (done.order.home / "mine").stat().st_uid
    assert done.out == "1000\n"
    assert owner in USERS if os.geteuid() == 0 else owner == os.geteuid()


BOMB = """
import os
while True:
    try:
        os.fork()
    except OSError:
        pass
"""


def test_a_fork_bomb_is_ended(bench):
    limits = Resources(processes=sized(40, 256))
    going = bench.executor.start(bench.python(BOMB, limits=limits))
    most = 0

    def look():
        nonlocal most
        most = max(most, len(bench.strays()))
        return going.poll()

    ended = until(look, what="it has ended")
    assert ended.cause == Job.Cause.PROCESSES
    assert f"{limits.processes} are allowed (threads count as processes)" in ended.why
    assert most <= limits.processes + 16


HOGS = {
    "one process": "x = bytearray(4 << 30)\nfor i in range(0, len(x), 4096): x[i] = 1",
    "many processes": (
        "import os, time\nfor _ in range(8): os.fork() == 0 and (b'x' * (60 << 20), time.sleep(600))\ntime.sleep(600)"
    ),
    "shared memory": (
        "import mmap, time\nx = mmap.mmap(-1, 4 << 30)\nfor i in range(0, len(x), 4096): x[i] = 1\ntime.sleep(600)"
    ),
    "/dev/shm": (
        "import time\nwith open('/dev/shm/x', 'wb') as x:\n"
        "    for _ in range(190): x.write(b'x' * (1 << 20))\nkept = b'x' * (60 << 20)\ntime.sleep(600)"
    ),
    "files of memory alone": (
        "import os, time\nx = os.memfd_create('x')\nfor _ in range(300): os.write(x, b'x' * (1 << 20))\ntime.sleep(600)"
    ),
}


@pytest.mark.parametrize("hog", HOGS)
def test_a_memory_hog_is_ended_by_the_watch_alone(bench, without_groups, hog):
    code = HOGS[hog].replace("(b'x' * (60 << 20), time", "(globals().update(x=b'x' * (60 << 20)), time")
    done = bench.do(bench.python(code, limits=Resources(memory_mb=200, disk_mb=2000)))
    assert done.ended.cause == Job.Cause.MEMORY, (done.ended, done.err)
    assert "MB of memory; 200 MB are allowed" in done.ended.why


WRITERS = {
    "one real file": "with open('x', 'wb') as x:\n    while True: x.write(bytes(1 << 20))",
    "many files": "for i in range(10**6): open(str(i), 'wb').write(bytes(1 << 20))",
    "a file with a hole": "import time\nopen('x', 'wb').truncate(10 << 30)\ntime.sleep(600)",
    "a file without a name": (
        "import os, time\nx = open('x', 'wb')\nos.unlink('x')\nfor _ in range(30): x.write(bytes(1 << 20))\n"
        "x.flush()\ntime.sleep(600)"
    ),
    "what it prints": "while True: print('x' * 1000)",
    "its /tmp": "import time\nfor i in range(40): open(f'/tmp/{i}', 'wb').write(bytes(1 << 20))\ntime.sleep(600)",
    "files of nothing": "import time\nfor i in range(30000): open(str(i), 'w').close()\ntime.sleep(600)",
}


@pytest.mark.parametrize("writer", WRITERS)
def test_a_writer_of_too_much_is_ended(bench, writer):
    done = bench.do(bench.python(WRITERS[writer], limits=Resources(disk_mb=20)))
    assert done.ended.cause == Job.Cause.DISK, (done.ended, done.err[-500:])
    assert "20 MB" in done.ended.why
    assert done.ended.why.endswith("Ask for more under Resources, or have it use less.")
    taken = sum(path.lstat().st_blocks * 512 for path in done.order.home.rglob("*"))
    assert taken < 3000 << 20


def test_what_does_not_stop_when_its_time_is_over_is_ended(bench, monkeypatch):
    monkeypatch.setattr("runner.executors.execution.GRACE_SECONDS", 0.2)
    done = bench.do(
        bench.order(
            "sh", "-c", "trap '' TERM; (trap '' TERM; setsid sleep 600) & sleep 600", limits=Resources(seconds=1)
        )
    )
    assert done.ended.cause == Job.Cause.TIME
    assert done.ended.why.startswith("It was not done after 1 second, which is all the time it has.")


def test_the_server_in_folders_that_every_program_sees_is_hidden(bench, settings):
    settings.BASE_DIR = Path("/usr/share")
    done = bench.do(bench.order("sh", "-c", "ls -A /usr/share; ls /usr | head -1"))
    assert done.out.strip() == "bin"


def test_a_machine_that_forbids_it_is_told_what_to_do(sandbox, monkeypatch, tmp_path):
    missing = Sandbox()
    monkeypatch.setattr("runner.executors.bubblewrap.where", lambda: None)
    assert "apt install bubblewrap" in missing.lacks()
    forbidding = tmp_path / "bwrap"
    forbidding.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n")
    forbidding.chmod(0o755)
    monkeypatch.setattr("runner.executors.bubblewrap.where", lambda: forbidding)
    here = Sandbox()
    lacks = here.lacks()
    assert "setting up uid map: Permission denied" in lacks
    assert "apparmor_restrict_unprivileged_userns" in lacks
    monkeypatch.undo()
    assert here.lacks() == lacks
    monkeypatch.setattr("runner.executors.sandbox.monotonic", lambda: monotonic() + 61)
    assert here.lacks() == ""


def test_it_goes_on_for_hours_without_leaving_descriptors(bench):
    before = set(os.listdir("/proc/self/fd"))
    for _ in range(sized(5, 100)):
        assert bench.do(bench.order("true")).ended.code == 0
    assert len(set(os.listdir("/proc/self/fd")) - before) <= 1
    assert until_ended(bench.executor.start(bench.order("true"))).code == 0


def test_control_groups_of_either_version_hold_it(bench, monkeypatch):
    found = found_parents()
    made = Groups.make("test", f"{os.getpid()}/ü", Resources(), found)
    try:
        entered = {Path(one).parent.parent.parent for one in made.entrances}
        may = {parent for parent in found.values() if os.access(parent, os.W_OK)}
        assert entered <= may  # all of them, unless a process is beside what they give down
        assert not made.is_out_of_memory()
        assert not made.is_out_of_processes()
    finally:
        made.remove()
        remove_leftovers("test", [])
    assert made.entrances == []
    monkeypatch.setattr("runner.executors.groups.found_parents", lambda: {"unified": found["unified"]})
    done = bench.do(bench.order("cat", "/proc/self/cgroup"))
    assert "0::/" in done.out


def test_what_the_worker_keeps_for_itself_is_shown_to_the_job_that_has_it_and_to_no_other(bench, settings, tmp_path):
    settings.MLED_RUNNER_DATA = tmp_path / "kept"
    shown, hidden = (tmp_path / "kept" / name / "deep" for name in ("inputs", "others"))
    for folder in (shown, hidden):
        folder.mkdir(parents=True)
        (folder / "train.csv").write_text(folder.parent.name)
        for path in (folder / "train.csv", folder, folder.parent, tmp_path / "kept"):
            path.chmod(0o700 if path.is_dir() else 0o600)
    order = bench.order("sh", "-c", f"cat /inputs/deep/train.csv; cat {hidden}/train.csv")
    done = bench.do(replace(order, readable=[shown.parent], places={shown.parent: "/inputs"}))
    assert done.out == "inputs"
    assert "No such file or directory" in done.err
    assert (tmp_path / "kept").stat().st_mode & 0o777 == 0o700


def test_nothing_of_the_worker_is_shown_behind_a_link(bench, settings, tmp_path):
    settings.MLED_RUNNER_DATA = tmp_path / "kept"
    hidden, shown = tmp_path / "kept" / "hidden", tmp_path / "kept" / "shown"
    hidden.mkdir(parents=True, mode=0o700)
    shown.symlink_to(hidden)
    for path in (shown, shown / "deeper"):
        with pytest.raises(Unavailable, match="is a link"):
            bench.executor.start(bench.order("true", readable=[path]))
    assert hidden.stat().st_mode & 0o777 == 0o700
