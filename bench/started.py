"""Start MLED and the peer as a user would, and look at what their processes cost."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench.connection import Server

ROOT = Path(__file__).resolve().parent.parent
QUIET_SECONDS = 10


@dataclass
class Started:
    """A server that this program runs. `restart` measures; `server` is how to reach it."""

    name: str
    command: list[str]
    environment: dict[str, str]
    url: str
    home: Path
    log: Path
    token: str = ""
    costs: dict[str, float] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def start(self, figure: str) -> None:
        """Run it until it answers for the first time."""
        begun = time.perf_counter()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, env=self.environment, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
            )
        while not self._answers():
            if self.process.poll() is not None or time.perf_counter() - begun > 120:
                raise RuntimeError(f"{self.name} did not start.")
            time.sleep(0.02)
        self.costs[figure] = time.perf_counter() - begun

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=2) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except OSError:
            return False

    def stop(self) -> None:
        """Its whole group ends; a process that is deaf to SIGTERM for 20 s is killed."""
        if self.process is None:
            return
        members = self.members()
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(20)
        for member in psutil.wait_procs(members, timeout=5)[1]:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        self.process.wait(5)
        self.process = None

    def members(self) -> list[psutil.Process]:
        if self.process is None:
            return []
        try:
            leader = psutil.Process(self.process.pid)
            return [leader, *leader.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def weigh(self) -> None:
        """Memory when idle: each process's share of what it shares, so that nothing counts twice."""
        time.sleep(QUIET_SECONDS)
        sizes = [member.memory_full_info().pss for member in self.members()]
        self.costs["memory.idle"] = sum(sizes) / (1 << 20)
        self.costs["memory.processes"] = len(sizes)

    def server(self, path: str = "") -> Server:
        return Server(self.name, self.url + path, self.token)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("MLED_", "MLFLOW_", "DATABASE_"))}


@contextlib.contextmanager
def running(started: Started) -> Iterator[Started]:
    """New database, existing database, idle memory; then it stays up for the rest of the measurements."""
    try:
        started.start("start.new")
        started.stop()
        started.start("start.again")
        started.weigh()
        yield started
    except Exception:
        print(f"{started.name} wrote last:\n{started.log.read_text()[-3000:]}", file=sys.stderr)
        raise
    finally:
        started.stop()


def mled(home: Path, database_url: str = "") -> Started:
    home.mkdir(parents=True)
    port = free_port()
    environment = clean_environment() | {"MLED_DATA": str(home), "MLED_PORT": str(port), "MLED_HOST": "127.0.0.1"}
    environment |= {"DATABASE_URL": database_url} if database_url else {}
    command = [sys.executable, "manage.py", "up"]
    return Started("MLED", command, environment, f"http://127.0.0.1:{port}", home, home.parent / "mled.log")


def make_member(started: Started, slug: str) -> str:
    """A project with one data scientist, by the commands that an operator types. Returns the tracking path."""

    def manage(*args: str, typed: str = "") -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *args],
            env=started.environment, cwd=ROOT, input=typed, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"manage.py {args[0]}: {done.stdout}{done.stderr}")
        return done.stdout.strip()

    manage("create_user", "bench@example.org", "--password-stdin", typed=os.urandom(12).hex() + "\n")
    manage("create_project", slug)
    manage("add_member", slug, "bench@example.org", "data_scientist")
    started.token = manage("issue_token", "bench@example.org", f"--project={slug}")
    return f"/mlflow/{slug}"


def peer(home: Path, python: Path, database_url: str = "") -> Started:
    home.mkdir(parents=True)
    port = free_port()
    backend = database_url.replace("postgres://", "postgresql+psycopg2://", 1) or f"sqlite:///{home / 'mlflow.db'}"
    command = [str(python.parent / "mlflow"), "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--backend-store-uri", backend, "--artifacts-destination", str(home / "artifacts")]
    return Started("MLflow", command, clean_environment(), f"http://127.0.0.1:{port}", home, home.parent / "peer.log")
