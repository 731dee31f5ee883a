"""Images as environments: fetched from a real registry, unpacked, shown to jobs by the sandbox, and found again."""

import json
import os
import signal
import subprocess
import sys
import tarfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import uuid4

import pytest

from experiments.conditions import conditions_of
from kernel.actor import system
from kernel.errors import Conflict, Invalid, InvalidFields, TooLarge, Unavailable
from runner.actions.jobs import begin_job, end_job, start_job
from runner.actions.recreating import recreate
from runner.actions.secrets import keep_secret, remove_secret
from runner.bundles.contents import bundle_of
from runner.checking import checked
from runner.executors import INSIDE, Order
from runner.executors.bubblewrap_image import ENTRIES_MAX, laid, with_room
from runner.executors.plain import Plain
from runner.executors.sandbox import Sandbox
from runner.images import read_image
from runner.models import Job
from runner.packages import image_of, read_packages
from runner.recreating.likeness import like
from runner.working import images
from runner.working.images_registry import RegistryKey, reached, registry_key
from runner.working.workplace_folders import held
from tests.factories import a_team
from tests.factories_runner import a_worker
from tests.runner.executing import Bench
from tests.runner.workplaces import an_uploaded_job, executed, file_of, paths_of, prepared, tags_of
from tests.services.processes import ROOT, die_with_parent
from tests.services.registry import (
    INDEX,
    MACHINE,
    MANIFEST,
    USER,
    WORD,
    Registry,
    closed_registry,
    entry,
    layer,
    token_registry,
    with_programs,
)

pytestmark = pytest.mark.django_db
OTHER = "arm64" if MACHINE == "amd64" else "amd64"
SYM, DIR = tarfile.SYMTYPE, tarfile.DIRTYPE


@pytest.fixture(autouse=True)
def worker(tmp_path: Path, settings) -> Path:
    """A worker's own folder, whose images are its own."""
    settings.MLED_RUNNER_DATA = str(tmp_path / "worker")
    return tmp_path / "worker" / "cache"


@pytest.fixture
def open_one(registry: Registry, settings) -> Registry:
    settings.MLED_IMAGE_REGISTRIES = [registry.named]
    return registry


@pytest.fixture(scope="module")
def shell() -> bytes:
    """A layer with a shell and a few programs, as they are on this machine."""
    return with_programs("sh", "cat", "ls", "id", "env", "stat", "touch")


def fetched(registry: Registry, name: str, key: RegistryKey | None = None, told=lambda stage: None) -> images.Image:
    """The image, released at once."""
    image = images.ready(read_image(f"{registry.host}/{name}"), key, told=told)
    os.close(image.holds)
    return image


def key(value: str = f"{USER}:{WORD}") -> RegistryKey:
    return registry_key("REGISTRY", value)


# --- Fetched


def test_an_image_is_fetched_once_by_its_digest_and_a_tag_leads_to_what_it_means_now(open_one: Registry, worker: Path):
    stages: list[str] = []
    base = layer(("etc/name", "base"), ("usr/big", os.urandom(3_000_000)))
    first = open_one.push("team/one", base, layer(("first", "1")), Env=["PATH=/opt/bin:/bin", "LEVEL=3", "BAD"])
    image = fetched(open_one, "team/one:1", told=stages.append)
    assert str(image.name) == f"{open_one.host}/team/one:1@{first}"
    assert {one.name for one in image.root.iterdir()} == {"etc", "usr", "first"}
    assert {one.name for one in (image.root / "etc").iterdir()} == {"name", "hosts", "passwd", "group"}
    assert image.variables == {"PATH": "/opt/bin:/bin", "LEVEL": "3", "BAD": ""}
    assert {"Fetching image, 0 of 3 MB", "Fetching image, 3 of 3 MB", "Unpacking image, layer 2 of 2"} <= set(stages)
    stages.clear()
    assert fetched(open_one, f"team/one@{first}", told=stages.append).root == image.root
    assert not [one for one in stages if "Fetching image" in one or "Unpacking" in one]
    second = open_one.push("team/one", base, layer(("second", "2")))
    later = fetched(open_one, "team/one:1", told=stages.append)
    assert (later.name.digest, later.root != image.root) == (second, True)
    assert fetched(open_one, f"team/one@{first}").root == image.root
    assert len([one for one in (worker / "layers").iterdir() if one.suffix == ""]) == 3, "the first is shared"


