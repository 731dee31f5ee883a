"""What every executor promises, asked of each of them."""

import os
import random
import re
import secrets
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import psutil
import pytest

from kernel.errors import Invalid
from runner.executors import INSIDE, chosen, execution
from runner.executors.plain import Plain
from runner.executors.sandbox import Sandbox
from runner.models import Job
from runner.recipes import Resources
from runner.working.relay import Relay
from tests.runner.executing import PYTHON, Bench, an_image, until, until_ended
from tests.services.processes import ROOT
from tests.services.scale import sized

pytestmark = pytest.mark.once

LOOSE = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open("loose", "w").write("1")
        time.sleep(600)
    os._exit(0)
while not os.path.exists("loose"):
    time.sleep(0.01)
"""


@pytest.fixture(scope="module")
def image(sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return an_image(tmp_path_factory.mktemp("image"))


@pytest.fixture(params=["sandbox", "image", "plain"])
def bench(request: pytest.FixtureRequest, tmp_path: Path):
    if request.param == "sandbox":
        request.getfixturevalue("sandbox")
    root = request.getfixturevalue("image") if request.param == "image" else None
    made = Bench(Plain() if request.param == "plain" else Sandbox(), tmp_path, secrets.token_hex(8), root)
    yield made
    assert made.strays() == []


def test_a_command_gives_its_exit_code_and_what_it_prints(bench):
    done = bench.do(bench.order("sh", "-c", "echo said; echo complained >&2; echo made > file; exit 3"))
    assert (done.ended.cause, done.ended.code) == (Job.Cause.EXIT, 3)
    assert done.ended.why == "Its command ended with exit code 3."
    assert (done.out, done.err) == ("said\n", "complained\n")
    assert (done.order.home / "file").read_text() == "made\n"
    assert done.execution.poll() == done.ended
    well = bench.do(bench.order("true"))
    assert (well.ended.cause, well.ended.code, well.ended.why) == (Job.Cause.EXIT, 0, "")


def test_a_command_sees_the_variables_of_its_order_and_no_others(bench, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://secret")
    order = bench.order("env", "-0")
    odd = {**order.variables, "LINES": "one\ntwo=2\n", "NÄME": "ü €", "EMPTY": "", "LD_PRELOAD": ""}
    done = bench.do(replace(order, variables=odd))
    assert dict(line.split("=", 1) for line in done.out.split("\0") if line) == odd


def test_words_names_and_folders_may_hold_anything(bench):
    order = bench.order("printf", "%s|", "", " ", "a'b\"c", "$HOME `id`", "ü\n€", "--", "-c")
    folder = order.home / "My Dätä 'x' {lr}"
    folder.mkdir()
    done = bench.do(replace(order, name="../job of 'VIS-1'\n=ü", folder=folder))
    assert done.out == "| |a'b\"c|$HOME `id`|ü\n€|--|-c|"
    assert bench.do(replace(bench.order("pwd"), folder=folder, home=order.home)).out.strip() == str(folder)


def test_what_cannot_be_started_says_why(bench):
    unknown = bench.do(bench.order("no-such-program"))
    assert (unknown.ended.cause, unknown.ended.code) == (Job.Cause.EXIT, 127)
    assert unknown.ended.why == "The command 'no-such-program' cannot be started: No such file or directory."
    order = bench.order("true")
    odd = bench.do(replace(bench.order("true"), variables={"A=B": "x"}))
    assert odd.ended.why == "The command cannot be started: illegal environment variable name."
    nowhere = bench.do(replace(order, folder=order.home / "gone"))
    assert nowhere.ended.why == "Its folder cannot be used: No such file or directory."


def test_orphans_are_waited_for(bench):
    done = bench.do(
        bench.python(
            "import os, time\n"
            "for _ in range(30):\n"
            "    if os.fork() == 0:\n"
            "        os.fork() == 0 and time.sleep(0.05)\n"
            "        os._exit(0)\n"
            "    os.wait()\n"
            "def dead():\n"
            "    for one in filter(str.isdigit, os.listdir('/proc')):\n"
            "        try: words = open(f'/proc/{one}/stat').read().rpartition(')')[2].split()\n"
            "        except OSError: continue\n"
            "        if words[0] == 'Z' and words[1] == str(os.getppid()): yield one\n"
            "end = time.time() + 20\n"
            "while (left := list(dead())) and time.time() < end: time.sleep(0.01)\n"
            "print(left)"
        )
    )
    assert done.out == "[]\n"


def test_a_signal_that_ends_a_command_is_named(bench):
    done = bench.do(bench.order("sh", "-c", "kill -SEGV $$"))
    assert (done.ended.code, done.ended.why) == (139, "Its command was ended by SIGSEGV.")


LIMITS = {
    "memory": (
        "x = bytearray(2 << 30)\nfor i in range(0, len(x), 4096): x[i] = 1",
        Resources(memory_mb=200),
        "200 MB of memory that are allowed|MB of memory; 200 MB are allowed",
    ),
    "processes": (
        "import os, time\nfor _ in range(60):\n    if os.fork() == 0: time.sleep(600)\ntime.sleep(600)",
        Resources(processes=20),
        "processes; 20 are allowed",
    ),
    "disk": (
        "import time\nfor i in range(40):\n    open(f'file-{i}', 'wb').write(b'x' * (1 << 20))\ntime.sleep(600)",
        Resources(disk_mb=10),
        r"It wrote \d+ MB; 10 MB are allowed",
    ),
    "time": ("import time; time.sleep(600)", Resources(seconds=1), "not done after 1 second"),
}


@pytest.mark.parametrize("limit", LIMITS)
def test_each_limit_ends_all_of_it_and_says_what_to_ask_for(bench, limit):
    code, limits, words = LIMITS[limit]
    done = bench.do(bench.python(code, limits=limits))
    assert done.ended.cause == limit
    assert bench.strays() == []
    assert re.search(words, done.ended.why), done.ended.why
    assert done.ended.why.endswith("Ask for more under Resources, or have it use less.")


def test_stop_is_heard_first_and_ends_what_does_not_hear(bench, monkeypatch):
    heard = bench.python(
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (open('heard', 'w').write('1'), sys.exit(0)))\n"
        "open('ready', 'w').write('1')\ntime.sleep(600)"
    )
    execution_of = bench.executor.start(heard)
    until((heard.home / "ready").exists, what="it is ready")
    execution_of.stop(Job.Cause.STOP, "Ada Meier stopped it.")
    execution_of.stop(Job.Cause.WORKER, "too late to change why")
    ended = until_ended(execution_of)
    assert (ended.cause, ended.why, ended.code) == (Job.Cause.STOP, "Ada Meier stopped it.", None)
    assert (heard.home / "heard").exists()

    monkeypatch.setattr(execution, "GRACE_SECONDS", 0.2)
    deaf = bench.order("sh", "-c", "trap '' TERM; touch ready; while :; do sleep 600; done")
    execution_of = bench.executor.start(deaf)
    until((deaf.home / "ready").exists, what="it is ready")
    execution_of.stop(Job.Cause.STOP, "Stopped.")
    assert until_ended(execution_of).cause == Job.Cause.STOP
    assert bench.strays() == []


def test_what_it_set_loose_ends_with_it(bench):
    done = bench.do(bench.python(LOOSE))
    assert done.ended.code == 0
    assert bench.strays() == []


def test_it_runs_on_as_many_processors_as_it_may_and_is_the_first_to_go_when_memory_is_short(bench):
    code = "import os; print(len(os.sched_getaffinity(0)), open('/proc/self/oom_score_adj').read().strip())"
    done = bench.do(bench.python(code, limits=Resources(cpus=0.5)))
    assert done.out == "1 1000\n"


WORKER = """
import os, sys, json, time
import django
django.setup()
from pathlib import Path
from runner.executors import Order
from runner.executors.plain import Plain
from runner.executors.sandbox import Sandbox
place, mark, which, python, code = sys.argv[1:]
print("ready", flush=True)
home = Path(place, "home"); home.mkdir(parents=True)
execution = {"sandbox": Sandbox, "plain": Plain}[which]().start(Order(
    name=f"of-{mark}", words=[python, "-c", code + "\\ntime.sleep(600)"], home=home, folder=home,
    stdout=home.parent / "out", stderr=home.parent / "err", variables={"MARK": mark, "PATH": "/usr/bin:/bin"},
))
while execution.poll() is None:
    time.sleep(0.1)