def test_of_an_image_for_several_machines_the_one_for_this_is_taken(open_one: Registry):
    mine = open_one.push("many", layer(("mine", "1")), tag="a")
    other = open_one.push("many", layer(("other", "1")), tag="b", machine=OTHER)
    listed = [
        {"mediaType": MANIFEST, "digest": digest, "size": 1, "platform": {"os": "linux", "architecture": machine}}
        for digest, machine in ((other, OTHER), (mine, MACHINE))
    ]
    whole = open_one.describe("many", "all", {"schemaVersion": 2, "mediaType": INDEX, "manifests": listed})
    image = fetched(open_one, "many:all")
    assert (image.name.digest, (image.root / "mine").exists()) == (whole, True)
    open_one.describe("many", "theirs", {"schemaVersion": 2, "mediaType": INDEX, "manifests": listed[:1]})
    for name in ("many:theirs", "many:b"):
        with pytest.raises(Invalid, match=f"made for linux/{OTHER}, and this worker is linux/{MACHINE}"):
            fetched(open_one, name)


def test_what_is_not_there_and_who_is_not_there_say_so(open_one: Registry, settings):
    with pytest.raises(Invalid, match="There is no image") as refused:
        fetched(open_one, "never:1")
    assert refused.value.field == "environment.image"
    settings.MLED_IMAGE_REGISTRIES = ["http://127.0.0.1:1"]
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1 answers 502: It cannot be reached: .*refused"):
        images.ready(read_image("127.0.0.1:1/a"), None, told=lambda stage: None)


def test_a_closed_network_is_not_reached_and_nothing_goes_without_tls_unless_the_operator_said_so(
    registry: Registry, settings
):
    registry.push("team/closed", layer(("a", "1")))
    with pytest.raises(Unavailable, match="is not a public address"):
        fetched(registry, "team/closed:1")
    settings.MLED_IMAGE_REGISTRIES = [registry.host]  # without http://
    with pytest.raises(Unavailable, match="cannot be reached"):
        fetched(registry, "team/closed:1")


def test_bytes_that_are_not_those_of_the_digest_are_refused_and_nothing_of_them_stays(open_one: Registry, worker: Path):
    content = layer(("file", os.urandom(100_000)))
    open_one.push("team/spoiled", layer(("a", "1")), content)
    part = open_one.keep("team/spoiled", content)
    open_one.spoil(part["digest"])
    with pytest.raises(Invalid, match="gave other bytes than"):
        fetched(open_one, "team/spoiled:1")
    plain = part["digest"].removeprefix("sha256:")
    assert not [one for one in (worker / "layers").iterdir() if one.name.startswith(plain) and one.suffix != ".lock"]
    assert not list((worker / "images").glob("*.ready"))


def test_an_image_that_is_too_large_is_refused_before_and_after_it_is_unpacked(
    open_one: Registry, worker: Path, settings
):
    settings.MLED_IMAGE_MB = 1
    open_one.push("team/large", layer(("noise", os.urandom(2_000_000))))
    with pytest.raises(TooLarge, match=r"has 2 MB, and 1 MB are taken"):
        fetched(open_one, "team/large:1")
    open_one.push("team/bomb", layer(("zeros", b"\0" * 20_000_000)))
    with pytest.raises(TooLarge, match="Unpacked"):
        fetched(open_one, "team/bomb:1")
    assert not [one for one in (worker / "images").iterdir() if one.is_dir()], "nothing of it fills the disk"


def test_a_manifest_of_another_form_is_refused(open_one: Registry):
    part = open_one.keep("team/odd", b"{}")
    odd = {"schemaVersion": 2, "mediaType": MANIFEST, "config": {"mediaType": "x/y", **part}, "layers": []}
    open_one.describe("team/odd", "1", odd)
    with pytest.raises(Invalid, match="of a form that is not read"):
        fetched(open_one, "team/odd:1")


def test_what_nobody_used_for_long_goes_unless_a_job_has_it(open_one: Registry, worker: Path):
    open_one.push("team/old", layer(("a", "1")))
    image = images.ready(read_image(f"{open_one.host}/team/old:1"), None, told=lambda stage: None)
    for one in (*(worker / "images").glob("*.ready"), *(worker / "layers").iterdir()):
        os.utime(one, (0, 0))
    assert images.forget_unused(at_most=10**9, unused_seconds=3600) == 0
    assert (image.root / "a").exists()
    assert not [one for one in (worker / "layers").iterdir() if one.suffix == ""]
    os.close(image.holds)
    assert images.forget_unused(at_most=10**9, unused_seconds=3600) == 1
    assert not image.root.exists()


def test_of_images_the_longest_unused_go_where_there_are_too_many_bytes(open_one: Registry, worker: Path):
    roots = {}
    for used, name in enumerate(("first", "second"), start=1):
        open_one.push(f"team/{name}", layer((name, "1" * 700_000)))
        roots[name] = fetched(open_one, f"team/{name}:1").root
        os.utime(roots[name].parent.with_suffix(".ready"), (time.time() - 60 + used,) * 2)
    assert images.forget_unused(at_most=2_000_000, unused_seconds=3600) == 0
    assert images.forget_unused(at_most=1_000_000, unused_seconds=3600) == 1
    assert (roots["first"].exists(), roots["second"].exists()) == (False, True)


def test_what_a_worker_that_died_left_half_unpacked_goes_once_it_is_old(open_one: Registry, worker: Path):
    open_one.push("team/half", layer(("a", "1")))
    image = fetched(open_one, "team/half:1")
    mark = image.root.parent.with_suffix(".ready")
    mark.unlink()
    assert images.forget_unused(at_most=10**9, unused_seconds=3600) == 0
    os.utime(image.root.parent, (0, 0))
    with held(image.root.parent.with_suffix(".lock"), lambda stage: None):  # somebody is at it again
        assert images.forget_unused(at_most=10**9, unused_seconds=3600) == 0
    assert images.forget_unused(at_most=10**9, unused_seconds=3600) == 1
    assert not image.root.exists()


def test_two_jobs_that_want_an_image_at_once_unpack_it_once(open_one: Registry):
    open_one.push("team/twice", layer(*((f"file-{number}", "x" * 5000) for number in range(200))))
    roots, stages = [], list[str]()
    threads = [
        threading.Thread(target=lambda: roots.append(fetched(open_one, "team/twice:1", told=stages.append).root))
        for _ in range(2)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert (len(roots), len(set(roots))) == (2, 1)
    assert stages.count("Unpacking image, layer 1 of 1") == 1


KILLED = """
import sys, django
django.setup()
from runner.images import read_image
from runner.working import images
images.ready(read_image(sys.argv[1]), None, told=lambda stage: print(stage, flush=True) if stage else None)
"""


def test_a_worker_killed_in_the_middle_of_fetching_leaves_nothing_that_is_taken_for_whole(
    open_one: Registry, worker: Path, settings
):
    open_one.push("team/slow", layer(("first", "1")), layer(("noise", os.urandom(60_000_000)), packed=""))
    for stage in ("Fetching image, 1", "Unpacking image, layer 2"):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, f"{open_one.host}/team/slow:1"], stdout=subprocess.PIPE, text=True, cwd=ROOT,
            preexec_fn=die_with_parent, env={
                **os.environ, "DJANGO_SETTINGS_MODULE": "mled_site.settings_test",
                "MLED_RUNNER_DATA": str(worker.parent), "MLED_IMAGE_REGISTRIES": open_one.named,
            },
        )  # fmt: skip
        assert process.stdout is not None
        assert any(line.startswith(stage) for line in process.stdout), "it came that far"
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert not list((worker / "images").glob("*.ready"))
    image = fetched(open_one, "team/slow:1")
    assert (image.root / "noise").stat().st_size == 60_000_000
    assert not list((worker / "layers").glob("*.part"))