"""


def test_nothing_outlives_the_worker_that_started_it(bench, tmp_path):
    words = [sys.executable, "-c", WORKER, str(tmp_path / "job"), bench.mark, bench.executor.name, PYTHON, LOOSE]
    worker = subprocess.Popen(words, cwd=ROOT, env={**os.environ, "DJANGO_SETTINGS_MODULE": "mled_site.settings_test"})
    try:
        until((tmp_path / "job" / "home" / "loose").exists, what="it has set one loose")
        assert len(bench.strays()) >= 2
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    until(lambda: not bench.strays(), within=5, what="nothing of it is left")


def test_a_worker_may_die_at_any_moment_of_a_start(bench, tmp_path):
    """Frozen first, so that it starts nothing more between our look and its end."""
    chance = random.Random(7)
    for number in range(sized(2, 50)):
        words = [sys.executable, "-c", WORKER, str(tmp_path / str(number)), bench.mark, bench.executor.name]
        worker = psutil.Popen(
            [*words, PYTHON, "import time"],
            cwd=ROOT,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "mled_site.settings_test"},
            stdout=subprocess.PIPE,
        )
        worker.stdout.readline()
        with suppress(psutil.TimeoutExpired):
            worker.wait(chance.uniform(0, 0.3))
        worker.send_signal(signal.SIGSTOP)
        below = worker.children(recursive=True)
        worker.kill()
        worker.wait()
        assert psutil.wait_procs(below, timeout=5)[1] == []
        until(lambda: not bench.strays() and not bench.shims(), within=5, what="nothing of it is left")


def test_a_sweep_ends_what_is_not_named(bench):
    stays, goes = (bench.executor.start(bench.order("sleep", "600")) for _ in range(2))
    bench.executor.sweep([stays.order.name])
    assert "ended from outside" in until_ended(goes).why
    assert stays.poll() is None
    stays.stop(Job.Cause.STOP, "Done.")
    until_ended(stays)


def test_usage_is_that_of_all_its_processes(bench):
    order = bench.python(
        "import os, time\n"
        "child = os.fork()\n"
        "x = b'x' * (80 << 20)\n"
        "open(f'file-{child > 0}', 'wb').write(b'x' * (3 << 20))\n"
        "end = time.process_time() + 0.3\n"
        "while time.process_time() < end: pass\n"
        "open(f'ready-{child > 0}', 'w').write('1')\n"
        "time.sleep(600)"
    )
    going = bench.executor.start(order)
    until(lambda: len(list(order.home.glob("ready-*"))) == 2, what="both are ready")
    until(lambda: going.poll() or going.usage().disk_bytes > 6 << 20, what="the disk was looked at")
    used = going.usage()
    assert used.processes == 2
    assert 160 << 20 < used.memory_bytes < 260 << 20
    assert 6 << 20 < used.disk_bytes < 7 << 20
    assert used.cpu_seconds > 0.5
    going.stop(Job.Cause.STOP, "Seen.")
    assert until_ended(going).cause == Job.Cause.STOP


class Said(BaseHTTPRequestHandler):
    """A server that says what it was asked."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.path.encode())

    def log_message(self, *_: object) -> None:
        """Quiet."""