def test_whoever_is_told_to_stop_stops_in_the_middle_of_fetching(open_one: Registry, worker: Path):
    class Enough(Exception):
        pass

    def told(stage: str) -> None:
        if stage.startswith("Fetching image, 1"):
            raise Enough

    open_one.push("team/stopped", layer(("noise", os.urandom(3_000_000)), packed=""))
    with pytest.raises(Enough):
        fetched(open_one, "team/stopped:1", told=told)
    assert not list((worker / "images").glob("*.ready"))
    assert (fetched(open_one, "team/stopped:1").root / "noise").exists()


# --- Opened


def test_a_private_image_is_opened_by_the_secret_that_is_named_which_nobody_reads_again(
    tmp_path: Path, settings, worker: Path
):
    with closed_registry(tmp_path / "closed") as closed:
        settings.MLED_IMAGE_REGISTRIES = [closed.named]
        closed.push("team/private", layer(("a", "1")))
        with pytest.raises(Unavailable, match=r"does not give .* to us") as refused:
            fetched(closed, "team/private:1")
        assert "Name a secret of the project" in refused.value.hint
        with pytest.raises(Unavailable, match=r"does not give .* to us") as refused:
            fetched(closed, "team/private:1", key("robot:falsch"))
        assert "'REGISTRY'" in refused.value.hint
        assert "falsch" not in str(refused.value)
        stages: list[str] = []
        assert (fetched(closed, "team/private:1", key(), told=stages.append).root / "a").exists()
        for other in (None, key("robot:falsch")):
            with pytest.raises(Unavailable):  # though it lies here by now
                fetched(closed, "team/private:1", other)
        kept = [one for one in worker.rglob("*") if one.is_file()]
        assert not [one for one in kept if WORD.encode() in one.read_bytes()]
        assert WORD not in " ".join(stages)


def test_a_credential_does_not_go_along_to_where_a_registry_leads(settings):
    class Leading(BaseHTTPRequestHandler):
        came: list[str]
        leads_to = ""

        def do_GET(self) -> None:
            self.came.append(self.headers.get("Authorization", ""))
            is_known = bool(self.came[-1]) or not self.leads_to
            self.send_response((307 if self.leads_to else 200) if is_known else 401)
            self.send_header("WWW-Authenticate", 'Basic realm="images"')
            self.send_header("Location", self.leads_to + self.path)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:
            """`came` holds what a test looks at."""

    there, here = type("There", (Leading,), {"came": []}), type("Here", (Leading,), {"came": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), there) as storage, ThreadingHTTPServer(("127.0.0.1", 0), here) as asked:
        named = [f"127.0.0.1:{one.server_port}" for one in (asked, storage)]
        here.leads_to = f"http://{named[1]}"
        for one in (storage, asked):
            threading.Thread(target=one.serve_forever, daemon=True).start()
        settings.MLED_IMAGE_REGISTRIES = [f"http://{one}" for one in named]
        with reached(read_image(f"{named[0]}/a"), key(), lambda: None) as registry:
            assert registry.manifest("1")[0] == b"{}"
        settings.MLED_IMAGE_REGISTRIES = [f"http://{named[0]}", named[1]]  # that one by https alone
        with (
            reached(read_image(f"{named[0]}/a"), key(), lambda: None) as registry,
            pytest.raises(Unavailable, match="without https"),
        ):
            registry.manifest("1")
        for one in (storage, asked):
            one.shutdown()
    assert (here.came, there.came) == (["", key().header] * 2, [""])


def test_what_lies_here_of_a_private_image_goes_to_nobody_who_names_its_digests_elsewhere(
    tmp_path: Path, settings, registry: Registry
):
    """Digests stand with each run in the image; a registry of one's own may name them without having the bytes."""
    with closed_registry(tmp_path / "closed") as closed:
        settings.MLED_IMAGE_REGISTRIES = [closed.named, registry.named]
        private = layer(("weights", os.urandom(10_000)))
        same = closed.push("team/private", private)
        assert (fetched(closed, "team/private:1", key()).root / "weights").exists()
        assert registry.push("mine/same", private) == same
        registry.push("mine/layers", private, Env=["A=1"])
        registry.spoil(registry.keep("mine/layers", private)["digest"])
        for name in ("mine/same:1", f"mine/same@{same}", "mine/layers:1"):
            with pytest.raises(Invalid, match="gave other bytes than"):
                fetched(registry, name)


def test_a_registry_that_sends_for_a_token_is_followed_there_with_the_secret_and_without_one(tmp_path: Path, settings):
    with token_registry(tmp_path / "tokens") as (registry, tokens):
        settings.MLED_IMAGE_REGISTRIES = [registry.named, tokens.named]
        registry.push("team/private", layer(("a", "1")))
        registry.push("open/one", layer(("b", "1")))
        assert (fetched(registry, "open/one:1").root / "b").exists()
        assert tokens.asked == [("repository:open/one:pull", "")]
        with pytest.raises(Unavailable, match=r"does not give .* to us"):
            fetched(registry, "team/private:1")
        assert (fetched(registry, "team/private:1", key()).root / "a").exists()
        assert tokens.asked[-1] == ("repository:team/private:pull", f"{USER}:{WORD}")
        settings.MLED_IMAGE_REGISTRIES = [registry.named]  # the place of the tokens is not named with http://
        before = len(tokens.asked)
        with pytest.raises(Unavailable, match="without https"):
            fetched(registry, "team/private:1", key())
        assert len(tokens.asked) == before


@pytest.mark.parametrize("value", ["word", ":word", "user:", "user:a\nb"])
def test_a_secret_that_opens_no_registry_says_so_without_its_value(value: str):
    with pytest.raises(Invalid, match="opens no registry") as refused:
        registry_key("REGISTRY", value)
    assert "word" not in refused.value.message.replace("password", "")


# --- Executed


@pytest.fixture
def bench(sandbox, tmp_path: Path):
    made = Bench(Sandbox(), tmp_path, os.urandom(8).hex())
    yield made
    assert made.strays() == []


LOOKS = """
echo "name $(cat /etc/name)"; id -u; cat /etc/passwd; ls / ; ls /home /root /opt 2>/dev/null
for place in /new /etc/new /bin/new /usr/new /etc/name; do touch $place 2>/dev/null && echo "wrote $place"; done
touch "$MINE/written" /tmp/written && echo wrote mine; ls /dev; stat -c %a /bin/sh
"""


def test_a_command_sees_the_image_and_its_order_and_nothing_else_of_the_machine(
    bench, open_one: Registry, shell: bytes, tmp_path: Path
):
    users = "root:x:0:0:root:/root:/bin/sh\n"
    open_one.push(
        "team/shell", shell, layer(("etc/name", "of the image"), ("etc/passwd", users), (entry("dev/sda", b"3"), None))
    )
    image = fetched(open_one, "team/shell:1")
    readable = tmp_path / "given"
    readable.mkdir(mode=0o755)
    (readable / "file").write_text("an input")
    order = bench.order("sh", "-c", LOOKS + "cat /inputs/file", root=image.root, readable=[readable])
    variables = {"PATH": "/bin", "MINE": str(order.home), "MARK": bench.mark}
    done = bench.do(Order(**{**as_given(order), "variables": variables, "places": {readable: "/inputs"}}))
    assert done.ended.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[:4] == ["name of the image", "1000", users.strip(), "job:x:1000:1000:job:/:/bin/sh"]
    assert {"bin", "dev", "etc", "inputs", "proc", "run", "tmp"} <= set(lines)
    assert not {"usr", "srv", "var", "sda", "boot"} & (set(lines) - set(str(order.home).split("/")))
    assert [one for one in lines if one.startswith("wrote")] == ["wrote mine"]
    assert lines[-2:] == ["755", "an input"]
    assert not (image.root / "new").exists()


def as_given(order: Order) -> dict:
    return {name: getattr(order, name) for name in Order.__slots__}