def test_mled_is_reached_by_the_door(bench, tmp_path):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Said)
    Thread(target=server.serve_forever, daemon=True).start()
    code = "import os, urllib.request as u; print(u.urlopen(os.environ['AT'] + '/api/v1/me/').read().decode())"
    with Relay(tmp_path / "door", base=f"http://127.0.0.1:{server.server_port}", slug="vision"):
        order = bench.python(code, door=tmp_path / "door")
        done = bench.do(replace(order, variables={**order.variables, "AT": INSIDE}))
    server.shutdown()
    assert done.err == ""
    assert done.out == "/api/v1/me/\n"


def test_files_are_read_at_their_places_and_not_changed(bench, tmp_path):
    shown = tmp_path / "shown"
    shown.mkdir()
    (shown / "train.csv").write_text("a,b\n")
    order = bench.order("cat", "/inputs/train.csv", readable=[shown], places={shown: "/inputs"})
    assert bench.do(order).out == "a,b\n"


def test_the_executor_is_chosen_by_the_settings(settings):
    assert chosen().name == "sandbox"
    settings.MLED_EXECUTOR = "plain"
    assert chosen().name == "plain"
    settings.MLED_EXECUTOR = "none"
    with pytest.raises(Invalid, match="'sandbox' and 'plain'"):
        chosen()


def test_here_jobs_can_be_shut_off(sandbox):
    assert Sandbox().lacks() == ""
    assert Plain().lacks() == ""