def test_what_cannot_be_started_in_an_image_says_why(bench, open_one: Registry, shell: bytes):
    open_one.push("team/shell", shell)
    root = fetched(open_one, "team/shell:1").root
    done = bench.do(bench.order("python", "train.py", root=root))
    assert (done.ended.code, done.ended.why) == (
        127, "The command 'python' cannot be started: No such file or directory.",
    )  # fmt: skip


def test_the_links_of_an_image_lead_none_of_our_places_away(bench, open_one: Registry, shell: bytes, tmp_path: Path):
    """Its /inputs, /tmp and the way to the command's home are links to what it does not have, and to our own places."""
    head = str(tmp_path).split("/")[1]
    away = [(name, SYM) for name in dict.fromkeys(("inputs", "tmp", "run", "proc", head))]
    links = [(entry(name, kind, link=f"/oldroot{tmp_path}/victim"), None) for name, kind in away]
    open_one.push("team/links", shell, layer(*links, (entry("etc/passwd", SYM, link="/oldroot/etc/shadow"), None)))
    root = fetched(open_one, "team/links:1").root
    victim = tmp_path / "victim"
    victim.mkdir(mode=0o777)
    given = tmp_path / "given"
    given.mkdir(mode=0o755)
    order = bench.order("sh", "-c", "cat /etc/passwd; touch /tmp/x here && ls /inputs", root=root, readable=[given])
    done = bench.do(Order(**{**as_given(order), "variables": {"PATH": "/bin", "MARK": bench.mark},
                             "places": {given: "/inputs"}}))  # fmt: skip
    assert (done.ended.code, done.out.splitlines()[0]) == (0, "job:x:1000:1000:job:/:/bin/sh"), done.err
    assert (order.home / "here").exists()
    assert list(victim.iterdir()) == []


def test_an_image_that_has_too_much_beside_our_places_is_refused_in_words(tmp_path: Path):
    (tmp_path / "etc").mkdir()
    for number in range(ENTRIES_MAX + 1):
        (tmp_path / "etc" / str(number)).symlink_to("x")
    with pytest.raises(Unavailable, match=r"/etc is full of them"):
        laid(tmp_path, "/tmp/1", ["/etc/passwd"])


def test_an_executor_without_a_sandbox_refuses_an_image(tmp_path: Path):
    order = Bench(Plain(), tmp_path, "mark").order("true", root=tmp_path)
    with pytest.raises(Unavailable, match="by a sandbox alone"):
        Plain().start(order)


# --- As a job


def a_job_in(registry: Registry, team, name: str, *words: str, secret: str = "", **files: str) -> Job:
    said = {"image": f"{registry.host}/{name}", **({"secret": secret} if secret else {})}
    return an_uploaded_job(
        team.scientist, team.project, {"a.txt": "code", **files}, *words, packages=read_packages(said), seed=7
    )  # fmt: skip


SCRIPT = (
    'echo "level $LEVEL seed $MLED_SEED"; echo "$PATH"; cat a.txt "$MLED_PARAMS"; '
    'echo kept > "$MLED_OUTPUT/result.txt"; exit 3'
)


def test_a_job_runs_in_its_image_with_the_image_s_variables_and_is_on_record_by_digest(
    sandbox, open_one: Registry, shell: bytes, tmp_path: Path
):
    digest = open_one.push("team/shell", shell, Env=["PATH=/bin", "LEVEL=3", "MLED_SEED=99", "API_KEY=of the image"])
    team = a_team()
    job = a_job_in(open_one, team, "team/shell:1", "sh", "-c", SCRIPT + '; echo "$API_KEY"')
    workplace = prepared(job, tmp_path / "job")
    order = workplace.order(door=None, secrets={"API_KEY": "of the project"}, address=INSIDE, token="t")
    assert order.variables["API_KEY"] == "of the project"
    ended = executed(order)
    workplace.collect(team.scientist, ended)
    workplace.clear()
    assert ended.code == 3
    printed = file_of(job, "console/stdout.log").decode()
    assert printed.startswith("level 3 seed 7\n/bin\ncode")
    assert file_of(job, "outputs/result.txt") == b"kept\n"
    named = f"{open_one.host}/team/shell:1@{digest}"
    tags = tags_of(job)
    assert tags["mlflow.docker.image.name"] == named
    known = conditions_of(job.run, params={}, tags=tags, series=[], inputs=[], paths=[])
    assert {one.name: one.found for one in known.items}["Container"] == named
    assert tags["mled.sandbox"].endswith(f"{named} read-only, no network")
    assert tags["mled.image.without"].startswith("Python with mlflow: ")
    assert "mled.python" not in tags
    told = json.loads(file_of(job, "environment/image.json"))
    assert (told["image"], told["platform"], told["python"]) == (named, f"linux/{MACHINE}", None)
    assert "environment/installed/requirements.txt" not in paths_of(job)


def test_python_and_packages_of_an_image_are_read_from_its_files(open_one: Registry):
    about = "lib/python3.12/site-packages/{0}-{1}.dist-info/METADATA"
    told = "Metadata-Version: 2.1\nName: {0}\nVersion: {1}\n"
    packages = [(f"usr/local/{about.format(*one)}", told.format(*one)) for one in (("numpy", "2.0"), ("mlflow", "3.9"))]
    venv = [
        (entry("opt/venv/bin/python", SYM, link="/usr/local/bin/python3.12"), None),
        ("opt/venv/" + about.format("torch", "2.9"), told.format("torch", "2.9")),
        (entry("opt/venv/lib/python3.12/site-packages/evil-1.dist-info", SYM, link="/etc"), None),
    ]
    open_one.push("team/python", layer(("usr/local/bin/python3.12", "#!"), *packages, *venv),
                  Env=["PATH=/opt/venv/bin:/usr/local/bin", "PYTHON_VERSION=3.12.4"])  # fmt: skip
    facts = fetched(open_one, "team/python:1").facts
    assert facts.tags["mled.python"] == "3.12.4"
    assert "mled.image.without" not in facts.tags
    assert facts.contents["environment/installed/requirements.txt"] == b"mlflow==3.9\nnumpy==2.0\ntorch==2.9\n"


def test_a_worker_without_a_sandbox_refuses_before_it_fetches(open_one: Registry, tmp_path: Path, settings, worker):
    settings.MLED_EXECUTOR = "plain"
    job = a_job_in(open_one, a_team(), "team/shell:1", "sh")
    with pytest.raises(Unavailable, match="an image needs one") as refused:
        prepared(job, tmp_path / "job")
    assert refused.value.field == "environment.image"
    assert not (worker / "images").exists()


def test_a_job_s_private_image_is_opened_by_its_project_s_secret(sandbox, tmp_path: Path, settings, shell: bytes):
    team = a_team()
    keep_secret(team.engineer, team.project, name="REGISTRY", value=f"{USER}:{WORD}")
    with closed_registry(tmp_path / "closed") as closed:
        settings.MLED_IMAGE_REGISTRIES = [closed.named]
        closed.push("team/private", shell, Env=["PATH=/bin"])
        job = a_job_in(closed, team, "team/private:1", "env", secret="REGISTRY")
        workplace = prepared(job, tmp_path / "job")
        ended = executed(workplace.order(door=None, secrets={}, address=INSIDE, token="t"))
        workplace.collect(team.scientist, ended)
        workplace.clear()
        assert WORD not in file_of(job, "console/stdout.log").decode()
        remove_secret(team.engineer, team.project, name="REGISTRY")
        with pytest.raises(Conflict, match="'REGISTRY' is not kept"):
            prepared(job, tmp_path / "again")


# --- Asked for


def test_an_image_is_asked_for_by_name_with_the_secret_that_opens_it(settings):
    team = a_team()
    wanted = {"repository": {"url": "https://git.example.org/x", "commit": "0" * 40}, "command": "python a.py"}

    def problems(environment: dict) -> list[tuple[str, str]]:
        with pytest.raises(InvalidFields) as refused:
            checked(team.scientist, team.project, {**wanted, "environment": environment})
        return [(one.field, one.message) for one in refused.value.problems]

    assert problems({"image": "No Image"}) == [("environment.image", "'No Image' is no name of an image.")]
    assert [field for field, _ in problems({"image": "a", "python": "3.11"})] == ["environment.python"]
    assert [field for field, _ in problems({"image": "a", "requirements": "b==1"})] == ["environment.requirements"]
    assert problems({"image": "a", "secret": "NONE"}) == [
        ("environment.secret", "This project keeps no secret 'NONE'."),
    ]  # fmt: skip
    settings.MLED_IMAGE_REGISTRIES = ["ghcr.io"]
    assert [field for field, _ in problems({"image": "docker.io/a"})] == ["environment.image"]
    keep_secret(team.engineer, team.project, name="REGISTRY", value="a:b")
    draft = checked(
        team.scientist, team.project, {**wanted, "environment": {"image": "ghcr.io/a:1", "secret": "REGISTRY"}}
    )
    assert draft.packages is not None
    assert (draft.packages.lock, draft.packages.secret) == (b"ghcr.io/a:1", "REGISTRY")


def test_a_run_is_done_again_in_the_image_that_its_tag_meant_then(team_with_run):
    team, job, named = team_with_run
    found = like(team.scientist, job.run)
    assert found.wanted["environment"] == {"image": named}
    again = recreate(team.scientist, job.run)
    assert again.reproduces == job.run
    assert image_of(again.recipe.environment) == named
    assert again.recipe.seed == job.recipe.seed
    other = recreate(team.scientist, job.run, changed={"environment": {"image": "ghcr.io/team/train:2"}})
    assert other.reproduces is None


def test_a_bundle_of_a_run_in_an_image_builds_on_it(team_with_run, tmp_path: Path):
    team, job, named = team_with_run
    bundle = bundle_of(team.scientist, job.run, scratch=tmp_path)
    assert bundle.small["Dockerfile"].decode().startswith(f"FROM {named}\n")
    assert f"`{named}`" in bundle.small["README.md"].decode()
    (tmp_path / "out").mkdir()
    for path, content in bundle.small.items():
        (tmp_path / "out" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "out" / path).write_bytes(content)
    done = subprocess.run([sys.executable, "rerun.py"], cwd=tmp_path / "out", capture_output=True, text=True)
    assert done.returncode in (2, 3)


@pytest.fixture
def team_with_run():
    """A run that is over, launched by a tag; what its worker found is noted."""
    team, named = a_team(), f"ghcr.io/team/train:1@sha256:{'0' * 64}"
    packages = read_packages({"image": "ghcr.io/team/train:1"})
    job = an_uploaded_job(team.scientist, team.project, {"a.txt": "x"}, "sh", "a.txt", packages=packages, seed=7)
    job.lease = uuid4()
    job.save()
    job = start_job(system(), job, lease=job.lease, worker=a_worker(), token=None)
    job = begin_job(system(), job, lease=job.lease, image=named)
    job = end_job(system(), job, lease=job.lease, state=Job.State.FINISHED, cause=Job.Cause.EXIT, exit_code=0)
    job.run.refresh_from_db()
    return team, job, named


def test_etc_is_seen_in_one_piece_where_the_image_has_files_for_ours(tmp_path: Path):
    """bubblewrap takes ever longer for each mount more."""
    for number in range(300):
        (tmp_path / "etc" / "many").mkdir(parents=True, exist_ok=True)
        (tmp_path / "etc" / str(number)).touch()
    places = ["/etc/passwd", "/etc/group", "/etc/hosts", "/inputs"]
    assert len(laid(tmp_path, "/tmp/1", places)) > 900
    with_room(tmp_path)
    assert laid(tmp_path, "/tmp/1", places) == ["--ro-bind", "/tmp/1/etc", "/etc"]
    (tmp_path / "etc" / "hosts").unlink()
    (tmp_path / "etc" / "hosts").symlink_to("/oldroot/etc/hosts")
    assert len(laid(tmp_path, "/tmp/1", places)) > 900, "what is a link there is not bound over"
